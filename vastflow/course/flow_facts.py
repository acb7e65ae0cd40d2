"""How does a fact about the flow itself change the progress?

Applies only.
"""

from vastflow.course.chain import ask_again, ask_part, reach
from vastflow.course.delta import lay, over
from vastflow.course.facts import (
    NOTHING,
    Cancelling,
    Completed,
    Delta,
    Ended,
    Fact,
    Outcome,
    Paused,
    Resumed,
    Retried,
    Set,
    Signalled,
    Started,
)
from vastflow.course.meant import record_at
from vastflow.course.now import UNMARKED
from vastflow.course.progress import Progress
from vastflow.course.records import ATLANTIC, Branch, JoinRecord, MouthRecord
from vastflow.course.rewind import rewind
from vastflow.course.river_facts import mend
from vastflow.course.scope import Scope
from vastflow.course.sea import come_to_sea
from vastflow.course.signals import Signal
from vastflow.course.states import ENDED, check_flow
from vastflow.course.undo_facts import begin_scope
from vastflow.errors import CourseError

__all__ = [
    "ask_all",
    "cancelling",
    "completed",
    "ended",
    "outcome",
    "paused",
    "resumed",
    "retried",
    "set_water",
    "signalled",
    "started",
]


def started(progress: Progress, _fact: Fact, _what: Started) -> None:
    """The flow was begun."""
    progress.state = check_flow(progress.state, "running")
    reach(progress, progress.root)


def signalled(progress: Progress, _fact: Fact, what: Signalled) -> None:
    """A signal came."""
    for name, value in what.put.items():
        listener = progress.signals.add(name, Signal(progress.number, value))
        if listener is not None:
            progress.begins.append(listener)
    if what.id is not None:
        progress.signals.heard.add(what.id)


def cancelling(progress: Progress, fact: Fact, what: Cancelling) -> None:
    """The flow is being cancelled."""
    progress.cancelling = what.kind
    _lift(progress, fact.at)
    progress.root.cancelled = True
    if progress.state == "running":
        ask_part(progress, progress.root)
    progress.ends.append(progress.root)


def paused(progress: Progress, fact: Fact, _what: Paused) -> None:
    """No new body begins."""
    progress.paused = fact.at
    ask_all(progress)


def resumed(progress: Progress, fact: Fact, _what: Resumed) -> None:
    """It goes on."""
    _lift(progress, fact.at)
    ask_all(progress)


def _lift(progress: Progress, at: int) -> None:
    """End a pause, and let what was taken for poison be tried again."""
    if progress.paused:
        progress.pauses = (*progress.pauses, (progress.paused, at))
        progress.paused = 0
    if progress.poison is not None:
        progress.poison = None
        for record in progress.performers():
            record.marks = UNMARKED


def ask_all(progress: Progress) -> None:
    """Put all that is not done on the agenda."""
    if progress.state == "ending":
        progress.begins.append(progress.mouth)
    elif progress.state in {"running", "undoing"}:
        ask_again(progress, progress.root)


def retried(progress: Progress, fact: Fact, what: Retried) -> None:
    """A new round begins: what is kept stays, the first thing that is not goes on or begins anew."""
    progress.round += 1
    progress.anchors = {**progress.anchors, **what.anchors}
    progress.deadline = what.deadline
    progress.failures = {}
    progress.failure = None
    progress.cancelling = ""
    mouth = progress.mouth = MouthRecord(progress.chart.mouth)
    mouth.run = progress.round
    before, progress.outcome = progress.outcome, ""
    progress.sea = None
    if before == "success":
        progress.outcome = "success"
        progress.root.tip = lay(progress.root.tip, progress.root.given, "")
        progress.root.given = NOTHING
        come_to_sea(progress, fact.at)
        return
    progress.state = check_flow(progress.state, "running")
    rewind(progress, progress.root, fact.at)


def completed(progress: Progress, fact: Fact, what: Completed) -> None:
    """Somebody said that a stream is done."""
    record = record_at(progress, fact.address)
    record.branch.tip = lay(record.branch.tip, what.delta, fact.address)
    mend(progress, record, what.delta)


def set_water(progress: Progress, _fact: Fact, what: Set) -> None:
    """Somebody changed the flow's water: under way its chains see it at once, else its next round does."""
    if progress.state in ENDED:
        progress.root.given = over(progress.root.given, what.delta)
        progress.sea = lay(progress.water, what.delta, ATLANTIC)
    else:
        _set(progress, progress.root, what.delta)


def _set(progress: Progress, branch: Branch, delta: Delta) -> None:
    branch.tip = lay(branch.tip, delta, "")
    record = progress.records.get(branch.here())
    if isinstance(record, JoinRecord):
        for inner in progress.inside.get(record.address, ()):
            if not inner.ended:
                _set(progress, inner, delta)


def outcome(progress: Progress, fact: Fact, what: Outcome) -> None:
    """The round's outcome is decided."""
    if progress.outcome:
        message = f"a fact says the outcome {what.outcome}, but the round has had one: the journal was changed"
        raise CourseError(message)
    progress.outcome = what.outcome
    progress.failure = what.failure
    if what.queue:
        progress.state = check_flow(progress.state, "undoing")
        begin_scope(progress, progress.root, Scope(what.queue, what.failure, fact.at))
    else:
        come_to_sea(progress, fact.at)


def ended(progress: Progress, fact: Fact, what: Ended) -> None:
    """The Atlantic, and with it the flow, has ended."""
    progress.mouth.marks = UNMARKED
    _lift(progress, fact.at)
    progress.sea = lay(progress.water, what.delta, ATLANTIC)
    if what.failure is not None:
        progress.failure = what.failure
        progress.failures[ATLANTIC] = what.failure
    progress.state = check_flow(progress.state, "fail" if what.failure else progress.outcome or "fail")
