"""Do as many bodies of a class run at once as may, and does whoever waits for a slot get its turn?"""

import asyncio
import threading
from typing import Any

import pytest

from tests.engine.deeds import Deeds, Staging, addresses, lasting, states
from tests.engine.scenes import LONG, calling, drawn, nothing, raises, river
from vastflow import Continue, Engine, Fail, ParallelRiver, River
from vastflow.engine.flow import Flow


class Counted:
    """A body that lasts, and counts how many of it are out at once."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self.out = self.most = 0
        self.order: list[str] = []

    def body(self) -> Any:
        async def flow(called: Any, _water: Any) -> None:
            self.order.append(f"{called.flow_id} {called.address}")
            self.out += 1
            self.most = max(self.most, self.out)
            await asyncio.sleep(self.seconds)
            self.out -= 1

        return flow


@pytest.mark.promise("6.4")
@pytest.mark.parametrize("seed", range(6))
def test_no_more_bodies_of_a_class_run_at_once_in_all_flows_than_it_says(seed: int, stage: Staging) -> None:
    on, counted = stage(seed), Counted()
    work = river("work", counted.body(), max_running=3)
    fan = ParallelRiver(*(work.options(name=f"work-{number}") for number in range(4)))
    flows = [on.start(fan, id=str(number)) for number in range(5)]
    begun = on.now

    assert {flow.wait().outcome for flow in flows} == {"success"}
    assert counted.most == 3
    assert len(counted.order) == len(set(counted.order)) == 20
    assert on.now - begun == pytest.approx(70_000_000, abs=1000)  # no slot was ever free while somebody waited


@pytest.mark.promise("6.4")
@pytest.mark.parametrize("seed", range(6))
def test_whoever_came_first_is_served_first(seed: int, stage: Staging) -> None:
    on, counted = stage(seed), Counted(100)
    work = river("work", counted.body(), max_running=1)
    flows: list[Flow[Any]] = []
    for number in range(6):
        flows.append(on.start(work, id=str(number)))
        on.runtime.advance(1)

    for flow in flows:
        flow.wait()

    assert counted.order == [f"{number} work" for number in range(6)]


@pytest.mark.promise("6.4", "11.3")
def test_who_waits_for_a_slot_is_shown_as_that(stage: Staging) -> None:
    on = stage()
    work = river("work", lasting(10), max_running=1)
    flows = [on.start(work, id=name) for name in ("one", "two")]
    on.play(1)
    early = [flow.status().stream("work") for flow in flows]
    on.play(10)
    late = [flow.status().stream("work") for flow in flows]

    assert sorted((each.queued, each.running) for each in early) == [(False, True), (True, False)]
    assert sorted((each.queued, each.state) for each in late) == [(False, "running"), (False, "success")]


@pytest.mark.promise("6.4", "4.5")
def test_a_timeout_counts_from_when_the_slot_was_free(stage: Staging) -> None:
    on = stage()
    work = river("work", lasting(10), max_running=1, timeout=15)
    flow = on.start(ParallelRiver(*(work.options(name=f"work-{number}") for number in range(5))))

    assert flow.wait().outcome == "success"


@pytest.mark.promise("6.4", "4.3")
def test_who_waits_for_a_retry_or_a_poll_holds_no_slot(stage: Staging) -> None:
    on, tries, polls = stage(), set[str](), list[str]()

    def flow_body(self: River, _water: Any) -> None:
        if self.address not in tries:
            tries.add(self.address)
            raise RuntimeError("once")

    def cycle(self: River, _water: Any) -> None:
        polls.append(self.address)
        if polls.count(self.address) < 3:
            raise Continue

    told = {"max_running": 1, "retry_times": 1, "retry_interval": 60, "cycle_interval": 60, "cycle_times": 9}
    work = river("work", flow_body, cycle, **told)
    begun = on.now
    flow = on.start(ParallelRiver(*(work.options(name=f"work-{number}") for number in range(20))))

    assert flow.wait().outcome == "success"
    assert on.now - begun == pytest.approx(240_000_000, abs=1000)


@pytest.mark.promise("6.4", "7.4")
@pytest.mark.parametrize("seed", range(6))
def test_whoever_is_cancelled_while_it_waits_leaves_the_line_and_the_others_move_up(seed: int, stage: Staging) -> None:
    on, counted = stage(seed), Counted(100)
    work = river("work", counted.body(), max_running=1)
    flows: list[Flow[Any]] = []
    for number in range(5):
        flows.append(on.start(work, id=str(number)))
        on.runtime.advance(1)
    for number in (1, 3):
        flows[number].cancel()

    outcomes = [flow.wait().outcome for flow in flows]

    assert outcomes == ["success", "cancelled", "success", "cancelled", "success"]
    assert counted.order == ["0 work", "2 work", "4 work"]


@pytest.mark.promise("6.4", "4.5")
def test_an_abandoned_body_gives_its_slot_up() -> None:
    hung, end = threading.Event(), threading.Event()

    def hang(_called: Any, _water: Any) -> None:
        if not hung.is_set():
            hung.set()
            assert end.wait(LONG)

    with Engine("memory:", jitter=0.0) as engine:
        work = river("work", calling(hang), max_running=1, timeout=0.05)
        first = engine.start(drawn(work))
        assert hung.wait(LONG)
        second = engine.start(drawn(work))
        outcomes = [second.wait(LONG).outcome, first.wait(LONG).outcome]
        end.set()

    assert outcomes == ["success", "fail"]


@pytest.mark.promise("6.4", "7.3")
def test_undos_wait_for_no_slot(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    fast = river("work", deeds.note("flow"), undo=deeds.note("undo"), max_running=1)
    flow = on.start(fast, river("wait", lasting(5)), river("no", raises(Fail("no"))))
    on.play(1)
    slow = on.start(river("x", lasting(1)), fast.options(name="other"), id="two")

    assert flow.wait().outcome == "fail"
    assert slow.wait().outcome == "success"
    assert deeds.of("undo") == ["work"]


@pytest.mark.promise("6.4")
def test_an_undo_runs_although_all_slots_of_its_class_are_taken(stage: Staging) -> None:
    on = stage()

    async def body(called: Any, _water: Any) -> None:
        await asyncio.sleep(1000 if called.flow_id == "long" else 0)

    work = river("work", body, undo=nothing, max_running=1)
    failed = on.start(work, river("no", lasting(5, raises(Fail("no")))))
    on.play(1)
    on.start(work, id="long")
    begun = on.now

    assert failed.wait().outcome == "fail"
    assert addresses(failed, "undone") == ["work"]
    assert on.now - begun < 10_000_000


@pytest.mark.promise("6.4", "10.5")
@pytest.mark.parametrize("seed", range(20))
def test_all_get_their_turn_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on, counted = stage(seed), Counted(5)
    work = river("work", counted.body(), max_running=2)
    on.start(ParallelRiver(*(work.options(name=f"work-{number}") for number in range(7))))
    for moves in (seed, 2 * seed, 3 * seed):
        on.move(moves)
        on.crash()
        counted.out = 0

    status = on.flow.wait()

    assert set(states(status).values()) == {"success"}
    assert counted.most <= 2


@pytest.mark.promise("6.4")
def test_a_river_whose_limit_is_wider_does_not_overtake_who_waits_before_it(stage: Staging) -> None:
    on, counted = stage(), Counted(100)
    work = river("work", counted.body(), max_running=1)
    flows: list[Flow[Any]] = []
    for stream in (work.options(name="a"), work.options(name="b"), work.options(name="wide", max_running=2)):
        flows.append(on.start(stream, id=str(len(flows))))
        on.runtime.advance(1)
    on.runtime.advance(50)
    early = list(counted.order)

    outcomes = {flow.wait().outcome for flow in flows}

    assert early == ["0 a"]
    assert outcomes == {"success"}
    assert counted.most == 2


@pytest.mark.promise("6.4")
def test_limits_of_several_rivers_of_one_class_are_each_its_own_and_no_turn_is_lost(stage: Staging) -> None:
    on, counted = stage(), Counted(10)
    work = river("work", counted.body(), max_running=1)
    wide = work.options(name="wide", max_running=2)
    flow = on.start(ParallelRiver(work.options(name="a"), wide, work.options(name="b"), wide.options(name="wider")))

    assert flow.wait().outcome == "success"
    assert counted.most <= 2
