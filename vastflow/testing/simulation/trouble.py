"""What if the store fails, or the process dies while it writes?

A store around another one that does so, as the seed says, and notes what is really kept.
"""

import random
import re
from collections.abc import Collection, Iterable, Sequence

from vastflow.errors import StoreError
from vastflow.ledger.contract import Batch, FactRow, FlowQuery, FlowRow, Owner, Period, Store
from vastflow.testing.simulation.effects import Kept
from vastflow.testing.simulation.stage import Stage

__all__ = ["TroubledStore"]

_VALUE = re.compile(rb"v\d+\.\d+")
_KINDS = ("before", "after", "away", "crash before", "crash after")


class TroubledStore:
    """A store that fails at times.

    Attributes:
        inner: the one that keeps what is written.
        calm: nothing happens to it any more.
    """

    def __init__(self, inner: Store, stage: Stage) -> None:
        """Stand before a store."""
        self.inner = inner
        self.calm = True
        self._stage = stage
        self._chance = random.Random(f"trouble of {stage.seed}")  # noqa: S311 - to be repeated, no secret
        self._rate = self._chance.choice((0.0, 0.02, 0.08, 0.2))
        self._left = 6
        self._away = 0
        self._untold: list[tuple[str, int]] = []

    def commit(self, batch: Batch) -> frozenset[str]:
        """Write a batch, or not, or say that it was not."""
        self._refuse_if_away()
        kind = self._trouble()
        if kind == "crash before" and self._stage.die("before a commit"):
            raise StoreError("the process died")
        if kind in {"before", "away"}:
            self._away = self._chance.randint(1, 6) if kind == "away" else 0
            raise self._fault(kind, "the disk is full (simulated)")
        lost = self.inner.commit(batch)
        self._note(batch, lost)
        if kind == "crash after":
            self._stage.die("after a commit")
        if kind == "after":
            self._untold = [(fact.flow, fact.number) for fact in batch.facts if fact.flow not in lost]
            raise self._fault(kind, "the answer was lost (simulated)")
        return lost

    def _fault(self, kind: str, text: str) -> StoreError:
        self._stage.met[f"fault {kind}"] += 1
        self._stage.log.troubles.append(self._stage.now())
        return StoreError(text)

    def _trouble(self) -> str:
        if self.calm or self._left <= 0 or self._chance.random() >= self._rate:
            return ""
        self._left -= 1
        return self._chance.choice(_KINDS)

    def _refuse_if_away(self) -> None:
        if self._away > 0 and not self.calm:
            self._away -= 1
            raise self._fault("still away", "the disk is away (simulated)")

    def _note(self, batch: Batch, lost: frozenset[str]) -> None:
        stage = self._stage
        order, at = stage.log.next(), stage.now()
        for fact in batch.facts:
            if fact.flow not in lost:
                stage.log.kept[fact.flow, fact.number] = Kept(order, at, stage.life)
                stage.log.values.update(value.decode() for value in _VALUE.findall(fact.payload))

    def last_batch(self, epoch: int) -> int:
        """Return the number of the last batch this epoch committed."""
        self._refuse_if_away()
        for key in self._untold:
            self._stage.log.kept[key] = self._stage.log.kept[key]._replace(at=self._stage.now())
        self._untold = []
        return self.inner.last_batch(epoch)

    def beat(self, epoch: int, now: int) -> None:
        """Move the end of this epoch's served period."""
        self._refuse_if_away()
        self.inner.beat(epoch, now)

    def take(self, name: str, now: int) -> Owner:
        """Become the owner."""
        return self.inner.take(name, now)

    def unfinished(self) -> list[FlowRow]:
        """Return all flows that have not ended."""
        return self.inner.unfinished()

    def claim(self, flow_ids: Sequence[str], owner: Owner) -> None:
        """Make these flows the owner's."""
        self.inner.claim(flow_ids, owner)

    def latest(self) -> int:
        """Return the latest time known to the store."""
        return self.inner.latest()

    def purge(self, flow_ids: Iterable[str]) -> None:
        """Remove these flows."""
        self.inner.purge(flow_ids)

    def removable(self, states: Collection[str], ended_before: int, limit: int) -> list[str]:
        """Return flows that may be removed."""
        return self.inner.removable(states, ended_before, limit)

    def purge_charts(self) -> int:
        """Remove charts no flow uses."""
        return self.inner.purge_charts()

    def answered(self, inbox: str) -> frozenset[int]:
        """Return which letters have an answer."""
        return self.inner.answered(inbox)

    def forget_answers(self, inbox: str, kept: Collection[int], before: int) -> int:
        """Remove old answers."""
        return self.inner.forget_answers(inbox, kept, before)

    def flow(self, flow_id: str) -> FlowRow | None:
        """Return one flow's row."""
        return self.inner.flow(flow_id)

    def flows(self, query: FlowQuery) -> list[FlowRow]:
        """Return the rows that match."""
        return self.inner.flows(query)

    def facts(self, flow_id: str, after: int = 0) -> list[FactRow]:
        """Return a flow's facts."""
        return self.inner.facts(flow_id, after)

    def chart(self, digest: str) -> bytes | None:
        """Return a chart's bytes."""
        return self.inner.chart(digest)

    def periods(self, since: int = 0) -> list[Period]:
        """Return the served periods."""
        return self.inner.periods(since)

    def answer(self, inbox: str, no: int) -> bytes | None:
        """Return what was answered to a letter."""
        return self.inner.answer(inbox, no)

    def backup(self, path: str) -> None:
        """Write a copy."""
        self.inner.backup(path)

    def close(self) -> None:
        """Let go of what it holds."""
        self.inner.close()
