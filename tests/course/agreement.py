"""Where do the course and the reference model disagree?"""

from collections import Counter
from typing import Any

from tests.course.driver import Round, Run
from tests.course.model import Expected
from vastflow.course.records import ATLANTIC
from vastflow.errors import Failure


def disagreements(run: Run, end: Expected) -> dict[str, tuple[Any, Any]]:
    """Return what differs, the course's first."""
    progress, mouth = run.progress, run.case.chart.mouth.name
    failures = {address: failure.kind for address, failure in progress.failures.items() if address != ATLANTIC}
    ours, theirs = run.river_states(), end.rivers
    pairs = {
        "rounds": ([told(each, mouth) for each in run.rounds], [tuple(vars(each).values()) for each in end.rounds]),
        "state": (progress.state, end.rounds[-1].state),
        "failures": (failures, end.failures),
        "water": (typed(run.water()), typed(end.water)),
        "atlantic": (Counter(run.atlantic()), Counter(end.atlantic)),
        "undos": (run.undos(), end.undos),
        "signals": (typed(run.signals()), typed(end.signals)),
        "answers": (run.answers, end.answers),
        **{address: (ours.get(address), theirs.get(address)) for address in (*theirs, *(ours.keys() - theirs))},
    }
    never = {address for address in ours if was_never_begun(run, address)}
    return {
        what: (one, other)
        for what, (one, other) in pairs.items()
        if one != other and not (what in never and calls(one) == calls(other))
    }


def was_never_begun(run: Run, address: str) -> bool:
    """Say whether its turn came in a part that was being cancelled: the model does not come to it at all."""
    record = run.progress.records[address]
    called = any(each.address == address and each.run == record.run for each in run.called)
    return record.state == "cancelled" and not called


def calls(river: tuple[str, dict[str, int]] | None) -> dict[str, int]:
    return river[1] if river is not None else {}


def told(end: Round, mouth: str) -> tuple[Any, ...]:
    """Return a round's end as the model has it."""
    return end.outcome, end.state, where(end.failure, mouth), end.ended_at


def where(failure: Failure | None, mouth: str) -> tuple[str, str] | None:
    """Return kind and address, the Atlantic's being its name."""
    if failure is None:
        return None
    return failure.kind, mouth if failure.address == ATLANTIC else failure.address


def typed(value: Any) -> Any:
    """Return the value so that 1, 1.0 and True differ."""
    match value:
        case dict():
            return {key: typed(inner) for key, inner in value.items()}
        case list() | tuple():
            return [typed(inner) for inner in value]
        case _:
            return type(value).__name__, value
