"""What is known of a stream that was reached?

One record per stream, owned by one supervisor and changed in place. Records point upward, never down to what they
contain by place, so there are no reference cycles. What is no fact (tickets, polls since the last fact, last answers)
lies apart in each record's `now` and is left out when two progresses are compared.
"""

from collections import deque
from collections.abc import Callable

import msgspec

from vastflow.course.delta import Sheet
from vastflow.course.facts import NOTHING, Delta
from vastflow.course.now import UNMARKED, Now
from vastflow.course.scope import Scope
from vastflow.course.states import ENDED, LIVE, StreamState
from vastflow.drawing.call import key_of
from vastflow.drawing.chart import Anchor, BasinPlace, Chain, EachPlace, Mouth, ParallelPlace, RiverPlace
from vastflow.errors import Failure

__all__ = [
    "ATLANTIC",
    "NEVER",
    "BasinRecord",
    "Branch",
    "JoinRecord",
    "MouthRecord",
    "Record",
    "RiverRecord",
]

ATLANTIC = "~"  # its address; no stream may be called so
NEVER = 1 << 60  # due at or after it: only a signal ends this wait


class Branch:
    """A chain under way: the whole flow's, a branch of a parallel river, or what a basin holds.

    Attributes:
        chain: its streams.
        above: whose it is; None for the whole flow's.
        number: which branch, from 0.
        prefix: what goes before the names in it, such as `east/`.
        suffix: what goes behind them: the number of a branch that is a single stream of an `each`.
        cursor: which stream it has come to.
        failure: why it failed; `cause` is the journal number of the fact that said so first.
        rank: how many branches of its parallel river had failed with it; 0 if it did not.
        plain: nothing in it was done: all its streams were skipped.
        tip: the sheet it has come to.
        ebb: what undos in it wrote.
        given: what somebody wrote into it from outside after its flow had ended.
        scope: what of it is undone.
    """

    __slots__ = (
        "above",
        "cancelled",
        "cause",
        "chain",
        "cursor",
        "ebb",
        "failure",
        "given",
        "number",
        "plain",
        "prefix",
        "rank",
        "scope",
        "state",
        "suffix",
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
        self.suffix = ""
        self.tip = fork
        self.ebb: Delta = NOTHING
        self.given: Delta = NOTHING
        self.cursor = 0
        self.open_again()

    def open_again(self) -> None:
        """Be under way, with nothing failed."""
        self.state: StreamState = "running"
        self.cancelled = False
        self.failure: Failure | None = None
        self.cause = 0
        self.rank = 0
        self.plain = True
        self.scope: Scope | None = None

    def here(self) -> str:
        """Return the address of the stream it has come to."""
        return self.at(self.cursor)

    def at(self, position: int) -> str:
        """Return the address of one of its streams."""
        return self.prefix + self.chain[position].name + self.suffix

    @property
    def ended(self) -> bool:
        """Say whether nothing in it goes forward any more."""
        return self.state in ENDED

    def in_cancelled(self) -> bool:
        """Say whether this or anything around it is being cancelled."""
        branch = self
        while not branch.cancelled:
            if branch.above is None:
                return False
            branch = branch.above.branch
        return True

    def cancelled_around(self) -> "list[JoinRecord | Branch]":
        """Return the parts around it that are being cancelled, the innermost first: parallel rivers, or the flow."""
        found: list[JoinRecord | Branch] = []
        branch: Branch | None = self
        while branch is not None:
            if branch.cancelled:
                found.append(branch.above if isinstance(branch.above, JoinRecord) else branch)
            branch = branch.above.branch if branch.above is not None else None
        return found


class RiverRecord:
    """A river that was reached.

    Attributes:
        state: see `states`.
        attempt: the one under way or next, from 1; `spent` are the retries that it cost.
        chosen: its `when` has answered True.
        polls: made in this attempt, at the last fact.
        failed_polls: in a row, at the last fact.
        due: of the next attempt or poll, microseconds, as the last fact said.
        first: when the first poll of this attempt was due, microseconds; the schedule is counted from there. 0 if it
            never came to `cycle`.
        since: when that fact happened, microseconds.
        turn: when its turn came, microseconds; its deadline is counted from there.
        begun: the number of the fact that said its `flow` begins; 0 if there is none.
        tried: the last attempt whose begin is on disk, `out`: and whose end is not.
        doubt: why it is in doubt; `asked` is how often `reconcile` was asked.
        before: the water it found; `left`: which it left, once it ended.
        scope: which undoes it.
        undo_failure: why its undo failed.
    """

    state: StreamState = "init"
    run = 1
    attempt = 1
    spent = 0
    polls = 0
    failed_polls = 0
    due = 0
    first = 0
    since = 0
    begun = 0
    tried = 0
    out = False
    doubt = ""
    asked = 0
    left: Sheet | None = None
    scope: Scope | None = None
    failure: Failure | None = None
    undo_failure: Failure | None = None
    marks = UNMARKED
    _key = ""

    def __init__(self, place: RiverPlace, address: str, branch: Branch, anchor: Anchor, turn: int) -> None:
        """Be reached."""
        self.place = place
        self.address = address
        self.branch = branch
        self.anchor = anchor
        self.turn = turn
        self.chosen = "when" not in place.bodies
        self.before = branch.tip
        self.now = Now()

    def key(self, uid: str) -> str:
        """Return the idempotency key of this run; made when first asked for, since most rivers never ask."""
        if not self._key:
            self._key = key_of(uid, self.address, self.run)
        return self._key

    def has(self, body: str) -> bool:
        """Say whether its class has this body."""
        return body in self.place.bodies

    @property
    def cycles(self) -> bool:
        """Say whether it has a `cycle`."""
        return "cycle" in self.place.bodies

    @property
    def live(self) -> bool:
        """Say whether it still goes forward."""
        return self.state in LIVE

    @property
    def doubtful(self) -> bool:
        """Say whether an attempt without a clear end puts it in doubt."""
        return self.anchor.at_most_once or "reconcile" in self.place.bodies

    @property
    def unstoppable(self) -> bool:
        """Say whether it runs on when all around it is cancelled."""
        return self.anchor.atomic and self.begun > 0

    @property
    def stopped(self) -> bool:
        """Say whether it is to end because it is cancelled."""
        return self.branch.in_cancelled() and not self.unstoppable


class JoinRecord:
    """A parallel river or an `each` under way.

    Attributes:
        open: branches that have not ended, those of an `each` that are not begun included.
        undoing: branches that have ended and are being undone.
        failed: branches that failed.
        first: the failure with the lowest journal number; `cause` is that number.
        failing: decided: it will fail with this.
        race: the first branch that succeeds wins; `winner` is the one that did.
        fork: the sheet its branches began on.
        again: lets a branch go on which a new round has not come to yet, since `limit` others are under way.
        items: of an `each`, encoded; None until they were read. `begun` of them were begun, none after `dropped`.
    """

    __slots__ = (
        "address",
        "again",
        "before",
        "begun",
        "branch",
        "cause",
        "count",
        "dropped",
        "failed",
        "failing",
        "first",
        "fork",
        "items",
        "open",
        "place",
        "race",
        "run",
        "state",
        "undoing",
        "winner",
    )

    def __init__(self, place: ParallelPlace | EachPlace, address: str, branch: Branch) -> None:
        """Be reached."""
        self.place = place
        self.address = address
        self.branch = branch
        self.state: StreamState = "init"
        self.run = 1
        self.fork = self.before = branch.tip
        self.race = isinstance(place, ParallelPlace) and place.join == "any"
        self.count = -1 if isinstance(place, EachPlace) else len(place.branches)
        self.items: list[msgspec.Raw] | None = None
        self.begun = 0
        self.open_again()

    def open_again(self) -> None:
        """Be under way, with nothing ended."""
        self.open = 0
        self.undoing = 0
        self.failed = 0
        self.first: Failure | None = None
        self.cause = 0
        self.failing: Failure | None = None
        self.winner: int | None = None
        self.dropped = False
        self.again: deque[Callable[[], None]] = deque()

    def counts(self, branch: Branch) -> bool:
        """Say whether what a branch wrote counts once this has passed: what others did was undone then."""
        return branch.state == "success" and self.winner in {None, branch.number}

    def later(self) -> int:
        """Return how many branches are open and wait until others have ended."""
        return self.count - self.begun + len(self.again) if isinstance(self.place, EachPlace) else 0


class BasinRecord:
    """A basin under way; `entered` once its water has flowed in."""

    __slots__ = (
        "address",
        "attempt",
        "before",
        "branch",
        "due",
        "entered",
        "failure",
        "now",
        "place",
        "run",
        "spent",
        "state",
    )

    def __init__(self, place: BasinPlace, address: str, branch: Branch) -> None:
        """Be reached."""
        self.place = place
        self.address = address
        self.branch = branch
        self.state: StreamState = "init"
        self.run = 1
        self.attempt = 1
        self.spent = 0
        self.due = 0
        self.entered = False
        self.before = branch.tip
        self.failure: Failure | None = None
        self.now = Now()


class MouthRecord:
    """The Atlantic of a flow."""

    address = ATLANTIC
    run = 1
    attempt = 1
    due = 0
    marks = UNMARKED

    def __init__(self, place: Mouth) -> None:
        """Wait for the end."""
        self.place = place
        self.now = Now()


Record = RiverRecord | JoinRecord | BasinRecord
