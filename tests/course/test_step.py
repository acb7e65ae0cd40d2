"""What happens next?"""

from collections.abc import Sequence

import pytest

from tests.course.driver import UID, Run
from tests.course.flows import FAIL, RETRY, basin, beside, drawn, polled, river
from tests.course.scripts import Call, Case
from vastflow.course import Progress, Rules, events, fold, step
from vastflow.course.delta import spring
from vastflow.course.facts import Cancelled, Fact
from vastflow.course.orders import Cross, Do, Order, Stop, Wait
from vastflow.course.records import ATLANTIC
from vastflow.drawing.chart import Anchor, Waits
from vastflow.errors import CourseError, Failure

SECOND = 1_000_000


class Course:
    """One flow, event by event."""

    def __init__(self, case: Case, **anchors: Anchor) -> None:
        self.tickets = iter(range(1, 1_000))
        self.rules = Rules(self.tickets.__next__, jitter=0.0, cancel_grace=10.0)
        self.progress = Progress(case.chart, UID, spring({}), anchors)
        self.facts: list[Fact] = []
        self.orders: Sequence[Order] = ()

    def take(self, event: events.Event) -> list[str]:
        """Take an event, and return the kinds of the facts that follow."""
        facts, self.orders = step(self.progress, event, self.rules)
        self.facts += facts
        return [type(fact.what).__name__ for fact in facts]

    def told(self) -> list[tuple[type[Order], str]]:
        return [(type(order), order.record.address) for order in self.orders]


@pytest.fixture
def pair() -> Course:
    """Return a flow of two rivers side by side, both bodies out."""
    course = Course(drawn(beside((river("a"),), (river("b", retry=Waits(1)),))))
    course.take(events.Begun(1))
    return course


def test_a_flow_begins_with_its_first_streams(pair: Course) -> None:
    assert [type(fact.what).__name__ for fact in pair.facts] == ["Started"]
    assert pair.told() == [(Do, "a"), (Do, "b")]
    assert [order.ticket for order in pair.orders] == [1, 2]


def test_first_come_is_first_served() -> None:
    course = Course(drawn(beside(*((river(f"r{number}"),) for number in range(20)))))

    course.take(events.Begun(1))

    assert [address for _, address in course.told()] == [f"r{number}" for number in range(20)]


def test_every_order_has_a_ticket_that_was_never_used_before() -> None:
    course = Course(drawn(beside((river("a", retry=Waits(1, 0.0)),), (basin("east", river("b")),))))
    course.take(events.Begun(1))
    tickets = [order.ticket for order in course.orders]

    course.take(events.Answered(2, "a", events.Again(Failure("error", "no"))))

    assert [*tickets, *(order.ticket for order in course.orders)] == [1, 2, 3]


def test_a_stream_that_begins_in_a_cancelled_part_is_never_ordered() -> None:
    course = Course(drawn(beside((river("a"), river("next")), (river("b"),), (river("c"),))))
    course.take(events.Begun(1))
    course.take(events.Answered(2, "b", events.Broken(Failure("error", "no", "b"))))

    kinds = course.take(events.Answered(3, "a", events.Done()))

    assert kinds == ["Flowed", "Cancelled"]
    assert course.told() == []


@pytest.mark.promise("6.1")
def test_a_body_that_is_out_is_asked_to_stop_with_its_own_ticket_and_a_grace(pair: Course) -> None:
    assert pair.take(events.Answered(5, "a", events.Broken(Failure("error", "no", "a")))) == ["Failed", "Failing"]

    assert pair.orders == [Stop(pair.orders[0].record, 5 + 10 * SECOND, 2)]  # type: ignore[arg-type]  # of a river
    assert pair.told() == [(Stop, "b")]


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (events.GraceOver(9, "b"), Cancelled(abandoned=True)),
        (events.Withdrawn(9, "b"), Cancelled()),
        (events.Answered(9, "b", events.Done()), None),
    ],
)
@pytest.mark.promise("6.1")
def test_however_a_stopped_body_ends_its_join_ends_then(
    pair: Course, event: events.Event, what: Cancelled | None
) -> None:
    pair.take(events.Answered(5, "a", events.Broken(Failure("error", "no", "a"))))

    pair.take(event)

    assert what is None or pair.facts[-3].what == what
    assert [type(fact.what).__name__ for fact in pair.facts[-2:]] == ["Failed", "Outcome"]
    assert pair.told() == [(Do, ATLANTIC)]


@pytest.mark.promise("4.3")
def test_what_waits_has_an_order_to_wait_and_no_body(pair: Course) -> None:
    pair.take(events.Answered(5, "b", events.Again(Failure("error", "no"), after=2.5)))

    assert pair.orders == [Wait(pair.progress.records["b"], 5 + 2_500_000, 3)]  # type: ignore[arg-type]  # a river
    assert pair.progress.records["b"].now.doing == "wait"  # type: ignore[union-attr]  # a river


def test_a_wait_that_is_told_too_early_is_waited_for_again(pair: Course) -> None:
    pair.take(events.Answered(5, "b", events.Again(Failure("error", "no"), after=2.5)))

    assert pair.take(events.Due(5 + 2_400_000, "b")) == []
    assert pair.told() == [(Wait, "b")]
    pair.take(events.Due(5 + 2_500_000, "b"))
    assert pair.told() == [(Do, "b")]


def test_the_last_answer_is_kept_beside_the_facts() -> None:
    course = Course(drawn(polled("a")))
    course.take(events.Begun(0))
    course.take(events.Answered(0, "a", events.Done()))
    course.take(events.Due(SECOND, "a"))

    assert course.take(events.Answered(SECOND, "a", events.NotYet("building", 0.5))) == []

    now = course.progress.records["a"].now  # type: ignore[union-attr]  # a river
    assert (now.answer, now.share, now.polls, now.due) == ("building", 0.5, 1, 2 * SECOND)


def test_attributes_changed_for_one_flow_take_the_place_of_the_charts() -> None:
    course = Course(drawn(river("a")), a=Anchor(retry=Waits(5)))
    course.take(events.Begun(0))

    assert course.take(events.Answered(1, "a", events.Again(Failure("error", "no")))) == ["Retrying"]


@pytest.mark.promise("10.3")
def test_a_river_that_needs_no_begin_fact_has_none_and_its_end_carries_the_time() -> None:
    course = Course(drawn(river("a")))
    course.take(events.Begun(1))

    course.take(events.Answered(900, "a", events.Done()))

    assert [(type(fact.what).__name__, fact.at) for fact in course.facts if fact.address == "a"] == [("Flowed", 900)]


@pytest.mark.promise("10.11")
def test_a_fact_is_never_older_than_the_one_before(pair: Course) -> None:
    pair.take(events.Answered(900, "a", events.Done()))
    pair.take(events.Answered(3, "b", events.Done()))

    assert [fact.at for fact in pair.facts] == [1, 900, 900, 900, 900]


def test_a_basin_that_is_being_crossed_is_not_crossed_twice() -> None:
    course = Course(drawn(beside((basin("east", river("a")),), (river("b"),))))
    course.take(events.Begun(0))
    assert course.told() == [(Cross, "east"), (Do, "b")]

    course.take(events.Answered(1, "b", events.Broken(Failure("error", "no", "b"))))

    assert course.told() == []
    assert course.take(events.Crossed(2, "east", water={})) == ["Cancelled", "Failed", "Outcome"]


def test_an_end_of_a_branch_that_changes_nothing_gives_no_facts() -> None:
    course = Course(drawn(beside((river("a"),), (river("b"),), max_failures=2)))
    course.take(events.Begun(0))

    assert course.take(events.Answered(1, "b", events.Broken(Failure("error", "no", "b")))) == ["Failed"]


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.promise("10.10")
def test_a_flow_that_was_ending_goes_on_with_its_atlantic(*, late: bool) -> None:
    course = Course(drawn(river("a")))
    course.take(events.Begun(0))
    course.take(events.Answered(1, "a", events.Done()))
    facts = course.facts if late else course.facts[:-1]

    course.progress = fold(Progress(course.progress.chart, UID, spring({})), facts)
    course.take(events.Recovered(9))

    assert course.told() == [(Do, ATLANTIC)]


def test_the_atlantic_waits_where_it_must_after_a_restart_too() -> None:
    run = Run(drawn(river("a"), a=(FAIL,), atlantic={"success": (), "fail": (RETRY,)}), check=False)
    course = Course(drawn(river("a"), mouth=run.case.chart.mouth.__class__("sea", "app.Sea", Waits(2, 5.0))))
    course.take(events.Begun(0))
    course.take(events.Answered(1, "a", events.Done()))
    course.take(events.Answered(2, ATLANTIC, events.Again(Failure("error", "no"))))
    assert course.told() == [(Wait, ATLANTIC)]

    course.progress = fold(Progress(course.progress.chart, UID, spring({})), course.facts)
    course.take(events.Recovered(9))

    assert course.orders == [Wait(course.progress.mouth, 2 + 5 * SECOND, 4)]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(events.Answered(3, "beside", events.Done()), id="answer"),
        pytest.param(events.Due(3, "beside"), id="event"),
    ],
)
def test_an_event_about_what_does_nothing_itself_is_a_bug_that_is_named(pair: Course, event: events.Event) -> None:
    with pytest.raises(CourseError, match=r"'beside', which .* bug in vastflow"):
        pair.take(event)


def test_bodies_take_virtual_time_and_joins_none() -> None:
    run = Run(drawn(beside((river("a"),), (river("b"),)), a=(Call(10),), b=(Call(20),)))

    assert [fact.at for fact in run.facts] == [0, 10, 20, 20, 20, 27]


def test_what_is_on_the_agenda_twice_is_ordered_once(pair: Course) -> None:
    river_a = pair.progress.records["a"]
    pair.progress.begins.append(river_a)

    pair.take(events.Answered(5, "b", events.Done()))
    assert pair.told() == []

    pair.take(events.Answered(5, "a", events.Done()))
    assert pair.told() == [(Do, ATLANTIC)]
    pair.progress.begins.append(pair.progress.mouth)
    pair.take(events.Recovered(6))
    assert pair.told() == []
