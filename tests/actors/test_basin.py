"""Is the water of a basin its own?"""

import threading
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river, simulated
from vastflow import Basin, Engine, Fail, FlowFailed, ParallelRiver, River
from vastflow.runtime import Simulated

REGIONS = ("east", "west", "north")


@pytest.mark.promise("5.7")
@pytest.mark.parametrize("turn", range(5))
def test_three_basins_side_by_side_use_the_same_keys_and_never_see_each_others_water(turn: int) -> None:
    together = threading.Barrier(3)
    seen: dict[str, list[Any]] = {}

    def create(self: River, water: Any) -> None:
        together.wait(LONG)
        water["vm"] = f"vm-{water['region']}"
        water["list"].append(self.address)

    def check(self: River, water: Any) -> None:
        together.wait(LONG)
        seen[self.address] = [dict(water)]
        del water["image"]

    basins = [
        Basin(
            name, river("create", create), river("check", check), water={"region": name}, outputs={"vm": f"vm-{name}"}
        )
        for name in REGIONS
    ]
    with Engine("memory:") as engine:
        flow = engine.start(drawn(ParallelRiver(*basins), river("last", nothing)), {"image": "debian", "list": [turn]})

        assert flow.result(LONG) == {
            "image": "debian",
            "list": [turn],
            **{f"vm-{name}": f"vm-{name}" for name in REGIONS},
        }
    assert seen == {
        f"{name}/check": [
            {"image": "debian", "list": [turn, f"{name}/create"], "region": name, "vm": f"vm-{name}"},
        ]
        for name in REGIONS
    }


@pytest.mark.promise("5.7")
def test_only_the_inputs_flow_in_and_only_the_outputs_flow_out_under_their_new_names() -> None:
    seen: list[dict[str, Any]] = []

    def flow(_self: River, water: Any) -> None:
        seen.append(dict(water))
        water.update(vm="vm-1", scrap=True, image="changed inside")

    basin = Basin("east", river("a", flow), inputs={"image": "picture"}, outputs={"vm": "east_vm"}, water={"n": 1})

    assert simulated().start(drawn(basin), {"image": "debian", "secret": 1}).result() == {
        "image": "debian",
        "secret": 1,
        "east_vm": "vm-1",
    }
    assert seen == [{"picture": "debian", "n": 1}]


@pytest.mark.promise("5.7", "6.3")
@pytest.mark.parametrize("what", ["input", "output"])
def test_a_missing_input_or_output_fails_the_basin_naming_the_key(what: str) -> None:
    calls: list[str] = []
    inputs, outputs = (["vm"], []) if what == "input" else (None, ["vm"])
    basin = Basin("east", river("a", lambda self, _water: calls.append(self.address)), inputs=inputs, outputs=outputs)
    flow = simulated().start(drawn(basin))

    with pytest.raises(FlowFailed, match=f"the {what} 'vm' is not in the water") as failed:
        flow.result()

    assert failed.value.failure is not None
    assert (failed.value.failure.address, failed.value.failure.kind) == ("east", "error")
    assert calls == ([] if what == "input" else ["east/a"])


@pytest.mark.promise("6.3", "7.1", "5.7")
@pytest.mark.parametrize("seed", range(10))
def test_a_basin_fails_like_a_river_and_lets_nothing_out(seed: int) -> None:
    calls: list[str] = []
    notes = river("last", lambda self, _water: calls.append(self.address))
    inner = Basin("inner", river("a", puts(vm=1)), river("b", raises(Fail("no", code="c"))), notes, outputs=["vm"])
    engine = simulated(runtime=Simulated(seed))

    flow = engine.start(drawn(Basin("outer", inner, notes, outputs=["vm"]), notes))
    status = flow.wait()

    assert calls == []
    assert {each.address: each.state for each in status.streams} == {
        "outer": "fail",
        "outer/inner": "fail",
        "outer/inner/a": "success",
        "outer/inner/b": "fail",
        "outer/inner/last": "init",
        "outer/last": "init",
        "last": "init",
        "~": "success",
    }
    failure = status.failure
    chain = []
    while failure is not None:
        chain.append((failure.address, failure.kind, failure.code))
        failure = failure.cause
    assert chain == [("outer", "error", "c"), ("outer/inner", "error", "c"), ("outer/inner/b", "error", "c")]


@pytest.mark.promise("6.3")
def test_the_failure_of_one_basin_ends_a_flow_only_by_what_the_join_says() -> None:
    calls: list[str] = []
    east = Basin("east", river("a", raises(Fail("no"))))
    west = Basin("west", river("a", raises(lambda: RuntimeError("once")), retry_times=1, retry_interval=60), outputs=())
    north = Basin("north", river("a", lambda self, _water: calls.append(self.address), retry_times=1))
    engine = simulated()

    tolerant = engine.start(drawn(ParallelRiver(east, north, max_failures=1), river("last", puts(last=1))))
    strict = engine.start(drawn(ParallelRiver(east, west)))

    assert tolerant.result() == {"last": 1}
    assert {each.address: each.state for each in strict.wait().streams} == {
        "parallel-river": "fail",
        "east": "fail",
        "east/a": "fail",
        "west": "cancelled",
        "west/a": "cancelled",
        "~": "success",
    }
    assert calls == ["north/a"]


@pytest.mark.promise("5.6")
def test_two_branches_that_wrote_one_key_differently_are_a_conflict_that_names_both() -> None:
    flow = simulated().start(drawn(Basin("east", river("a", puts(vm="x", same=1)) | river("b", puts(vm="y", same=1)))))

    failure = flow.wait().failure

    assert failure is not None
    assert failure.cause is not None
    assert (failure.address, failure.kind, failure.cause.kind) == ("east", "conflict", "conflict")
    message = failure.cause.message
    assert all(word in message for word in ("water['vm']", 'east/a wrote "x"', 'east/b wrote "y"', "on_conflict"))


@pytest.mark.promise("5.6", "12.5")
def test_a_conflict_over_a_secret_names_the_key_and_hides_both_values() -> None:
    flow = simulated().start(drawn(river("a", puts(private_key="one-of-us")) | river("b", puts(private_key="other"))))

    failure = flow.wait().failure

    assert failure is not None
    assert "water['private_key']" in failure.message
    assert "one-of-us" not in failure.message


@pytest.mark.promise("5.6")
def test_on_conflict_last_takes_what_the_later_drawn_branch_wrote() -> None:
    for seed in range(10):
        engine = simulated(runtime=Simulated(seed))
        branches = ParallelRiver(river("a", puts(vm="x")), river("b", puts(vm="y")), on_conflict="last")

        assert engine.start(drawn(branches)).result() == {"vm": "y"}
