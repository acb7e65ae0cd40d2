"""Is a store in order, and does it have what it needs?"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

import click
from rich.table import Column

from vastflow.cli.output import make_table, write, write_json
from vastflow.cli.source import reading, store_option
from vastflow.cli.wording import plain, took
from vastflow.clock import SystemClock
from vastflow.course.states import ENDED, FLOW_STATES
from vastflow.ledger import FlowQuery, FlowRow
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.lock import holder
from vastflow.ledger.migration import VERSION
from vastflow.ledger.sqlite_reader import SQLiteReader

__all__ = ["command"]

_RISKS = {
    "FULL": "what was answered is on disk",
    "power-loss-loses-the-last-commits": "a power failure takes the last commits",
    "power-loss-may-break-the-file": "a power failure may take the whole store",
}
_SILENT = 10.0  # seconds without a beat after which whoever holds the store is stopped or hung
_LITTLE = 100 * 1024 * 1024  # bytes
_GIBIBYTE = 1024**3
_PAGE = 1000


class Finding(NamedTuple):
    """What was found out about a store.

    Attributes:
        path: of its file.
        form: of the file, and the one that this release writes.
        faults: what is wrong with it.
        pid: of who serves it; 0 if that is not known, None if nobody does.
        silent: seconds since its last beat; None if there never was one.
        unfinished, stranded: how many flows have not ended, and how many of them cannot go on.
        letters: how many lie in the inbox.
        free: bytes on its disk.
        synchronous: as the URL says.
    """

    path: str
    form: tuple[int, int]
    faults: list[str]
    pid: int | None
    silent: float | None
    unfinished: int
    stranded: int
    letters: int
    free: int
    synchronous: str


@click.command("doctor")
@store_option
@click.option("--quick", is_flag=True, help="Leave out the indexes, which are most of the work.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(url: str, *, quick: bool, as_json: bool) -> None:
    """Say whether a store is whole, who serves it, and what waits in it.

    Ends with exit code 1 if something is wrong.
    """
    with reading(url) as reader:
        if not isinstance(reader, SQLiteReader):  # there is no other kind yet
            raise click.UsageError("only a sqlite:/// store can be examined")
        finding = _examine(reader, url, quick=quick)
    troubles = list(_troubles(finding))
    if as_json:
        write_json(_document(finding, troubles))
    else:
        _write(finding, troubles)
    sys.exit(1 if troubles else 0)


def _examine(reader: SQLiteReader, url: str, *, quick: bool) -> Finding:
    faults = reader.check_integrity(quick=quick)
    beats = [period.ended for period in reader.periods()]
    stranded = [row.stranded != "" for row in _unfinished(reader)]
    return Finding(
        path=reader.path,
        form=(reader.version(), VERSION),
        faults=faults,
        pid=holder(reader.path),
        silent=max(0.0, (SystemClock().now() - max(beats)) / 1_000_000) if beats else None,
        unfinished=len(stranded),
        stranded=sum(stranded),
        letters=_letters(reader.path),
        free=shutil.disk_usage(Path(reader.path).parent).free,
        synchronous=dict(parse_qsl(url.partition("?")[2])).get("synchronous", "FULL"),
    )


def _unfinished(reader: SQLiteReader) -> Iterator[FlowRow]:
    states = tuple(state for state in FLOW_STATES if state not in ENDED)
    rows = reader.flows(FlowQuery(states=states, limit=_PAGE))
    while rows:
        yield from rows
        rows = reader.flows(FlowQuery(states=states, limit=_PAGE, after=rows[-1].id))


def _letters(path: str) -> int:
    inbox, count = Inbox(path), 0
    try:
        letters = inbox.letters(0, _PAGE)
        while letters:
            count += len(letters)
            letters = inbox.letters(letters[-1].no, _PAGE)
    finally:
        inbox.close()
    return count


def _troubles(found: Finding) -> Iterator[str]:
    """Yield what is wrong, and what to do."""
    yield from (f"{fault}: restore the store from a copy" for fault in found.faults)
    if found.pid is not None and found.silent is not None and found.silent > _SILENT:
        who = f"process {found.pid}" if found.pid else "a process"
        yield f"{who} holds the store and has not beaten for {took(found.silent)}: it is stopped or hung; end it"
    if found.stranded:
        yield f"{found.stranded} flows are stranded: `vastflow list --state stranded` shows them, `vastflow show` why"
    if found.free < _LITTLE:
        yield f"{_size(found.free)} are free beside the store: flows wait when nothing is left; make room"


def _write(found: Finding, troubles: list[str]) -> None:
    table = make_table(Column(no_wrap=True), Column(overflow="fold"))
    for name, told in _lines(found):
        table.add_row(plain(name), plain(told))
    write(table)
    for trouble in troubles:
        click.echo()
        write(plain(f"Wrong: {trouble}."))


def _lines(found: Finding) -> Iterator[tuple[str, str]]:
    form, ours = found.form
    yield "store", found.path
    yield "form", f"{form}, the one this release writes" if form == ours else f"{form}; this release writes {ours}"
    yield "integrity", "whole" if not found.faults else f"{len(found.faults)} faults"
    yield "served by", {None: "nobody", 0: "a process that did not say which"}.get(found.pid, f"process {found.pid}")
    yield "last beat", f"{took(found.silent)} ago" if found.silent is not None else "never"
    yield "flows", f"{found.unfinished} unfinished, {found.stranded} of them stranded"
    yield "inbox", f"{found.letters} letters that are not taken in yet"
    yield "free space", _size(found.free)
    yield "synchronous", f"{found.synchronous}, as this URL says: {_RISKS[found.synchronous]}"


def _document(found: Finding, troubles: list[str]) -> dict[str, object]:
    form, ours = found.form
    return {**found._asdict(), "form": form, "release_form": ours, "troubles": troubles}


def _size(count: int) -> str:
    return f"{count / _GIBIBYTE:.1f} GiB"
