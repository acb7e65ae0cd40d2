"""When is the next attempt, the next poll?"""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastflow.course.schedule import Polls, after_seconds, first_poll, retry_wait
from vastflow.drawing.chart import Anchor, Waits

SECOND = 1_000_000
CENTURY = after_seconds(math.inf)
KEY = "5a3f0f0e-6a7d-5c52-9d4e-3f1f0f0e6a7d"

anchors = st.builds(
    Anchor,
    cycle_interval=st.sampled_from((0.0, 0.001, 0.3, 1.0, 7.3, 3600.0)) | st.floats(0.01, 100),
    cycle_backoff=st.just(1.0) | st.sampled_from((1.0001, 1.5, 2.0, 10.0)) | st.floats(1.01, 3),
    cycle_max_interval=st.none() | st.sampled_from((0.5, 2.0, 60.0, 3600.0)),
)
jitters = st.floats(0, 0.5)
positions = st.integers(1, 60)


def polls(anchor: Anchor, first: int = SECOND, jitter: float = 0.0, key: str = KEY) -> Polls:
    return Polls(anchor, key, first, jitter)


def waits(anchor: Anchor, count: int) -> list[float]:
    """Return the waits after the positions 1, 2, ..., each by its own."""
    interval = max(anchor.cycle_interval or 0.0, 0.001)
    most = math.inf if anchor.cycle_max_interval is None else anchor.cycle_max_interval
    return [min(interval * anchor.cycle_backoff**number, most) for number in range(1, count + 1)]


@pytest.mark.promise("10.4")
@given(anchors, positions)
def test_the_closed_form_is_the_sum_of_the_unvaried_waits(anchor: Anchor, position: int) -> None:
    due = polls(anchor).due(position)

    summed = SECOND + min(math.fsum(waits(anchor, position - 1)) * SECOND, CENTURY)
    assert due == pytest.approx(summed, rel=1e-9, abs=1)


@pytest.mark.promise("10.4")
@given(anchors, jitters, positions)
def test_the_schedule_is_the_same_on_every_reading(anchor: Anchor, jitter: float, position: int) -> None:
    later, sooner = polls(anchor, jitter=jitter), polls(anchor, jitter=jitter)
    later.due(position + 3)

    assert later.due(position) == sooner.due(position)


@pytest.mark.promise("10.4")
@given(anchors, jitters)
def test_positions_never_change_their_order_however_they_vary(anchor: Anchor, jitter: float) -> None:
    schedule = polls(anchor, jitter=jitter)

    dues = [schedule.due(position) for position in range(1, 80)]

    assert all(sooner <= later for sooner, later in pairwise(dues))


@given(anchors, jitters, positions)
def test_a_wait_varies_by_the_jitter_and_no_more(anchor: Anchor, jitter: float, position: int) -> None:
    plain, varied = polls(anchor).due(position), polls(anchor, jitter=jitter).due(position)

    most = jitter * waits(anchor, position)[position - 2] * SECOND if position > 1 else 0
    assert abs(varied - plain) <= most + 1 or varied == SECOND + CENTURY


def test_two_rivers_with_one_schedule_do_not_poll_at_one_instant() -> None:
    anchor = Anchor(cycle_interval=60.0)

    dues = {polls(anchor, jitter=0.1, key=f"key {number}").due(2) for number in range(100)}

    assert len(dues) == 100


@given(anchors, jitters, st.integers(0, 10_000 * SECOND))
def test_the_last_position_that_is_due_is_found(anchor: Anchor, jitter: float, now: int) -> None:
    schedule = polls(anchor, jitter=jitter)

    position = schedule.past(now)

    assert position == 0 or schedule.due(position) <= now
    assert schedule.due(position + 1) > now


@given(anchors.filter(lambda anchor: (anchor.cycle_interval or 0) >= 0.3), jitters, st.data())
def test_positions_in_served_time_are_those_between_begin_and_end(
    anchor: Anchor, jitter: float, data: st.DataObject
) -> None:
    schedule = polls(anchor, jitter=jitter)
    moments = data.draw(st.lists(st.integers(0, 60 * SECOND), min_size=2, max_size=8, unique=True).map(sorted))
    periods = list(zip(moments[::2], moments[1::2], strict=False))
    since = data.draw(st.integers(0, 60 * SECOND))

    assert schedule.served(since, periods) == naive(schedule, since, periods)


def naive(schedule: Polls, since: int, periods: Sequence[tuple[int, int]]) -> int:
    dues = [schedule.due(position) for position in range(1, 250)]
    return sum(begin < due <= end and due > since for due in dues for begin, end in periods)


@pytest.mark.parametrize(
    ("anchor", "position"),
    [
        pytest.param(Anchor(cycle_interval=None), 2, id="no interval"),
        pytest.param(Anchor(cycle_interval=1.0, cycle_backoff=2.0), 5_000, id="more than a float can hold"),
        pytest.param(Anchor(cycle_interval=1e12), 2, id="longer than a century"),
    ],
)
def test_a_wait_that_never_ends_is_one_of_a_century(anchor: Anchor, position: int) -> None:
    dues = {polls(anchor, jitter=0.1, key=str(number)).due(position) for number in range(20)}

    assert min(dues) > SECOND + CENTURY * 0.8
    assert max(dues) <= SECOND + CENTURY


def test_a_clock_that_is_centuries_ahead_finds_a_position_and_does_not_search_for_ever() -> None:
    schedule = polls(Anchor(cycle_interval=1.0, cycle_backoff=2.0))

    assert schedule.past(10 * CENTURY) > 30


@pytest.mark.parametrize("first", [-(1 << 62), -CENTURY, 0])
def test_a_first_poll_more_than_a_century_ago_is_no_search_for_ever_where_all_waits_are_alike(first: int) -> None:
    schedule = Polls(Anchor(cycle_interval=1.0), KEY, first, 0.1)

    position = schedule.past(first + 3 * CENTURY)

    assert schedule.due(position) <= first + CENTURY
    assert schedule.due(position + 1) <= first + CENTURY


def test_an_interval_of_nothing_is_a_millisecond() -> None:
    assert first_poll(Anchor(cycle_interval=0.0), KEY, 0.0) == 1_000
    assert polls(Anchor(cycle_interval=0.0)).due(1_001) == 2 * SECOND


@pytest.mark.promise("4.2")
def test_the_first_poll_comes_after_one_interval_that_the_bound_holds_too() -> None:
    assert first_poll(Anchor(cycle_interval=3.0, cycle_backoff=2.0), KEY, 0.0) == 3 * SECOND
    assert first_poll(Anchor(cycle_interval=3.0, cycle_max_interval=2.0), KEY, 0.0) == 2 * SECOND
    assert 2.7 * SECOND <= first_poll(Anchor(cycle_interval=3.0), KEY, 0.1) <= 3.3 * SECOND


def test_the_wait_before_an_attempt_grows_to_its_bound() -> None:
    grown = [retry_wait(Waits(9, 2.0, 3.0, 20.0), number, KEY, 0.0) for number in range(1, 6)]

    assert [wait / SECOND for wait in grown] == [2, 6, 18, 20, 20]


def test_without_a_bound_the_wait_grows_on() -> None:
    assert retry_wait(Waits(99, 1.0, 2.0, None), 21, KEY, 0.0) == 2**20 * SECOND


@given(jitters, st.integers(1, 50))
def test_the_wait_before_an_attempt_varies_by_key_and_number_only(jitter: float, number: int) -> None:
    waits = Waits(99, 10.0, 1.0)

    wait = retry_wait(waits, number, KEY, jitter)

    assert wait == retry_wait(waits, number, KEY, jitter)
    assert abs(wait - 10 * SECOND) <= 10 * SECOND * jitter + 1


@pytest.mark.parametrize(
    ("seconds", "micro"), [(1.5, 1_500_000), (-1, 0), (0, 0), (math.inf, CENTURY), (math.nan, 0), (1e-7, 0)]
)
def test_seconds_become_microseconds_never_negative_and_a_century_at_most(seconds: float, micro: int) -> None:
    assert after_seconds(seconds) == micro


@pytest.mark.promise("10.4")
def test_a_position_that_jitter_made_later_is_not_past_where_it_would_have_been() -> None:
    schedule = polls(Anchor(cycle_interval=1.0), jitter=0.5)
    late = [position for position in range(2, 40) if schedule.due(position) > position * SECOND]

    assert late
    assert [schedule.past(position * SECOND) for position in late] == [position - 1 for position in late]


@pytest.mark.promise("10.4")
def test_a_position_that_jitter_made_earlier_is_past_when_it_is_due() -> None:
    schedule = polls(Anchor(cycle_interval=1.0), jitter=0.5)
    early = [position for position in range(2, 40) if schedule.due(position) < position * SECOND]

    assert early
    assert [schedule.past(schedule.due(position)) for position in early] == early
