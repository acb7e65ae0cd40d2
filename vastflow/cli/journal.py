"""What has happened to a flow, fact by fact?

Which keys were written is told; what was written only if the water is asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from rich.table import Column, Table

from vastflow.cli.output import make_table
from vastflow.cli.values import legible
from vastflow.cli.water import Veil
from vastflow.cli.wording import due_time, failed, plain
from vastflow.clock import to_moment
from vastflow.errors import Failure
from vastflow.ledger.reading import Event

__all__ = ["journal", "veiled"]


def veiled(event: Event, veil: Veil | None) -> Event:
    """Return a fact as it may be shown: its values behind a veil, or, without one, only their keys."""
    details = dict(event.details)
    if isinstance(delta := details.get("delta"), Mapping) and isinstance(put := delta.get("put"), Mapping):
        details["delta"] = {**delta, "put": veil.over(put) if veil is not None else list(put)}
    if isinstance(water := details.get("water"), Mapping):
        details["water"] = veil.over(water) if veil is not None else list(water)
    return replace(event, details=details)


def journal(events: Sequence[Event], veil: Veil | None) -> Table:
    """Return the facts as lines, each with the seconds since the first."""
    table = make_table(
        Column("FACT", no_wrap=True, justify="right"),
        Column("AFTER", no_wrap=True, justify="right"),
        Column("STREAM", no_wrap=True, overflow="fold"),
        Column("WHAT", no_wrap=True),
        Column("", overflow="fold"),
        head=True,
    )
    for event in events:
        after = f"{(event.at - events[0].at).total_seconds():.3f} s"
        told = "; ".join(_told(veiled(event, veil)))
        table.add_row(str(event.number), after, plain(event.address), plain(event.kind), plain(told))
    return table


def _told(event: Event) -> Iterator[str]:
    details = event.details
    if event.attempt > 1:
        yield f"attempt {event.attempt}"
    if event.run > 1:
        yield f"run {event.run}"
    if "outcome" in details:
        yield str(details["outcome"])
    if "polls" in details:
        yield f"poll {details['polls']}"
    yield from _written(details)
    if isinstance(due := details.get("due"), int):
        yield f"next at {due_time(to_moment(due), event.at)}"
    if "failure" in details:
        yield _failure(details["failure"], event.address)


def _written(details: Mapping[str, Any]) -> Iterator[str]:
    delta = details.get("delta")
    delta = delta if isinstance(delta, Mapping) else {}
    for verb, what in (("wrote", delta.get("put")), ("deleted", delta.get("drop")), ("holds", details.get("water"))):
        if what:
            yield f"{verb} {', '.join(_named(what))}"


def _named(what: Any) -> Iterator[str]:
    if isinstance(what, Mapping):
        yield from (f"{key} = {legible(value)}" for key, value in what.items())
    else:
        yield from map(str, what)


def _failure(stored: Any, here: str) -> str:
    try:
        return failed(msgspec.convert(stored, Failure), here)
    except msgspec.ValidationError:
        return "a failure that cannot be read"
