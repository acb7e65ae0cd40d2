"""What of a progress is told by facts alone? It must be the same live and folded."""

from collections.abc import Mapping
from typing import Any

import msgspec

from vastflow.course.delta import Sheet
from vastflow.course.facts import Delta
from vastflow.course.now import Marks
from vastflow.course.progress import Progress
from vastflow.course.records import BasinRecord, Branch, JoinRecord, RiverRecord
from vastflow.course.scope import Scope

FLOW = [
    "state",
    "outcome",
    "failure",
    "number",
    "last",
    "cancelling",
    "paused",
    "pauses",
    "poison",
    "round",
    "deadline",
    "span",
]
RIVER = [
    "state",
    "run",
    "attempt",
    "spent",
    "chosen",
    "polls",
    "failed_polls",
    "due",
    "first",
    "since",
    "turn",
    "begun",
    "tried",
    "out",
    "doubt",
    "asked",
    "failure",
    "undo_failure",
    "anchor",
]
JOIN = ["state", "run", "count", "begun", "open", "undoing", "failed", "first", "cause", "failing", "winner", "dropped"]
BASIN = ["state", "run", "attempt", "spent", "due", "entered", "failure"]
BRANCH = ["number", "prefix", "suffix", "cursor", "state", "cancelled", "failure", "cause", "rank", "plain"]
SCOPE = ["queue", "failure", "position", "attempt", "begun", "since", "due"]


def snapshot(progress: Progress) -> dict[str, Any]:
    """Return all of a progress that is told by facts."""
    signals = progress.signals
    return {
        "flow": fields(progress, FLOW),
        "failures": dict(progress.failures),
        "mouth": (fields(progress.mouth, ("run", "attempt", "due")), marks(progress.mouth.marks)),
        "root": branch(progress.root),
        "sea": water(progress.sea),
        "inside": {key: [branch(each) for each in inside] for key, inside in progress.inside.items()},
        "records": {address: record(each) for address, each in progress.records.items()},
        "signals": (signals.waiting, signals.heard, {name: each.address for name, each in signals.listeners.items()}),
        "atomics": {each.address for each in progress.atomics},
        "anchors": dict(progress.anchors),
    }


def fields(of: object, names: list[str] | tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(of, name) for name in names)


def branch(of: Branch) -> tuple[Any, ...]:
    return (*fields(of, BRANCH), water(of.tip), delta(of.ebb), delta(of.given), scope(of.scope))


def record(of: RiverRecord | JoinRecord | BasinRecord) -> tuple[Any, ...]:
    match of:
        case RiverRecord():
            return (*fields(of, RIVER), marks(of.marks), water(of.before), water(of.left), scope(of.scope))
        case JoinRecord():
            return (*fields(of, JOIN), water(of.fork), [bytes(item) for item in of.items or ()])
        case BasinRecord():
            return (*fields(of, BASIN), water(of.before))


def marks(of: Marks) -> tuple[int, bool]:
    return of.count, of.alone


def scope(of: Scope | None) -> tuple[Any, ...]:
    return () if of is None else fields(of, SCOPE)


def delta(of: Delta) -> tuple[Any, ...]:
    return raw(of.put), of.drop


def water(of: Sheet | None) -> Mapping[str, bytes] | None:
    return None if of is None else raw(of.flat())


def raw(of: Mapping[str, msgspec.Raw]) -> dict[str, bytes]:
    return {key: bytes(value) for key, value in of.items()}
