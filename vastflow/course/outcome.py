"""How does a flow end?

Decides the outcome, once, and what the Atlantic's answers mean.
"""

from msgspec.structs import replace

from vastflow.course.events import Again, Answer, Broken, Done, NotYet, Raised, Rules
from vastflow.course.facts import Ended, Outcome, Retrying, What
from vastflow.course.progress import ATLANTIC, MouthRecord, Progress
from vastflow.course.river import tried_again
from vastflow.course.schedule import after_seconds, retry_wait
from vastflow.drawing.call import key_of
from vastflow.errors import Failure

__all__ = ["answered_at_sea", "consider_flow"]


def consider_flow(progress: Progress) -> What | None:
    """Return the outcome once the last stream has ended."""
    match progress.root.state:
        case "success":
            return Outcome("success")
        case "fail":
            return Outcome("fail", progress.root.failure)
        case "cancelled":
            return Outcome("cancelled", Failure("cancelled", "the flow was cancelled"))
        case _:
            return None


def answered_at_sea(progress: Progress, answer: Answer, at: int, rules: Rules) -> What:
    """Return what follows from the answer of the Atlantic's body."""
    record = progress.mouth
    match answer:
        case Done(delta):
            return Ended(delta)
        case Again(failure, after):
            return _again(progress, failure, after, at, rules)
        case Raised(failure) if tried_again(failure, record.place.retry_on, record.place.fail_on):
            return _again(progress, failure, None, at, rules)
        case Raised(failure) | Broken(failure):
            return Ended(failure=_lost(progress, failure))
        case NotYet():
            return Ended(failure=_lost(progress, _not_allowed(record)))


def _again(progress: Progress, failure: Failure, after: float | None, at: int, rules: Rules) -> What:
    record = progress.mouth
    if record.attempt - 1 >= record.place.retry.times:
        return Ended(failure=_lost(progress, failure))
    if after is not None:
        return Retrying(at + after_seconds(after), failure)
    key = key_of(progress.uid, ATLANTIC, record.run)
    return Retrying(at + retry_wait(record.place.retry, record.attempt, key, rules.jitter), failure)


def _lost(progress: Progress, failure: Failure) -> Failure:
    """Return the Atlantic's own failure, with the earlier one of the flow as its cause."""
    return replace(failure, kind="atlantic", address=ATLANTIC, cause=progress.failure)


def _not_allowed(record: MouthRecord) -> Failure:
    message = "success() or fail() raised Continue, which only cycle() may: return None, or raise Retry to try again"
    return Failure("bad-return", message, ATLANTIC, record.attempt)
