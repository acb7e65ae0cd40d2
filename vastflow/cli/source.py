"""Which store is looked at, and which flow of it?

Only ever read: a verb that looks works while another process serves the store, and when nobody does.
"""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from vastflow.clock import SystemClock, to_moment
from vastflow.errors import FlowNotFound, StoreError
from vastflow.ledger import DEFAULT_URL, STORE_VARIABLE, FlowQuery, Reader, open_reader

__all__ = ["find_id", "reading", "silent_since", "store_option", "who_option"]

_PAGE = 1000
_SCHEME = "sqlite:///"
_SILENT = 5_000_000  # a served store beats once a second; longer than this, and nobody serves it


def _usual() -> str:
    """Return the store that the project around the current folder names in its pyproject.toml, else the usual one.

    Raises:
        click.UsageError: what stands there cannot be read, or is no text.
    """
    here = Path.cwd()
    found = next((path for each in (here, *here.parents) if (path := each / "pyproject.toml").is_file()), None)
    if found is None:
        return DEFAULT_URL
    try:
        told = tomllib.loads(found.read_text("utf-8")).get("tool", {}).get("vastflow", {}).get("store", DEFAULT_URL)
    except (OSError, ValueError, AttributeError) as error:
        message = f"{found} cannot be read ({error}): mend it, or say --store"
        raise click.UsageError(message) from error
    if not isinstance(told, str):
        message = f'{found}: store under [tool.vastflow] is no text: write store = "sqlite:///flows.db"'
        raise click.UsageError(message)
    relative = told.removeprefix(_SCHEME)
    is_relative = told != DEFAULT_URL and told.startswith(_SCHEME) and not relative.startswith("/")
    return f"{_SCHEME}{found.parent}/{relative}" if is_relative else told


store_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--store",
    "url",
    metavar="URL",
    envvar=STORE_VARIABLE,
    default=_usual,
    show_default=f"store in [tool.vastflow] of pyproject.toml, else {DEFAULT_URL}",
    show_envvar=True,
    help="The store, such as sqlite:////var/lib/app/flows.db.",
)
"""The option that says which store."""

who_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--who", metavar="NAME", help="Whose command it is, for the journal.  [default: your login name]"
)
"""The option that says who gives a command."""


@contextmanager
def reading(url: str) -> Iterator[Reader]:
    """Lend a reader of a store.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    try:
        reader = open_reader(url)
    except StoreError as error:
        message = f"{error}\nThis looked at {url}; name another store with --store URL or in {STORE_VARIABLE}."
        raise type(error)(message) from error
    try:
        yield reader
    finally:
        reader.close()


def find_id(reader: Reader, given: str) -> str:
    """Return the id of the flow that is meant: the one with this id, or the only one whose id begins so.

    Raises:
        FlowNotFound: there is none.
        click.UsageError: there are several.
    """
    if reader.flow(given) is not None:
        return given
    found = [flow_id for flow_id in _ids(reader) if flow_id.startswith(given)] if given else []
    match found:
        case []:
            message = f"there is no flow {given!r} in this store: `vastflow list` shows those there are"
            raise FlowNotFound(message, given)
        case [only]:
            return only
        case _:
            shown = ", ".join(map(repr, found[:3]))
            message = f"{len(found)} flows have an id that begins with {given!r} ({shown}): write more of it"
            raise click.UsageError(message)


def silent_since(reader: Reader) -> datetime | None:
    """Return since when nobody serves the store; None while somebody does."""
    ends = [period.ended for period in reader.periods()]
    if not ends or SystemClock().now() - max(ends) < _SILENT:
        return None
    return to_moment(max(ends))


def _ids(reader: Reader) -> Iterator[str]:
    rows = reader.flows(FlowQuery(limit=_PAGE))
    while rows:
        yield from (row.id for row in rows)
        rows = reader.flows(FlowQuery(limit=_PAGE, after=rows[-1].id))
