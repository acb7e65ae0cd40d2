"""What stands in a letter, and in the answer to it?

Processes that do not serve a store write letters to the one that does. What comes back out of the inbox is read
strictly: it is a file that anybody may have written to.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, NoReturn

import msgspec

from vastflow import errors
from vastflow.course import Progress, commands
from vastflow.course.command import Ruling
from vastflow.course.delta import same, spring
from vastflow.drawing.chart import Cargo, Chart
from vastflow.errors import CommandRefused, FlowConflict, FlowError, FlowStranded, StoreUnreadable, VastflowError
from vastflow.ledger.contract import Answer, FlowRow
from vastflow.ledger.inbox import Letter
from vastflow.ledger.reading import read_cargo

__all__ = [
    "Said",
    "Slip",
    "Start",
    "answer_of",
    "check_same",
    "kind_of",
    "raise_for",
    "read_command",
    "read_said",
    "read_start",
    "write_command",
    "write_start",
]

VERSION = 1  # of the form of a start


class Slip(NamedTuple):
    """Which letter: the inbox it lies in, and its number there."""

    inbox: str
    no: int


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a letter.

    Attributes:
        what: done; already (it was so, or there is the same flow); refused as the flow stands; failed.
        reason: why it was refused, or failed.
        error: the name of the error in `vastflow.errors`; empty if it did not fail.
    """

    what: Literal["done", "already", "refused", "failed"]
    reason: str = ""
    error: str = ""


class _Form(msgspec.Struct, frozen=True):
    """How a start stands in its letter."""

    uid: str
    chart: msgspec.Raw
    cargo: msgspec.Raw
    tags: dict[str, str] = {}
    not_before: int = 0
    deadline: int = 0
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Start:
    """A flow that a letter asks to begin.

    Attributes:
        row: as it would be written.
        cargo, chart: what it brings, and its drawing laid flat.
        stored: the chart's bytes.
    """

    row: FlowRow
    cargo: Cargo
    chart: Chart
    stored: bytes

    def progress(self) -> Progress:
        """Return how far it has come: nowhere yet."""
        row, cargo = self.row, self.cargo
        return Progress(self.chart, row.uid, spring(cargo.water), cargo.anchors, row.deadline, cargo.span)


_ENCODE = msgspec.json.Encoder().encode
_FORM = msgspec.json.Decoder(_Form)
_SAID = msgspec.json.Decoder(Said)
_TAGS = msgspec.json.Decoder(dict[str, str])
_COMMANDS: dict[str, type[commands.Command]] = {
    cls.__name__.lower(): cls
    for cls in (
        commands.Cancel,
        commands.Pause,
        commands.Resume,
        commands.Retry,
        commands.Skip,
        commands.Complete,
        commands.Set,
        commands.Signal,
    )
}
_DECODERS = {kind: msgspec.json.Decoder(cls) for kind, cls in _COMMANDS.items()}


# Starts


def write_start(row: FlowRow, stored: bytes) -> bytes:
    """Return what a letter says of a flow that is to begin: its row, and its chart's bytes."""
    tags = _TAGS.decode(row.tags)
    form = _Form(row.uid, msgspec.Raw(stored), msgspec.Raw(row.cargo), tags, row.not_before, row.deadline)
    return _ENCODE(form)


def read_start(letter: Letter, now: int, epoch: int) -> Start:
    """Return the flow that a letter asks to begin at `now` (microseconds), for the owner of this epoch.

    Raises:
        StoreUnreadable: the letter cannot be read.
        StoreTooNew: a newer release wrote it.
    """
    form = _form(letter)
    stored = bytes(form.chart)
    chart, digest = _chart(stored)
    row = FlowRow(
        id=letter.flow,
        uid=form.uid,
        name=chart.name,
        state="init" if form.not_before > now else "running",
        started=now,
        changed=now,
        tags=_ENCODE(form.tags),
        not_before=form.not_before,
        deadline=form.deadline,
        owner="server",
        epoch=epoch,
        chart=digest,
        cargo=bytes(form.cargo),
    )
    return Start(row, read_cargo(row), chart, stored)


def _form(letter: Letter) -> _Form:
    try:
        form = _FORM.decode(letter.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(letter, str(error)) from error
    if form.version > VERSION:
        raise errors.StoreTooNew(
            f"letter {letter.no} has version {form.version}, and the process that serves this store reads up to "
            f"{VERSION}: install the newer vastflow there"
        )
    if not letter.flow:
        raise _unreadable(letter, "it names no flow")
    return form


@lru_cache(maxsize=256)
def _chart(stored: bytes) -> tuple[Chart, str]:
    return Chart.from_bytes(stored), hashlib.sha256(stored).hexdigest()


def _unreadable(letter: Letter, why: str) -> StoreUnreadable:
    return StoreUnreadable(f"letter {letter.no} of the inbox cannot be read ({why}): ask again")


def check_same(row: FlowRow, name: str, water: Mapping[str, msgspec.Raw]) -> None:
    """Check that a flow which has this id already was started in the same way.

    Raises:
        FlowConflict: it was not.
    """
    if row.name != name:
        message = f"flow {row.id!r} was started as {row.name!r}, not as {name!r}: give this one another id"
        raise FlowConflict(message, row.id)
    stored = read_cargo(row).water
    differing = sorted(key for key in stored.keys() | water.keys() if not same(stored.get(key), water.get(key)))
    if differing:
        named = ", ".join(repr(key) for key in differing)
        message = f"flow {row.id!r} was started with other water (it differs in {named}): give this one another id"
        raise FlowConflict(message, row.id)


# Commands


def kind_of(command: commands.Command) -> str:
    """Return the kind of the letter that gives a command: cancel, pause, ..."""
    return type(command).__name__.lower()


def write_command(command: commands.Command) -> bytes:
    """Return what a letter says of a command."""
    return _ENCODE(command)


def read_command(letter: Letter) -> commands.Command:
    """Return the command that a letter gives.

    Raises:
        StoreUnreadable: it gives none, or none that is known here.
    """
    decoder = _DECODERS.get(letter.kind)
    if decoder is None:
        what = f"of the kind {letter.kind!r}, which this release does not know" if letter.kind else "damaged"
        raise StoreUnreadable(f"letter {letter.no} of the inbox is {what}: ask again, with the release that serves it")
    try:
        return decoder.decode(letter.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(letter, str(error)) from error


# Answers


def answer_of(slip: Slip, flow_id: str, at: int, said: Said | Ruling | BaseException) -> Answer:
    """Return the answer to a letter about this flow, at `at` (microseconds)."""
    if isinstance(said, BaseException):
        known = isinstance(said, VastflowError)
        reason = str(said) if known else f"{type(said).__name__}: {said}"
        said = Said("failed", _text(reason), type(said).__name__ if known else "VastflowError")
    elif isinstance(said, Ruling):
        said = Said(said.what, said.reason)
    return Answer(slip.inbox, slip.no, flow_id, at, _ENCODE(said))


def read_said(stored: bytes) -> Said:
    """Return what was said; what cannot be read counts as failed."""
    try:
        return _SAID.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Said("failed", f"the answer cannot be read ({error}): look at the flow", "StoreUnreadable")


def raise_for(said: Said, flow_id: str, kind: str) -> None:
    """Raise what a letter of this kind ended with, if it did not end well."""
    if said.what == "refused":
        raise CommandRefused(flow_id, kind, said.reason)
    if said.what == "failed":
        _raise_failed(said, flow_id)


def _raise_failed(said: Said, flow_id: str) -> NoReturn:
    found = getattr(errors, said.error, None)
    cls = found if isinstance(found, type) and issubclass(found, VastflowError) else VastflowError
    if cls is FlowStranded:
        raise FlowStranded(said.reason, flow_id, said.reason)
    if cls in (CommandRefused, errors.DrawingError):  # these are made of other parts
        raise VastflowError(said.reason)
    if issubclass(cls, FlowError):
        raise cls(said.reason, flow_id)
    raise cls(said.reason)


def _text(told: str) -> str:
    """Return a text that can be written down whatever is in it, of a length that can be shown."""
    return told.encode(errors="backslashreplace").decode()[:8_000]
