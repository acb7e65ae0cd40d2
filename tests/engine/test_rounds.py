"""Where does a flow go on in a new round, with which water, keys and budgets, and whose result is asked for?"""

import asyncio
import threading
from typing import Any

import pytest

from tests.engine.deeds import Deeds, Staging, addresses, kinds, lasting, no, states, waiting, writes
from tests.engine.scenes import LONG, Body, calling, drawn, nothing, puts, raises, river, sea
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
from vastflow.ledger.memory import MemoryStore

SECOND = 1_000_000


class Weather:
    """Something that is away until it is back; what depends on it fails meanwhile."""

    def __init__(self) -> None:
        self.fine = False

    def fails(self, then: Body = nothing, error: BaseException | None = None) -> Body:
        def body(called: Any, water: Any) -> Any:
            if not self.fine:
                raise error or Fail("away")
            return then(called, water)

        return body


# What is kept


@pytest.mark.promise("8.4")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
@pytest.mark.parametrize("seed", range(4))
def test_a_chain_keeps_what_stands_before_what_failed_and_all_behind_begins_anew(
    seed: int, stage: Staging, *, crashes: bool
) -> None:
    on, deeds, weather = stage(seed), Deeds(), Weather()
    skipped = river("skipped", deeds.note("flow"), when=deeds.note("when", no))
    flow = on.start(
        river("a", deeds.note("flow", puts(a=1))),
        skipped,
        river("b", deeds.note("flow", weather.fails(puts(b=2)))),
        river("c", deeds.note("flow", puts(c=3))),
        end=sea(fail=puts(told=1)),
    )
    with pytest.raises(FlowFailed, match="away"):
        flow.result()
    weather.fine = True
    flow = on.crash() if crashes else flow

    assert flow.retry()

    assert flow.result() == {"a": 1, "b": 2, "c": 3}  # and not what `fail` wrote
    assert deeds == ["flow a", "when skipped", "flow b", "flow b", "flow c"]
    assert [event.round for event in flow.events() if event.kind == "outcome"] == [1, 2]
    assert states(flow.status()) == {"a": "success", "skipped": "skipped", "b": "success", "c": "success"}


@pytest.mark.promise("8.4", "7.2")
@pytest.mark.parametrize("seed", range(4))
def test_what_was_undone_is_not_kept_and_the_water_goes_back_to_what_the_kept_part_left(
    seed: int, stage: Staging
) -> None:
    on, deeds, weather = stage(seed), Deeds(), Weather()

    def counts(self: River, water: Any) -> None:
        assert f"{self.address}-undone" not in water
        water["count"] = water.get("count", 0) + 1

    undoes = deeds.step("undone", counts, undo=puts(undone=1))
    flow = on.start(
        river("kept", deeds.note("flow", counts)),
        undoes,
        river("behind", deeds.note("flow", counts)),
        river("no", weather.fails()),
    )
    flow.wait()
    weather.fine = True
    flow.retry()

    assert flow.result() == {"count": 3}
    assert deeds == ["flow kept", "flow undone", "flow behind", "undo undone", "flow undone", "flow behind"]


@pytest.mark.promise("8.4", "7.3")
def test_what_undos_wrote_in_the_round_before_is_gone(stage: Staging) -> None:
    on, seen = stage(), list[dict[str, Any]]()

    def undo(self: River, water: Any) -> None:
        seen.append(dict(water))
        water[f"undone-{self.address}"] = self.round

    rivers = [river(name, nothing, undo=undo) for name in "ab"]
    flow = on.start(
        *rivers, river("no", raises(Fail("no"))), end=sea(fail=lambda _self, water: seen.append(dict(water)))
    )
    flow.wait()
    flow.retry()
    flow.wait()

    assert seen == [
        {},
        {"undone-b": 1},
        {"undone-b": 1, "undone-a": 1},
        {},
        {"undone-b": 2},
        {"undone-b": 2, "undone-a": 2},
    ]


@pytest.mark.promise("8.4", "5.2")
def test_what_begins_anew_has_another_run_another_key_and_fresh_budgets(stage: Staging) -> None:
    on, weather, seen = stage(), Weather(), list[tuple[int, int, int, str]]()

    def body(self: River, _water: Any) -> None:
        seen.append((self.round, self.run, self.attempt, self.key))
        weather.fails(error=Retry("away"))(self, _water)

    flow = on.start(river("a", body, retry_times=2, retry_interval=1))
    flow.wait()
    flow.retry()
    flow.wait()
    weather.fine = True
    flow.retry()
    flow.result()

    assert [each[:3] for each in seen] == [*((1, 1, n) for n in (1, 2, 3)), *((2, 2, n) for n in (1, 2, 3)), (3, 3, 1)]
    assert len({key for *_, key in seen}) == 3


@pytest.mark.promise("8.4")
@pytest.mark.parametrize("kind", ["cycles-exhausted", "deadline"])
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_a_river_that_ran_out_of_polls_or_time_goes_on_at_cycle_with_fresh_budgets(
    kind: str, stage: Staging, *, crashes: bool
) -> None:
    on, deeds, keys = stage(), Deeds(), set[str]()

    def cycle(self: River, _water: Any) -> None:
        keys.add(self.key)
        deeds.append("cycle")
        if len(deeds) < 9:
            raise Continue("building")

    budget = {"cycle_times": 5} if kind == "cycles-exhausted" else {"deadline": 59}
    polls = river("polls", deeds.note("flow", puts(vm=1)), cycle, cycle_interval=10, **budget)
    flow = on.start(polls, river("next", deeds.note("flow")))
    status = flow.wait()
    assert status.failure is not None
    flow = on.crash(away=500) if crashes else flow

    flow.retry()

    assert flow.result() == {"vm": 1}
    assert status.failure.kind == kind
    assert deeds == ["flow polls", *["cycle"] * 8, "flow next"]
    assert len(keys) == 1  # the same run


@pytest.mark.promise("8.4")
def test_a_river_whose_deadline_was_over_before_it_cycled_or_that_was_undone_begins_anew(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    never = raises(Continue("building"))
    early = river("early", deeds.note("flow", lasting(100)), deadline=10)
    undone = river("undone", deeds.note("flow"), never, undo=nothing, cycle_interval=1, cycle_times=2)
    for name, what in (("one", early), ("two", undone)):
        flow = on.start(what, id=name)
        flow.wait()
        flow.retry()
        flow.wait()

    assert deeds == ["flow early"] * 2 + ["flow undone"] * 2


@pytest.mark.promise("8.4")
@pytest.mark.parametrize("seed", range(4))
def test_a_failed_join_goes_on_by_its_branches(seed: int, stage: Staging) -> None:
    on, deeds, weather = stage(seed), Deeds(), Weather()
    ended = river("a", deeds.note("flow", writes("a"))) >> river("b", deeds.note("flow", writes("b")))
    failed = river("c", deeds.note("flow", writes("c"))) >> river("d", lasting(5, weather.fails(writes("d"))))
    stopped = river("e", deeds.note("flow", writes("e"))) >> waiting("f", 60, 1, deeds.note("flow", writes("f")))
    flow = on.start(ended | failed | stopped, river("last", writes("last")))
    flow.wait()
    weather.fine = True
    before = list(deeds)
    flow.retry()

    assert flow.result() == {name: name for name in ("a", "b", "c", "d", "e", "f", "last")}
    assert sorted(before) == sorted(f"flow {name}" for name in "abcef")
    assert deeds[len(before) :] == ["flow f"]


@pytest.mark.promise("8.4", "5.6")
def test_a_join_that_failed_by_conflict_begins_anew(stage: Staging) -> None:
    on, deeds = stage(), Deeds()

    def body(self: River, water: Any) -> None:
        water["key"] = self.address if self.round == 1 else "same"

    flow = on.start(ParallelRiver(*(river(name, deeds.note("flow", body)) for name in "ab")))
    assert flow.wait().failure is not None
    flow.retry()

    assert flow.result() == {"key": "same"}
    assert sorted(deeds) == ["flow a", "flow a", "flow b", "flow b"]


@pytest.mark.promise("8.4", "6.1")
def test_an_any_that_failed_begins_anew(stage: Staging) -> None:
    on, deeds, weather = stage(), Deeds(), Weather()
    a = river("begun", deeds.note("flow")) >> river("a", deeds.note("flow", weather.fails(puts(by="a"))))
    b = river("b", deeds.note("flow", lasting(5, weather.fails(puts(by="b")))))
    flow = on.start(ParallelRiver(a, b, join="any"))
    flow.wait()
    weather.fine = True
    flow.retry()

    assert flow.result() == {"by": "a"}
    assert deeds.of("flow").count("begun") == 2


@pytest.mark.promise("8.4", "6.1")
def test_a_join_that_passed_is_kept_although_a_tolerated_branch_or_a_loser_was_undone(stage: Staging) -> None:
    on, deeds, weather = stage(), Deeds(), Weather()
    lost = deeds.step("lost", lasting(9), atomic=True, deadline="1h")  # it ended well, and was undone all the same
    race = ParallelRiver(river("won", deeds.note("flow", puts(won=1))), lost, join="any")
    side = ParallelRiver(deeds.step("bad", raises(Fail("no"))), river("good", deeds.note("flow")), max_failures=1)
    flow = on.start(race, side, river("no", weather.fails()))
    flow.wait()
    weather.fine = True
    before = list(deeds)
    flow.retry()

    assert flow.result() == {"won": 1}
    assert deeds == before


@pytest.mark.promise("8.4", "6.2")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_an_each_goes_on_by_its_items_and_with_those_it_had_dropped(stage: Staging, *, crashes: bool) -> None:
    on, deeds, weather = stage(), Deeds(), Weather()

    def body(called: Any, water: Any) -> None:
        if water["file"] == 2:
            weather.fails()(called, water)
        water["row"] = water["file"] * 10

    spread = ParallelRiver.each("files", river("a", deeds.note("flow", body)), item="file", limit=1, collect=["row"])
    flow = on.start(spread, water={"files": [1, 2, 3, 4]})
    flow.wait()
    weather.fine = True
    flow = on.crash() if crashes else flow
    flow.retry()

    assert flow.result()["row"] == [10, 20, 30, 40]
    assert deeds == [f"flow a[{number}]" for number in (0, 1, 1, 2, 3)]


@pytest.mark.promise("8.4", "6.3")
def test_a_basin_goes_on_inside_with_a_fresh_retry_budget(stage: Staging) -> None:
    on, deeds, weather = stage(), Deeds(), Weather()
    basin = Basin(
        "east",
        river("a", deeds.note("flow", writes("a"))),
        river("b", deeds.note("flow", weather.fails(writes("b")))),
        retry_times=1,
        outputs=["a", "b"],
    )
    flow = on.start(basin)
    flow.wait()
    first = deeds.of("flow")
    flow.retry()
    flow.wait()
    second = deeds.of("flow")[len(first) :]
    weather.fine = True
    flow.retry()

    assert flow.result() == {"a": "east/a", "b": "east/b"}
    assert first == ["east/a", "east/b"] * 2
    assert second == ["east/b", "east/a", "east/b"]  # goes on inside; its own next attempt is fresh
    assert deeds.of("flow")[len(first) + len(second) :] == ["east/b"]


@pytest.mark.promise("8.4", "5.7")
def test_a_basin_that_could_not_be_left_begins_anew(stage: Staging) -> None:
    on, deeds, weather = stage(), Deeds(), Weather()

    def body(_self: Any, water: Any) -> None:
        if weather.fine:
            water["out"] = 1

    flow = on.start(Basin("east", river("a", deeds.note("flow", body)), outputs=["out"]))
    flow.wait()
    weather.fine = True
    flow.retry()

    assert flow.result() == {"out": 1}
    assert deeds == ["flow east/a"] * 2


@pytest.mark.promise("8.4", "5.9")
def test_a_new_round_knows_nothing_of_the_failures_before_it(stage: Staging) -> None:
    on, weather, seen = stage(), Weather(), list[Any]()

    def looks(self: River, _water: Any) -> None:
        seen.append(dict(self.failures))

    flow = on.start(Basin("east", river("no", weather.fails())), river("looks", looks))
    flow.wait()
    weather.fine = True
    flow.retry()

    assert flow.wait().outcome == "success"
    assert flow.status().failure is None
    assert seen == [{}]


@pytest.mark.promise("8.4", "7.4")
def test_a_cancelled_flow_may_be_retried(stage: Staging) -> None:
    on = stage()
    flow = on.start(river("a", puts(a=1)), river("slow", lasting(60)), river("b", puts(b=1)))
    on.play(1)
    flow.cancel()
    with pytest.raises(FlowCancelled):
        flow.result()
    flow.retry()

    assert flow.result() == {"a": 1, "b": 1}
    assert addresses(flow, "flowed") == ["a", "slow", "b"]


@pytest.mark.promise("8.4", "2.11")
def test_a_deadline_given_as_a_duration_runs_anew_in_each_round(stage: Staging) -> None:
    on = stage()
    flow = on.start(waiting("a", 50, 3), deadline=60)
    for _ in range(2):
        begun = on.now
        status = flow.wait()
        assert status.failure is not None
        assert (status.failure.kind, on.now - begun) == ("deadline", 60 * SECOND)
        on.play(1000)
        flow.retry()

    assert flow.cancel()


# The Atlantic


@pytest.mark.promise("8.4", "8.2")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_after_the_outcome_success_only_the_atlantic_runs_again(stage: Staging, *, crashes: bool) -> None:
    on, deeds, weather = stage(), Deeds(), Weather()
    end = sea(success=deeds.note("success", weather.fails(puts(told=1))), fail=deeds.note("fail"), retry_times=1)
    flow = on.start(river("a", deeds.note("flow", puts(a=1))), end=end)
    assert flow.wait().state == "fail"
    flow = on.crash() if crashes else flow
    weather.fine = True

    flow.retry()
    assert flow.result() == {"a": 1, "told": 1}
    flow.retry()

    assert flow.result() == {"a": 1, "told": 1}
    assert deeds == ["flow a", *["success ~"] * 3]
    assert kinds(flow, "outcome", "ended") == ["outcome", "ended", "ended", "ended"]


@pytest.mark.promise("8.4", "8.2")
def test_the_atlantic_has_fresh_retries_and_another_key_in_each_round(stage: Staging) -> None:
    on, seen = stage(), list[tuple[int, int, str]]()

    def fail(self: Any, _water: Any) -> None:
        seen.append((self.round, self.attempt, self.key))
        raise Retry("again")

    flow = on.start(river("no", raises(Fail("no"))), end=sea(fail=fail, retry_times=1, retry_interval=1))
    flow.wait()
    flow.retry()
    flow.wait()

    assert [each[:2] for each in seen] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert len({key for *_, key in seen}) == 2


# Attributes


@pytest.mark.promise("8.4", "2.8")
def test_a_retry_keeps_the_attributes_it_began_with_or_takes_those_of_now(stage: Staging) -> None:
    on, attempts = stage(), list[int]()

    def drawing(times: int) -> type[River]:
        class Tries(River):
            registered_as = "tests.rounds.tries"
            retry_times, retry_interval = times, 1

            def flow(self, _water: Any) -> None:
                attempts.append(self.attempt)
                raise Retry("again")

        return Tries

    flow = on.start(drawing(1)(), Basin("east", river("never", nothing)))
    flow.wait()
    drawing(3)
    flow = on.crash()
    flow.retry()
    flow.wait()
    flow.retry(attributes="now")
    flow.wait()

    assert attempts == [1, 2, 1, 2, 1, 2, 3, 4]
    flow = on.crash()
    flow.retry()
    assert flow.wait().state == "fail"
    assert attempts[8:] == [1, 2, 3, 4]  # they hold from then on


# Whose result


@pytest.mark.promise("8.3", "8.4")
def test_every_handle_gives_the_result_of_the_new_round_once_there_is_one() -> None:
    weather, gate = Weather(), threading.Event()
    hold = calling(lambda _called, _water: gate.wait(LONG))
    with Engine("memory:", jitter=0.0) as engine:
        old = engine.start(drawn(river("a", weather.fails(hold)), river("b", puts(b=1))), id="one")
        other = engine.flow("one")
        for handle in (old, other):
            with pytest.raises(FlowFailed):
                handle.result(LONG)
        weather.fine = True

        other.retry()
        for handle in (old, other, engine.flow("one")):
            with pytest.raises(TimeoutError):
                handle.result(0.01)
        gate.set()

        assert [handle.result(LONG) for handle in (old, other, engine.flow("one"))] == [{"b": 1}] * 3
        assert {handle.wait(LONG).outcome for handle in (old, other)} == {"success"}


@pytest.mark.promise("8.3", "8.4")
async def test_an_await_gives_the_result_of_the_new_round() -> None:
    weather = Weather()
    with Engine("memory:", jitter=0.0) as engine:
        flow = engine.start(drawn(river("a", weather.fails(puts(a=1)))))
        with pytest.raises(FlowFailed):
            await flow
        weather.fine = True
        flow.retry()
        asked = [asyncio.ensure_future(_of(flow)) for _ in range(5)]

        assert await asyncio.gather(*asked) == [{"a": 1}] * 5


async def _of(flow: Any) -> Any:
    return await flow


@pytest.mark.promise("8.3", "8.4")
@pytest.mark.parametrize("seed", range(30))
def test_a_new_round_gives_its_own_result_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on, deeds, weather = stage(seed), Deeds(), Weather()
    side = river("b", deeds.note("flow", writes("b"))) | river("c", lasting(5, weather.fails(writes("c"))))
    flow = on.start(deeds.step("a", writes("a")), side, Basin("east", river("d", nothing)), river("e", writes("e")))
    flow.wait()
    weather.fine = True
    flow.retry()
    for moves in (seed, seed // 2, 2 * seed):
        on.move(moves)
        flow = on.crash()

    assert flow.result() == {name: name for name in "abce"}
    assert kinds(flow, "retried", "outcome", "ended") == ["outcome", "ended", "retried", "outcome", "ended"]
    assert addresses(flow, "joined") == ["parallel-river"]
    assert {event.round for event in flow.events() if event.kind == "undone"} == {1}


@pytest.mark.promise("8.4")
def test_rounds_are_counted_without_end(stage: Staging) -> None:
    on, rounds = stage(), list[int]()

    def body(self: River, _water: Any) -> None:
        rounds.append(self.round)
        raise Fail("no")

    flow = on.start(river("a", body))
    for number in range(6):
        flow.wait()
        flow = on.crash() if number % 2 else flow
        flow.retry()
    flow.wait()

    assert rounds == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.promise("8.4", "2.11")
def test_a_retry_of_a_flow_whose_engine_was_closed_in_order_is_done_by_the_next() -> None:
    store, weather = MemoryStore(), Weather()
    andes = drawn(river("a", weather.fails(puts(a=1))))
    with Engine(store=store, jitter=0.0) as engine:
        assert engine.start(andes, id="one").wait(LONG).state == "fail"
    weather.fine = True

    with Engine(store=store, jitter=0.0) as engine:
        flow = engine.start(andes, id="one")  # the same id gives the flow there is
        flow.retry()
        assert flow.result(LONG) == {"a": 1}
        with pytest.raises(CommandRefused):
            flow.skip("a")


@pytest.mark.promise("8.4", "9.2")
def test_a_river_that_polls_on_in_a_new_round_is_woken_by_a_signal(stage: Staging) -> None:
    on = stage()

    def cycle(self: River, _water: Any) -> None:
        if self.signal("go") is None:
            raise Continue("nobody said so")

    polls = river("polls", nothing, cycle, cycle_interval=600, cycle_times=2, signals=("go",))
    flow = on.start(polls)
    flow.wait()
    flow.retry()
    on.play(1)
    before = on.now

    flow.signal("go", 1)

    assert flow.wait().state == "success"
    assert on.now - before < 1_000_000


@pytest.mark.promise("8.4", "9.2")
def test_a_signal_an_earlier_poll_had_left_wakes_a_river_that_polls_on_in_a_new_round(stage: Staging) -> None:
    on = stage()
    mended: list[bool] = []

    def cycle(self: River, _water: Any) -> None:
        if not mended:
            raise Continue("it cannot be taken yet")
        self.signal("go")

    polls = river("polls", nothing, cycle, cycle_interval=600, cycle_times=2, signals=("go",))
    flow = on.start(polls)
    flow.signal("go", 1)
    assert flow.wait().state == "fail"
    mended.append(True)
    before = on.now

    flow.retry()

    assert flow.wait().state == "success"
    assert on.now - before < 1_000_000
