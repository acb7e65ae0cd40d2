"""Which flows are in a store?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import click
import msgspec
from rich.table import Column
from rich.text import Text

from vastflow.cli.output import make_console, make_fitting_table, write, write_json
from vastflow.cli.source import reading, store_option
from vastflow.cli.water import Veil
from vastflow.cli.wording import moment, one_line, plain, short_moment, state, took
from vastflow.clock import SystemClock, to_moment
from vastflow.course.states import FLOW_STATES
from vastflow.ledger import FlowQuery, FlowRow, Reader
from vastflow.log import escape

__all__ = ["command", "document"]

_STRANDED = "stranded"
_STATES = [*FLOW_STATES, _STRANDED]
_NARROW = 100
_PAGE = 1000


@click.command("list")
@store_option
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_STATES),
    help="Only these, as they are listed; may be repeated.",
)
@click.option("--name", metavar="NAME", help="Only flows of this Andes.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON array.")
def command(url: str, states: tuple[str, ...], name: str | None, limit: int, *, as_json: bool) -> None:
    """List the flows of a store, the newest first."""
    with reading(url) as reader:
        page = _PAGE if _STRANDED in states else limit + 1
        rows = list(islice(_found(reader, FlowQuery(states=states, name=name, limit=page)), limit + 1))
    shown, more = rows[:limit], len(rows) > limit
    if as_json:
        write_json([document(row) for row in shown])
    else:
        _write(shown)
    if more:
        click.echo(f"There are more: --limit {limit * 10} shows them.", err=True)


def _found(reader: Reader, asked: FlowQuery) -> Iterator[FlowRow]:
    """Return the flows that are listed in the states asked for; `stranded` is none of the store's."""
    query: FlowQuery | None = replace(asked, states=() if _STRANDED in asked.states else asked.states)
    while query is not None:
        rows = reader.flows(query)
        yield from (row for row in rows if not asked.states or _standing(row) in asked.states)
        query = replace(query, after=rows[-1].id) if len(rows) == query.limit else None


def _standing(row: FlowRow) -> str:
    return _STRANDED if row.stranded else row.state


def document(row: FlowRow) -> dict[str, Any]:
    """Return a flow's row for programs."""
    told: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "state": row.state,
        "outcome": row.outcome,
        "stranded": row.stranded,
        "flags": _flags(row),
        "tags": Veil().over(_tags(row)),
        "started": to_moment(row.started),
        "ended": to_moment(row.ended) if row.ended else None,
    }
    return {name: msgspec.to_builtins(value) for name, value in told.items()}


def _write(rows: Sequence[FlowRow]) -> None:
    if not rows:
        click.echo("No flows.", err=True)
        return
    columns = (
        Column("ID", no_wrap=True, overflow="fold"),
        Column("NAME", overflow="ellipsis"),
        Column("STATE", no_wrap=True),
        Column("STARTED", no_wrap=True),
        Column("TOOK", no_wrap=True, justify="right"),
    )
    now = to_moment(SystemClock().now())
    narrow = make_console().width < _NARROW
    cells = [_cells(row, now, narrow=narrow) for row in rows]
    write(make_fitting_table(columns, cells, ("TOOK", "STARTED", "NAME")))


def _cells(row: FlowRow, now: datetime, *, narrow: bool) -> tuple[Text, ...]:
    at = to_moment(row.started)
    started = short_moment(at, now) if narrow else moment(at)
    return plain(row.id), one_line(escape(row.name)), state(_standing(row)), Text(started), Text(_took(row, now))


def _took(row: FlowRow, now: datetime) -> str:
    if row.ended:
        return took((row.ended - row.started) / 1_000_000)
    return f"{took((now - to_moment(row.started)).total_seconds())} so far"


def _flags(row: FlowRow) -> list[str]:
    try:
        return msgspec.json.decode(row.flags, type=list[str])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def _tags(row: FlowRow) -> dict[str, Any]:
    try:
        return msgspec.json.decode(row.tags, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
