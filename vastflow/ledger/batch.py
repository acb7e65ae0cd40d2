"""What do all stores ask of a batch and of a query?

Pure questions, so that no store answers them in its own way.
"""

from collections.abc import Mapping

import msgspec

from vastflow.errors import FlowNotFound
from vastflow.ledger.contract import Batch

__all__ = ["has_tags", "latest_of", "named", "touched", "unknown_after", "without"]

_TAGS = msgspec.json.Decoder(dict[str, str])


def touched(batch: Batch) -> frozenset[str]:
    """Return the ids of all flows the batch writes something of."""
    facts = {fact.flow for fact in batch.facts}
    moves = {move.flow for move in batch.moves}
    return frozenset(facts.union(moves, (row.id for row in batch.flows)))


def named(batch: Batch) -> frozenset[str]:
    """Return the ids of all flows the batch is about, those of its answers too."""
    return touched(batch).union(answer.flow for answer in batch.answers)


def without(batch: Batch, lost: frozenset[str]) -> Batch:
    """Return the batch without anything of the lost flows."""
    if not lost:
        return batch
    return Batch(
        epoch=batch.epoch,
        number=batch.number,
        charts=batch.charts,
        flows=[row for row in batch.flows if row.id not in lost],
        facts=[fact for fact in batch.facts if fact.flow not in lost],
        moves=[move for move in batch.moves if move.flow not in lost],
        answers=[answer for answer in batch.answers if answer.flow not in lost],
    )


def latest_of(batch: Batch) -> int:
    """Return the latest time something happened in the batch (microseconds); 0 if nothing did."""
    facts = max((fact.at for fact in batch.facts), default=0)
    moves = max((max(move.changed, move.ended) for move in batch.moves), default=0)
    flows = max((max(row.started, row.changed, row.ended) for row in batch.flows), default=0)
    return max(facts, moves, flows)


def has_tags(stored: bytes, wanted: Mapping[str, str]) -> bool:
    """Say whether the stored tags (JSON) have all that are wanted; tags that cannot be read have none."""
    try:
        tags = _TAGS.decode(stored)
    except msgspec.MsgspecError:
        return False
    return all(tags.get(key) == value for key, value in wanted.items())


def unknown_after(flow_id: str) -> FlowNotFound:
    """Return the error for a page that is to follow a flow nobody knows."""
    return FlowNotFound(
        f"no flow {flow_id!r} to list after: it was never started here, or has been removed; list from the start",
        flow=flow_id,
    )
