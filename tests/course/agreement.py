"""Where do the course and the reference model disagree?"""

from typing import Any

from tests.course.driver import Run
from tests.course.model import Expected
from vastflow.course.progress import ATLANTIC
from vastflow.errors import Failure

NOT_BEGUN = ("cancelled", 0, 0)  # what a river is that was reached, but called back before its first body


def disagreements(run: Run, end: Expected) -> dict[str, tuple[Any, Any]]:
    """Return what differs, the course's first."""
    progress = run.progress
    failures = {address: failure.kind for address, failure in progress.failures.items() if address != ATLANTIC}
    pairs = {
        "outcome": (progress.outcome, end.outcome),
        "state": (progress.state, end.state),
        "failure": (told(progress.failure, run.case.chart.mouth.name), end.failure),
        "failures": (failures, end.failures),
        "water": (typed(run.water()), typed(end.water)),
        "atlantic": (run.atlantic(), end.atlantic),
        "end": (run.now, end.ended_at),
        **{address: (states, end.rivers[address]) for address, states in run.river_states().items()},
    }
    return {what: (ours, theirs) for what, (ours, theirs) in pairs.items() if not agree(ours, theirs)}


def told(failure: Failure | None, mouth: str) -> tuple[str, str] | None:
    """Return kind and address, the Atlantic's being its name, as the model has it."""
    if failure is None:
        return None
    return failure.kind, mouth if failure.address == ATLANTIC else failure.address


def typed(value: Any) -> Any:
    """Return the value so that 1, 1.0 and True differ."""
    match value:
        case dict():
            return {key: typed(inner) for key, inner in value.items()}
        case list():
            return [typed(inner) for inner in value]
        case _:
            return type(value).__name__, value


def agree(ours: Any, theirs: Any) -> bool:
    return bool(ours == theirs or (ours == NOT_BEGUN and theirs == ("init", 0, 0)))
