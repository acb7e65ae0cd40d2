"""Why does a flow stand where it stands?"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import click
import msgspec
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from vastflow.cli.output import json_option, make_fitting_table, make_table, write, write_json
from vastflow.cli.source import find_id, reading, store_option
from vastflow.cli.wording import due_time, plain, state
from vastflow.engine import Engine
from vastflow.errors import FlowNotFound
from vastflow.ledger import Reader
from vastflow.why import Reason, Why

__all__ = ["command"]

_MOST = 40  # reasons that are listed; --json has all


@click.command("why")
@click.argument("flow", metavar="ID")
@store_option
@json_option
def command(flow: str, url: str, *, as_json: bool) -> None:
    """Say why a flow stands where it stands, and what would let it go on.

    The process that serves the store is asked; if nobody serves it, or nobody answers, the store is read. ID is the
    flow's id, or as much of its beginning as no other flow has.
    """
    with reading(url) as reader, Engine(url, serve=False) as engine:
        told = engine.why(_id_of(engine, reader, flow))
    if as_json:
        write_json(msgspec.to_builtins(told))
    else:
        write(*_parts(told))


def _id_of(engine: Engine, reader: Reader, given: str) -> str:
    """Return the id that is meant; it may be one of a flow that nobody has taken in yet."""
    try:
        return engine.flow(given).id
    except FlowNotFound:
        return find_id(reader, given)


def _parts(why: Why) -> Iterator[RenderableType]:
    yield _head(why)
    rows = list(_rows(why.tree, why.at))
    if len(rows) > 1:
        yield Text()
        yield _table(rows[:_MOST])
    if len(rows) > _MOST:
        yield Text(f"and {len(rows) - _MOST} more: --json has all")
    for reason in why.reasons():
        yield from _stack(reason)


def _head(why: Why) -> Table:
    table = make_table(Column(style="dim", no_wrap=True), Column(overflow="fold"))
    table.add_row("flow", plain(f"{why.flow} ({why.name})" if why.name else why.flow))
    table.add_row("state", state(why.state))
    table.add_row("why", plain(why.sentence))
    for name, value in (("since", why.reason.since), ("next", why.reason.next)):
        if value is not None:
            table.add_row(name, Text(due_time(value, why.at)))
    for unblock in dict.fromkeys(each.unblock for each in (why.reason, *why.reasons()) if each.unblock):
        table.add_row("unblock", plain(unblock))
    if not why.live and why.reason.code != "ended":
        table.add_row("as of", Text("its last fact: no process was asked, only the store was read"))
    return table


def _rows(reasons: Sequence[Reason], now: datetime, depth: int = 0) -> Iterator[tuple[Text, ...]]:
    for each in reasons:
        since = due_time(each.since, now) if each.since is not None else ""
        due = due_time(each.next, now) if each.next is not None else ""
        yield plain("  " * depth + each.code), Text(since), Text(due), plain(each.sentence)
        yield from _rows(each.below, now, depth + 1)


def _table(rows: Sequence[tuple[Text, ...]]) -> Table:
    columns = (
        Column("REASON", no_wrap=True, overflow="fold"),
        Column("SINCE", no_wrap=True),
        Column("NEXT", no_wrap=True),
        Column("", overflow="fold", min_width=30),
    )
    return make_fitting_table(columns, rows, ("SINCE", "NEXT"))


def _stack(reason: Reason) -> Iterator[RenderableType]:
    """Return where a body is that runs over its usual time."""
    if stack := reason.details.get("stack"):
        yield Text()
        yield plain(f"STACK of {reason.address}, the innermost line last")
        yield from map(plain, stack)
