"""Which flows are in a store?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
import msgspec
from rich.table import Column

from vastflow.cli.output import make_console, make_table, write, write_json
from vastflow.cli.source import reading, store_option
from vastflow.cli.water import Veil
from vastflow.cli.wording import moment, one_line, plain, short_moment, state, took
from vastflow.clock import SystemClock, to_moment
from vastflow.course.states import FLOW_MOVES
from vastflow.ledger import FlowQuery, FlowRow
from vastflow.log import escape

__all__ = ["command", "document"]

_STATES = sorted({state for move in FLOW_MOVES for state in move})
_NARROW = 100


@click.command("list")
@store_option
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these; may be repeated.")
@click.option("--name", metavar="NAME", help="Only flows of this Andes.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON array.")
def command(url: str, states: tuple[str, ...], name: str | None, limit: int, *, as_json: bool) -> None:
    """List the flows of a store, the newest first."""
    with reading(url) as reader:
        rows = reader.flows(FlowQuery(states=states, name=name, limit=limit + 1))
    shown, more = rows[:limit], len(rows) > limit
    if as_json:
        write_json([document(row) for row in shown])
    else:
        _write(shown)
    if more:
        click.echo(f"There are more: --limit {limit * 10} shows them.", err=True)


def document(row: FlowRow) -> dict[str, Any]:
    """Return a flow's row for programs."""
    told: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "state": row.state,
        "outcome": row.outcome,
        "stranded": row.stranded,
        "tags": Veil().over(_tags(row)),
        "started": to_moment(row.started),
        "ended": to_moment(row.ended) if row.ended else None,
    }
    return {name: msgspec.to_builtins(value) for name, value in told.items()}


def _write(rows: Sequence[FlowRow]) -> None:
    if not rows:
        click.echo("No flows.", err=True)
        return
    table = make_table(
        Column("ID", no_wrap=True, overflow="fold"),
        Column("NAME", overflow="ellipsis"),
        Column("STATE", no_wrap=True),
        Column("STARTED", no_wrap=True),
        Column("TOOK", no_wrap=True, justify="right"),
        head=True,
    )
    now = to_moment(SystemClock().now())
    narrow = make_console().width < _NARROW
    for row in rows:
        standing = state("stranded" if row.stranded else row.state)
        table.add_row(
            plain(row.id), one_line(escape(row.name)), standing, _started(row, now, narrow=narrow), _took(row)
        )
    write(table)


def _started(row: FlowRow, now: datetime, *, narrow: bool) -> str:
    at = to_moment(row.started)
    return short_moment(at, now) if narrow else moment(at)


def _took(row: FlowRow) -> str:
    return took((row.ended - row.started) / 1_000_000) if row.ended else ""


def _tags(row: FlowRow) -> dict[str, Any]:
    try:
        return msgspec.json.decode(row.tags, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
