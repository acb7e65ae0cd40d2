"""Which flows are stuck, and not just waiting by plan?

Those that have made no fact for long, and of which some reason says that nothing will go on by itself, or that it takes
longer than usual.
"""

from vastflow.why.codes import Code
from vastflow.why.reason import Reason, Why

__all__ = ["is_stuck", "stuck_at"]

_ALWAYS = frozenset(
    {
        Code.STRANDED,
        Code.STORE_TROUBLE,
        Code.UNSERVED,
        Code.OWNER_SILENT,
        Code.NOT_TAKEN_IN,
        Code.IN_DOUBT,
        Code.ABANDONED,
        Code.WAITING_SIGNAL,
        Code.WAITING_SLOT,
        Code.WAITING_ALONE,
        Code.WAITING_WORKER,
        Code.WRITING,
        Code.GOING_ON,
    }
)
_HELD = frozenset({Code.ENDED, Code.PAUSED, Code.NOT_BEFORE})
_LATE = 60.0  # seconds behind its time, a wait is overdue


def is_stuck(why: Why, seconds: float) -> bool:
    """Say whether a flow is stuck that has made no fact for so long."""
    return why.idle >= seconds and bool(stuck_at(why))


def stuck_at(why: Why) -> tuple[Reason, ...]:
    """Return the reasons by which a flow is not just waiting by plan, what matters most first.

    By plan are: a pause, a begin that is to come later, a poll or a next attempt that is due, and a body that does not
    run over its usual time.
    """
    if why.reason.code in _HELD:
        return ()
    found = [each for each in why.reasons() if _holds(each, why)]
    return tuple(sorted(found, key=lambda each: each is not why.reason))


def _holds(reason: Reason, why: Why) -> bool:
    if reason.code is Code.BODY_RUNNING:
        return bool(reason.details.get("over"))
    if reason.code in {Code.POLL_WAIT, Code.RETRY_WAIT}:
        return why.live and reason.next is not None and (why.at - reason.next).total_seconds() > _LATE
    return reason.code in _ALWAYS
