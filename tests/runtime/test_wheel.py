"""Is everybody told in time, and never early?"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.runtime.players import LONG
from vastflow.clock import SystemClock
from vastflow.runtime.wheel import Beat, Slots, Wheel, WheelTimer


class Times:
    """A ref that notes when it is told what."""

    name = "times"

    def __init__(self, clock: SystemClock, expected: int) -> None:
        self.got: list[tuple[object, int]] = []
        self.full: Future[None] = Future()
        self._clock = clock
        self._expected = expected

    def tell(self, message: object, /) -> None:
        self.got.append((message, self._clock.now()))
        if len(self.got) == self._expected:
            self.full.set_result(None)


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def wheel(clock: SystemClock) -> Iterator[Wheel]:
    made = Wheel("test-wheel", clock)
    yield made
    assert made.close()


def order(wheel: Wheel, when: int, ref: Times, message: object) -> WheelTimer:
    timer = WheelTimer(wheel, when, ref, message)
    wheel.add(timer)
    return timer


def wheel_threads() -> int:
    return sum(thread.name == "test-wheel" for thread in threading.enumerate())


def test_no_timer_fires_early_and_all_fire_in_order(wheel: Wheel, clock: SystemClock) -> None:
    times = Times(clock, 500)
    begin = clock.now() + 50_000

    for number in range(500):
        when = begin + (number * 7919) % 500 * 300
        order(wheel, when, times, when)
    ordered = clock.now()  # what was past by then fired at once
    times.full.result(LONG)

    got = [(when, told) for when, told in times.got if isinstance(when, int)]
    assert all(told >= when for when, told in got)
    waited = [when for when, _ in got if when > ordered]
    assert waited == sorted(waited)


def test_an_earlier_timer_wakes_a_wheel_that_sleeps_for_a_later_one(wheel: Wheel, clock: SystemClock) -> None:
    rounds = [Times(clock, 1) for _ in range(20)]
    order(wheel, clock.now() + 3_600_000_000, Times(clock, 1), "in an hour")

    for times in rounds:
        order(wheel, clock.now() + 1_000, times, "soon")
        times.full.result(LONG)

    assert wheel.timers == 1


def test_a_wheel_without_timers_has_no_thread(wheel: Wheel, clock: SystemClock) -> None:
    times = Times(clock, 1)
    before = wheel_threads()

    order(wheel, clock.now() - 1, times, "past")

    assert before == wheel_threads() == 0
    assert len(times.got) == 1


def test_200_000_timers_are_held_and_cancelled_without_a_trace(wheel: Wheel, clock: SystemClock) -> None:
    slots, times = Slots(), Times(clock, 1)
    timers = [WheelTimer(wheel, number * 20_000, times, number) for number in range(200_000)]

    for timer in timers:
        slots.add(timer)
    held = slots.count
    for timer in reversed(timers):
        slots.remove(timer)

    assert held == 200_000
    assert slots.count == 0
    assert len(slots.ticks) < 100
    assert slots.next is None


def test_timers_of_one_tick_come_and_go_one_by_one(wheel: Wheel, clock: SystemClock) -> None:
    times = Times(clock, 2)
    when = clock.now() + 40_000
    timers = [order(wheel, when, times, number) for number in range(3)]

    timers[1].cancel()
    times.full.result(LONG)
    timers[0].cancel()

    assert [message for message, _ in times.got] == [0, 2]


def test_a_beat_keeps_its_distance_and_makes_up_for_no_missed_one(wheel: Wheel, clock: SystemClock) -> None:
    times = Times(clock, 2)
    beat = Beat(wheel, 20_000, times, "beat")
    first = beat.when
    beat.when -= 1_000_000

    wheel.add(beat)
    times.full.result(LONG)
    beat.cancel()

    (_, at_once), (_, second) = times.got
    assert at_once < first <= second
    assert wheel.timers == 0


def test_a_closed_wheel_tells_nothing_more(wheel: Wheel, clock: SystemClock) -> None:
    times = Times(clock, 1)
    order(wheel, clock.now() + 50_000, times, "never")

    assert wheel.close()
    order(wheel, clock.now() + 50_000, times, "never")
    order(wheel, clock.now() - 50_000, times, "never")

    assert wheel.close()
    assert times.got == []
    assert wheel_threads() == 0
