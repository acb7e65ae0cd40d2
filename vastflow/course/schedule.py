"""When is the next attempt, the next poll?

Closed forms of stored attributes, key and number: never a sum of jittered waits, so that a schedule reads the same
after every restart. Times are microseconds, waits in attributes are seconds.
"""

import math
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from vastflow.drawing.chart import Anchor, Waits

__all__ = ["Polls", "after_seconds", "first_poll", "retry_wait"]

MICRO = 1_000_000
_HASHES = 1 << 32
_CENTURY = 3.2e9
_SHORTEST = 0.001  # seconds: an interval of nothing would be a busy loop
_FOREVER = 1 << 61  # microseconds; far beyond any wait that can be drawn
_LAST = 1 << 40  # no position is asked for beyond this one


def after_seconds(seconds: float) -> int:
    """Return seconds as microseconds, never negative, a century at most."""
    return round(min(max(0.0, seconds), _CENTURY) * MICRO)


def retry_wait(waits: Waits, number: int, key: str, jitter: float, after: float | None = None) -> int:
    """Return the wait (microseconds) before retry `number`, from 1: `after` seconds, if a body named its own."""
    if after is not None:
        return after_seconds(after)
    plain = _bounded(waits.interval, waits.backoff, waits.max_interval, number - 1)
    return after_seconds(plain * (1 + jitter * _chance(key, number)))


class Polls(NamedTuple):
    """The schedule of the polls of one attempt; positions count from 1.

    Nothing moves it: a poll that names its own wait, comes late or fails leaves the positions after it where they are.

    Attributes:
        anchor: the river's attributes.
        key: the river's, for jitter.
        first: when position 1 is due, microseconds.
        jitter: a share of the interval.
    """

    anchor: Anchor
    key: str
    first: int
    jitter: float

    def due(self, position: int) -> int:
        """Return when a position is due, microseconds."""
        if position <= 1:
            return self.first
        varied = self.jitter * _chance(self.key, position) * _wait(self.anchor, position - 1)
        return self.first + after_seconds(self._total(position - 1) + varied)

    def past(self, now: int) -> int:
        """Return the last position that is due at or before `now`; all that would come after a century never are."""
        if now < self.first:
            return 0
        now = min(now, self.first + after_seconds(_CENTURY) - 1)
        if self.anchor.cycle_backoff == 1.0:
            return self._past_evenly(now)
        low, high = 1, 2
        while high < _LAST and self.due(high) <= now:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.due(middle) <= now else (low, middle)
        return low

    def _past_evenly(self, now: int) -> int:
        """Return the same where all waits are alike: jitter moves a position by less than one of them."""
        position = 1 + int((now - self.first) // after_seconds(_wait(self.anchor, 1)))
        while self.due(position + 1) <= now:
            position += 1
        while position > 1 and self.due(position) > now:
            position -= 1
        return position

    def served(self, since: int, periods: Sequence[tuple[int, int]]) -> int:
        """Return how many positions lie in served time after `since`: `periods` are (began, ended), microseconds."""
        return sum(self.past(end) - self.past(max(begin, since)) for begin, end in periods if end > since)

    def _total(self, waits: int) -> float:
        """Return the unvaried seconds over so many waits from the first position on."""
        interval, backoff, most = _interval(self.anchor), self.anchor.cycle_backoff, self.anchor.cycle_max_interval
        if backoff == 1.0:
            return waits * (interval if most is None else min(interval, most))
        growing = min(waits, _uncapped(interval, backoff, most))
        grown = interval * backoff * (_power(backoff, growing) - 1) / (backoff - 1)
        return grown + (waits - growing) * (most or 0.0)


def first_poll(anchor: Anchor, key: str, jitter: float) -> int:
    """Return the wait (microseconds) from the end of `flow` to the first poll; without end if only signals wake it."""
    if anchor.cycle_interval is None:
        return _FOREVER
    return after_seconds(_wait(anchor, 0) * (1 + jitter * _chance(key, 1)))


def _wait(anchor: Anchor, position: int) -> float:
    """Return the seconds between a position and the next; position 0 is the end of `flow`."""
    return _bounded(_interval(anchor), anchor.cycle_backoff, anchor.cycle_max_interval, position)


def _interval(anchor: Anchor) -> float:
    return max(anchor.cycle_interval, _SHORTEST) if anchor.cycle_interval is not None else _CENTURY


def _bounded(interval: float, backoff: float, most: float | None, power: int) -> float:
    return min(interval * _power(backoff, power), _CENTURY if most is None else most)


def _uncapped(interval: float, backoff: float, most: float | None) -> int:
    """Return how many waits, from the one after position 1 on, stay below the bound."""
    if most is None or backoff <= 1.0:
        return _LAST
    if interval * backoff >= most:
        return 0
    return max(0, math.ceil(math.log(most / interval) / math.log(backoff)) - 1)


def _power(backoff: float, exponent: int) -> float:
    try:
        return backoff**exponent
    except OverflowError:
        return math.inf


def _chance(key: str, number: int) -> float:
    """Return a draw from -1 up to 1 that is always the same for this key and number."""
    return zlib.crc32(f"{key}:{number}".encode()) / _HASHES * 2 - 1
