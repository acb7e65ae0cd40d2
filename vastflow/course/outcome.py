"""How does a flow end?

Decides the outcome, once a round, and what the Atlantic's answers mean.
"""

from msgspec.structs import replace

from vastflow.course.events import Again, Answer, Broken, Chose, Done, NotYet, Raised, Rules
from vastflow.course.facts import Ended, Outcome, Retrying, What
from vastflow.course.failures import not_allowed
from vastflow.course.progress import Progress
from vastflow.course.records import ATLANTIC
from vastflow.course.schedule import retry_wait
from vastflow.course.states import ENDED
from vastflow.course.tries import listed
from vastflow.course.undo import to_undo
from vastflow.drawing.call import key_of
from vastflow.errors import Failure

__all__ = ["answered_at_sea", "consider_flow"]

_TOLD = {"cancelled": "the flow was cancelled", "deadline": "the flow's deadline was over before it had ended"}


def consider_flow(progress: Progress) -> What | None:
    """Return the outcome once the last stream has ended."""
    root = progress.root
    if progress.state not in {"init", "running"} or (progress.state == "init" and not progress.cancelling):
        return None
    if progress.state == "running" and root.state not in ENDED:
        return None
    if root.state == "success":
        return Outcome("success")
    queue = to_undo(progress, root)
    if not progress.cancelling:
        return Outcome("fail", root.failure, queue)
    failure = Failure(progress.cancelling, _TOLD[progress.cancelling], cause=root.failure)
    return Outcome("cancelled" if progress.cancelling == "cancelled" else "fail", failure, queue)


def answered_at_sea(progress: Progress, answer: Answer, at: int, rules: Rules) -> What:
    """Return what follows from the answer of the Atlantic's body."""
    record = progress.mouth
    match answer:
        case Done(delta):
            return Ended(delta)
        case Again(failure, after):
            return _again(progress, failure, after, at, rules)
        case Raised(failure) if listed(failure, record.place.retry_on, record.place.fail_on):
            return _again(progress, failure, None, at, rules)
        case Raised(failure) | Broken(failure):
            return Ended(failure=_lost(progress, failure))
        case NotYet() | Chose():
            return Ended(failure=_lost(progress, not_allowed(record, record.now.body)))


def _again(progress: Progress, failure: Failure, after: float | None, at: int, rules: Rules) -> What:
    record = progress.mouth
    if record.attempt - 1 >= record.place.retry.times:
        return Ended(failure=_lost(progress, failure))
    key = key_of(progress.uid, ATLANTIC, record.run)
    return Retrying(at + retry_wait(record.place.retry, record.attempt, key, rules.jitter, after), failure)


def _lost(progress: Progress, failure: Failure) -> Failure:
    """Return the Atlantic's own failure, with the earlier one of the flow as its cause."""
    return replace(failure, kind="atlantic", address=ATLANTIC, cause=progress.failure)
