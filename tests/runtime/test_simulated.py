"""Is a simulation quick, and the same each time?"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from tests.runtime.players import Doer, Recorder, printed_under_other_hash_seeds
from vastflow.errors import SimulationStuck, VastflowError
from vastflow.runtime import Runtime, Simulated

SECOND = 1_000_000
DAY = 86_400 * SECOND


@pytest.fixture
def runtime() -> Iterator[Simulated]:
    made = Simulated()
    yield made
    assert made.close()


def promised(runtime: Simulated) -> Runtime:
    """Hold that `Simulated` is a `Runtime`: mypy reads this."""
    return runtime


class Busy(Recorder):
    """An actor that orders bodies, timers and messages of all kinds, and writes all it hears into one trace."""

    def __init__(self, name: str, runtime: Simulated, trace: list[tuple[int, str, object]]) -> None:
        super().__init__(name=name)
        self.others: list[Callable[[object], None]] = []
        self.ref = runtime.spawn(self)
        self._runtime = runtime
        self._trace = trace

    def receive(self, message: Any, /) -> None:
        self._trace.append((self._runtime.clock.now(), self.name, message))
        match message:
            case ("begin", int(count)) if count:
                self._runtime.run(lambda: ("ran", count), self.ref)
                self._runtime.run_async(partial(self._sleep, count), self.ref)
                self._runtime.at(self._runtime.clock.now() + count * SECOND, self.ref, ("rang", count))
            case ("ran" | "slept" | "rang", int(count)):
                for tell in self.others:
                    tell(("begin", count - 1) if message[0] == "rang" else ("heard", self.name))
            case _:
                pass

    async def _sleep(self, count: int) -> object:
        await asyncio.sleep(count * 0.7)
        return ("slept", count)


def simulate(seed: int) -> list[tuple[int, str, object]]:
    runtime = Simulated(seed)
    trace: list[tuple[int, str, object]] = []
    actors = [Busy(f"busy-{number}", runtime, trace) for number in range(3)]
    for actor in actors:
        actor.others = [other.ref.tell for other in actors]
    actors[0].ref.tell(("begin", 4))
    runtime.run_until_idle()
    assert runtime.close()
    return [*trace, (0, "entropy", runtime.entropy(8))]


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_gives_the_same_run(seed: int) -> None:
    assert simulate(seed) == simulate(seed)


def test_different_seeds_give_different_runs_of_the_same_messages() -> None:
    runs = [simulate(seed)[:-1] for seed in range(20)]

    assert len({repr(run) for run in runs}) == 20
    assert len({repr(sorted(run, key=repr)) for run in runs}) == 1


def test_the_same_seed_gives_the_same_run_in_another_process() -> None:
    program = "from tests.runtime.test_simulated import simulate; print(simulate(7))"

    runs = printed_under_other_hash_seeds(program)

    assert runs == {f"{simulate(7)}\n"}


def test_three_days_pass_at_once(runtime: Simulated) -> None:
    begin = runtime.clock.now()
    actor = Recorder(expected=2)
    ref = runtime.spawn(actor)

    async def body() -> object:
        async with asyncio.timeout(3 * 86_400):
            await asyncio.sleep(2 * 86_400)
        return "slept two days"

    runtime.at(begin + 3 * DAY, ref, "three days are over")
    runtime.run_async(body, ref)

    assert runtime.wait(actor.full) == ["slept two days", "three days are over"]
    assert runtime.clock.now() == begin + 3 * DAY


def test_time_stands_still_while_anything_else_can_happen(runtime: Simulated) -> None:
    actor = Recorder(expected=102)
    ref = runtime.spawn(actor)
    runtime.at(runtime.clock.now() + 1, ref, "later")

    for _ in range(100):
        runtime.run(lambda: "now", ref)
    ref.tell("now")

    assert runtime.wait(actor.full)[-1] == "later"


def noted(ran: list[int], number: int) -> object:
    ran.append(number)
    return number


def test_replies_need_not_arrive_in_the_order_their_bodies_ran() -> None:
    orders: set[bool] = set()

    for seed in range(20):
        runtime = Simulated(seed)
        ran: list[int] = []
        actor = Recorder(expected=2)
        ref = runtime.spawn(actor)
        for number in range(2):
            runtime.run(partial(noted, ran, number), ref)
        orders.add(runtime.wait(actor.full) == ran)

    assert orders == {True, False}


def test_timers_of_both_kinds_fire_by_time_also_when_the_clock_was_moved_on(runtime: Simulated) -> None:
    actor = Recorder()
    ref = runtime.spawn(actor)
    begin = runtime.clock.now()
    runtime.every(10.0, ref, "10 s")
    runtime.at(begin + 15 * SECOND, ref, "15 s")
    runtime.at(begin + 5 * SECOND, ref, "5 s")

    runtime.clock.hold(begin + 18 * SECOND)
    runtime.run_until_idle()

    assert actor.heard == ["5 s", "10 s", "15 s"]
    assert runtime.clock.now() == begin + 18 * SECOND


@pytest.mark.promise("11.4")
def test_bodies_that_have_not_begun_never_do_once_it_closes(runtime: Simulated) -> None:
    async def body() -> object:
        return "never"

    actor = Recorder()
    ref = runtime.spawn(actor)
    runs = [runtime.run(lambda: "never", ref), runtime.run_async(body, ref)]

    assert runtime.close(drain=60.0)
    assert not any(run.began for run in runs)
    assert actor.heard == []


def test_a_timer_that_was_cancelled_moves_no_time(runtime: Simulated) -> None:
    begin = runtime.clock.now()
    actor = Recorder()
    ref = runtime.spawn(actor)
    timer = runtime.at(begin + DAY, ref, "never")

    async def body() -> object:
        async with asyncio.timeout(3600):
            await asyncio.sleep(0)
        return "done"

    runtime.run_async(body, ref)
    timer.cancel()
    runtime.run_until_idle()

    assert actor.heard == ["done"]
    assert runtime.clock.now() == begin


def test_beats_go_along_with_time_and_do_not_keep_it_going(runtime: Simulated) -> None:
    actor = Recorder(expected=-1)
    ref = runtime.spawn(actor)
    begin = runtime.clock.now()
    runtime.every(10.0, ref, "beat")

    runtime.run_until_idle()
    at_rest = runtime.clock.now()
    runtime.at(begin + 35 * SECOND, ref, "end")
    runtime.run_until_idle()

    assert at_rest == begin
    assert actor.heard == ["beat", "end"]
    assert runtime.clock.now() == begin + 35 * SECOND


def test_a_beat_rings_once_before_the_next_thing_that_happens_however_long_that_takes(runtime: Simulated) -> None:
    actor = Recorder(expected=-1)
    ref = runtime.spawn(actor)
    begin = runtime.clock.now()
    runtime.every(10.0, ref, "beat")
    runtime.at(begin + 86_400 * SECOND, ref, "a day later")

    runtime.run_until_idle(limit=20)

    assert actor.heard in (["beat", "a day later"], ["a day later", "beat"])


def test_advancing_lets_everything_happen_on_the_way(runtime: Simulated) -> None:
    actor = Recorder(expected=-1)
    ref = runtime.spawn(actor)
    begin = runtime.clock.now()
    runtime.every(10.0, ref, "beat")
    runtime.at(begin + 20 * SECOND, ref, "twenty")
    runtime.at(begin + 26 * SECOND, ref, "too far")

    runtime.advance(25.0)

    assert actor.heard.count("beat") == 2
    assert actor.heard.count("twenty") == 1
    assert "too far" not in actor.heard
    assert runtime.clock.now() == begin + 25 * SECOND


def test_a_wait_that_can_never_end_says_so_and_what_is_left(runtime: Simulated) -> None:
    runtime.every(1.0, runtime.spawn(Recorder()), "beat")

    with pytest.raises(SimulationStuck, match=r"no message, body or timer is left.*timers=1") as caught:
        runtime.wait(Future())

    assert isinstance(caught.value, VastflowError)


def test_a_wait_with_a_timeout_ends_at_that_time_to_the_microsecond(runtime: Simulated) -> None:
    begin = runtime.clock.now()
    actor = Recorder()
    runtime.at(begin + DAY, runtime.spawn(actor), "later")

    with pytest.raises(TimeoutError):
        runtime.wait(actor.full, 1.5)

    assert runtime.clock.now() == begin + 1_500_000
    assert actor.heard == []


def test_an_actor_that_waits_is_told_not_to(runtime: Simulated) -> None:
    actor = Doer()

    runtime.spawn(actor).tell(partial(runtime.wait, Future()))
    runtime.run_until_idle()

    ((_, error),) = actor.stranded
    assert isinstance(error, SimulationStuck)
    assert "an actor waits" in str(error)


def test_a_body_may_wait(runtime: Simulated) -> None:
    inner, outer = Recorder(), Recorder()
    inner_ref, outer_ref = runtime.spawn(inner), runtime.spawn(outer)

    def body() -> object:
        runtime.run_async(lambda: asyncio.sleep(5.0, "inner"), inner_ref)
        (heard,) = runtime.wait(inner.full)
        return heard

    runtime.run(body, outer_ref)

    assert runtime.wait(outer.full) == ["inner"]


def test_an_async_body_that_waits_blocks_the_loop_and_nothing_else(runtime: Simulated) -> None:
    inner, outer = Recorder(), Recorder(expected=2)
    inner_ref, outer_ref = runtime.spawn(inner), runtime.spawn(outer)

    async def waiting() -> object:
        runtime.run(lambda: "inner", inner_ref)
        return runtime.wait(inner.full)[0]

    async def other() -> object:
        await asyncio.sleep(0)
        return "other"

    runtime.run_async(waiting, outer_ref)
    runtime.run_async(other, outer_ref)

    heard = runtime.wait(outer.full)
    assert sorted(heard) == ["inner", "other"]


def test_inside_a_running_event_loop_a_simulation_says_that_it_cannot(runtime: Simulated) -> None:
    async def body() -> object:
        return "never"

    async def main() -> None:
        runtime.run_async(body, runtime.spawn(Recorder()))
        with pytest.raises(SimulationStuck, match="inside a running event loop"):
            runtime.run_until_idle()

    asyncio.run(main())


def test_a_body_is_withdrawn_as_long_as_it_has_not_begun(runtime: Simulated) -> None:
    async def body() -> object:
        return "async"

    actor = Recorder(expected=-1)
    ref = runtime.spawn(actor)

    runs = [runtime.run(lambda: "sync", ref), runtime.run_async(body, ref)]
    queued = runtime.stats().queued
    withdrawn = [run.withdraw() for run in runs for _ in range(2)]
    runtime.run_until_idle()

    assert queued == 2
    assert withdrawn == [True] * 4
    assert actor.heard == []
    assert runtime.stats().queued == runtime.stats().tasks == 0


def test_a_body_cancelled_before_it_begins_is_told_so_where_it_first_waits(runtime: Simulated) -> None:
    async def body() -> object:
        try:
            await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            return "cancelled"
        return "never"

    actor = Recorder()

    runtime.run_async(body, runtime.spawn(actor)).cancel()

    assert runtime.wait(actor.full) == ["cancelled"]


@pytest.mark.promise("10.3")
def test_a_gate_and_what_is_behind_it_are_two_moves(runtime: Simulated) -> None:
    actor = Recorder()
    knocks: list[str] = []

    running = runtime.run(lambda: "done", runtime.spawn(actor), gate=lambda: knocks.append("free"))
    early = running.admit()
    moves = runtime.run_until_idle()
    held = (list(knocks), running.began, runtime.stats().running)
    admitted = running.admit()
    not_yet = list(actor.heard)
    runtime.run_until_idle()

    assert (early, admitted) == (False, True)
    assert (moves, held) == (1, (["free"], False, 1))
    assert not_yet == []
    assert actor.heard == ["done"]
    assert runtime.stats().running == 0


@pytest.mark.promise("10.3")
def test_a_crash_forgets_who_is_held_at_a_gate(runtime: Simulated) -> None:
    actor = Recorder(expected=-1)
    running = runtime.run(lambda: "never", runtime.spawn(actor), gate=lambda: None)
    runtime.run_until_idle()

    runtime.crash()
    running.admit()
    runtime.run_until_idle()

    assert runtime.stats().running == 0
    assert actor.heard == []


def test_something_that_orders_itself_for_ever_is_found(runtime: Simulated) -> None:
    class Restless(Recorder):
        def receive(self, message: object, /) -> None:
            ref.tell(message)

    ref = runtime.spawn(Restless())
    ref.tell("again")

    with pytest.raises(SimulationStuck, match="still busy after 1000 moves"):
        runtime.run_until_idle(1_000)

    runtime.crash()


def test_a_crash_forgets_everything_but_the_time(runtime: Simulated) -> None:
    actor = Recorder(expected=-1)
    ref = runtime.spawn(actor)
    begin = runtime.clock.now()
    runtime.advance(5.0)
    queued = runtime.run(lambda: "never", ref)
    timer = runtime.at(runtime.clock.now() + SECOND, ref, "never")
    runtime.every(1.0, ref, "never")
    ref.tell("never")

    runtime.crash()
    ref.tell("never")
    runtime.at(runtime.clock.now() + SECOND, ref, "never")
    timer.cancel()
    queued.withdraw()
    runtime.run_until_idle()

    assert actor.heard == []
    assert runtime.clock.now() == begin + 6 * SECOND
    assert (runtime.stats().actors, runtime.stats().queued, runtime.stats().timers) == (0, 0, 0)


def test_a_crash_runs_no_finally_and_closing_makes_up_for_it_unheard(runtime: Simulated) -> None:
    ends: list[str] = []
    actor, begun = Recorder(expected=-1), Recorder()
    ref, sign = runtime.spawn(actor), runtime.spawn(begun)

    async def body() -> object:
        sign.tell("begun")
        try:
            return await asyncio.sleep(60.0, "slept")
        except asyncio.CancelledError:
            ends.append("cleaned")
            return "never heard"

    running = runtime.run_async(body, ref)
    runtime.wait(begun.full)

    runtime.crash()
    running.cancel()
    runtime.advance(120.0)
    after_crash = list(ends)
    runtime.close()

    assert after_crash == []
    assert ends == ["cleaned"]
    assert actor.heard == []


def test_after_a_crash_a_new_life_begins(runtime: Simulated) -> None:
    runtime.spawn(Recorder()).tell("forgotten")
    runtime.crash()
    actor = Recorder()
    ref = runtime.spawn(actor)

    runtime.run_async(lambda: asyncio.sleep(1.0, "new"), ref)

    assert runtime.wait(actor.full) == ["new"]


def test_an_actor_that_crashes_the_world_while_it_works_strands_nothing(runtime: Simulated) -> None:
    def crash() -> None:
        runtime.crash()
        raise ValueError("after the end")

    actor, other = Doer(), Recorder()
    ref, other_ref = runtime.spawn(actor), runtime.spawn(other)
    ref.tell(lambda: other_ref.tell("sent"))
    runtime.pump()

    ref.tell(crash)
    while runtime.pump():
        pass

    assert actor.stranded == []
