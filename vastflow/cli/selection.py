"""Which flows is a command given to, and what became of it?

Flows are named by their ids, or found by what they have in common; then their number is shown, and it is asked.
"""

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from rich.table import Column

from vastflow.cli.given import texts
from vastflow.cli.output import make_table, write, write_json
from vastflow.cli.source import find_id, reading
from vastflow.cli.wording import plain
from vastflow.course.states import FLOW_STATES
from vastflow.engine import Engine, Flow
from vastflow.errors import CommandRefused, FlowNotFound, FlowStranded
from vastflow.ledger import FlowQuery, Reader

__all__ = ["Asked", "Selection", "answer_of", "give", "id_of", "selecting", "tell"]

_PAGE = 1000
_SAID = {True: "done", False: "already so", None: "asked for"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which flows are meant.

    Attributes:
        ids: of the flows, or as much of their beginnings as no other flow has.
        wanted: else, what they have in common.
        yes: do not ask.
        rate: to so many a minute at most; None for as many as can be.
    """

    ids: tuple[str, ...]
    wanted: FlowQuery | None
    yes: bool
    rate: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a command.

    Attributes:
        said: done, already so, asked for (whoever serves the store does it) or refused.
        reason: why it was refused.
    """

    id: str
    said: str
    reason: str = ""


def selecting(*usual: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb the options that say which flows are meant, as one argument `selection`.

    Args:
        usual: the states of those meant, unless flows are named or states are given.
    """

    def give_options(verb: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(verb)
        def command(**options: Any) -> None:
            mine = {name: options.pop(name) for name in ("ids", "name", "states", "tags", "yes", "rate")}
            verb(selection=_selection(usual, **mine), **options)

        chosen: Callable[..., None] = command
        for option in _OPTIONS:
            chosen = option(chosen)
        return chosen

    return give_options


_OPTIONS = (
    click.option(
        "--per-minute", "rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="To at most N a minute."
    ),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option("--tag", "tags", multiple=True, metavar="KEY=TEXT", help="To all that have it; may be repeated."),
    click.option(
        "--state", "states", multiple=True, type=click.Choice(FLOW_STATES), help="To all in it; may be repeated."
    ),
    click.option("--name", metavar="NAME", help="To all flows of this Andes."),
    click.argument("ids", nargs=-1, metavar="[ID]..."),
)


def _selection(
    usual: tuple[str, ...],
    *,
    ids: tuple[str, ...],
    name: str | None,
    states: tuple[str, ...],
    tags: tuple[str, ...],
    **how: Any,
) -> Selection:
    asked = bool(name or states or tags)
    if bool(ids) == asked:
        message = "name flows by their ids, or say what they have in common: --name, --state, --tag"
        raise click.UsageError(message)
    wanted = FlowQuery(states=states or usual, name=name, tags=texts(tags), limit=_PAGE) if asked else None
    return Selection(ids, wanted, **how)


def give(url: str, selection: Selection, what: str, act: Callable[[Flow[Any]], bool | None]) -> list[Asked]:
    """Give a command to flows and say what became of it, one by one.

    Args:
        url: of the store.
        selection: which flows.
        what: the command's name.
        act: gives it.
    """
    with reading(url) as reader, Engine(url, serve=False) as engine:
        found = [id_of(engine, reader, each) for each in selection.ids]
        if selection.wanted is not None:
            found = list(_found(reader, selection.wanted))
            _confirm(what, len(found), selection)
        return list(_paced(engine, found, act, selection.rate))


def _confirm(what: str, count: int, selection: Selection) -> None:
    if count and selection.wanted is not None and not selection.yes:
        states = ", ".join(selection.wanted.states)
        click.confirm(f"{what.capitalize()} {count} flows ({states})?", abort=True, err=True)


def _paced(
    engine: Engine, ids: Sequence[str], act: Callable[[Flow[Any]], bool | None], rate: float | None
) -> Iterator[Asked]:
    pause = threading.Event()
    for number, flow_id in enumerate(ids):
        if number and rate:
            pause.wait(60 / rate)
        yield answer_of(engine.flow(flow_id), act)


def answer_of(flow: Flow[Any], act: Callable[[Flow[Any]], bool | None]) -> Asked:
    """Give a command to a flow and say what became of it."""
    try:
        return Asked(flow.id, _SAID[act(flow)])
    except CommandRefused as error:
        return Asked(flow.id, "refused", error.reason)
    except (FlowNotFound, FlowStranded) as error:
        return Asked(flow.id, "refused", str(error))


def tell(asked: Sequence[Asked], *, as_json: bool) -> None:
    """Say what became of a command, and end with 1 if any flow refused it."""
    if as_json:
        write_json([{"id": each.id, "said": each.said, "reason": each.reason} for each in asked])
    else:
        _write(asked)
    if any(each.said == "refused" for each in asked):
        click.get_current_context().exit(1)


def _write(asked: Sequence[Asked]) -> None:
    table = make_table(Column(no_wrap=True, overflow="fold"), Column(overflow="fold"))
    for each in asked:
        table.add_row(plain(each.id), plain(f"{each.said}: {each.reason}" if each.reason else each.said))
    if asked:
        write(table)
    if any(each.said == _SAID[None] for each in asked):
        click.echo("Asked for: it is done when a process that serves this store takes it in.", err=True)


def id_of(engine: Engine, reader: Reader, given: str) -> str:
    """Return the id that is meant; it may be one of a flow that nobody has taken in yet."""
    try:
        return engine.flow(given).id
    except FlowNotFound:
        return find_id(reader, given)


def _found(reader: Reader, wanted: FlowQuery) -> Iterator[str]:
    query: FlowQuery | None = wanted
    while query is not None:
        rows = reader.flows(query)
        yield from (row.id for row in rows)
        query = replace(query, after=rows[-1].id) if len(rows) == query.limit else None
