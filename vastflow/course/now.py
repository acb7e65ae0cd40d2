"""What is known of a stream that is no fact, or counts only until the next one?

It is left out when two progresses are compared, but for the marks, which are made by facts. What a record begins with
is said by its class, so that a river that is reached costs little.
"""

from typing import Literal

import msgspec

from vastflow.course.facts import Body
from vastflow.errors import Failure

__all__ = ["UNMARKED", "Marks", "Now"]


class Now:
    """What a record knows that is no fact.

    Attributes:
        ticket: of the body, wait or crossing that is out; 0 for none.
        doing: which of them.
        body: which body is out.
        queued: it waits for a slot of `max_running`, or because another body runs alone.
        ready: a thread is free for it, and its begin is being written.
        due: when a wait is over, microseconds; 0 until it is known.
        polls: made in this attempt.
        answer: the last poll's.
        share: of the work done, as the body said.
        alarm: the ticket of the deadline's timer; 0 while there is none.
        abandoned: tickets of bodies that were given up and have not come back.
        again: a body may have been interrupted by the death of the last process.
        sees: the number of the last signal which the poll that is out can see.
        seen: which a completed poll could see.
        hold: no poll because of a signal up to `tried` before then, microseconds: one that could see it failed.
        extra: the poll that is out was made because of a signal.
        failure: why a basin's border could not be crossed.
    """

    ticket = 0
    doing: Literal["", "body", "wait", "cross"] = ""
    body: Body = "flow"
    queued = False
    ready = False
    due = 0
    polls = 0
    answer = ""
    share: float | None = None
    alarm = 0
    abandoned: tuple[int, ...] = ()
    again = False
    sees = 0
    seen = 0
    tried = 0
    hold = 0
    extra = False
    failure: Failure | None = None

    def out(self, doing: Literal["body", "wait", "cross"], ticket: int) -> int:
        """Note that something is out, and return its ticket."""
        self.doing = doing
        self.ticket = ticket
        return ticket

    def back(self) -> None:
        """Note that nothing is out."""
        self.doing = ""
        self.ticket = 0
        if self.queued or self.ready:
            self.queued = self.ready = False

    def give_up(self) -> None:
        """Note that what is out is waited for no longer; a body may still come back."""
        if self.doing == "body":
            self.abandoned = (*self.abandoned, self.ticket)
        self.back()


class Marks(msgspec.Struct, gc=False, frozen=True):
    """How often a body was seen to run without an end, by facts; every end begins anew with `UNMARKED`.

    Attributes:
        count: begins on a thread that were not spared.
        alone: the last of them ran alone.
    """

    count: int = 0
    alone: bool = False

    def spared(self) -> "Marks":
        """Return the same without the last begin."""
        return Marks(max(0, self.count - 1))


UNMARKED = Marks()
