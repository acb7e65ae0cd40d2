"""Where do flows live that need not outlive their process?

In memory, with the same promises as a store on disk: one commit at a time, readers see only what was committed, an
owner that was followed by another writes nothing more. After a (simulated) crash a second engine takes the same object
again and finds all that was committed.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from msgspec.structs import replace

from vastflow.errors import BatchRefused, StoreError, StoreServed
from vastflow.ledger.batch import has_tags, latest_of, named, touched, unknown_after, without
from vastflow.ledger.contract import PORTION, Answer, Batch, FactRow, FlowQuery, FlowRow, Move, Owner, Period

__all__ = ["MemoryStore"]


class MemoryStore:
    """A store in memory; closing it keeps what it holds for whoever takes it next."""

    def __init__(self) -> None:
        """Begin empty."""
        self._mutex = threading.Lock()
        self._owner = Owner(name="", epoch=0, batch=0)
        self._latest = 0
        self._batches: dict[int, int] = {}
        self._periods: dict[int, Period] = {}
        self._charts: dict[str, bytes] = {}
        self._flows: dict[str, FlowRow] = {}
        self._facts: dict[str, dict[int, FactRow]] = {}
        self._answers: dict[tuple[str, int], Answer] = {}

    def flow(self, flow_id: str) -> FlowRow | None:
        """Return one flow's row."""
        with self._mutex:
            return self._flows.get(flow_id)

    def flows(self, query: FlowQuery) -> list[FlowRow]:
        """Return the rows that match, newest start first."""
        with self._mutex:
            rows = list(self._flows.values())
            last = self._flows.get(query.after) if query.after is not None else None
        if last is None and query.after is not None:
            raise unknown_after(query.after)
        found = [row for row in rows if _matches(row, query) and (last is None or _place(row) < _place(last))]
        return sorted(found, key=_place, reverse=True)[: query.limit]

    def facts(self, flow_id: str, after: int = 0) -> list[FactRow]:
        """Return a flow's facts with numbers above `after`, in order."""
        with self._mutex:
            facts = list(self._facts.get(flow_id, {}).values())
        return sorted(fact for fact in facts if fact.number > after)

    def chart(self, digest: str) -> bytes | None:
        """Return a chart's bytes."""
        with self._mutex:
            return self._charts.get(digest)

    def periods(self, since: int = 0) -> list[Period]:
        """Return the served periods that end at or after `since`, oldest first."""
        with self._mutex:
            return [period for period in self._periods.values() if period.ended >= since]

    def answer(self, inbox: str, no: int) -> bytes | None:
        """Return what was said to this letter of this inbox; None if nothing was yet."""
        with self._mutex:
            found = self._answers.get((inbox, no))
        return found.said if found is not None else None

    def backup(self, path: str) -> None:
        """Refuse: there is nothing to copy.

        Raises:
            StoreError: always.
        """
        raise StoreError(f"a store in memory has no file that could be copied to {path}; use a sqlite:/// store")

    def close(self) -> None:
        """Do nothing: what is in memory stays for whoever takes it next."""

    def take(self, name: str, now: int) -> Owner:
        """Become the owner; whoever was it before writes nothing more."""
        with self._mutex:
            self._owner = Owner(name=name, epoch=self._owner.epoch + 1, batch=0)
            self._periods[self._owner.epoch] = Period(self._owner.epoch, now, now)
            self._latest = max(self._latest, now)
            return self._owner

    def unfinished(self) -> list[FlowRow]:
        """Return all flows that have not ended, oldest first."""
        with self._mutex:
            return sorted((row for row in self._flows.values() if not row.ended), key=_place)

    def claim(self, flow_ids: Sequence[str], owner: Owner) -> None:
        """Make these flows the owner's."""
        with self._mutex:
            if owner.epoch != self._owner.epoch:
                raise StoreServed(f"another engine took this store: epoch {owner.epoch} is over; stop this engine")
            for flow_id in flow_ids:
                if (row := self._flows.get(flow_id)) is not None:
                    self._flows[flow_id] = replace(row, owner=owner.name, epoch=owner.epoch)

    def commit(self, batch: Batch) -> frozenset[str]:
        """Write the batch, all of it or nothing; name the flows that were dropped."""
        with self._mutex:
            if batch.epoch != self._owner.epoch:
                return named(batch)
            lost = self._lost(batch)
            kept = without(batch, lost)
            self._check(kept)
            self._write(kept)
            return lost

    def last_batch(self, epoch: int) -> int:
        """Return the number of the last batch this epoch committed; 0 if none."""
        with self._mutex:
            return self._batches.get(epoch, 0)

    def beat(self, epoch: int, now: int) -> None:
        """Move the end of this epoch's served period to `now`."""
        with self._mutex:
            if epoch == self._owner.epoch:
                period = self._periods[epoch]
                self._periods[epoch] = period._replace(ended=max(period.ended, now))
                self._latest = max(self._latest, now)

    def latest(self) -> int:
        """Return the latest time known to the store; 0 if it is new."""
        with self._mutex:
            return self._latest

    def purge(self, flow_ids: Iterable[str]) -> None:
        """Remove these flows and their facts."""
        with self._mutex:
            for flow_id in flow_ids:
                self._flows.pop(flow_id, None)
                self._facts.pop(flow_id, None)

    def removable(self, states: Collection[str], ended_before: int, limit: int) -> list[str]:
        """Return the ids of flows that ended before `ended_before` in these states, oldest start first."""
        with self._mutex:
            ended = [row for row in self._flows.values() if row.state in states and 0 < row.ended < ended_before]
        return [row.id for row in sorted(ended, key=_place)[: max(limit, 0)]]

    def purge_charts(self) -> int:
        """Remove the charts that no flow uses, and return how many they were."""
        with self._mutex:
            unused = self._charts.keys() - {row.chart for row in self._flows.values()}
            for digest in unused:
                del self._charts[digest]
            return len(unused)

    def answered(self, inbox: str) -> frozenset[int]:
        """Return the numbers of the letters of this inbox which have an answer."""
        with self._mutex:
            return frozenset(no for of, no in self._answers if of == inbox)

    def forget_answers(self, inbox: str, kept: Collection[int], before: int) -> int:
        """Remove answers of this inbox that are older than `before`, but those to `kept`; return how many."""
        with self._mutex:
            old = (answer for answer in self._answers.values() if answer.inbox == inbox and answer.at < before)
            gone = list(islice((answer for answer in old if answer.no not in kept), PORTION))
            for answer in gone:
                del self._answers[answer.inbox, answer.no]
            return len(gone)

    def _lost(self, batch: Batch) -> frozenset[str]:
        new = {row.id for row in batch.flows}
        taken = {flow_id for flow_id in new if flow_id in self._flows}
        foreign = {flow_id for flow_id in touched(batch) - new if not self._is_of(flow_id, batch.epoch)}
        return frozenset(taken | foreign)

    def _is_of(self, flow_id: str, epoch: int) -> bool:
        row = self._flows.get(flow_id)
        return row is not None and row.epoch == epoch

    def _check(self, batch: Batch) -> None:
        new = {row.id for row in batch.flows}
        if len(new) != len(batch.flows):
            raise BatchRefused("a batch begins one flow twice; nothing of it was written")
        numbers = {(fact.flow, fact.number) for fact in batch.facts}
        if len(numbers) != len(batch.facts):
            raise BatchRefused("a batch holds two facts of one flow and number; nothing of it was written")
        for flow_id, number in numbers:
            if number in self._facts.get(flow_id, {}):
                raise BatchRefused(f"fact {number} of flow {flow_id!r} is stored already; nothing was written")
        letters = {(answer.inbox, answer.no) for answer in batch.answers}
        if len(letters) != len(batch.answers) or not letters.isdisjoint(self._answers):
            raise BatchRefused("a batch answers a letter that has an answer already; nothing of it was written")

    def _write(self, batch: Batch) -> None:
        for digest, chart in batch.charts.items():
            self._charts.setdefault(digest, chart)
        self._flows.update((row.id, row) for row in batch.flows)
        for fact in batch.facts:
            self._facts.setdefault(fact.flow, {})[fact.number] = fact
        for move in batch.moves:
            self._flows[move.flow] = _moved(self._flows[move.flow], move)
        self._answers.update(((answer.inbox, answer.no), answer) for answer in batch.answers)
        self._batches[batch.epoch] = batch.number
        self._latest = max(self._latest, latest_of(batch))


def _moved(row: FlowRow, move: Move) -> FlowRow:
    return replace(
        row,
        state=move.state,
        outcome=move.outcome,
        stranded=move.stranded,
        flags=move.flags,
        changed=move.changed,
        ended=move.ended,
    )


def _place(row: FlowRow) -> tuple[int, str]:
    return (row.started, row.id)


def _matches(row: FlowRow, query: FlowQuery) -> bool:
    return (
        (not query.states or row.state in query.states)
        and (query.name is None or row.name == query.name)
        and (not query.tags or has_tags(row.tags, query.tags))
    )
