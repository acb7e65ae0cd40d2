"""How long is a duration, and when is a moment?

A duration is seconds as a number, a `timedelta`, or text: a number and one of s, m, h, d. A moment is a duration from
now, or a datetime that knows its offset.
"""

import math
import re
from datetime import UTC, datetime, timedelta

__all__ = ["Duration", "Moment", "moment_of", "seconds"]

Duration = float | str | timedelta
Moment = Duration | datetime

_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_ADVICE = 'write seconds, a timedelta, or text such as "90s", "5m", "2h", "3d"'
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def seconds(duration: object) -> float:
    """Return a duration in seconds.

    Raises:
        ValueError: it is none; the message says what to write.
    """
    match duration:
        case bool():
            raise ValueError(_ADVICE)
        case int() | float():
            told = float(duration)
        case timedelta():
            told = duration.total_seconds()
        case str():
            told = _of_text(duration)
        case _:
            raise ValueError(_ADVICE)
    if not math.isfinite(told):
        raise ValueError(_ADVICE)
    return told


def _of_text(text: str) -> float:
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(_ADVICE)
    return float(found[1]) * _UNITS[found[2]]


def moment_of(told: object, now: int, where: str) -> int:
    """Return when something is to be, in microseconds since 1970 UTC; never less than 1.

    Args:
        told: a duration from now on, or an aware datetime (which may be past).
        now: microseconds since 1970 UTC.
        where: what was written, for messages, such as "start(deadline=...)".

    Raises:
        ValueError: it is neither; the message says what to write.
    """
    at = _of_datetime(told, where) if isinstance(told, datetime) else now + _ahead(told, where)
    if at > _LAST:
        message = f"{where}: {told!r} lies after the year 9999: write a nearer one, or leave it out for none"
        raise ValueError(message)
    return max(at, 1)


def _of_datetime(told: datetime, where: str) -> int:
    if told.utcoffset() is None:
        message = (
            f"{where}: {told!r} does not say in which time zone it is: "
            f"write an aware datetime, such as datetime(2030, 1, 31, 12, tzinfo=UTC), or a duration"
        )
        raise ValueError(message)
    return (told - _EPOCH) // timedelta(microseconds=1)


def _ahead(told: object, where: str) -> int:
    """Return a duration in microseconds."""
    try:
        length = seconds(told)
    except ValueError as error:
        message = f"{where}: {told!r} is not possible: {error}, or an aware datetime"
        raise ValueError(message) from None
    if length < 0:
        message = f"{where}: {told!r} is before now: write a duration of 0 or more, or an aware datetime"
        raise ValueError(message)
    return round(length * 1_000_000)
