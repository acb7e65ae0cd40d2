"""What is looked at to say why?

One reading of one flow: what its progress says, live or folded from the store, and what only the serving process knows
of bodies that are out. It travels as JSON, so another process can ask for it; times are microseconds since 1970 UTC.
"""

from typing import Literal

import msgspec

__all__ = ["Out", "Situation", "Spot", "most_usual", "read_situations", "write_situations"]

_UNKNOWN = 10.0  # seconds
_LEAST = 1.0
_FACTOR = 3.0


def most_usual(usual: float) -> float:
    """Return how many seconds a body may run before it runs over its usual time.

    Three times what such bodies took in this process, one second at least; ten where none was seen.
    """
    return max(_LEAST, _FACTOR * usual) if usual else _UNKNOWN


class Out(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A body that is out, as the serving process sees it.

    Attributes:
        stage: it waits for its slot, for its turn, for its begin to be on disk, for a thread; or it runs.
        thread: which thread or loop runs it.
        began: when it began to run; 0 if it does not run.
        usual: how many seconds such a body takes, as seen in this process; 0.0 if none was seen.
        stack: where it is, the innermost line last; empty unless it runs over its usual time.
        alone: it is, or is to be, run alone.
        before: who has what it waits for, as `flow address`; the first few.
    """

    stage: Literal["slot", "turn", "writing", "thread", "running"]
    thread: str = ""
    began: int = 0
    usual: float = 0.0
    stack: tuple[str, ...] = ()
    alone: bool = False
    before: tuple[str, ...] = ()


class Spot(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A stream that is under way, or holds something.

    Attributes:
        kind: river, parallel, each, basin or atlantic.
        attempt: which; of its undo, if that is what it is at. `attempts`: how many there may be.
        since: when it came to stand so; 0 if that is not known.
        due: when its wait is over; 0 if it does not wait, or for nothing but a signal.
        deadline: when it must have ended; 0 for none.
        doing: what is out: body, wait or cross; empty also for one that was read from the store.
        body: which body is out, or was when this was written to the store.
        failure: why its last attempt or poll failed, without what is behind it.
        slots: its `max_running`.
        stopped: it, or what is around it, is being cancelled.
        lost: bodies that were given up and have not come back.
        open: branches that have not ended, `later` of them not begun, since others must end first; of `count`.
        below: what is under way in it; the most telling ones, `more` are left out.
    """

    address: str
    kind: Literal["river", "parallel", "each", "basin", "atlantic"]
    state: str
    attempt: int = 1
    attempts: int = 1
    polls: int = 0
    cycle_times: int | None = None
    answer: str = ""
    share: float | None = None
    since: int = 0
    due: int = 0
    deadline: int = 0
    doing: str = ""
    body: str = ""
    signals: tuple[str, ...] = ()
    slots: int | None = None
    stopped: bool = False
    doubt: str = ""
    asked: int = 0
    failure: str = ""
    out: Out | None = None
    lost: tuple[Out, ...] = ()
    open: int = 0
    later: int = 0
    count: int = 0
    below: tuple["Spot", ...] = ()
    more: int = 0


class Situation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How one flow stands, for the question why.

    Attributes:
        live: read from the process that runs it; else from the store.
        at: when it was read.
        cancelling: why it is being cancelled; empty if it is not.
        paused: since when; 0 if it is not.
        poison: which failure strands it.
        last: when its last fact was made; 0 if there is none.
        failure: why it failed, if it has ended.
        spots: what is under way in it.
        holding: streams that have ended, and whose abandoned bodies have not come back.
    """

    flow: str
    name: str
    state: str
    live: bool = False
    at: int = 0
    cancelling: str = ""
    paused: int = 0
    poison: str = ""
    last: int = 0
    failure: str = ""
    spots: tuple[Spot, ...] = ()
    holding: tuple[Spot, ...] = ()


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(tuple[Situation, ...]).decode


def write_situations(seen: tuple[Situation, ...]) -> str:
    """Return situations as JSON."""
    return _ENCODE(seen).decode()


def read_situations(told: str) -> tuple[Situation, ...]:
    """Return the situations that were written so; none if it cannot be read."""
    try:
        return _DECODE(told)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return ()
