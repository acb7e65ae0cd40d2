"""What has happened to a flow, fact by fact?

Which keys were written is told; what was written only if the water is asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import msgspec
from rich.table import Column, Table

from vastflow.cli.output import make_table
from vastflow.cli.values import legible
from vastflow.cli.water import Veil
from vastflow.cli.wording import due_time, failed, plain
from vastflow.clock import to_moment
from vastflow.course.records import NEVER
from vastflow.errors import Failure
from vastflow.ledger.reading import Event

__all__ = ["journal", "veiled"]


def veiled(event: Event, veil: Veil | None) -> Event:
    """Return a fact as it may be shown: its values behind a veil, or, without one, only their keys."""
    details = dict(event.details)
    for name in ("delta", "was"):
        if isinstance(delta := details.get(name), Mapping) and isinstance(put := delta.get("put"), Mapping):
            details[name] = {**delta, "put": _veiled(put, veil)}
    for name in ("water", "put"):
        if isinstance(values := details.get(name), Mapping):
            details[name] = _veiled(values, veil)
    return replace(event, details=details)


def _veiled(values: Mapping[str, Any], veil: Veil | None) -> dict[str, Any] | list[str]:
    return veil.over(values) if veil is not None else list(values)


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
        told = "; ".join(filter(None, _told(veiled(event, veil))))
        table.add_row(str(event.number), after, plain(event.address), plain(event.kind), plain(told))
    return table


def _told(event: Event) -> Iterator[str]:
    details = event.details
    if event.attempt > 1:
        yield f"attempt {event.attempt}"
    if event.run > 1:
        yield f"run {event.run}"
    yield from (way(details[name]) for name, way in _WAYS.items() if _is_told(details.get(name)))
    if merged_or_cancelled := details.get("branches"):
        yield f"{'branches' if event.kind == 'joined' else 'cancels branches'} {_listed(merged_or_cancelled)}"
    yield from _written(details)
    if isinstance(due := details.get("due"), int) and due < NEVER:
        yield f"next at {due_time(to_moment(due), event.at)}"
    if "failure" in details:
        yield _failure(details["failure"], event.address)
    if event.who:
        yield f"by {event.who}"


def _is_told(value: Any) -> bool:
    return bool(value) or type(value) is int  # branch 0 is one too


_WAYS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "outcome": str,
        "kind": lambda told: "its deadline is over" if told == "deadline" else "asked for",
        "body": str,
        "running": lambda _: "running",
        "alone": lambda _: "alone",
        "reason": lambda told: f"because of: {told}",
        "asked": lambda told: f"asked {told} times",
        "free": lambda _: "costs no retry",
        "polls": lambda told: f"poll {told}" if told else "",  # none if a signal woke it
        "failed": lambda told: f"{told} failed in a row",
        "took": lambda told: f"took signal {_listed(told)}",
        "said": lambda told: f"too late: {told}",
        "abandoned": lambda _: "given up",
        "count": lambda told: f"branches: {told}",
        "first": lambda told: f"from item {told} on",
        "branch": lambda told: f"branch {told}",
        "queue": lambda told: f"to undo: {_listed(told)}",
        "before": lambda told: f"was {told}",
        "anchors": lambda told: f"new attributes of {_listed(told)}",
        "id": lambda told: f"id {told}",
    }
)
"""How the fields of facts are told; water, moments and failures apart."""


def _listed(told: Any) -> str:
    return ", ".join(map(str, told)) if isinstance(told, list | Mapping) else str(told)


def _written(details: Mapping[str, Any]) -> Iterator[str]:
    delta, was = (told if isinstance(told := details.get(name), Mapping) else {} for name in ("delta", "was"))
    for verb, what in (
        ("wrote", delta.get("put")),
        ("deleted", delta.get("drop")),
        ("before it was", was.get("put")),
        ("new", was.get("drop")),
        ("holds", details.get("water")),
        ("carries", details.get("put")),
    ):
        if what:
            yield f"{verb} {', '.join(_named(what))}"


def _named(what: Any) -> Iterator[str]:
    if isinstance(what, Mapping):
        yield from (f"{key} = {legible(value)}" for key, value in what.items())
    elif isinstance(what, list):
        yield from map(str, what)
    else:
        yield str(what)  # no fact of ours says it so


def _failure(stored: Any, here: str) -> str:
    try:
        return failed(msgspec.convert(stored, Failure), here)
    except msgspec.ValidationError:
        return "a failure that cannot be read"
