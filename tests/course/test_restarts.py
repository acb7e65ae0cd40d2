"""Are budgets of polls neither refilled nor eaten by restarts?"""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.course.driver import UID
from tests.course.flows import drawn, polled
from tests.course.snapshots import snapshot
from vastflow.course import Fact, Progress, Rules, events, fold, step
from vastflow.course.delta import spring
from vastflow.course.facts import Failed, Flowed, Polled
from vastflow.course.orders import Do, Order, Wait
from vastflow.course.records import RiverRecord
from vastflow.drawing.chart import RiverPlace

SECOND = 1_000_000
FOREVER = 10**12

Period = tuple[int, int]


class Waiting:
    """One river that flowed at once and then says "not yet" to every poll, in processes that come and go."""

    def __init__(self, place: RiverPlace, after: float | None = None) -> None:
        self.chart = drawn(place).chart
        self.after = after
        self.facts: list[Fact] = []
        self.periods: list[Period] = []
        self.polled: list[int] = []
        self.progress = self.fresh()
        self.rules = Rules(itertools.count(1).__next__, jitter=0.0)

    def fresh(self) -> Progress:
        return Progress(self.chart, UID, spring({}))

    def serve(self, began: int, ended: int) -> None:
        """Serve from one moment to another; the process then dies."""
        due = self.begin(began)
        while due is not None and due <= ended:
            due = self.poll(due)
        self.periods.append((began, ended))

    def begin(self, now: int) -> int | None:
        if not self.facts:
            self.take(events.Begun(now))
            return self.due(self.take(events.Answered(now, "a", events.Done())))
        self.progress = fold(self.fresh(), self.facts)
        if self.progress.state != "running":
            return None
        return self.due(self.take(events.Recovered(now, self.periods)), now)

    def poll(self, now: int) -> int | None:
        orders = self.take(events.Due(now, "a"))
        assert [type(order) for order in orders] == [Do]
        self.polled.append(now)
        return self.due(self.take(events.Answered(now, "a", events.NotYet("building", None, self.after))))

    def due(self, orders: Sequence[Order], now: int = 0) -> int | None:
        order = orders[0]
        assert not isinstance(order, Do) or self.progress.state == "ending" or now
        return order.due if isinstance(order, Wait) else now or None

    def take(self, event: events.Event) -> Sequence[Order]:
        facts, orders = step(self.progress, event, self.rules)
        self.facts += facts
        return orders

    def record(self) -> RiverRecord:
        record = self.progress.records["a"]
        assert isinstance(record, RiverRecord)
        return record


def naive(place: RiverPlace, periods: Sequence[Period], last: int) -> list[int]:
    """Reckon the positions in served time one by one, each wait added to the one before."""
    begin, number, found = periods[0][0], 0, list[int]()
    anchor = place.anchor
    now = float(begin)
    while True:
        now += SECOND * min(
            (anchor.cycle_interval or 0) * anchor.cycle_backoff**number, anchor.cycle_max_interval or 1e9
        )
        number += 1
        if now > last:
            return found
        if any(began < round(now) <= ended for began, ended in periods):
            found.append(round(now))


places = st.builds(
    polled,
    st.just("a"),
    cycle_interval=st.sampled_from((0.5, 1.0, 3.0)),
    cycle_backoff=st.sampled_from((1.0, 1.5)),
    cycle_max_interval=st.sampled_from((4.0, 7.5)),
    cycle_times=st.integers(1, 40),
)
# Odd microseconds: nobody dies or comes back at the very instant of a poll.
moments = st.lists(
    st.integers(0, 240).map(lambda quarter: quarter * SECOND // 4 + 7), min_size=1, max_size=9, unique=True
)


def as_periods(drawn_moments: list[int]) -> list[Period]:
    """Return served periods from time 0 on, the last of them without end."""
    edges = [0, *sorted(drawn_moments)]
    if len(edges) % 2 == 0:
        edges.pop()
    edges.append(FOREVER)
    return list(zip(edges[::2], edges[1::2], strict=True))


@pytest.mark.promise("10.4", "4.2")
@given(places, moments)
def test_the_polls_made_are_the_positions_in_served_time_whatever_the_restarts(
    place: RiverPlace, cuts: list[int]
) -> None:
    waiting, periods = Waiting(place), as_periods(cuts)
    times = place.anchor.cycle_times or 0

    for began, ended in periods:
        waiting.serve(began, ended)

    due = naive(place, periods, max(waiting.polled))
    assert waiting.polled == due
    assert len(waiting.polled) == times
    assert isinstance(waiting.facts[-2].what, Failed)


@pytest.mark.promise("10.4")
@given(places, moments)
def test_after_a_restart_as_many_polls_are_known_as_were_made(place: RiverPlace, cuts: list[int]) -> None:
    waiting = Waiting(place)

    for began, ended in as_periods(cuts)[:-1]:
        waiting.serve(began, ended)
        waiting.begin(ended)
        if waiting.progress.state == "running":
            assert waiting.record().now.polls == len(waiting.polled)


@pytest.mark.promise("10.4")
def test_polls_missed_while_nobody_served_are_skipped_and_not_charged() -> None:
    waiting = Waiting(polled("a", cycle_interval=1.0, cycle_times=5))

    waiting.serve(0, 2 * SECOND + 7)
    waiting.serve(100 * SECOND + 7, FOREVER)

    assert [moment // SECOND for moment in waiting.polled] == [1, 2, 101, 102, 103]


@pytest.mark.promise("10.4")
def test_a_waiting_flow_writes_nothing_but_one_fact_after_a_long_absence() -> None:
    waiting = Waiting(polled("a", cycle_interval=1.0, cycle_times=5_000))

    waiting.serve(0, 1_000 * SECOND + 7)
    assert [type(fact.what).__name__ for fact in waiting.facts] == ["Started", "Flowed"]
    waiting.serve(90_000 * SECOND + 7, 91_000 * SECOND + 7)

    assert [what.polls for fact in waiting.facts if isinstance(what := fact.what, Polled)] == [1_001]
    assert len(waiting.facts) == 3


@pytest.mark.promise("10.4")
def test_an_overdue_poll_waits_for_the_next_position_and_one_that_is_not_for_its_own() -> None:
    overdue, early = (Waiting(polled("a", cycle_interval=60.0, cycle_times=9)) for _ in range(2))

    overdue.serve(0, 7)
    early.serve(0, 7)
    overdue.serve(400 * SECOND, 500 * SECOND)
    early.serve(59 * SECOND, 70 * SECOND)

    assert overdue.polled == [420 * SECOND, 480 * SECOND]
    assert early.polled == [60 * SECOND]


@pytest.mark.promise("10.4")
def test_a_wait_named_by_a_poll_outlives_a_restart() -> None:
    waiting = Waiting(polled("a", cycle_interval=60.0, cycle_times=9), after=11.0)

    waiting.serve(0, 61 * SECOND)
    waiting.serve(65 * SECOND, 72 * SECOND)

    assert waiting.polled == [60 * SECOND, 71 * SECOND]
    assert waiting.record().now.polls == 2


@pytest.mark.promise("10.4")
def test_the_last_poll_of_a_budget_is_made_again_if_its_answer_was_lost() -> None:
    waiting = Waiting(polled("a", cycle_interval=1.0, cycle_times=2))
    waiting.serve(0, SECOND + 7)
    waiting.periods[-1] = (0, 2 * SECOND + 7)  # served until after the second poll began, and no longer

    waiting.serve(2 * SECOND + 500, FOREVER)

    failed = waiting.facts[-2].what
    assert [moment // SECOND for moment in waiting.polled] == [1, 3]
    assert isinstance(failed, Failed)
    assert failed.polls == 2  # the poll whose answer was lost is not charged twice


@pytest.mark.promise("10.10", "10.1")
def test_recovery_changes_nothing_that_facts_tell() -> None:
    waiting = Waiting(polled("a", cycle_interval=1.0, cycle_times=90))
    waiting.serve(0, 5 * SECOND)
    before = snapshot(waiting.progress)

    waiting.begin(50 * SECOND)

    assert snapshot(waiting.progress) == before
    assert [type(fact.what) for fact in waiting.facts][1:] == [Flowed]


@pytest.mark.promise("10.11")
def test_time_never_runs_below_the_flows_last_fact_even_if_the_clock_was_set_back_meanwhile() -> None:
    waiting = Waiting(polled("a", cycle_interval=1.0, cycle_times=1))
    waiting.serve(10 * SECOND, 10 * SECOND + 7)

    waiting.begin(3 * SECOND)
    waiting.take(events.Answered(4 * SECOND, "a", events.NotYet()))

    assert [fact.at for fact in waiting.facts] == [10 * SECOND] * 4
