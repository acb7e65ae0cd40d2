"""How far has a flow come?

One record per stream that was reached, owned by one supervisor and changed in place. Records point upward, never down
to what they contain by place, so there are no reference cycles. What is no fact (tickets, poll counts since the last
fact, last answers) lies apart in each record's `now` and is left out when two progresses are compared.
"""

from collections import deque
from collections.abc import Mapping
from typing import Literal

from vastflow.course.delta import Sheet
from vastflow.course.states import FlowState, StreamState
from vastflow.drawing.call import key_of
from vastflow.drawing.chart import Anchor, BasinPlace, Chain, Chart, Mouth, ParallelPlace, RiverPlace
from vastflow.errors import Failure

__all__ = [
    "ATLANTIC",
    "BasinRecord",
    "Branch",
    "JoinRecord",
    "MouthRecord",
    "Now",
    "Progress",
    "Record",
    "RiverRecord",
]

ATLANTIC = "~"  # its address; no stream may be called so


class Now:
    """What a record knows that is no fact.

    Attributes:
        ticket: of the body, wait or crossing that is out; 0 for none.
        doing: which of them.
        due: when a wait is over, microseconds; 0 until it is known.
        polls: made in this attempt.
        answer: the last poll's.
        share: of the work done, as the body said.
    """

    __slots__ = ("answer", "doing", "due", "polls", "share", "ticket")

    def __init__(self) -> None:
        """Begin with nothing out."""
        self.ticket = 0
        self.doing: Literal["", "body", "wait", "cross"] = ""
        self.due = 0
        self.polls = 0
        self.answer = ""
        self.share: float | None = None

    def out(self, doing: Literal["body", "wait", "cross"], ticket: int) -> int:
        """Note that something is out, and return its ticket."""
        self.doing = doing
        self.ticket = ticket
        return ticket

    def back(self) -> None:
        """Note that nothing is out."""
        self.doing = ""
        self.ticket = 0


class Branch:
    """A chain under way: the whole flow's, a branch of a parallel river, or what a basin holds.

    Attributes:
        chain: its streams.
        above: whose it is; None for the whole flow's.
        number: which branch, from 0.
        prefix: what goes before the names in it, such as `east/`.
        cursor: which stream it has come to.
        failure: why it failed; `cause` is the journal number of the fact that said so first.
        tip: the sheet it has come to.
    """

    __slots__ = (
        "above",
        "cancelled",
        "cause",
        "chain",
        "cursor",
        "failure",
        "number",
        "prefix",
        "state",
        "tip",
    )

    def __init__(
        self, chain: Chain, above: "JoinRecord | BasinRecord | None", number: int, prefix: str, fork: Sheet
    ) -> None:
        """Stand before the first stream."""
        self.chain = chain
        self.above = above
        self.number = number
        self.prefix = prefix
        self.tip = fork
        self.cursor = 0
        self.state: StreamState = "running"
        self.cancelled = False
        self.failure: Failure | None = None
        self.cause = 0

    def here(self) -> str:
        """Return the address of the stream it has come to."""
        return self.prefix + self.chain[self.cursor].name

    def in_cancelled(self) -> bool:
        """Say whether this or anything around it is being cancelled."""
        branch: Branch | None = self
        while branch is not None:
            if branch.cancelled:
                return True
            branch = branch.above.branch if branch.above is not None else None
        return False


class RiverRecord:
    """A river that was reached.

    Attributes:
        state: see `states`.
        attempt: the one under way or next, from 1.
        polls: made in this attempt, at the last fact.
        failed_polls: in a row, at the last fact.
        due: of the next attempt or poll, microseconds, as the last fact said.
        first: when the first poll of this attempt was due, microseconds; the schedule is counted from there.
        since: when that fact happened, microseconds.
    """

    __slots__ = (
        "_key",
        "address",
        "anchor",
        "attempt",
        "branch",
        "due",
        "failed_polls",
        "failure",
        "first",
        "now",
        "place",
        "polls",
        "run",
        "since",
        "state",
    )

    def __init__(self, place: RiverPlace, address: str, branch: Branch, anchor: Anchor) -> None:
        """Be reached."""
        self.place = place
        self.address = address
        self.branch = branch
        self.anchor = anchor
        self._key = ""
        self.state: StreamState = "init"
        self.run = 1
        self.attempt = 1
        self.polls = 0
        self.failed_polls = 0
        self.due = 0
        self.first = 0
        self.since = 0
        self.failure: Failure | None = None
        self.now = Now()

    def key(self, uid: str) -> str:
        """Return the idempotency key of this run; made when first asked for, since most rivers never ask."""
        if not self._key:
            self._key = key_of(uid, self.address, self.run)
        return self._key

    @property
    def cycles(self) -> bool:
        """Say whether it has a `cycle`."""
        return "cycle" in self.place.bodies


class JoinRecord:
    """A parallel river under way.

    Attributes:
        open: branches that have not ended.
        failed: branches that failed.
        first: the failure with the lowest journal number; `cause` is that number.
        failing: decided: it will fail with this.
    """

    __slots__ = ("address", "branch", "cause", "failed", "failing", "first", "open", "place", "run", "state")

    def __init__(self, place: ParallelPlace, address: str, branch: Branch) -> None:
        """Be reached."""
        self.place = place
        self.address = address
        self.branch = branch
        self.state: StreamState = "init"
        self.run = 1
        self.open = 0
        self.failed = 0
        self.first: Failure | None = None
        self.cause = 0
        self.failing: Failure | None = None


class BasinRecord:
    """A basin under way; `entered` once its water has flowed in."""

    __slots__ = ("address", "branch", "entered", "now", "place", "run", "state")

    def __init__(self, place: BasinPlace, address: str, branch: Branch) -> None:
        """Be reached."""
        self.place = place
        self.address = address
        self.branch = branch
        self.state: StreamState = "init"
        self.run = 1
        self.entered = False
        self.now = Now()


class MouthRecord:
    """The Atlantic of a flow."""

    __slots__ = ("address", "attempt", "due", "now", "place", "run")

    def __init__(self, place: Mouth) -> None:
        """Wait for the end."""
        self.place = place
        self.address = ATLANTIC
        self.run = 1
        self.attempt = 1
        self.due = 0
        self.now = Now()


Record = RiverRecord | JoinRecord | BasinRecord


class Progress:
    """How far one flow has come.

    Attributes:
        chart: its drawing.
        anchors: attributes that differ from the chart's, by address.
        uid: what keys are derived from.
        number: of the last fact.
        last: when that was, microseconds.
        records: what was reached, by address.
        inside: the branches of each parallel river and basin, by its address.
        ends, begins: the agenda: what must be considered next; None stands for the flow itself.
    """

    __slots__ = (
        "anchors",
        "begins",
        "chart",
        "ends",
        "failure",
        "failures",
        "inside",
        "last",
        "mouth",
        "number",
        "outcome",
        "records",
        "root",
        "round",
        "state",
        "uid",
    )

    def __init__(self, chart: Chart, uid: str, spring: Sheet, anchors: Mapping[str, Anchor] | None = None) -> None:
        """Stand before the first fact."""
        self.chart = chart
        self.uid = uid
        self.anchors: Mapping[str, Anchor] = anchors or {}
        self.state: FlowState = "init"
        self.outcome: Literal["", "success", "fail", "cancelled"] = ""
        self.failure: Failure | None = None
        self.failures: dict[str, Failure] = {}
        self.round = 1
        self.number = 0
        self.last = 0
        self.root = Branch(chart.streams, None, 0, "", spring)
        self.records: dict[str, Record] = {}
        self.inside: dict[str, list[Branch]] = {}
        self.mouth = MouthRecord(chart.mouth)
        self.ends: list[JoinRecord | BasinRecord | None] = []
        self.begins: deque[RiverRecord | BasinRecord | MouthRecord] = deque()
