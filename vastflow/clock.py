"""What time is it?

The only page that asks the machine. Time is microseconds since 1970 UTC; it is read from the
wall once and then carried by the monotonic clock, so it never runs backwards in one process.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["LAST", "Clock", "SystemClock", "from_moment", "to_moment"]

LAST = 253_402_128_000_000_000
"""The latest time there is, microseconds: 9999-12-30, which is a date in every time zone."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Something that can be asked for the time."""

    def now(self) -> int:
        """Return microseconds since 1970 UTC; never less than an earlier answer."""

    def hold(self, not_before: int) -> None:
        """Never answer less than `not_before` (microseconds) from now on."""


class SystemClock:
    """The machine's time: the wall asked once, the monotonic clock from then on."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        """Ask the wall."""
        self._offset = time.time_ns() // 1000 - time.monotonic_ns() // 1000

    def now(self) -> int:
        """Return microseconds since 1970 UTC; never less than an earlier answer."""
        return time.monotonic_ns() // 1000 + self._offset

    def hold(self, not_before: int) -> None:
        """Never answer less than `not_before` (microseconds): a wall set back must not rewind a store."""
        self._offset = max(self._offset, not_before - time.monotonic_ns() // 1000)


def to_moment(at: int) -> datetime:
    """Return `at` (microseconds since 1970 UTC) as an aware datetime; what is no date any more as the nearest one."""
    return _EPOCH + min(max(at, 0), LAST) * _MICROSECOND


def from_moment(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND
