"""What must a store be able to do?

The promise between the one writer and the disk. Everything comes as bytes already; a store knows no rivers. What holds
for every store is examined by `vastflow.testing.exam`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

# fmt: off
__all__ = [
    "PORTION", "Answer", "Batch", "FactRow", "FlowQuery", "FlowRow", "Move", "Owner", "Period", "Reader", "Store",
]
# fmt: on

PORTION = 1000
"""How many rows are removed at most in one transaction, so that nobody waits long for his own."""


class FactRow(NamedTuple):
    """One fact as it is stored; unique by (flow, number).

    Attributes:
        flow: the flow's id.
        number: from 1, without gaps.
        round: of the flow, from 1.
        address: of the stream; empty for the flow itself.
        run: of the stream.
        attempt: of the stream; 0 where there is none.
        kind: one of `course.facts.KINDS`.
        at: microseconds since 1970 UTC.
        epoch: of the owner who wrote it.
        who: who caused it from outside; empty for the flow's own course.
        version: of the payload's form.
        payload: JSON.
    """

    flow: str
    number: int
    round: int
    address: str
    run: int
    attempt: int
    kind: str
    at: int
    epoch: int
    who: str
    version: int
    payload: bytes


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """One flow as lists and owners need it.

    Attributes:
        id: the user's, or a UUIDv7.
        uid: a random UUID as text; keys are derived from it.
        name: of its Andes.
        state: init, running, undoing, ending, success, fail or cancelled.
        outcome: success, fail, cancelled or empty.
        stranded: why it cannot go on; empty if it can.
        flags: a JSON list of cancelling, paused.
        started, changed, ended: microseconds since 1970 UTC; ended is 0 while it runs.
        tags: JSON, text keys to text values.
        not_before, deadline: microseconds, 0 for none.
        owner: of which owner's row; epoch: the owner's when it was claimed.
        chart: the hash of its chart.
        rules: version of the course's rules it was begun under.
        version: of this record's form.
        cargo: JSON of `drawing.chart.Cargo`.
        parent, priority, labels: reserved.
        unreadable: why what is stored is no row of a flow; not stored itself. What cannot be read of it is empty then,
            and `stranded` says the same.
    """

    id: str
    uid: str
    name: str
    state: str = "running"
    outcome: str = ""
    stranded: str = ""
    flags: bytes = b"[]"
    started: int
    changed: int
    ended: int = 0
    tags: bytes = b"{}"
    not_before: int = 0
    deadline: int = 0
    owner: str = ""
    epoch: int
    chart: str
    rules: int = 1
    version: int = 1
    cargo: bytes
    parent: str = ""
    priority: int = 0
    labels: bytes = b"{}"
    unreadable: str = ""


class Move(NamedTuple):
    """A change of a flow's row; always whole, the last one of a batch wins."""

    flow: str
    state: str
    outcome: str
    stranded: str
    flags: bytes
    changed: int
    ended: int


class Answer(NamedTuple):
    """What became of one letter of an inbox; written in the transaction of what the letter led to, so that it is once.

    Attributes:
        inbox: the id of the inbox.
        no: the letter's number in it.
        flow: the flow it is about, with which it is dropped if that flow is lost; empty for none.
        at: microseconds since 1970 UTC.
        said: JSON, for whoever wrote the letter.
    """

    inbox: str
    no: int
    flow: str
    at: int
    said: bytes


@dataclass(slots=True)
class Batch:
    """What one commit writes, in this order: charts, new flows, facts, moves, answers, all or nothing.

    Attributes:
        epoch: the writer's; flows of another epoch are dropped and named (semantics 10.8).
        number: from 1 in each epoch, one more each commit; stored with the rest.
        charts: bytes by hash; one already there is left as it is.
    """

    epoch: int
    number: int
    charts: dict[str, bytes] = field(default_factory=dict)
    flows: list[FlowRow] = field(default_factory=list)
    facts: list[FactRow] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may write: its name, its epoch (one more at each opening) and the number of its last batch."""

    name: str
    epoch: int
    batch: int


class Period(NamedTuple):
    """One owner served from `began` until at least `ended`, microseconds since 1970 UTC."""

    epoch: int
    began: int
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowQuery:
    """Which flows, newest start first (by started, then id, both descending).

    Attributes:
        states: only these; empty for all.
        name: only of this Andes.
        tags: only those which have all of these.
        limit: at most so many.
        after: an id; only flows that come after this one in the order. An unknown one raises FlowNotFound.
    """

    states: tuple[str, ...] = ()
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    limit: int = 100
    after: str | None = None


class Reader(Protocol):
    """Reading: from any thread, at any time; sees only what was committed.

    A stored record that cannot be read raises StoreUnreadable from `facts` and `chart`; a flow's row stands as far as
    it can be read, `unreadable` saying why.
    """

    def flow(self, flow_id: str) -> FlowRow | None:
        """Return one flow's row."""

    def flows(self, query: FlowQuery) -> list[FlowRow]:
        """Return the rows that match."""

    def facts(self, flow_id: str, after: int = 0) -> list[FactRow]:
        """Return a flow's facts with numbers above `after`, in order."""

    def chart(self, digest: str) -> bytes | None:
        """Return a chart's bytes."""

    def periods(self, since: int = 0) -> list[Period]:
        """Return the served periods that end at or after `since` (microseconds), oldest first."""

    def answer(self, inbox: str, no: int) -> bytes | None:
        """Return what was said to this letter of this inbox; None if nothing was yet, or it was forgotten."""

    def backup(self, path: str) -> None:
        """Copy the store as it stands into a new file, while it is served or not.

        Raises:
            StoreError: there is a file of that name already, it cannot be written, or this store has no file.
        """

    def close(self) -> None:
        """Let go of what it holds; may come twice."""


class Store(Reader, Protocol):
    """Writing: by one thread, the ledger's."""

    def take(self, name: str, now: int) -> Owner:
        """Become the owner under this name: a new epoch, its served period begun at `now`.

        Raises:
            StoreServed: another engine serves this store.
            StoreTooNew: it was written by a newer release.
        """

    def unfinished(self) -> list[FlowRow]:
        """Return all flows that have not ended, oldest first."""

    def claim(self, flow_ids: Sequence[str], owner: Owner) -> None:
        """Make these flows the owner's: its name and epoch go into their rows.

        Raises:
            StoreServed: the owner's epoch is over.
        """

    def commit(self, batch: Batch) -> frozenset[str]:
        """Write the batch in one transaction, durable on return.

        Returns:
            The ids of flows which are not the writer's any more, or whose new row's id is taken; nothing of them
            was written, nor any answer about them. If the epoch itself is over, that is all of them, those of
            the answers too, and nothing was written at all. (An answer alone needs no flow that is the writer's.)

        Raises:
            BatchRefused: the data cannot be written, whatever the disk does; nothing was.
            StoreError: the store cannot be written now. It may be unclear whether this was: ask `last_batch`.
        """

    def last_batch(self, epoch: int) -> int:
        """Return the number of the last batch this epoch committed; 0 if none."""

    def beat(self, epoch: int, now: int) -> None:
        """Move the end of this epoch's served period to `now` (microseconds)."""

    def latest(self) -> int:
        """Return the latest time known to the store, microseconds; 0 if it is new."""

    def purge(self, flow_ids: Iterable[str]) -> None:
        """Remove these flows and all that is theirs, in one transaction; hand over a bounded number at a time."""

    def removable(self, states: Collection[str], ended_before: int, limit: int) -> list[str]:
        """Return the ids of flows that ended before `ended_before` (microseconds) in these states.

        At most `limit`, oldest start first.
        """

    def purge_charts(self) -> int:
        """Remove the charts that no flow uses, and return how many they were."""

    def answered(self, inbox: str) -> frozenset[int]:
        """Return the numbers of the letters of this inbox which have an answer."""

    def forget_answers(self, inbox: str, kept: Collection[int], before: int) -> int:
        """Remove answers of this inbox that are older than `before` (microseconds), and return how many.

        Those to the letters in `kept`, which still lie in the inbox, stay: by them one knows not to take these in
        again. At most `PORTION` at once.
        """
