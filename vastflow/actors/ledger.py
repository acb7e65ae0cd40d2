"""Who writes?

The only writer of flows. It gathers what all actors hand it and commits it in one transaction, then answers each.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from vastflow.actors.flow import FlowRecord
from vastflow.actors.futures import fail, fulfil
from vastflow.actors.letters import Slip
from vastflow.actors.messages import Beat, Failing, Flush, Forget, Purge, Refused, Taken, Write, Written
from vastflow.clock import Clock, to_moment
from vastflow.errors import BatchRefused, StoreServed
from vastflow.ledger.contract import PORTION, Batch, FactRow, FlowRow, Owner, Store
from vastflow.log import get_logger
from vastflow.runtime import Ref, Runtime

__all__ = ["OWNER", "LedgerActor", "Trouble"]

MOST = 2_000  # facts in a batch
OWNER = "server"
"""The name under which an engine owns flows."""
_FIRST_PAUSE = 0.05  # seconds before a commit that failed is tried again, doubled each time
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The store cannot be written at present; nothing is lost, what is to be written waits.

    Attributes:
        since: when it could not for the first time.
        tried: how often it was tried in vain.
        error: what the store said last.
        waiting: how many writes wait for it.
    """

    since: datetime
    tried: int
    error: str
    waiting: int


class LedgerActor:
    """The one writer: group commit, and the beat that says the store is served.

    Attributes:
        intake: who is told which letters have their answers; None if no other process can write any.
        listener: is told what is on disk now, and what of it was lost; must be quick, and raise nothing.
        trouble: that the store cannot be written; None while it can. Read from any thread.
    """

    def __init__(self, store: Store, epoch: int, runtime: Runtime) -> None:
        """Have nothing to write.

        Args:
            store: opened and taken.
            epoch: the owner's.
            runtime: for the time and for pauses.
        """
        self.name = "ledger"
        self.me: Ref
        self._store = store
        self._epoch = epoch
        self._clock: Clock = runtime.clock
        self._runtime = runtime
        self._number = store.last_batch(epoch)
        self.intake: Ref | None = None
        self.listener: Callable[[Sequence[Write], frozenset[str]], None] | None = None
        self.trouble: Trouble | None = None
        self._waiting: list[Write] = []
        self._trying = 0
        self._flushing = False
        self._pause = 0.0
        self._log = get_logger(self.name)

    def receive(self, message: Write | Flush | Beat | Forget | Purge) -> None:
        """Gather, commit, or note that the store is served."""
        if isinstance(message, Write):
            self._gather(message)
            return
        match message:
            case Flush():
                self._flushing = False
                self._flush()
            case Beat():
                self._store.beat(self._epoch, self._clock.now())
                if not self._waiting:
                    self._written_again()
            case Forget():
                self._forget(message)
            case Purge():
                self._purge(message)

    def _gather(self, write: Write) -> None:
        if write.flow.refused and write.facts:
            # after a fact that is missing, no other can be read
            self._refuse(write.flow, [write], BatchRefused("an earlier fact could not be written"))
            return
        self._waiting.append(write)
        if not self._flushing:
            self._ask_to_flush()

    def failed(self, message: Write | Flush | Beat | Forget | Purge, error: BaseException) -> None:
        """Lose nothing: what could not be written is kept, and tried again after a pause."""
        if isinstance(message, Purge):
            fail(message.done, error)
            return
        self._pause = min(max(_FIRST_PAUSE, self._pause * 2), _LONGEST_PAUSE)
        self._note_trouble(error)
        self._log.error(
            "the store cannot be written; nothing is lost, it is tried again",
            trying=type(message).__name__.lower(),
            waiting=len(self._waiting),
            seconds=self._pause,
            exc_info=error,
        )
        if self._waiting and not self._flushing:
            self._flushing = True
            self._runtime.at(self._clock.now() + round(self._pause * 1_000_000), self.me, Flush())

    def _note_trouble(self, error: BaseException) -> None:
        before = self.trouble
        since = before.since if before is not None else to_moment(self._clock.now())
        tried = before.tried + 1 if before is not None else 1
        told = f"{type(error).__name__}: {error}"
        self.trouble = Trouble(since=since, tried=tried, error=told, waiting=len(self._waiting))

    def _written_again(self) -> None:
        if self.trouble is not None:
            over, self.trouble = self.trouble, None
            self._log.info("the store can be written again", since=over.since.isoformat(), tried=over.tried)

    def _forget(self, message: Forget) -> None:
        """Drop old answers, so many at once that nobody waits long for his facts."""
        if self._store.forget_answers(message.inbox, message.kept, message.before) >= PORTION:
            self.me.tell(message)

    def _purge(self, message: Purge) -> None:
        """Remove a portion of the flows that have ended, and the rest behind what others have handed over meanwhile.

        Nobody else writes, so what has ended here and has no writes that wait has not been opened again.
        """
        kept = message.kept | {write.flow.id for write in self._waiting}
        found = self._store.removable(message.states, message.before, PORTION + len(kept))
        portion = [flow_id for flow_id in found if flow_id not in kept][:PORTION]
        self._store.purge(portion)
        removed = message.removed + len(portion)
        if len(portion) == PORTION:
            self.me.tell(replace(message, removed=removed))
            return
        self._store.purge_charts()
        self._log.info("flows removed", flows=removed)
        fulfil(message.done, removed)

    def _ask_to_flush(self) -> None:
        """Tell itself, once: the message lands behind all that is queued, so one transaction takes it all."""
        if not self._flushing:
            self._flushing = True
            self.me.tell(Flush())

    def _flush(self) -> None:
        """Commit what fits into one batch, and answer."""
        writes = self._take()
        if not writes:
            return
        try:
            lost = self._commit(writes)
        except BatchRefused as error:
            self._narrow_down(writes, error)
            return
        self._done_with(writes)
        self._answer(writes, lost)

    def _done_with(self, writes: list[Write]) -> None:
        self._pause = 0.0
        self._trying = 0
        self._written_again()
        del self._waiting[: len(writes)]
        if self._waiting:
            self._ask_to_flush()

    def _narrow_down(self, writes: list[Write], error: BatchRefused) -> None:
        """Try half of a batch that cannot be written, until what is at fault stands alone: its flow is stranded."""
        if len(writes) > 1:
            self._trying = len(writes) // 2
            self._ask_to_flush()
            return
        self._log.error("a fact cannot be written, whatever the disk does", flow=writes[0].flow.id, exc_info=error)
        flow = writes[0].flow
        flow.refused = True
        after = [write for write in self._waiting[1:] if write.flow is flow and write.facts]
        self._waiting[1:] = [write for write in self._waiting[1:] if write.flow is not flow or not write.facts]
        self._done_with(writes)
        self._refuse(flow, [writes[0], *after], error)

    def _refuse(self, flow: FlowRecord, writes: list[Write], error: BatchRefused) -> None:
        futures = [future for write in writes for future in write.futures()]
        writes[0].reply.tell(Refused(flow, futures, str(error)))
        for answer in (write.answer for write in writes):
            if answer is not None and self.intake is not None:
                self.intake.tell(Failing(Slip(answer.inbox, answer.no), answer.flow, error))

    def _take(self) -> list[Write]:
        """Return what goes into the next batch; after a commit that failed, exactly what was in that one."""
        if self._trying:
            return self._waiting[: self._trying]
        if len(self._waiting) == 1:
            self._trying = 1
            return self._waiting[:]
        taken: list[Write] = []
        begins: dict[str, bool] = {}
        facts = 0
        for write in self._waiting:
            facts += len(write.facts)
            if taken and (facts > MOST or _disputed(write, begins)):
                break
            taken.append(write)
            begins[write.flow.id] = write.row is not None
        self._trying = len(taken)
        return taken

    def _commit(self, writes: list[Write]) -> frozenset[str]:
        if self._pause and self._store.last_batch(self._epoch) == self._number + 1:
            # The commit whose answer was lost had gone through.
            lost = frozenset(write.flow.id for write in writes if write.row is not None and not self._has(write.row))
            self._number += 1
            return lost
        if foreign := [write.flow for write in writes if write.flow.foreign]:
            self._claim(foreign)
        batch = _batch(self._epoch, self._number + 1, writes)
        lost = self._store.commit(batch)
        self._number += 1
        return lost

    def _claim(self, flows: list[FlowRecord]) -> None:
        """Make flows ours that had ended before we came, since only an owner may write to them."""
        with suppress(StoreServed):  # somebody has taken the store: the commit will say so
            self._store.claim([flow.id for flow in flows], Owner(OWNER, self._epoch, self._number))
        for flow in flows:
            flow.foreign = False

    def _has(self, row: FlowRow) -> bool:
        """Say whether it is this flow that is stored, and not another which had taken its id."""
        stored = self._store.flow(row.id)
        return stored is not None and stored.uid == row.uid

    def _answer(self, writes: list[Write], lost: frozenset[str]) -> None:
        replies: dict[int, tuple[Ref, list[Write]]] = {}
        for write in writes:
            replies.setdefault(id(write.reply), (write.reply, []))[1].append(write)
        for reply, theirs in replies.values():
            reply.tell(Written(theirs, lost))
        if self.intake is not None:
            self._tell_intake(self.intake, writes, lost)
        if self.listener is not None:
            self.listener(writes, lost)

    def _tell_intake(self, intake: Ref, writes: list[Write], lost: frozenset[str]) -> None:
        answers = [write.answer for write in writes if write.answer is not None]
        if answers:
            written = [answer for answer in answers if answer.flow not in lost]
            intake.tell(Taken(written, [answer for answer in answers if answer.flow in lost]))


def _disputed(write: Write, begins: dict[str, bool]) -> bool:
    """Say whether two flows of one id would meet in one batch: what is lost of the one would be lost of the other."""
    return begins.get(write.flow.id, False) or (write.row is not None and write.flow.id in begins)


def _batch(epoch: int, number: int, writes: list[Write]) -> Batch:
    batch = Batch(epoch, number)
    facts: list[FactRow] = batch.facts
    for write in writes:
        facts.extend(write.facts)
        if write.move is not None:
            batch.moves.append(write.move)
        if (answer := write.answer) is not None:
            batch.answers.append(answer)
        if write.row is not None:
            batch.charts[write.row.chart] = write.chart
            batch.flows.append(write.row)
    return batch
