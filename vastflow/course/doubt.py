"""What if nobody knows whether an attempt was done?

Decides only. `reconcile` is asked; without it a river that may run at most once fails, and any other is tried again.
"""

from vastflow.course.events import Again, Answer, Broken, Chose, Done, NotYet, Raised, Rules
from vastflow.course.facts import Doubted, Failed, Flowed, What
from vastflow.course.failures import not_allowed, still_in_doubt
from vastflow.course.records import RiverRecord
from vastflow.course.schedule import first_poll, retry_wait
from vastflow.course.tries import try_again
from vastflow.errors import Failure

__all__ = ["answered_reconcile", "doubt"]

ASKED_MOST = 10


def doubt(river: RiverRecord, reason: str, failure: Failure | None, at: int) -> What:
    """Return that a river is in doubt, or its failure if there is nobody to ask; `reason` is for people."""
    if river.has("reconcile"):
        return Doubted(at, reason, failure=failure)
    told = "it may run at most once, and nobody knows whether it was done"
    return Failed(still_in_doubt(river, f"{told} ({reason})", failure))


def answered_reconcile(river: RiverRecord, answer: Answer, at: int, uid: str, rules: Rules) -> What:
    """Return what follows from the answer of `reconcile`."""
    match answer:
        case Done(delta, took):
            due = at + first_poll(river.anchor, river.key(uid), rules.jitter) if river.cycles else 0
            return Flowed(delta, due, took)
        case Again(failure, after):
            return try_again(river, failure, at, uid, rules, after=after, free=river.doubt == "crash")
        case Broken(failure):
            return Failed(failure)
        case Raised(failure):
            return _ask_again(river, failure, None, at, uid, rules)
        case NotYet(reason=reason, after=after):
            return _ask_again(river, Failure("error", reason, river.address, river.attempt), after, at, uid, rules)
        case Chose():
            return Failed(not_allowed(river, "reconcile"))


def _ask_again(river: RiverRecord, failure: Failure, after: float | None, at: int, uid: str, rules: Rules) -> What:
    asked = river.asked + 1
    if asked >= ASKED_MOST:
        told = f"reconcile() was asked {asked} times and could not say whether it was done"
        return Failed(still_in_doubt(river, told, failure))
    due = at + retry_wait(river.anchor.retry, asked, river.key(uid), rules.jitter, after)
    return Doubted(due, river.doubt, asked, failure)
