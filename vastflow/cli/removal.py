"""How are flows that have ended removed from a shell?"""

from collections.abc import Sequence

import click

from vastflow.cli.source import reading, store_option
from vastflow.clock import SystemClock
from vastflow.drawing.durations import seconds
from vastflow.engine import Engine
from vastflow.engine.retention import REMOVED, countable, removal_of, remove, taken
from vastflow.errors import StoreServed
from vastflow.ledger import open_store

__all__ = ["command"]

_MOST = 100_000  # flows that are counted before it is asked
_STATES = click.Choice(["success", "fail", "cancelled"])


def _age(_context: click.Context, _parameter: click.Parameter, told: str) -> float:
    """Return an age in seconds."""
    try:
        age = seconds(float(told) if told.replace(".", "", 1).isdecimal() else told)
    except ValueError:
        message = f"{told!r} is not an age: write something like 30d, 12h, 90m"
        raise click.BadParameter(message) from None
    return age


@click.command("gc")
@click.option("--older-than", "age", required=True, callback=_age, metavar="AGE", help="Such as 30d, 12h or 90m.")
@click.option(
    "--state", "states", multiple=True, type=_STATES, default=REMOVED, show_default=True, help="May be repeated."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
def command(age: float, states: tuple[str, ...], url: str, *, yes: bool) -> None:
    """Remove flows that ended long ago, with all that is theirs.

    If a process serves the store, that process is asked to; else it is done here. Flows that something is asked of in
    the inbox stay. With a flow its id is forgotten: a start with the same id begins a new one.
    """
    if not yes:
        _ask(url, age, states)
    removed = _remove(url, age, states)
    if removed is None:
        click.echo("It was asked for, and is done when the process that serves this store takes it in.")
    else:
        click.echo(f"{removed} flows removed.")


def _ask(url: str, age: float, states: Sequence[str]) -> None:
    removal = removal_of(age, states, SystemClock().now())
    with reading(url):
        store = open_store(url)
    try:
        count = countable(store, removal, _MOST)
    finally:
        store.close()
    told = f"at least {count}" if count == _MOST else str(count)
    click.confirm(f"Remove {told} flows ({', '.join(states)}) from {url}?", abort=True)


def _remove(url: str, age: float, states: Sequence[str]) -> int | None:
    try:
        with reading(url), taken(url) as store:
            return remove(store, removal_of(age, states, SystemClock().now()))
    except StoreServed:
        with Engine(url, serve=False) as engine:
            return engine.gc(older_than=age, states=states)
