"""What does an event say?"""

import pytest

from tests.course.flows import basin, beside, polled, river
from tests.course.live import Live
from vastflow.course import commands, events
from vastflow.course.facts import Delta
from vastflow.course.records import ATLANTIC
from vastflow.drawing.chart import Waits
from vastflow.errors import CourseError, Failure

NO = Failure("error", "no")


def test_an_answer_for_what_has_no_bodies_is_a_bug_that_is_named() -> None:
    live = Live(basin("east", river("a")))
    live.begin()

    with pytest.raises(CourseError, match="an answer came for 'east', which has no bodies"):
        live.answer("east", events.Done())


@pytest.mark.promise("7.5", "10.3")
def test_a_body_whose_begin_was_to_be_written_is_taken_back_by_a_pause() -> None:
    live = Live(river("a", at_most_once=True))
    live.begin()
    live.tell(commands.Pause())
    assert live.told() == [("Recall", "a")]

    assert live.take(events.Ready(live.at(), "a")) == []
    assert live.take(events.Withdrawn(live.at(), "a")) == []

    assert live.told() == []
    live.tell(commands.Resume())
    assert live.told() == [("Do", "a")]


@pytest.mark.promise("7.4", "10.3")
def test_a_body_whose_begin_was_to_be_written_is_not_begun_after_a_cancel() -> None:
    live = Live(river("a", at_most_once=True))
    live.begin()
    live.tell(commands.Cancel())

    assert live.take(events.Ready(live.at(), "a")) == []
    assert live.take(events.Withdrawn(live.at(), "a")) == ["Cancelled", "Outcome"]


@pytest.mark.parametrize("event", [events.Ready, events.DeadlineOver, events.TimedOut])
def test_what_is_told_of_something_without_bodies_says_nothing(event: type[events.Ready]) -> None:
    live = Live(basin("east", river("a")))
    live.begin()

    assert live.take(event(live.at(), "east")) == []


@pytest.mark.promise("4.5")
def test_a_deadline_of_a_river_that_has_ended_says_nothing() -> None:
    live = Live(river("a", deadline=5.0), river("b"))
    live.begin()
    live.answer("a", events.Done())

    assert live.take(events.DeadlineOver(live.at(), "a")) == []
    assert live.river("a").state == "success"


@pytest.mark.promise("4.5", "7.4")
def test_a_river_that_meets_its_deadline_while_it_is_being_cancelled_ends_as_cancelled() -> None:
    live = Live(river("a", deadline=5.0))
    live.begin()
    live.tell(commands.Cancel())

    assert live.take(events.DeadlineOver(live.at(), "a")) == ["Cancelled", "Outcome"]


def test_a_queue_is_left_with_the_answer() -> None:
    live = Live(river("a", retry=Waits(1)))
    live.begin()
    live.river("a").now.queued = True

    live.answer("a", events.Again(NO))

    assert not live.river("a").now.queued


@pytest.mark.promise("4.5", "8.4")
def test_an_atlantic_of_an_earlier_round_that_comes_back_late_changes_nothing() -> None:
    live = Live(river("a"))
    live.begin()

    assert live.take(events.Returned(live.at(), ATLANTIC, 99, "it was done")) == ["Late"]
    assert live.told() == []


@pytest.mark.promise("4.1", "4.2", "4.8")
@pytest.mark.parametrize("body", ["flow", "cycle", "reconcile", "undo"])
def test_a_truth_is_no_answer_of_any_body_but_when(body: str) -> None:
    live = Live(river("a", *(() if body == "flow" else (body,))))
    live.begin()
    if body == "cycle":
        live.answer("a", events.Done())
        live.now = 2_000_000
        live.take(events.Due(live.now, "a"))
    if body == "reconcile":
        live.answer("a", events.Raised(Failure("error", "no", types=("builtins.Exception",))))
    if body == "undo":
        live.answer("a", events.Broken(NO))
    if body == "flow":
        return

    live.answer("a", events.Chose(yes=True))

    failure = live.river("a").undo_failure if body == "undo" else live.progress.failures["a"]
    assert failure is not None
    assert failure.kind == "bad-return"


@pytest.mark.promise("4.8")
def test_reconcile_is_asked_ten_times_at_most() -> None:
    live = Live(river("a", "reconcile", retry=Waits(0, 0.0)))
    live.begin()
    live.answer("a", events.Raised(Failure("error", "no", types=("builtins.Exception",))))

    for _ in range(9):
        assert live.answer("a", events.NotYet("hm", after=0.0))[:1] == ["Doubted"]
    live.answer("a", events.NotYet("hm"))

    assert live.progress.failures["a"].kind == "in-doubt"
    assert "asked 10 times" in live.progress.failures["a"].message


@pytest.mark.promise("7.5")
def test_what_is_set_in_a_pause_is_seen_in_all_branches_that_have_not_ended() -> None:
    live = Live(beside((river("a"), river("c")), (river("b"),), join="settle"), river("d"))
    live.begin()
    live.answer("b", events.Done())
    live.tell(commands.Pause())

    live.tell(commands.Set(Delta(drop=("x",))))

    join = live.progress.inside["beside"]
    assert [branch.tip.delta.drop for branch in join] == [("x",), ()]


@pytest.mark.promise("4.10")
def test_a_resumed_flow_that_was_stranded_by_poison_counts_anew() -> None:
    live = Live(basin("east", river("a")), crash_limit=0)
    live.begin()
    live.take(events.Crossed(live.at(), "east", water={}))
    live.die()
    live.take(events.Ready(live.at(), "east/a"))
    assert live.die() == ["Poisoned"]

    live.tell(commands.Resume())

    assert live.river("east/a").marks.count == 0
    assert live.told() == [("Do", "east/a")]


def test_a_poll_waits_where_its_signal_could_not_be_dealt_with() -> None:
    live = Live(polled("a", cycle_interval=None, signals=("go",), retry=Waits(0, 5.0)))
    live.begin()
    live.answer("a", events.Done())
    live.tell(commands.Signal("go", b"1"))  # type: ignore[arg-type]  # as good as raw
    assert live.told() == [("Do", "a")]

    live.answer("a", events.Raised(Failure("error", "no", types=("builtins.Exception",))))
    assert live.told() == [("Wait", "a")]
    live.tell(commands.Signal("go", b"2"))  # type: ignore[arg-type]  # the same

    assert live.told() == [("Do", "a")]  # that one no poll has seen


@pytest.mark.promise("2.3", "10.4")
def test_a_deadline_that_was_over_while_nobody_served_is_met_at_once() -> None:
    live = Live(river("a", deadline=5.0, retry=Waits(3, 60.0)))
    live.begin()
    live.answer("a", events.Again(NO))
    live.now = 6_000_000

    assert live.die() == ["Failed", "Outcome"]
    assert live.progress.failures["a"].kind == "deadline"
