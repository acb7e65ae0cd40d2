"""Is a basin that fails tried again as a whole, gone on behind, or the end of its chain?"""

from typing import Any

import pytest

from tests.engine.deeds import Deeds, Staging, addresses, kinds, lasting, states, waiting, writes
from tests.engine.scenes import Body, nothing, puts, raises, river, sea
from vastflow import Basin, Fail, FlowFailed, ParallelRiver, Retry, River

SECOND = 1_000_000


def failing(times: int) -> Body:
    """Return a body that fails so often, and then is done."""
    left = iter(range(times))

    def body(_called: Any, _water: Any) -> None:
        if next(left, None) is not None:
            raise Fail("not yet")

    return body


@pytest.mark.promise("6.3", "7.2")
@pytest.mark.parametrize("seed", range(6))
def test_a_basin_that_failed_is_undone_before_it_is_tried_again_as_a_whole(seed: int, stage: Staging) -> None:
    deeds = Deeds()
    side = deeds.step("c") | deeds.step("d")
    basin = Basin("east", deeds.step("a"), side, deeds.step("b", failing(2)), retry_times=2)
    flow = stage(seed).start(deeds.step("outside"), basin, deeds.step("next"))

    flow.result()

    attempt, undo = ["east/a", "east/c", "east/d", "east/b"], ["east/b", "east/c", "east/d", "east/a"]
    assert sorted(deeds.of("flow")) == sorted(["outside", *attempt * 3, "next"])
    assert sorted(deeds.of("undo")) == sorted(undo * 2)
    assert [each.partition(" ")[0] for each in deeds] == [
        "flow",
        *(["flow"] * 4 + ["undo"] * 4) * 2,
        *["flow"] * 4,
        "flow",
    ]
    for begin in (5, 13):
        assert (deeds[begin], deeds[begin + 3]) == ("undo east/b", "undo east/a")
    assert kinds(flow, "entered", "left", "undoing") == ["entered", "undoing", "entered", "undoing", "entered", "left"]


@pytest.mark.promise("6.3", "5.2", "5.7")
def test_each_attempt_of_a_basin_has_fresh_water_fresh_keys_and_fresh_budgets(stage: Staging) -> None:
    seen = list[tuple[int, int, str, int]]()

    def body(self: River, water: Any) -> None:
        water["count"] = water.get("count", 0) + 1
        self.save()
        seen.append((self.run, self.attempt, self.key, water["count"]))
        raise Retry("again")

    basin = Basin("east", river("a", body, retry_times=1, retry_interval=1), retry_times=1)

    with pytest.raises(FlowFailed):
        stage().start(basin, water={"count": 10}).result()

    runs, attempts, keys, counts = zip(*seen, strict=True)
    assert runs == (1, 1, 2, 2)
    assert attempts == (1, 2, 1, 2)
    assert (keys[0], keys[2]) == (keys[1], keys[3])
    assert len(set(keys)) == 2
    assert counts == (11, 12, 11, 12)  # what was saved is gone with its attempt


@pytest.mark.promise("6.3")
def test_a_basin_waits_between_its_attempts_as_it_was_drawn(stage: Staging) -> None:
    on, moments = stage(), list[int]()

    def body(_self: Any, _water: Any) -> None:
        moments.append(on.now // SECOND)
        raise Fail("no")

    waits: dict[str, Any] = {"retry_times": 4, "retry_interval": 10, "retry_backoff": 3, "retry_max_interval": 60}
    status = on.start(Basin("east", river("a", body), **waits)).wait()

    assert [moment - moments[0] for moment in moments] == [0, 10, 40, 100, 160]
    assert status.failure is not None
    assert (status.failure.kind, status.failure.address) == ("retries-exhausted", "east")
    assert status.failure.cause is not None
    assert (status.failure.cause.kind, status.failure.cause.address) == ("error", "east/a")


@pytest.mark.promise("6.3")
def test_the_last_attempt_is_undone_with_the_flow_and_not_by_the_basin(stage: Staging) -> None:
    deeds = Deeds()
    basin = Basin("east", deeds.step("a"), river("no", raises(Fail("no"))), retry_times=1)
    flow = stage().start(deeds.step("first"), basin)

    assert flow.wait().outcome == "fail"
    assert deeds == ["flow first", "flow east/a", "undo east/a", "flow east/a", "undo east/a", "undo first"]
    assert addresses(flow, "undoing") == ["east"]


@pytest.mark.promise("6.3", "5.9")
@pytest.mark.parametrize("retries", [0, 2])
def test_a_basin_may_fail_and_the_flow_goes_on_with_its_failure_kept_and_its_undos_run(
    retries: int, stage: Staging
) -> None:
    deeds, seen = Deeds(), dict[str, Any]()

    def looks(self: River, water: Any) -> None:
        seen.update(self.failures)
        water["saw"] = sorted(water)

    basin = Basin(
        "east",
        deeds.step("a", puts(a=1)),
        river("no", raises(Fail("no"))),
        outputs=["a"],
        continue_on_failure=True,
        retry_times=retries,
    )
    flow = stage().start(deeds.step("first"), basin, river("next", looks))

    assert flow.result() == {"saw": []}
    assert deeds == ["flow first", *["flow east/a", "undo east/a"] * (retries + 1)]
    assert seen["east"].kind == ("retries-exhausted" if retries else "error")
    assert seen["east"].cause.message == "no"
    assert flow.status().stream("east").state == "fail"
    assert states(flow.status()) == {"first": "success", "east/a": "undone", "east/no": "fail", "next": "success"}
    assert kinds(flow, "continued", "outcome") == ["continued", "outcome"]


@pytest.mark.promise("6.3", "5.7")
def test_a_basin_whose_input_is_missing_is_tried_again_and_gone_on_behind_like_any(stage: Staging) -> None:
    basin = Basin("east", river("a", nothing), inputs=["x"], retry_times=1, continue_on_failure=True)
    flow = stage().start(basin, river("next", puts(b=1)))

    assert flow.result() == {"b": 1}
    assert kinds(flow, "retrying", "continued") == ["retrying", "continued"]
    assert flow.status().stream("east").failure is not None


@pytest.mark.promise("6.3", "6.1")
@pytest.mark.parametrize("seed", range(6))
def test_other_basins_are_touched_only_by_what_the_join_says(seed: int, stage: Staging) -> None:
    deeds = Deeds()
    goes_on = Basin("goes-on", deeds.step("a", raises(Fail("no"))), continue_on_failure=True)
    again = Basin("again", deeds.step("b", failing(1)), retry_times=1)
    other = Basin("other", deeds.step("c"), waiting("d", 60), outputs=["c"], water={"c": 1})
    flow = stage(seed).start(ParallelRiver(goes_on, again, other))

    assert flow.result() == {"c": 1}
    assert sorted(deeds.of("undo")) == ["again/b", "goes-on/a"]
    assert addresses(flow, "cancelled") == []


@pytest.mark.promise("6.3", "7.1")
def test_a_failure_is_carried_to_the_first_basin_that_goes_on_and_no_further(stage: Staging) -> None:
    deeds = Deeds()
    inner = Basin("inner", deeds.step("a"), river("no", raises(Fail("no"))), river("never", nothing))
    outer = Basin("outer", deeds.step("b"), inner, river("nor", nothing), continue_on_failure=True)
    flow = stage().start(deeds.step("first"), outer, deeds.step("next"))

    flow.result()

    assert deeds == [
        "flow first",
        "flow outer/b",
        "flow outer/inner/a",
        "undo outer/inner/a",
        "undo outer/b",
        "flow next",
    ]
    failure = flow.status().stream("outer").failure
    assert failure is not None
    assert str(failure).count("caused by") == 2
    assert {each.address for each in flow.status().streams if each.state == "init"} == {
        "outer/inner/never",
        "outer/nor",
    }


@pytest.mark.promise("6.3", "7.4")
def test_a_basin_is_not_tried_again_in_a_part_that_is_cancelled(stage: Staging) -> None:
    on = stage()
    atomic = river("atomic", lasting(20, raises(Fail("no"))), atomic=True, deadline="1h")
    flow = on.start(Basin("east", atomic, retry_times=5))
    on.play(1)
    flow.cancel()

    status = flow.wait()

    assert (status.outcome, addresses(flow, "retrying")) == ("cancelled", [])
    assert status.failure is not None
    assert status.failure.cause is not None
    assert status.failure.cause.cause is not None
    assert status.failure.cause.cause.message == "no"


@pytest.mark.promise("6.3", "7.4")
def test_a_cancel_ends_the_wait_of_a_basin_for_its_next_attempt(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(
        Basin("east", deeds.step("a", raises(Fail("no"))), retry_times=5, retry_interval="1h", retry_max_interval="1h")
    )
    begun = on.now
    on.play(1)
    flow.cancel()

    assert flow.wait().outcome == "cancelled"
    assert on.now - begun < 5 * SECOND
    assert deeds == ["flow east/a", "undo east/a"]


@pytest.mark.promise("6.3", "7.3")
def test_an_undo_that_fails_for_good_keeps_no_basin_from_its_next_attempt(stage: Staging) -> None:
    deeds = Deeds()
    basin = Basin(
        "east",
        deeds.step("a", undo=raises(Fail("stays"))),
        river("b", failing(1)),
        retry_times=1,
        outputs=["a"],
        water={"a": 1},
    )
    flow = stage().start(basin)

    assert flow.result() == {"a": 1}
    assert deeds == ["flow east/a", "undo east/a", "flow east/a"]
    assert kinds(flow, "undofailed") == ["undofailed"]


@pytest.mark.promise("6.3", "10.5")
@pytest.mark.parametrize("seed", range(40))
def test_a_basin_ends_alike_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on, keys = stage(seed), list[str]()

    def body(self: River, water: Any) -> None:
        keys.append(self.key)
        water["run"] = self.run
        if self.run < 3:
            raise Fail("not yet")

    undone = Deeds()
    inner = river("a", writes("a"), undo=undone.note("undo")) >> river("b", body)
    basin = Basin("east", inner, retry_times=4, outputs=["run"])
    other = Basin("west", river("no", raises(Fail("no"))), continue_on_failure=True)
    flow = on.start(basin | other, river("last", puts(last=1)))
    for moves in (seed, 2 * seed, seed // 2):
        on.move(moves)
        flow = on.crash()

    assert flow.result() == {"run": 3, "last": 1}
    assert len(set(keys)) == 3
    assert addresses(flow, "undone") == ["east/a", "east/a"]
    assert [event.run for event in flow.events() if event.address == "east/a" and event.kind == "flowed"] == [1, 2, 3]


@pytest.mark.promise("8.2")
def test_what_undos_of_a_basin_wrote_is_for_the_basin_alone(stage: Staging) -> None:
    seen = {}

    def fail(_self: Any, water: Any) -> None:
        seen.update(water)

    basin = Basin("east", river("a", puts(a=1), undo=puts(undone=1)), river("no", raises(Fail("no"))))
    flow = stage().start(river("first", puts(b=1), undo=puts(also=1)), basin, end=sea(fail=fail))

    assert flow.wait().outcome == "fail"
    assert seen == {"b": 1, "also": 1}
