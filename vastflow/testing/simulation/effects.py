"""What was really done?

A log outside the engine that no crash takes away: each call of a body with what it saw, wrote and answered, and each
fact in the order in which all this happened.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Effect", "EffectLog", "Kept"]


@dataclass(slots=True)
class Effect:
    """One call of one body.

    Attributes:
        order: its place among all that happened.
        life: of the process, from 1: how often the engine was started.
        began, ended: microseconds; `ended` is 0 for one that was interrupted or still runs.
        over: its place among all that happened when it ended; 0 like `ended`.
        answer: done, retry, continue, fail, error, fatal, bad, cancelled, yes or no.
        cut: it was asked to stop, by `CancelledError`.
        saw: the water it found.
        wrote: values it wrote, by key.
        saved: values it had written when a save returned.
        took: values of the signals it took.
    """

    flow: str
    address: str
    body: str
    run: int
    attempt: int
    round: int
    key: str
    order: int
    life: int
    began: int
    ended: int = 0
    over: int = 0
    answer: str = ""
    cut: bool = False
    saw: dict[str, Any] = field(default_factory=dict)
    wrote: dict[str, str] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)
    took: list[str] = field(default_factory=list)

    @property
    def call(self) -> tuple[str, int]:
        """Which run of which stream."""
        return self.address, self.run


class Kept(NamedTuple):
    """When a fact was kept: its place among all that happened, when that was told (microseconds), in which life."""

    order: int
    at: int
    life: int


@dataclass(slots=True)
class EffectLog:
    """All that happened, in order.

    Attributes:
        effects: calls of bodies, in the order in which they began.
        kept: facts by flow and number.
        values: values that stand in a fact that is kept.
        troubles: when the store failed, microseconds.
        starts: when each life of the process began, microseconds; `stops`: when those ended that are over.
        wrongs: what was found wrong on the spot.
    """

    effects: list[Effect] = field(default_factory=list)
    kept: dict[tuple[str, int], Kept] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    troubles: list[int] = field(default_factory=list)
    starts: dict[int, int] = field(default_factory=dict)
    stops: dict[int, int] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    _order: int = 0

    def next(self) -> int:
        """Return the next place in the order."""
        self._order += 1
        return self._order

    def troubled(self, since: int, until: int) -> bool:
        """Say whether the store failed between two moments, microseconds."""
        return any(since <= at <= until for at in self.troubles)
