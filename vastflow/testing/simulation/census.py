"""How often was everything met?

A simulation that never meets something says nothing about it: so what is to be met is listed, and what was not is told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from vastflow.course.facts import KINDS
from vastflow.course.states import FLOW_STATES, STREAM_MOVES
from vastflow.drawing.chart import BasinPlace, EachPlace, ParallelPlace
from vastflow.testing.simulation.commands import COMMANDS
from vastflow.testing.simulation.history import Entry, History
from vastflow.testing.simulation.scripts import ANSWERS

__all__ = ["EXPECTED", "census_of", "lines_of", "never_met"]

_FAULTS = ("before", "after", "away", "still away")
_CRASHES = ("before a commit", "after a commit", "anywhere", *(f"in {body}" for body in ANSWERS))
_JOINS = ("all", "settle", "any")
_ENDS = ("joined", "failed", "cancelled")
_FAILURES = (
    "error",
    "retries-exhausted",
    "cycles-exhausted",
    "timeout",
    "deadline",
    "cancelled",
    "conflict",
    "in-doubt",
    "bad-return",
    "atlantic",
    "poison",
)
_NEVER_ALREADY = frozenset({"retry", "set"})


def _expected() -> Iterator[str]:
    yield from (f"fact {kind}" for kind in KINDS)
    yield from (f"fault {kind}" for kind in _FAULTS)
    yield from (f"crash {where}" for where in _CRASHES)
    yield from ("orderly close", "save refused", "nudged")
    yield from (f"body {body}" for body in ANSWERS)
    yield from (f"answer {body} {answer}" for body, told in ANSWERS.items() for answer in told if answer != "crash")
    for command in COMMANDS:
        yield from (f"command {command} {answer}" for answer in ("done", "refused"))
        if command not in _NEVER_ALREADY:
            yield f"command {command} already"
    yield from (f"flow {state}" for state in FLOW_STATES)
    yield from (f"stream {state}" for state in STREAM_MOVES)
    yield from (f"join {join} {end}" for join in _JOINS for end in _ENDS)
    yield from ("join all conflicted", "join settle conflicted")
    yield from (f"each {end}" for end in ("left", "failed", "cancelled"))
    yield from (f"basin {end}" for end in ("left", "failed", "cancelled", "retrying", "continued"))
    yield from (f"failure {kind}" for kind in _FAILURES)
    yield from (f"outcome {outcome}" for outcome in ("success", "fail", "cancelled"))


EXPECTED: tuple[str, ...] = tuple(_expected())
"""What is to be met."""


def census_of(history: History) -> Counter[str]:
    """Return how often a flow's journal met what."""
    met: Counter[str] = Counter()
    for entry in history.entries:
        met[f"fact {entry.kind}"] += 1
        met.update(_kinds(history, entry))
    return met


def _kinds(history: History, entry: Entry) -> Iterator[str]:
    failure = getattr(entry.what, "failure", None)
    if failure is not None:
        yield f"failure {failure.kind}"
    if entry.kind == "outcome":
        yield f"outcome {getattr(entry.what, 'outcome', '')}"
    node = history.nodes.get(entry.address)
    match node.place if node is not None else None:
        case ParallelPlace(join=join):
            yield f"join {join} {entry.kind}"
        case EachPlace():
            yield f"each {entry.kind}"
        case BasinPlace():
            yield f"basin {entry.kind}"
        case _:
            pass


def never_met(met: Counter[str]) -> list[str]:
    """Return what should have been met and was not."""
    return [name for name in EXPECTED if not met[name]]


def lines_of(met: Counter[str]) -> Iterable[str]:
    """Return the census as lines, one for each group."""
    groups: dict[str, list[str]] = {}
    for name in sorted({*met, *EXPECTED}):
        group, _, rest = name.partition(" ")
        groups.setdefault(group, []).append(f"{rest or group} {met[name]}")
    return [f"{group}: {', '.join(told)}" for group, told in groups.items()]
