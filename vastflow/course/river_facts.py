"""How does a fact about a river change the progress?

Applies only.
"""

from vastflow.course.chain import end
from vastflow.course.delta import lay, over
from vastflow.course.facts import (
    Begun,
    Cancelled,
    Chosen,
    Cycled,
    Delta,
    Doubted,
    Fact,
    Failed,
    Flowed,
    Late,
    Poisoned,
    Polled,
    Retrying,
    Saved,
    Skipped,
    Spared,
)
from vastflow.course.meant import record_at, river_at
from vastflow.course.now import UNMARKED, Marks
from vastflow.course.progress import Progress
from vastflow.course.records import ATLANTIC, BasinRecord, JoinRecord, MouthRecord, Record, RiverRecord
from vastflow.course.states import ENDED, StreamState, check_flow, check_stream
from vastflow.course.undo import scope_of

__all__ = [
    "begun",
    "cancelled",
    "chosen",
    "cycled",
    "doubted",
    "failed",
    "flowed",
    "late",
    "poisoned",
    "polled",
    "retrying",
    "saved",
    "skipped",
    "spared",
]


def _performer(progress: Progress, address: str) -> RiverRecord | MouthRecord:
    return progress.mouth if address == ATLANTIC else river_at(progress, address)


def begun(progress: Progress, fact: Fact, what: Begun) -> None:
    """A body's begin is on disk."""
    record = _performer(progress, fact.address)
    if what.running:
        record.marks = Marks(record.marks.count + 1, what.alone)
    if isinstance(record, RiverRecord):
        _note_begin(progress, record, what)
    progress.begins.append(record)


def _note_begin(progress: Progress, river: RiverRecord, what: Begun) -> None:
    if what.body == "undo":
        scope_of(river).begun = scope_of(river).attempt
    elif what.body == "flow":
        river.begun = river.begun or progress.number
        river.tried = river.attempt
        river.out = True
        if river.anchor.atomic:
            progress.atomics[river] = None


def spared(progress: Progress, fact: Fact, _what: Spared) -> None:
    """The body's last begin was no interruption."""
    record = _performer(progress, fact.address)
    record.marks = record.marks.spared()


def poisoned(progress: Progress, _fact: Fact, what: Poisoned) -> None:
    """The flow is stranded."""
    progress.poison = what.failure


def chosen(progress: Progress, fact: Fact, what: Chosen) -> None:
    """A river's `when` said yes."""
    river = river_at(progress, fact.address)
    river.chosen = True
    river.marks = UNMARKED
    river.branch.tip = lay(river.branch.tip, what.delta, fact.address)
    progress.begins.append(river)


def skipped(progress: Progress, fact: Fact, what: Skipped) -> None:
    """A river's `when` said no, or somebody skipped a stream."""
    record = record_at(progress, fact.address)
    record.branch.tip = lay(record.branch.tip, what.delta, fact.address)
    mend(progress, record, None)


def mend(progress: Progress, record: Record, delta: Delta | None) -> None:
    """Let a stream count as skipped (None) or done (this it wrote); an ended flow's next round finds it so."""
    state: StreamState = "skipped" if delta is None else "success"
    if progress.state not in ENDED:
        end(progress, record, state)
        return
    record.state = check_stream(record.address, record.state, state)
    progress.mended[record.address] = delta
    progress.failures.pop(record.address, None)
    progress.inside.pop(record.address, None)  # whatever it holds, it counts as done


def flowed(progress: Progress, fact: Fact, what: Flowed) -> None:
    """A river's `flow` was done."""
    river = river_at(progress, fact.address)
    _wrote(progress, river, what)
    if "cycle" not in river.place.bodies:
        end(progress, river, "success")
        return
    river.out = False
    river.marks = UNMARKED
    river.state = check_stream(river.address, river.state, "cycling")
    river.polls = river.failed_polls = river.now.polls = river.now.tried = 0
    river.first = what.due
    progress.signals.listen(river)
    wait_from(progress, river, fact.at, what.due)


def doubted(progress: Progress, fact: Fact, what: Doubted) -> None:
    """Nobody knows whether a river's attempt was done."""
    river = river_at(progress, fact.address)
    river.state = check_stream(river.address, river.state, "in-doubt")
    river.out = False
    river.doubt = what.reason
    river.asked = what.asked
    river.failure = what.failure
    river.marks = UNMARKED
    wait_from(progress, river, fact.at, what.due)


def retrying(progress: Progress, fact: Fact, what: Retrying) -> None:
    """Something will be tried again."""
    if fact.address == ATLANTIC:
        progress.state = check_flow(progress.state, "ending")
        progress.mouth.attempt += 1
        progress.mouth.due = what.due
        progress.mouth.marks = UNMARKED
        progress.begins.append(progress.mouth)
        return
    match record_at(progress, fact.address):
        case RiverRecord(state="undoing") as river:
            scope = scope_of(river)
            scope.attempt += 1
            scope.due = what.due
            river.undo_failure = what.failure
            river.marks = UNMARKED
            progress.begins.append(river)
        case RiverRecord() as river:
            _river_retrying(progress, river, fact, what)
        case BasinRecord() as basin:
            _basin_retrying(progress, basin, what)
        case JoinRecord():
            river_at(progress, fact.address)  # refuses it by name


def _river_retrying(progress: Progress, river: RiverRecord, fact: Fact, what: Retrying) -> None:
    river.state = check_stream(river.address, river.state, "retrying")
    river.attempt += 1
    river.spent += not what.free
    river.failure = what.failure
    river.out = False
    river.marks = UNMARKED
    river.first = 0
    river.polls = river.failed_polls = river.now.polls = 0
    wait_from(progress, river, fact.at, what.due)


def _basin_retrying(progress: Progress, basin: BasinRecord, what: Retrying) -> None:
    basin.state = check_stream(basin.address, basin.state, "retrying")
    basin.attempt += 1
    basin.spent += 1
    basin.entered = False
    basin.failure = what.failure
    basin.now.failure = None
    basin.due = what.due
    progress.begins.append(basin)


def polled(progress: Progress, fact: Fact, what: Polled) -> None:
    """A poll that had to be kept said not yet."""
    river = river_at(progress, fact.address)
    river.state = check_stream(river.address, river.state, "cycling")
    _wrote(progress, river, what)
    river.polls = river.now.polls = what.polls
    river.failed_polls = what.failed
    river.failure = what.failure
    river.marks = UNMARKED
    wait_from(progress, river, fact.at, what.due)


def cycled(progress: Progress, fact: Fact, what: Cycled) -> None:
    """A river's `cycle` said done."""
    river = river_at(progress, fact.address)
    _wrote(progress, river, what)
    river.polls = river.now.polls = what.polls
    end(progress, river, "success")


def saved(progress: Progress, fact: Fact, what: Saved) -> None:
    """A body kept what it had written."""
    if fact.address == ATLANTIC:
        progress.sea = lay(progress.water, what.delta, ATLANTIC)
        return
    river = river_at(progress, fact.address)
    if river.state == "undoing":
        river.branch.ebb = over(river.branch.ebb, what.delta)
        return
    _wrote(progress, river, what)


def failed(progress: Progress, fact: Fact, what: Failed) -> None:
    """A stream failed for good."""
    record = record_at(progress, fact.address)
    progress.failures[what.failure.address or fact.address] = what.failure
    if isinstance(record, RiverRecord):
        record.polls = record.now.polls = what.polls
    if not isinstance(record, JoinRecord):
        record.failure = what.failure
    end(progress, record, "fail", what.failure, record.cause if isinstance(record, JoinRecord) else 0)


def cancelled(progress: Progress, fact: Fact, what: Cancelled) -> None:
    """A stream ended because it was cancelled."""
    record = record_at(progress, fact.address)
    if isinstance(record, RiverRecord):
        record.failure = what.failure
    end(progress, record, "cancelled")


def late(_progress: Progress, _fact: Fact, _what: Late) -> None:
    """A body that was given up came back: nothing changes."""


def _wrote(progress: Progress, river: RiverRecord, what: Flowed | Polled | Cycled | Saved) -> None:
    river.branch.tip = lay(river.branch.tip, what.delta, river.address)
    if what.took:
        progress.signals.take(river.anchor.signals, set(what.took))


def wait_from(progress: Progress, river: RiverRecord, at: int, due: int) -> None:
    """Let a river wait until `due`, microseconds."""
    river.since = at
    river.due = due
    river.now.due = 0
    progress.begins.append(river)
