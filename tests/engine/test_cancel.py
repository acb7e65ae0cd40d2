"""Does a cancel always end, soon, and as what?"""

import asyncio
import threading
from typing import Any

import pytest

from tests.engine.deeds import Deeds, Staging, addresses, kinds, lasting, states, waiting, writes
from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river, sea
from vastflow import (
    Basin,
    CommandRefused,
    Continue,
    Engine,
    Fail,
    FlowCancelled,
    FlowFailed,
    ParallelRiver,
    Retry,
    River,
)

SECOND = 1_000_000


# What stops, and when


@pytest.mark.promise("7.4")
@pytest.mark.parametrize("seed", range(6))
def test_a_cancel_ends_all_waits_at_once_and_begins_nothing_new(seed: int, stage: Staging) -> None:
    on, deeds = stage(seed), Deeds()
    retrying = river("retrying", raises(Retry("later", after=3600)), retry_times=1) >> river(
        "never", deeds.note("flow")
    )
    basin = Basin("east", waiting("polls", 3600), deeds.step("nor"))
    doubtful = river("doubtful", raises(KeyError("x")), reconcile=raises(Continue("?", after=3600)), retry_times=1)
    flow = on.start(retrying | basin | doubtful, deeds.step("last"))
    before = states(on.play(5))
    begun = on.now

    assert flow.cancel()
    status = flow.wait()

    assert (before["retrying"], before["east/polls"], before["doubtful"]) == ("retrying", "cycling", "in-doubt")
    assert on.now - begun < SECOND
    assert status.state == status.outcome == "cancelled"
    assert {states(status)[name] for name in ("retrying", "east/polls", "doubtful")} == {"cancelled"}
    assert {states(status)[name] for name in ("never", "east/nor", "last")} == {"init"}
    assert deeds == []


@pytest.mark.promise("7.4", "4.4")
def test_running_async_bodies_get_a_cancelled_error_and_may_tidy_up(stage: Staging) -> None:
    on, seen = stage(), list[str]()

    async def body(self: River, _water: Any) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            assert self.cancelled
            await asyncio.sleep(5)
            seen.append("tidied up")
            raise

    flow = on.start(river("a", body))
    on.play(1)
    begun = on.now
    flow.cancel()

    with pytest.raises(FlowCancelled):
        flow.result()
    assert seen == ["tidied up"]
    assert on.now - begun == pytest.approx(5 * SECOND, abs=10)


@pytest.mark.promise("7.4")
def test_running_threads_see_that_they_are_cancelled() -> None:
    running, seen = threading.Event(), list[bool]()

    def body(self: River, _water: Any) -> None:
        seen.append(self.cancelled)
        running.set()
        while not self.cancelled:
            threading.Event().wait(0.005)
        seen.append(self.cancelled)
        self.check_cancelled()

    with Engine("memory:", jitter=0.0) as engine:
        flow = engine.start(drawn(river("a", body)))
        assert running.wait(LONG)
        flow.cancel()
        status = flow.wait(LONG)

    assert seen == [False, True]
    assert (status.outcome, states(status)["a"]) == ("cancelled", "cancelled")


@pytest.mark.promise("7.4", "4.7")
@pytest.mark.parametrize("seed", range(6))
def test_atomic_rivers_run_out_with_retries_and_polls_and_what_comes_behind_is_cancelled(
    seed: int, stage: Staging
) -> None:
    on, tries = stage(seed), iter(range(2))

    def flow(_self: Any, water: Any) -> None:
        if next(tries, None) is not None:
            raise Retry("again")
        water["vm"] = 1

    atomic = waiting("atomic", 20, 3, flow, atomic=True, deadline="1h", retry_times=5, retry_interval=10)
    begun = on.start(atomic | waiting("slow", 600), river("next", nothing))
    on.play(1)
    begun.cancel()

    status = begun.wait()

    assert states(status) == {"atomic": "success", "slow": "cancelled", "next": "init"}
    assert kinds(begun, "retrying", "cycled") == ["retrying", "retrying", "cycled"]
    assert status.outcome == "cancelled"


@pytest.mark.promise("7.4", "4.7")
def test_an_atomic_river_that_has_not_begun_is_cancelled_and_one_that_fails_has_failed(stage: Staging) -> None:
    on = stage()
    asks = river("asks", nothing, when=lasting(50), atomic=True, deadline="1h")
    fails = river("fails", lasting(20, raises(Fail("broken"))), atomic=True, deadline="1h")
    flow = on.start(asks | fails)
    on.play(1)
    flow.cancel()

    status = flow.wait()

    assert states(status) == {"asks": "cancelled", "fails": "fail"}
    assert status.outcome == "cancelled"
    assert status.failure is not None
    assert status.failure.kind == "cancelled"
    assert status.failure.cause is not None
    assert status.failure.cause.message == "broken"


@pytest.mark.promise("7.4", "4.7", "4.5")
def test_the_deadline_of_an_atomic_river_holds_in_a_cancelled_part(stage: Staging) -> None:
    on = stage()
    flow = on.start(river("a", lasting(3600), atomic=True, deadline=60))
    on.play(1)
    begun = on.now
    flow.cancel()

    status = flow.wait()

    assert states(status) == {"a": "fail"}
    assert on.now - begun < 61 * SECOND
    assert status.outcome == "cancelled"


# The grace


@pytest.mark.promise("7.4")
@pytest.mark.parametrize("grace", [10.0, 2.5])
def test_what_does_not_stop_in_the_grace_is_abandoned(grace: float, stage: Staging) -> None:
    async def deaf(_self: Any, _water: Any) -> None:
        for _ in range(20):
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                continue

    on = stage(cancel_grace=grace)
    flow = on.start(river("a", deaf))
    on.play(1)
    begun = on.now
    flow.cancel()

    assert flow.wait().outcome == "cancelled"
    assert on.now - begun == pytest.approx(grace * SECOND, abs=10)
    assert [event.details.get("abandoned") for event in flow.events() if event.kind == "cancelled"] == [True]


@pytest.mark.promise("7.4", "4.7")
@pytest.mark.parametrize("seed", range(6))
def test_the_grace_begins_when_the_last_atomic_river_of_the_cancelled_part_has_ended(seed: int, stage: Staging) -> None:
    async def deaf(_self: Any, _water: Any) -> None:
        until = asyncio.get_running_loop().time() + 3600
        while (left := until - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                continue

    on = stage(seed)
    atomics = [river(f"atomic-{each}", lasting(each), atomic=True, deadline="1h") for each in (30, 50)]
    flow = on.start(ParallelRiver(river("deaf", deaf), *atomics))
    begun = on.now
    on.play(1)
    flow.cancel()

    assert flow.wait().outcome == "cancelled"
    assert on.now - begun == pytest.approx(60 * SECOND, abs=100)


@pytest.mark.promise("7.4", "6.1")
def test_a_grace_waits_for_no_atomic_river_outside_the_cancelled_part(stage: Staging) -> None:
    async def deaf(_self: Any, _water: Any) -> None:
        for _ in range(2):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    on = stage()
    inner = ParallelRiver(river("deaf", deaf), river("no", lasting(1, raises(Fail("no")))))
    atomic = river("atomic", lasting(100), atomic=True, deadline="1h")
    flow = on.start(ParallelRiver(inner, atomic, max_failures=1))
    middle = states(on.play(15))

    assert flow.wait().outcome == "success"
    assert (middle["deaf"], middle["atomic"]) == ("cancelled", "running")


# How it ends


@pytest.mark.promise("7.4", "8.1")
def test_if_all_that_was_left_ended_well_the_outcome_is_success(stage: Staging) -> None:
    on = stage()
    atomic = river("last", lasting(20, puts(a=1)), atomic=True, deadline="1h")
    flow = on.start(river("first", nothing), atomic)
    on.play(1)

    assert flow.cancel()
    assert flow.result() == {"a": 1}
    assert flow.status().outcome == "success"


@pytest.mark.promise("7.4")
def test_what_a_body_had_done_when_it_was_cancelled_counts(stage: Staging) -> None:
    async def done(_self: Any, water: Any) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            water["done"] = 1

    on = stage()
    flow = on.start(river("a", nothing), river("b", done))
    on.play(1)
    flow.cancel()

    assert flow.result() == {"done": 1}


@pytest.mark.promise("7.4", "5.9")
def test_what_a_body_raised_in_a_cancelled_part_is_kept_as_its_cause(stage: Staging) -> None:
    async def breaks(_self: Any, _water: Any) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise RuntimeError("broke") from None

    on = stage()
    flow = on.start(river("a", breaks, retry_times=5))
    on.play(1)
    flow.cancel()

    status = flow.wait()

    assert status.outcome == "cancelled"
    failure = status.stream("a").failure
    assert failure is not None
    assert failure.message == "broke"
    assert kinds(flow, "retrying") == []


@pytest.mark.promise("7.4", "4.1")
def test_a_cancelled_error_that_nobody_asked_for_is_an_exception_like_any(stage: Staging) -> None:
    async def odd(_self: Any, _water: Any) -> None:
        raise asyncio.CancelledError

    flow = stage().start(river("a", odd, retry_times=1, retry_on=(asyncio.CancelledError,)))

    status = flow.wait()

    assert (status.outcome, states(status)["a"]) == ("fail", "fail")
    assert kinds(flow, "retrying") == ["retrying"]


@pytest.mark.promise("7.4", "7.2", "8.2")
def test_a_cancelled_flow_is_undone_and_then_fail_is_told_with_kind_cancelled(stage: Staging) -> None:
    on, deeds, seen = stage(), Deeds(), dict[str, Any]()

    def undo(self: River, _water: Any) -> None:
        seen[self.address] = self.failure.kind

    def fail(self: Any, water: Any) -> None:
        seen["fail"] = (self.failure.kind, self.failure.message, dict(water))

    end = sea(fail=deeds.note("fail", fail))
    flow = on.start(deeds.step("a", puts(a=1), undo=undo), deeds.step("b", lasting(60), undo=undo), end=end)
    on.play(1)
    flow.cancel(who="anna")

    with pytest.raises(FlowCancelled) as cancelled:
        flow.result()
    assert deeds == ["flow a", "flow b", "undo b", "undo a", "fail ~"]
    assert seen == {"b": "cancelled", "a": "cancelled", "fail": ("cancelled", "the flow was cancelled", {"a": 1})}
    assert cancelled.value.failure is not None
    assert cancelled.value.failure.kind == "cancelled"


@pytest.mark.promise("7.4")
def test_from_undoing_on_a_cancel_is_refused_with_the_reason(stage: Staging) -> None:
    on = stage()
    end = sea(fail=lasting(50))
    flow = on.start(river("a", nothing, undo=lasting(50)), river("no", raises(Fail("no"))), end=end)
    for state in ("undoing", "ending"):
        assert on.play(50 if state == "ending" else 20).state == state
        with pytest.raises(CommandRefused, match="its outcome is decided") as refused:
            flow.cancel()
        assert (refused.value.flow, refused.value.command) == ("one", "cancel")

    assert flow.wait().state == "fail"
    with pytest.raises(CommandRefused, match="it has ended"):
        flow.cancel()


@pytest.mark.promise("7.4")
def test_a_second_cancel_is_said_to_be_so_already_and_changes_nothing(stage: Staging) -> None:
    on = stage()
    flow = on.start(river("a", lasting(20), atomic=True, deadline="1h"), river("b", nothing))
    on.play(1)

    assert [flow.cancel(), flow.cancel()] == [True, False]
    assert flow.wait().outcome == "cancelled"
    assert flow.cancel() is False
    assert kinds(flow, "cancelling") == ["cancelling"]


@pytest.mark.promise("7.4", "2.11")
def test_a_flow_that_has_not_begun_can_be_cancelled_and_runs_nothing(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(deeds.step("a"), end=sea(fail=deeds.note("fail")), not_before=3600)
    on.play(1)

    assert flow.cancel()
    assert flow.wait().outcome == "cancelled"
    assert deeds == ["fail ~"]


@pytest.mark.promise("7.4", "2.11")
def test_the_deadline_of_a_flow_ends_it_as_a_cancel_does_with_outcome_fail(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    begun = on.now
    flow = on.start(deeds.step("a"), waiting("b", 3600), deadline=60)

    with pytest.raises(FlowFailed) as failed:
        flow.result()

    assert on.now - begun < 62 * SECOND
    assert (flow.status().outcome, deeds) == ("fail", ["flow a", "undo a"])
    assert failed.value.failure is not None
    assert failed.value.failure.kind == "deadline"


@pytest.mark.promise("7.4", "2.11")
def test_a_flow_whose_last_streams_ended_well_in_spite_of_its_deadline_has_succeeded(stage: Staging) -> None:
    flow = stage().start(river("a", lasting(90, puts(a=1)), atomic=True, deadline="1h"), deadline=60)

    assert flow.result() == {"a": 1}


# Siblings, and crashes


@pytest.mark.promise("7.4", "6.1")
def test_in_a_part_cancelled_by_a_sibling_what_was_done_counts_for_its_undo_and_not_for_the_join(
    stage: Staging,
) -> None:
    on, deeds = stage(), Deeds()
    chain = deeds.step("a", writes("a")) >> deeds.step("b", lasting(3600))
    flow = on.start(chain | river("no", lasting(1, raises(Fail("no")))), river("next", nothing))

    status = flow.wait()

    assert states(status) == {"a": "undone", "b": "undone", "no": "fail", "next": "init"}
    assert status.failure is not None
    assert status.failure.message == "no"


@pytest.mark.promise("7.4", "10.5")
@pytest.mark.parametrize("seed", range(40))
def test_a_cancel_is_kept_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on, deeds = stage(seed), Deeds()

    async def hangs(_self: Any, _water: Any) -> None:
        await asyncio.Event().wait()

    atomic = river("atomic", lasting(20, writes("a")), undo=deeds.note("undo"), atomic=True, deadline="1h")
    slow = river("slow", hangs, undo=deeds.note("undo"))
    flow = on.start(atomic | Basin("east", slow), river("never", deeds.note("flow")))
    on.move(seed)
    assert flow.cancel()
    for moves in (seed // 4, seed // 2, seed):
        on.move(moves)
        flow = on.crash()

    status = flow.wait()

    assert status.outcome == "cancelled"
    assert states(status)["never"] == "init"
    assert kinds(flow, "cancelling", "outcome", "ended") == ["cancelling", "outcome", "ended"]
    undone = set(addresses(flow, "undone"))
    assert undone == {each.partition(" ")[2] for each in deeds}
    begun = {event.address for event in flow.events() if event.kind == "begun" and event.details["body"] == "flow"}
    assert undone == begun
