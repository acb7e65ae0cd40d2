"""What do values, waits and answers come to?"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tests.course.model.clockwork import micro
from vastflow.drawing.chart import Anchor, Waits

if TYPE_CHECKING:
    from tests.course.scripts import Call

__all__ = ["Delta", "Water", "changed", "encoded", "hands_over", "share", "verdict", "wait", "written"]

Water = dict[str, str]  # canonical JSON by key: encoded values are what is compared (5.4, 5.6)
Delta = dict[str, str | None]  # None: deleted


def changed(water: Water, puts: Mapping[str, Any], drops: Iterable[str]) -> Delta:
    """Return what a call changed in the water it saw (5.4)."""
    after = {key: value for key, value in (water | encoded(puts)).items() if key not in drops}
    return {key: after.get(key) for key in water | after if water.get(key) != after.get(key)}


def written(water: Water, delta: Mapping[str, str | None]) -> Water:
    """Return the water with what was changed in it."""
    return {key: value for key, value in {**water, **delta}.items() if value is not None}


def encoded(values: Mapping[str, Any]) -> Water:
    """Return the values as text that is equal where they are (order of mappings apart)."""
    return {key: json.dumps(value, sort_keys=True) for key, value in values.items()}


def wait(waits: Waits, number: int) -> int:
    """Return the microseconds of the wait with this number, from 0."""
    return micro(min(waits.interval * waits.backoff**number, waits.max_interval or math.inf))


def share(most: float, total: int) -> int:
    """Return how many of these branches may fail."""
    return most if isinstance(most, int) else math.floor(most * total)


def verdict(anchor: Anchor, answer: "Call | str") -> str:
    """Say what an answer is: an exception is to be tried "again", or "unlisted" (4.1)."""
    if isinstance(answer, str) or answer.answer != "raise":
        return answer if isinstance(answer, str) else answer.answer
    types = {*answer.types}
    return "again" if types & {*anchor.retry_on} and not types & {*anchor.fail_on} else "unlisted"


def hands_over(body: str, call: "Call") -> bool:
    """Say whether what a call changed counts (5.5)."""
    match body:
        case "when":
            return call.answer in {"true", "false"}
        case "flow" | "success" | "fail":
            return call.answer == "none"
        case _:
            return call.answer in {"none", "continue"}
