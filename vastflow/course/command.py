"""What does every command do in every state of a flow?

Decides only: whether it may be done now, is so already, or is refused with the reason; and which fact it becomes.
"""

from typing import Literal, NamedTuple

from vastflow.course.commands import Cancel, Command, Complete, Pause, Resume, Retry, Set, Signal, Skip
from vastflow.course.delta import Sheet
from vastflow.course.facts import (
    NOTHING,
    Cancelling,
    Completed,
    Delta,
    Fact,
    Paused,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    What,
)
from vastflow.course.facts import Set as Changed
from vastflow.course.progress import Progress
from vastflow.course.records import Record, RiverRecord
from vastflow.course.states import ENDED

__all__ = ["DONE", "TABLE", "Ruling", "Standing", "commanded", "judge", "standing"]

Standing = Literal["running", "cancelling", "paused", "poison", "undoing", "ending", "success", "fail", "cancelled"]
"""How a flow stands for whoever wants something of it; `init` counts as running."""

_PAUSE_FIRST = "it is under way: pause it first"
_CANCELLING = "it is being cancelled: wait until it has ended"
_TOO_LATE = "its outcome is decided and it is ending: wait until it has ended, then retry it"
_HAS_ENDED = "it has ended"
_ENDED_WELL = "it has ended well, there is nothing to mend"
_NOT_ENDED = "it has not ended: cancel it first, or wait"
_POISONED = "it is stranded, since one of its bodies seems to kill the process: resume or cancel it first"


class Ruling(NamedTuple):
    """What becomes of a command: done, already so, or refused with a reason."""

    what: Literal["done", "already", "refused"]
    reason: str = ""


DONE = Ruling("done")
ALREADY = Ruling("already")


def _no(reason: str) -> Ruling:
    return Ruling("refused", reason)


_MEND: dict[Standing, Ruling] = {
    "running": _no(_PAUSE_FIRST),
    "cancelling": _no(_CANCELLING),
    "paused": DONE,
    "poison": _no(_POISONED),
    "undoing": _no(_TOO_LATE),
    "ending": _no(_TOO_LATE),
    "success": _no(_ENDED_WELL),
    "fail": DONE,
    "cancelled": DONE,
}

TABLE: dict[type[Command], dict[Standing, Ruling]] = {
    Cancel: {
        "running": DONE,
        "cancelling": ALREADY,
        "paused": DONE,
        "poison": DONE,
        "undoing": _no(_TOO_LATE),
        "ending": _no(_TOO_LATE),
        "success": _no(_HAS_ENDED),
        "fail": _no(_HAS_ENDED),
        "cancelled": ALREADY,
    },
    Pause: {
        "running": DONE,
        "cancelling": _no(_CANCELLING),
        "paused": ALREADY,
        "poison": _no(_POISONED),
        "undoing": DONE,
        "ending": DONE,
        "success": _no(_HAS_ENDED),
        "fail": _no(_HAS_ENDED),
        "cancelled": _no(_HAS_ENDED),
    },
    Resume: {
        "running": ALREADY,
        "cancelling": ALREADY,
        "paused": DONE,
        "poison": DONE,
        "undoing": ALREADY,
        "ending": ALREADY,
        "success": _no(_HAS_ENDED),
        "fail": _no(f"{_HAS_ENDED}: retry it"),
        "cancelled": _no(f"{_HAS_ENDED}: retry it"),
    },
    Retry: {
        "running": _no(_NOT_ENDED),
        "cancelling": _no(_CANCELLING),
        "paused": _no(_NOT_ENDED),
        "poison": _no(_POISONED),
        "undoing": _no(_TOO_LATE),
        "ending": _no(_TOO_LATE),
        "success": DONE,
        "fail": DONE,
        "cancelled": DONE,
    },
    Skip: _MEND,
    Complete: _MEND,
    Set: _MEND,
    Signal: {
        "running": DONE,
        "cancelling": DONE,
        "paused": DONE,
        "poison": DONE,
        "undoing": DONE,
        "ending": DONE,
        "success": _no(_HAS_ENDED),
        "fail": _no(_HAS_ENDED),
        "cancelled": _no(_HAS_ENDED),
    },
}
"""What every command does in every standing; a flow that is paused while it undoes or ends stands as that."""


def standing(progress: Progress) -> Standing:
    """Return how a flow stands for whoever wants something of it."""
    match progress.state:
        case "success" | "fail" | "cancelled" | "undoing" | "ending":
            return "poison" if progress.poison is not None else progress.state
        case "init" | "running":
            if progress.poison is not None:
                return "poison"
            return "cancelling" if progress.cancelling else "paused" if progress.paused else "running"


def judge(progress: Progress, command: Command) -> Ruling:
    """Return what becomes of a command now."""
    if isinstance(command, Signal) and command.id is not None and command.id in progress.signals.heard:
        return ALREADY  # also after the end: who sends twice must not be told that it failed
    ruling = TABLE[type(command)][standing(progress)]
    if progress.state in {"undoing", "ending"} and progress.poison is None:
        ruling = _judge_late(progress, command, ruling)
    if ruling is not DONE:
        return ruling
    match command:
        case Skip(stream=stream) | Complete(stream=stream):
            return _judge_stream(progress, stream)
        case _:
            return DONE


def _judge_late(progress: Progress, command: Command, ruling: Ruling) -> Ruling:
    match command:
        case Pause() if progress.paused:
            return ALREADY
        case Resume() if progress.paused:
            return DONE
        case _:
            return ruling


def _judge_stream(progress: Progress, stream: str) -> Ruling:
    record = progress.records.get(stream)
    if record is None:
        return _no(f"it has not come to {stream!r}, or has no such stream: see the addresses and states in its status")
    if record.state in {"success", "skipped"}:
        return ALREADY
    why_not = "" if progress.state in ENDED else _why_not(record)
    return _no(why_not) if why_not else DONE


def _why_not(record: Record) -> str:
    """Return why a stream of a paused flow cannot be skipped or completed; empty if it can."""
    if not isinstance(record, RiverRecord):
        return f"{record.address} is no river: name the rivers in it that are not done"
    if not record.live:
        return f"{record.address} has ended ({record.state}): cancel the flow, or wait until it has ended, and retry it"
    if record.now.doing == "body":
        return f"a body of {record.address} is still running: wait until it has ended"
    return ""


def commanded(progress: Progress, command: Command, at: int, who: str) -> list[Fact]:
    """Return the fact that a command becomes."""
    if isinstance(command, Skip | Complete):
        record = progress.records[command.stream]
        return [Fact(at, command.stream, record.run, 0, _mended(record, command), who)]
    return [Fact(at, "", 1, 0, _of_flow(progress, command, at), who)]


def _mended(record: Record, command: Skip | Complete) -> What:
    if isinstance(command, Skip):
        return Skipped(NOTHING, record.state)
    return Completed(command.delta, record.state, _before(record.branch.tip, command.delta))


def _of_flow(progress: Progress, command: Cancel | Pause | Resume | Retry | Set | Signal, at: int) -> What:
    match command:
        case Retry(anchors=anchors):
            return Retried(anchors, at + progress.span if progress.span else progress.deadline)
        case Signal(name=name, value=value, id=told):
            return Signalled({name: value}, told)
        case Set(delta=delta):
            return Changed(delta, _before(progress.water, delta))
        case _:
            return _PLAIN[type(command)]


_PLAIN: dict[type, What] = {Cancel: Cancelling(), Pause: Paused(), Resume: Resumed()}


def _before(water: Sheet, delta: Delta) -> Delta:
    """Return what a change will replace."""
    known = water.flat()
    changed = (*delta.put, *delta.drop)
    return Delta(
        {key: known[key] for key in changed if key in known}, tuple(key for key in changed if key not in known)
    )
