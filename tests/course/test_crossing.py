"""What flows over the border of a basin?"""

from typing import Any

import pytest

from tests.course.driver import encoded
from tests.course.flows import basin, beside, facts_of, ran, river
from tests.course.scripts import Call
from vastflow.course.crossing import flow_in, flow_out
from vastflow.course.facts import Delta, Entered, Left
from vastflow.errors import Failure

WATER = encoded({"x": 1, "y": [2]})


@pytest.mark.promise("5.7")
@pytest.mark.parametrize(
    ("inputs", "added", "inside"),
    [
        pytest.param(None, {}, {"x": 1, "y": [2]}, id="all"),
        pytest.param({"x": "x"}, {}, {"x": 1}, id="restricted"),
        pytest.param({"x": "in"}, {"y": 3}, {"in": 1, "y": 3}, id="renamed and added"),
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param(None, {"x": 9}, {"x": 9, "y": [2]}, id="what is added wins"),
    ],
)
def test_a_copy_of_what_is_drawn_flows_in(
    inputs: dict[str, str] | None, added: dict[str, Any], inside: dict[str, Any]
) -> None:
    assert flow_in(basin("east", inputs=inputs), "east", WATER, encoded(added)) == encoded(inside)


@pytest.mark.promise("5.7")
@pytest.mark.parametrize(
    ("outputs", "delta"),
    [
        pytest.param({}, Delta(), id="nothing"),
        pytest.param({"x": "east_x"}, Delta(encoded({"east_x": 1})), id="renamed"),
        pytest.param({"x": "x", "y": "y"}, Delta(encoded({"x": 1})), id="what is the same outside is no change"),
    ],
)
def test_nothing_flows_out_but_the_outputs(outputs: dict[str, str], delta: Delta) -> None:
    assert flow_out(basin("east", outputs=outputs), "east", WATER, encoded({"x": 0, "y": [2]})) == delta


@pytest.mark.promise("5.7")
def test_missing_inputs_and_outputs_are_named_with_what_to_do() -> None:
    into = flow_in(basin("east", inputs={"a": "a", "x": "x", "b": "b"}), "far/east", WATER, {})
    out = flow_out(basin("east", outputs={"a": "b"}), "far/east", WATER, {})

    assert into == Failure(
        "error",
        "basin far/east: the input 'a', 'b' is not in the water: "
        "let it be written before it, or leave it out of inputs=",
        "far/east",
    )
    assert out == Failure(
        "error",
        "basin far/east: the output 'a' is not in the water: let it be written inside it, or leave it out of outputs=",
        "far/east",
    )


@pytest.mark.promise("5.7")
@pytest.mark.parametrize("lacking", [{"inputs": {"no": "no"}}, {"outputs": {"no": "no"}}])
def test_a_missing_input_or_output_fails_the_basin(lacking: dict[str, Any]) -> None:
    run = ran(basin("east", river("a"), **lacking), east_a=(Call(5, {"x": 1}),))

    assert list(run.progress.failures) == ["east"]
    assert run.calls["east/a", "flow"] == (0 if "inputs" in lacking else 1)


@pytest.mark.promise("5.7", "6.3")
def test_basins_never_see_each_others_water() -> None:
    run = ran(
        beside(
            (basin("east", river("a"), outputs={"vm": "east_vm"}),),
            (basin("west", river("a"), outputs={"vm": "west_vm"}),),
        ),
        east_a=(Call(5, {"vm": "e", "own": 1}),),
        west_a=(Call(9, {"vm": "w"}),),
    )

    assert run.water() == {"east_vm": "e", "west_vm": "w"}


@pytest.mark.promise("5.7", "10.1")
def test_what_flowed_in_and_out_is_in_the_facts() -> None:
    run = ran(
        basin("east", river("a"), inputs={"x": "in"}, outputs={"vm": "vm"}),
        water={"x": 1},
        added={"east": {"zone": "e"}},
        east_a=(Call(5, {"vm": 2}),),
    )

    assert facts_of(run.facts, "east") == [Entered(encoded({"in": 1, "zone": "e"})), Left(Delta(encoded({"vm": 2})))]


@pytest.mark.promise("5.7")
def test_a_failed_basin_lets_nothing_out() -> None:
    run = ran(
        basin("east", river("a"), river("b"), outputs={"x": "x"}),
        east_a=(Call(5, {"x": 1}),),
        east_b=(Call(5, answer="fail"),),
    )

    assert run.water() == {}


@pytest.mark.promise("6.1")
def test_a_basin_that_is_called_back_before_it_was_entered_ends_without_its_rivers() -> None:
    east = basin("east", river("a"))
    run = ran(beside((river("before"), east), (river("b"),)), before=(Call(500),), b=(Call(100, answer="fail"),))

    assert "Entered" not in [type(what).__name__ for what in facts_of(run.facts, "east")]
    assert "east/a" not in run.progress.records
