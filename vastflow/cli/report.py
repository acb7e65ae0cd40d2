"""How does one flow stand, and what has happened to it?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
import msgspec
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from vastflow.cli.journal import journal, veiled
from vastflow.cli.output import make_fitting_table, make_table, write, write_json
from vastflow.cli.source import find_id, reading, silent_since, store_option
from vastflow.cli.water import Veil, water_lines, water_of
from vastflow.cli.wording import (
    address,
    due_time,
    failed,
    moment,
    of_poll,
    of_try,
    one_line,
    plain,
    remark,
    standing,
    state,
    took,
)
from vastflow.clock import SystemClock, from_moment, to_moment
from vastflow.course.states import ENDED
from vastflow.errors import Failure
from vastflow.ledger import Reader
from vastflow.ledger.reading import Event, FlowStatus, StreamStatus, read_events, read_status

__all__ = ["command"]

_LINES = 12  # of a traceback; its last ones say what happened
_BRANCHES = 10  # of an `each`, which may have thousands
_TROUBLED = frozenset({"retrying", "in-doubt", "fail", "undoing", "undo-failed"})


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a flow; journal and water only if they are asked for."""

    status: FlowStatus
    silent: datetime | None
    events: list[Event] | None
    water: dict[str, Any] | None
    veil: Veil | None


@click.command("show")
@click.argument("flow", metavar="ID")
@store_option
@click.option("--events", is_flag=True, help="Also the journal, fact by fact.")
@click.option("--water", is_flag=True, help="Also the water; values under telling keys are masked.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(flow: str, url: str, *, events: bool, water: bool, as_json: bool) -> None:
    """Show how one flow stands.

    ID is the flow's id, or as much of its beginning as no other flow has.
    """
    with reading(url) as reader:
        known = _read(reader, find_id(reader, flow), events=events, water=water)
    if as_json:
        write_json(_document(known))
    else:
        write(*_parts(known))


def _read(reader: Reader, flow_id: str, *, events: bool, water: bool) -> _Known:
    status = read_status(reader, flow_id)
    silent = None if status.state in ENDED else silent_since(reader)
    journal = read_events(reader, flow_id) if events or water else []
    shown, veil = water_of(reader, flow_id, journal) if water else (None, None)
    return _Known(status, silent, journal if events else None, shown, veil)


def _document(known: _Known) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(known.status)
    told |= {"tags": Veil().over(known.status.tags), "silent_since": msgspec.to_builtins(known.silent)}
    if known.water is not None:
        told["water"] = known.water
    if known.events is not None:
        told["events"] = [msgspec.to_builtins(veiled(event, known.veil)) for event in known.events]
    return told


def _parts(known: _Known) -> Iterator[RenderableType]:
    yield _head(known.status, known.silent)
    if known.status.streams:
        yield Text()
        yield _streams(known.status.streams, head="STREAM")
        yield from _troubled(known.status)
    if known.status.failure is not None:
        yield from _traceback(known.status.failure)
    if known.water is not None:
        yield Text()
        yield water_lines(known.water)
    if known.events is not None:
        yield Text()
        yield journal(known.events, known.veil)


def _head(status: FlowStatus, silent: datetime | None) -> Table:
    table = make_table(Column(style="dim", no_wrap=True), Column(overflow="fold"))
    for name, value in (*_always(status), *_perhaps(status, silent)):
        table.add_row(name, value)
    return table


def _always(status: FlowStatus) -> Iterator[tuple[str, Text]]:
    yield "flow", plain(status.id)
    yield "name", plain(status.name)
    yield "state", state("stranded" if status.stranded else status.state)
    if status.flags:
        yield "flags", plain(", ".join(status.flags))
    yield "outcome", state(status.outcome) if status.outcome else Text("none yet")
    yield "started", Text(moment(status.started))
    yield "took", Text(_took(status))


def _perhaps(status: FlowStatus, silent: datetime | None) -> Iterator[tuple[str, Text]]:
    if status.tags:
        yield "tags", plain(", ".join(f"{key}={value}" for key, value in Veil().over(status.tags).items()))
    for number, failure in enumerate(_chain(status.failure)):
        yield "because of" if number else "failure", Text(failed(failure))
    if status.stranded:
        yield "stranded", plain(" ".join(status.stranded.split()))
    if silent is not None:
        yield "served", Text(f"by nobody since {moment(silent)}; the flow goes on when its program runs again")


def _chain(failure: Failure | None) -> Iterator[Failure]:
    """Return a failure and what is behind it, the root cause last."""
    while failure is not None:
        yield failure
        failure = failure.cause


def _traceback(failure: Failure) -> Iterator[RenderableType]:
    """Return the end of the root cause's traceback; it was masked when it was stored."""
    *_, root = _chain(failure)
    if lines := root.traceback.rstrip("\n").split("\n") if root.traceback else []:
        yield Text()
        yield plain("TRACEBACK" + (f" (its last {_LINES} lines)" if len(lines) > _LINES else ""))
        yield from map(plain, lines[-_LINES:])


def _took(status: FlowStatus) -> str:
    if status.ended is not None:
        return took((status.ended - status.started).total_seconds())
    return f"{took((SystemClock().now() - from_moment(status.started)) / 1_000_000)} so far"


def _troubled(status: FlowStatus) -> Iterator[RenderableType]:
    """Return the branches of an `each` of which there is something to say, the first few."""
    found = [each for each in status.branches.values() if each.state in _TROUBLED]
    if found:
        yield Text()
        yield _streams(found[:_BRANCHES], head="BRANCH")
    if len(found) > _BRANCHES:
        yield Text(f"and {len(found) - _BRANCHES} more: --json has all")


def _streams(streams: Sequence[StreamStatus], *, head: str) -> Table:
    columns = (
        Column(head, no_wrap=True, overflow="fold"),
        Column("STATE", no_wrap=True),
        Column("ATTEMPT", no_wrap=True),
        Column("POLL", no_wrap=True),
        Column("", overflow="ellipsis"),
    )
    now = to_moment(SystemClock().now())
    rows = [
        (address(each), state(standing(each)), Text(of_try(each)), Text(of_poll(each)), one_line(_says(each, now)))
        for each in streams
    ]
    return make_fitting_table(columns, rows, ("", "ATTEMPT", "POLL"))


def _says(stream: StreamStatus, now: datetime) -> str:
    return ", ".join(filter(None, (remark(stream), _due(stream, now))))


def _due(stream: StreamStatus, now: datetime) -> str:
    """Say when its wait is over; that polls on schedule are no facts, so nobody but the serving process knows them."""
    if stream.due is None:
        return ""
    if stream.due > now:
        return f"next at {due_time(stream.due, now)}"
    return "as of its last fact" if stream.state == "cycling" else ""
