"""Which bodies are out, and where does each stand?

Kept for whoever asks why, by ticket: noted by the River actors and by the threads and tasks that run bodies, read by
anybody at any time. What is read may be a moment old; nothing is decided by it.
"""

import asyncio
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from linecache import getline
from types import CodeType, FrameType
from typing import Any, Literal

import msgspec

from vastflow.actors.messages import Call
from vastflow.clock import Clock
from vastflow.log import Masker, escape
from vastflow.why.live import Out, most_usual

__all__ = ["Entry", "Register"]

_FRAMES = 30  # of a stack: the innermost
_SHOWN = 3  # of those who have what a body waits for
_KEPT = 0.2  # of what a call took goes into what is usual
_LONGEST = 200  # characters of a source line
_SECOND = 1_000_000
_CALLS = frozenset({"call_body", "call_body_async"})

Stage = Literal["slot", "turn", "writing", "thread", "running"]


class Entry:
    """A body that is out.

    Attributes:
        call: what is called; `river`: by which actor.
        stage: where it stands.
        began: when it began to run, microseconds; 0 before.
        thread: which runs it.
        task: which it is, if it is an async body.
    """

    __slots__ = ("began", "call", "river", "stage", "task", "thread")

    def __init__(self, call: Call, river: str) -> None:
        """Stand before its slot."""
        self.call = call
        self.river = river
        self.stage: Stage = "slot"
        self.began = 0
        self.thread: threading.Thread | None = None
        self.task: asyncio.Task[Any] | None = None


@dataclass(slots=True)
class _Frame:
    """One line of a stack."""

    code: CodeType
    line: int

    def told(self) -> Iterator[str]:
        """Yield where it is and what stands there; no values."""
        yield f"File {self.code.co_filename}:{self.line}, in {self.code.co_name}"
        if source := getline(self.code.co_filename, self.line).strip():
            yield f"    {source[:_LONGEST]}"


class Register:
    """All bodies that are out in one engine.

    Each entry is put in and taken out by one River actor; a dictionary is safe for that, and for whoever looks.
    """

    def __init__(self) -> None:
        """Know of none."""
        self.entries: dict[int, Entry] = {}
        self._usual: dict[tuple[str, str], float] = {}

    def enter(self, call: Call, river: str) -> Entry:
        """Note a body that a River actor was told to call."""
        entry = self.entries[call.ticket] = Entry(call, river)
        return entry

    def leave(self, ticket: int) -> None:
        """Note that a body is out no more."""
        self.entries.pop(ticket, None)

    def keep(self, entry: Entry) -> None:
        """Note that a body was given up, and is out still."""
        self.entries[entry.call.ticket] = entry

    def begin(self, ticket: int, now: int, task: "asyncio.Task[Any] | None" = None) -> None:
        """Note that a body runs from now on; told by its thread, or by the loop's about its task."""
        entry = self.entries.get(ticket)
        if entry is None:
            return
        entry.thread, entry.task = threading.current_thread(), task
        entry.began = now
        entry.stage = "running"

    def end(self, ticket: int, now: int) -> None:
        """Note that a body has answered, and how long it took."""
        entry = self.entries.get(ticket)
        if entry is None or not entry.began:
            return
        entry.thread = entry.task = None
        key = entry.river, entry.call.body
        took, usual = (now - entry.began) / _SECOND, self._usual.get(key)
        self._usual[key] = took if usual is None else usual + _KEPT * (took - usual)

    def look(self, ticket: int, clock: Clock, masker: Masker) -> Out | None:
        """Return how a body is out; None if it is not known here (any more)."""
        entry = self.entries.get(ticket)
        if entry is None:
            return None
        usual = self._usual.get((entry.river, entry.call.body), 0.0)
        ran = (clock.now() - entry.began) / _SECOND if entry.began else 0.0
        return Out(
            stage=entry.stage,
            thread=_runner(entry),
            began=entry.began,
            usual=usual,
            stack=tuple(_stack(entry, masker)) if ran > most_usual(usual) else (),
            alone=entry.call.alone,
            before=tuple(self._before(entry)),
        )

    def _before(self, entry: Entry) -> list[str]:
        """Return who has what a body waits for."""
        if entry.stage not in {"slot", "turn"}:
            return []
        others = [other for other in list(self.entries.values()) if other is not entry and _is_ahead(other, entry)]
        return [f"{other.call.flow.id} {other.call.address}" for other in others[:_SHOWN]]


def _is_ahead(other: Entry, entry: Entry) -> bool:
    if other.stage in {"slot", "turn"}:
        return False
    if entry.stage == "slot":
        return other.river == entry.river
    return entry.call.alone or other.call.alone


def _runner(entry: Entry) -> str:
    thread = entry.thread
    if thread is None:
        return ""
    return f"the event loop ({thread.name})" if entry.task is not None else f"thread {thread.name}"


def _stack(entry: Entry, masker: Masker) -> Iterator[str]:
    """Yield where a body is, the innermost line last: files, lines and functions, no values; secrets masked."""
    try:
        frames = _of_task(entry.task) if entry.task is not None else _of_thread(entry.thread)
        lines = [line for frame in frames[-_FRAMES:] for line in frame.told()]
        secrets = _secrets(entry.call, masker)
    except Exception as error:  # noqa: BLE001  # it runs on while it is looked at: what cannot be read is no trouble
        yield f"its stack cannot be read now ({type(error).__name__})"
        return
    for line in lines:
        yield escape(masker.text(line.encode(errors="backslashreplace").decode(), secrets))


def _of_thread(thread: threading.Thread | None) -> list[_Frame]:
    """Return the frames of a body that runs on a thread, the outermost first."""
    frame = sys._current_frames().get(thread.ident or 0) if thread is not None else None  # noqa: SLF001  # documented
    found: list[_Frame] = []
    while frame is not None and not _is_call(frame):
        found.append(_Frame(frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return found[::-1] if frame is not None else []


def _of_task(task: "asyncio.Task[Any]") -> list[_Frame]:
    """Return the frames of a body that is awaited, the outermost first."""
    waiting: Any = task.get_coro()
    found: list[_Frame] = []
    while waiting is not None:
        frame: FrameType | None = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is None:
            break
        found = [] if _is_call(frame) else [*found, _Frame(frame.f_code, frame.f_lineno)]
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return found


def _is_call(frame: FrameType) -> bool:
    """Say whether a frame is the one that calls the body."""
    return frame.f_code.co_name in _CALLS and frame.f_globals.get("__name__") == "vastflow.actors.body"


def _secrets(call: Call, masker: Masker) -> frozenset[str]:
    """Return the secrets of a body's parameters and water, which might stand in a source line, too."""
    water = {key: msgspec.json.decode(raw) for key, raw in call.water.flat().items()}
    return masker.secrets([vars(call.flow.streams[call.template or call.address]), water])
