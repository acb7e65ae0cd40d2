"""What does a body do when it is called?

Whatever its script says, which is drawn from the seed, the flow, the address, the body, its run and attempt, and how
often just that was called before.
"""

import random
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ANSWERS", "Script", "script_of"]

_FORWARD = {"done": 66, "retry": 8, "error": 9, "fatal": 2, "fail": 4, "bad": 1, "continue": 1, "crash": 2}
ANSWERS: Mapping[str, Mapping[str, int]] = {
    "when": {"yes": 70, "no": 16, "error": 6, "retry": 3, "fail": 1, "fatal": 1, "continue": 1, "bad": 1, "crash": 1},
    "flow": _FORWARD,
    "cycle": {**_FORWARD, "done": 34, "continue": 40},
    "reconcile": {**_FORWARD, "done": 34, "retry": 16, "continue": 16, "error": 16},
    "undo": {**_FORWARD, "done": 60, "continue": 3, "fail": 3},
    "success": {**_FORWARD, "done": 70},
    "fail": {**_FORWARD, "done": 70},
}
"""How often each body answers what."""

_WELL = frozenset({"done", "yes", "continue"})
_WAITS = (None, None, None, 0.0, 0.5, 3.0, 12.0)
_DURATIONS = (0.0, 0.0, 0.0, 0.05, 0.4, 1.0, 2.5)
_HUNG = 40.0  # seconds


class Script(NamedTuple):
    """What one call does.

    Attributes:
        answer: what it says in the end; "crash": the process dies.
        before, after: seconds it takes before and after it has written.
        stubborn: it does not stop when it is cancelled.
        wait: seconds it names with a Retry or Continue.
        writes: keys that it writes; `deletes`: one that it deletes, or None.
        saves: it saves once it has written.
        takes: it takes a signal, if there is one.
    """

    answer: str
    before: float
    after: float
    stubborn: bool
    wait: float | None
    writes: tuple[str, ...]
    deletes: str | None
    saves: bool
    takes: bool


def script_of(seed: str, body: str, own: str, trouble: float) -> Script:
    """Return the script of one call.

    Args:
        seed: says all that the script depends on.
        body: flow, cycle, undo and so on.
        own: the key that is the stream's own.
        trouble: how much more (or less) often than usual it does not end well.
    """
    chance = random.Random(seed)  # noqa: S311 - chance to be repeated, no secret
    weights = {name: weight * (1.0 if name in _WELL else trouble) for name, weight in ANSWERS[body].items()}
    hangs = chance.random() < 0.03 * trouble
    writes = tuple(key for key in (own, "a", "b", "out") if chance.random() < (0.5 if key in {own, "out"} else 0.06))
    return Script(
        answer=chance.choices(list(weights), list(weights.values()))[0],
        before=chance.choice(_DURATIONS),
        after=_HUNG if hangs else chance.choice(_DURATIONS),
        stubborn=_odds(chance, 0.25),
        wait=chance.choice(_WAITS),
        writes=writes,
        deletes=chance.choice(("a", "b", own)) if _odds(chance, 0.05) else None,
        saves=_odds(chance, 0.12),
        takes=_odds(chance, 0.7),
    )


def _odds(chance: random.Random, share: float) -> bool:
    return chance.random() < share
