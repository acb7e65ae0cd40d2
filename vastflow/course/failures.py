"""Why does a river fail when no exception says so?

Failures in our own words, and the change of a failure's kind.
"""

from msgspec.structs import replace

from vastflow.course.facts import Body
from vastflow.course.records import MouthRecord, RiverRecord
from vastflow.errors import Failure

__all__ = ["deadline_over", "not_allowed", "out_of_polls", "poisoned", "rewrite", "still_in_doubt", "timed_out"]


def rewrite(failure: Failure, kind: str) -> Failure:
    """Return the failure with another kind."""
    return replace(failure, kind=kind)


def not_allowed(record: RiverRecord | MouthRecord, body: Body) -> Failure:
    """Return the failure of a body that raised `Continue`, which only some may."""
    message = (
        f"{body}() raised Continue, which only cycle() may: return None if the work was begun, raise Retry to try again"
    )
    return Failure("bad-return", message, record.address, record.attempt)


def out_of_polls(river: RiverRecord, reason: str, polls: int, cause: Failure | None = None) -> Failure:
    """Return the failure of a river that has made all its polls."""
    message = f"not done after {polls} polls" + (f"; the last one said: {reason}" if reason else "")
    return Failure("cycles-exhausted", message, river.address, river.attempt, cause=cause)


def timed_out(river: RiverRecord) -> Failure:
    """Return the failure of a body that ran too long."""
    message = f"{river.now.body}() ran longer than its timeout of {river.anchor.timeout or 0:g} s"
    return Failure("timeout", message, river.address, river.attempt)


def deadline_over(river: RiverRecord) -> Failure:
    """Return the failure of a river whose deadline is over; one in doubt stays in doubt."""
    told = f"not done within its deadline of {river.anchor.deadline or 0:g} s"
    if river.state == "in-doubt":
        return still_in_doubt(river, f"{told}, and nobody could say whether it was", river.failure)
    last = f"; the last poll said: {river.now.answer}" if river.state == "cycling" and river.now.answer else ""
    return Failure("deadline", told + last, river.address, river.attempt, cause=river.failure)


def still_in_doubt(river: RiverRecord, told: str, cause: Failure | None) -> Failure:
    """Return the failure of a river of which nobody knows whether it was done."""
    return Failure("in-doubt", told, river.address, river.attempt, cause=cause)


def poisoned(record: RiverRecord | MouthRecord) -> Failure:
    """Return the failure of a body that seems to kill its process."""
    message = (
        f"its process died {record.marks.count} times while this body ran, the last time with no other beside it: "
        f"mend the body, then flow.resume(), or flow.cancel()"
    )
    return Failure("poison", message, record.address, record.attempt)
