"""What holds a flow as a whole?

What is known around it: who serves the store and whether it can be written, who paused it, what its row says.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vastflow.clock import to_moment
from vastflow.course.states import ENDED
from vastflow.log.escapes import escape
from vastflow.why.codes import Code
from vastflow.why.live import Situation
from vastflow.why.reason import Reason
from vastflow.why.sentence import ahead, quoted, span

__all__ = ["Around", "Silent", "StoreTrouble", "reasons_around"]

_NEVER = "nobody has ever served this store"


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """That the store cannot be written: since when (microseconds), how often it was tried, and what it said last."""

    since: int
    tried: int
    error: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A process that holds the store and does not answer.

    Attributes:
        pid: 0 if it is not known.
        since: when it gave the last sign of life.
        beats: it still gives signs of life.
    """

    pid: int
    since: int
    beats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known around a flow; times in microseconds.

    Attributes:
        now: the time.
        store: how a command line names the store, such as `--store URL`; empty for the usual one.
        trouble: the store cannot be written.
        unserved: since when nobody serves the store, 0 if nobody ever did; None while somebody does.
        silent: whoever serves it gives no sign of life.
        who: paused it, or cancels it; `asked`: when.
        stranded: why it cannot go on, as its row says.
        started: when it was started; `not_before`: it does not begin before then.
        letter: when it was asked for, if it still lies in the inbox; `full`: no place is free for one more flow.
        ended: when it ended.
        outcome: how.
    """

    now: int
    store: str = ""
    trouble: StoreTrouble | None = None
    unserved: int | None = None
    silent: Silent | None = None
    who: str = ""
    asked: int = 0
    stranded: str = ""
    started: int = 0
    not_before: int = 0
    letter: int = 0
    full: bool = False
    ended: int = 0
    outcome: str = ""

    @property
    def asked_for(self) -> int:
        """When it was, or is, to begin."""
        return self.letter or max(self.started, self.not_before)

    def command(self, verb: str, *words: str) -> str:
        """Return a command line to paste."""
        given = [f"-- {shlex.quote(word)}" if word.startswith("-") else shlex.quote(word) for word in words]
        return escape(" ".join(filter(None, ("vastflow", verb, self.store, *given))))


def reasons_around(seen: Situation, around: Around) -> Iterator[Reason]:
    """Yield what holds the whole flow, what matters most first."""
    if seen.state in ENDED and not around.letter:
        yield _ended(seen, around)
        return
    if around.stranded or seen.poison:
        yield _stranded(seen, around)
    if around.letter:
        yield _not_taken_in(around)
    yield from _of_owner(around)
    if seen.paused:
        yield _paused(seen, around)
    if seen.state == "init" and around.not_before > around.now and not around.letter:
        yield _not_before(around)


def _of_owner(around: Around) -> Iterator[Reason]:
    if around.unserved is not None:
        yield _unserved(around, around.unserved)
    if around.silent is not None:
        yield _silent(around, around.silent)
    if around.trouble is not None:
        yield _trouble(around, around.trouble)


def _ended(seen: Situation, around: Around) -> Reason:
    ago = f", {span(around.now - around.ended)} ago" if around.ended else ""
    why = f": {quoted(seen.failure)}" if seen.failure else ""
    told = {"success": "has ended well", "fail": "has failed", "cancelled": "was cancelled"}[seen.state]
    details: dict[str, Any] = {"outcome": seen.state} | ({"failure": seen.failure} if seen.failure else {})
    return Reason(
        code=Code.ENDED,
        sentence=f"{told}{ago}{why}",
        since=to_moment(around.ended) if around.ended else None,
        unblock=around.command("retry", seen.flow) if seen.state != "success" else "",
        details=details,
    )


def _stranded(seen: Situation, around: Around) -> Reason:
    reason = around.stranded.partition("\n")[0] or f"poison: {seen.poison}"
    poison = bool(seen.poison) or reason.startswith("poison:")
    advice = "resume it once that is mended" if poison else "mend that, then serve the store anew"
    return Reason(
        code=Code.STRANDED,
        sentence=f"cannot go on: {escape(' '.join(reason.split()))}; {advice}",
        since=to_moment(seen.last) if seen.last else None,
        unblock=around.command("resume", seen.flow) if poison else around.command("worker", "MODULE"),
        details={"reason": escape(around.stranded or seen.poison), "poison": poison},
    )


def _not_taken_in(around: Around) -> Reason:
    why = ", since as many flows are under way as may be" if around.full else ""
    return Reason(
        code=Code.NOT_TAKEN_IN,
        sentence=f"was asked for {span(around.now - around.letter)} ago and is not taken in yet{why}",
        since=to_moment(around.letter),
        unblock="" if around.unserved is None else around.command("worker", "MODULE"),
    )


def _unserved(around: Around, since: int) -> Reason:
    at = to_moment(since).isoformat(" ", "seconds").replace("+00:00", "Z")
    told = f"nobody has served this store since {at} ({span(around.now - since)})" if since else _NEVER
    return Reason(
        code=Code.UNSERVED,
        sentence=told,
        since=to_moment(since) if since else None,
        unblock=around.command("worker", "MODULE"),
    )


def _silent(around: Around, silent: Silent) -> Reason:
    who = f"process {silent.pid}" if silent.pid else "a process"
    if silent.beats:
        told = f"{who} serves the store and does not answer: it has too much to do, or cannot write the store"
    else:
        gone = f"{who} holds the store and has given no sign of life for {span(around.now - silent.since)}"
        told = f"{gone}: it is stopped, hangs, or cannot write the store"
    return Reason(
        code=Code.OWNER_SILENT,
        sentence=told,
        since=to_moment(silent.since) if silent.since else None,
        unblock=f"kill -CONT {silent.pid}" if silent.pid and not silent.beats else "",
        details={"pid": silent.pid, "beats": silent.beats},
    )


def _trouble(around: Around, trouble: StoreTrouble) -> Reason:
    told = f"the store has not been writable for {span(around.now - trouble.since)} (tried {trouble.tried} times)"
    return Reason(
        code=Code.STORE_TROUBLE,
        sentence=f"{told}: {quoted(trouble.error)}; nothing is lost, {trouble.waiting} writes wait",
        since=to_moment(trouble.since),
        unblock=around.command("doctor"),
        details={"tried": trouble.tried, "error": escape(trouble.error), "waiting": trouble.waiting},
    )


def _paused(seen: Situation, around: Around) -> Reason:
    by = f" by {escape(around.who)}" if around.who else ""
    return Reason(
        code=Code.PAUSED,
        sentence=f"was paused{by} {span(around.now - seen.paused)} ago",
        since=to_moment(seen.paused),
        unblock=around.command("resume", seen.flow),
        details={"who": around.who},
    )


def _not_before(around: Around) -> Reason:
    return Reason(
        code=Code.NOT_BEFORE,
        sentence=f"is to begin {ahead(around.not_before, around.now)}",
        next=to_moment(around.not_before),
    )
