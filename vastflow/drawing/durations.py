"""How long is a duration, in seconds?

Seconds as a number, a `timedelta`, or text: a number and one of s, m, h, d.
"""

import math
import re
from datetime import timedelta

__all__ = ["Duration", "seconds"]

Duration = float | str | timedelta

_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_ADVICE = 'write seconds, a timedelta, or text such as "90s", "5m", "2h", "3d"'
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


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
