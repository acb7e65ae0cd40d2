"""How does an engine go on where the last one stopped?

Recovery is a start like any other: unfinished flows are folded from their facts and handed to their supervisors. One
that cannot be read is stranded with the reason; all others go on.
"""

from dataclasses import dataclass
from typing import NamedTuple

from vastflow.course import Progress
from vastflow.course.states import ENDED
from vastflow.drawing.chart import Chart
from vastflow.drawing.laying import Bound, bind
from vastflow.ledger.contract import Batch, FlowRow, Move, Owner, Store
from vastflow.ledger.reading import read_cargo, read_chart, read_progress
from vastflow.log import escape, get_logger

__all__ = ["Found", "find_unfinished"]


@dataclass(frozen=True, slots=True)
class Found:
    """A flow that can go on."""

    row: FlowRow
    progress: Progress
    bound: Bound


class _Outcome(NamedTuple):
    found: list[Found]
    moves: list[Move]


def find_unfinished(store: Store, owner: Owner, now: int) -> list[Found]:
    """Claim all unfinished flows and fold them; strand what cannot be read, free what can be read again."""
    rows = store.unfinished()
    store.claim([row.id for row in rows if not row.unreadable], owner)
    outcome = _Outcome([], [])
    bounds: dict[str, Bound] = {}
    for row in rows:
        _find(store, row, now, bounds, outcome)
    if outcome.moves:
        store.commit(Batch(owner.epoch, store.last_batch(owner.epoch) + 1, moves=outcome.moves))
    return outcome.found


def _find(store: Store, row: FlowRow, now: int, bounds: dict[str, Bound], outcome: _Outcome) -> None:
    try:
        bound = _bound(store, row, bounds)
        bound.streams(read_cargo(row))
        progress = read_progress(store, row)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a record that is broken in whatever way strands its own flow only
        _strand(row, row.unreadable or f"{type(error).__name__}: {error}", now, outcome)
        return
    if progress.state in ENDED:
        told = f"its journal says that it has ended ({progress.state}), and its row that it has not"
        _strand(row, f"{told}: something else has written to this store: restore it from a copy", now, outcome)
        return
    if progress.poison is not None:
        _strand(row, f"poison: {progress.poison}", now, outcome)
        return
    if row.stranded:
        outcome.moves.append(_moved(row, "", now))
    outcome.found.append(Found(row, progress, bound))


def _bound(store: Store, row: FlowRow, bounds: dict[str, Bound]) -> Bound:
    known = bounds.get(row.chart)
    if known is None:
        chart: Chart = read_chart(store, row)
        known = bounds[row.chart] = bind(chart, row.chart)
    return known


def _strand(row: FlowRow, reason: str, now: int, outcome: _Outcome) -> None:
    reason = "\n".join(map(escape, reason.split("\n")))  # else one flow's odd text would let no engine open
    get_logger("engine").error("flow stranded", flow=row.id, name=row.name, reason=reason)
    if row.stranded != reason and not row.unreadable:  # what cannot be read is not written over
        outcome.moves.append(_moved(row, reason, now))


def _moved(row: FlowRow, stranded: str, now: int) -> Move:
    return Move(row.id, row.state, row.outcome, stranded, row.flags, max(now, row.changed), row.ended)
