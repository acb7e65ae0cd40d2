"""Which store is looked at, and which flow of it?

Only ever read: a verb that looks works while another process serves the store, and when nobody does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from vastflow.clock import SystemClock, to_moment
from vastflow.errors import FlowNotFound, StoreError
from vastflow.ledger import DEFAULT_URL, STORE_VARIABLE, FlowQuery, Reader, open_reader

__all__ = ["find_id", "reading", "silent_since", "store_option"]

_PAGE = 1000
_SILENT = 5_000_000  # a served store beats once a second; longer than this, and nobody serves it

store_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--store",
    "url",
    metavar="URL",
    envvar=STORE_VARIABLE,
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="The store, such as sqlite:////var/lib/app/flows.db.",
)
"""The option that says which store."""


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
