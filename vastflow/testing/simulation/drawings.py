"""What is drawn for a seed?

Real streams, nested two deep, with every attribute that a user may write.
"""

import random
from collections.abc import Callable
from itertools import count
from typing import Any

from vastflow.drawing import Andes, Atlantic, Basin, Headwaters, ParallelRiver, River
from vastflow.drawing.parallel_river import Stream
from vastflow.testing.simulation.bodies import RIVERS, SEAS, Storm

__all__ = ["drawing", "water_for"]

_DEEPEST = 2


def drawing(seed: int, number: int, pace: float = 1) -> Andes[Headwaters]:
    """Return the drawing of a seed's flow of this number; its waits are `pace` times as long."""
    return _Draughtsman(random.Random(f"drawing {number} of {seed}"), pace).draw()  # noqa: S311 - to be repeated, no secret


def water_for(seed: int) -> dict[str, Any]:
    """Return the water with which flows of this seed begin."""
    chance = random.Random(f"water of {seed}")  # noqa: S311 - to be repeated, no secret
    return {"a": "a0", "b": "b0", "items": [f"item-{number}" for number in range(chance.choice((0, 1, 2, 3, 5)))]}


class _Draughtsman:
    """Draws one drawing."""

    def __init__(self, chance: random.Random, pace: float) -> None:
        self._chance = chance
        self._pace = pace
        self._numbers = count(1)
        kinds = list(RIVERS)
        self._kinds = [chance.choice(kinds) for _ in range(3)]
        self._in_each = 0

    def draw(self) -> Andes[Headwaters]:
        andes: Andes[Headwaters] = Andes("simulated")
        for stream in self._streams(1, 3, 0):
            andes = andes >> stream
        return andes >> self._sea()

    def _pick(self, *choices: Any) -> Any:
        return self._chance.choice(choices)

    def _seconds(self, *choices: float) -> float:
        seconds: float = self._chance.choice(choices)
        return seconds * self._pace

    def _odds(self, share: float) -> bool:
        return self._chance.random() < share

    def _streams(self, least: int, most: int, depth: int) -> list[Stream]:
        return [self._stream(depth) for _ in range(self._chance.randint(least, most))]

    def _chain(self, depth: int) -> Stream:
        first, *rest = self._streams(1, 2, depth)
        for stream in rest:
            first = first >> stream
        return first

    def _stream(self, depth: int) -> Stream:
        if depth >= _DEEPEST or self._odds(0.55):
            return self._river()
        draw: Callable[[int], Stream] = self._pick(self._parallel, self._parallel, self._each, self._basin)
        return draw(depth + 1)

    def _parallel(self, depth: int) -> Stream:
        branches = [self._chain(depth) for _ in range(self._pick(2, 2, 3))]
        return ParallelRiver(
            *branches,
            join=self._pick("all", "settle", "any"),
            max_failures=self._pick(0, 0, 1, 0.5),
            on_conflict=self._pick("fail", "last", "last"),
            name=f"p{next(self._numbers)}",
        )

    def _each(self, depth: int) -> Stream:
        self._in_each += 1
        inside = self._chain(depth)
        self._in_each -= 1
        key = "missing" if self._odds(0.04) else "items"
        return ParallelRiver.each(
            key,
            inside,
            item="item",
            limit=self._pick(None, 1, 2),
            collect=self._pick((), ("out",), {"out": "outs"}),
            max_failures=self._pick(0, 0, 1, 0.5),
            name=f"e{next(self._numbers)}",
        )

    def _basin(self, depth: int) -> Stream:
        return Basin(
            f"b{next(self._numbers)}",
            *self._streams(1, 2, depth),
            inputs=self._pick(None, None, ("a", "b", "items"), {"a": "b", "items": "items"}),
            outputs=self._pick((), ("a",), {"b": "c"}, ("out",)),
            water=self._pick(None, {"added": "yes"}),
            continue_on_failure=self._odds(0.3),
            retry_times=self._pick(0, 0, 1, 2),
            retry_interval=self._seconds(0, 0.5, 2),
        )

    def _river(self) -> River:
        extra, how = self._pick(*self._kinds)
        name = f"r{next(self._numbers)}"
        told: dict[str, Any] = {"name": name, **self._tries(), **self._limits()}
        if "cycle" in extra:
            told |= self._polls(name)
        if "undo" in extra:
            told |= self._undos()
        if not {"cycle", "undo", "reconcile", "atomic", "at_most_once"}.intersection((*extra, *told)):
            told["durable"] = self._odds(0.6)
        return RIVERS[extra, how]().options(**told)

    def _tries(self) -> dict[str, Any]:
        told = {"retry_times": self._pick(0, 0, 1, 2, 3), "retry_interval": self._seconds(0, 0.1, 1, 3)}
        if self._odds(0.15):
            told["retry_on"] = (Storm,)
        return told

    def _limits(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if self._odds(0.25):
            told["timeout"] = self._seconds(0.3, 1, 2)
        if self._odds(0.12):
            told["deadline"] = self._seconds(2, 6, 30)
        if self._odds(0.12):
            told |= {"atomic": True, "deadline": self._seconds(3, 20, 60)}
        if self._odds(0.1):
            told["at_most_once"] = True
        if self._odds(0.15):
            told["max_running"] = self._pick(1, 2)
        return told

    def _polls(self, name: str) -> dict[str, Any]:
        told = {
            "cycle_times": self._pick(1, 2, 4, 12),
            "cycle_interval": self._seconds(0, 0.1, 0.5, 1, 2),
            "cycle_backoff": self._pick(1, 1, 2),
            "cycle_errors": self._pick(0, 1, 3),
        }
        if not self._in_each and self._odds(0.4):
            told["signals"] = (f"paid-{name}", f"sent-{name}")
            if self._odds(0.3):
                told["cycle_interval"] = None
        return told

    def _undos(self) -> dict[str, Any]:
        return {
            "undo_times": self._pick(0, 1, 2),
            "undo_interval": self._seconds(0.1, 1),
            "undo_deadline": self._pick(1, 5, 20),
        }

    def _sea(self) -> Atlantic:
        sea: type[Atlantic] = self._pick(*SEAS)
        return sea().options(retry_times=self._pick(0, 1, 2), retry_interval=self._seconds(0.1, 1))
