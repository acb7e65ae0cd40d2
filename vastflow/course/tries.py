"""May it be tried again?

Decides only: from a river's budget and what failed to another attempt, or to its failure.
"""

from vastflow.course.events import Rules
from vastflow.course.facts import Failed, Retrying
from vastflow.course.failures import rewrite
from vastflow.course.records import RiverRecord
from vastflow.course.schedule import retry_wait
from vastflow.errors import Failure

__all__ = ["listed", "try_again"]


def listed(failure: Failure, retry_on: tuple[str, ...], fail_on: tuple[str, ...]) -> bool:
    """Say whether an exception is one that is tried again."""
    types = set(failure.types)
    return types.isdisjoint(fail_on) and not types.isdisjoint(retry_on)


def try_again(  # noqa: PLR0913  # the last two have defaults
    river: RiverRecord,
    failure: Failure,
    at: int,
    uid: str,
    rules: Rules,
    *,
    after: float | None = None,
    free: bool = False,
) -> Failed | Retrying:
    """Return another attempt while the retry budget lasts, else the failure.

    Args:
        river: whose.
        failure: of the last attempt.
        at: now, microseconds.
        uid: of the flow.
        rules: of the engine.
        after: seconds, if a body named its own wait.
        free: it costs no retry.
    """
    waits = river.anchor.retry
    if river.spent >= waits.times and not free:
        kept = failure.kind == "timeout" or not river.spent
        return Failed(failure if kept else rewrite(failure, "retries-exhausted"), _polls(river))
    return Retrying(at + retry_wait(waits, river.spent + 1, river.key(uid), rules.jitter, after), failure, free)


def _polls(river: RiverRecord) -> int:
    return river.now.polls + 1 if river.state == "cycling" else 0
