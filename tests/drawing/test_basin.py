"""Does a basin keep what it is made with?"""

import pytest

from tests.drawing.streams import Attach
from vastflow.drawing import Basin
from vastflow.drawing.chart import Waits
from vastflow.errors import AttributeFault, DrawingError


@pytest.mark.promise("2.0", "5.7")
def test_a_basin_keeps_its_arguments() -> None:
    water = {"zones": ["a"]}
    basin = Basin(
        "east",
        Attach(),
        inputs=["image"],
        outputs={"vm": "east_vm"},
        water=water,
        continue_on_failure=True,
        color="blue",
        retry_times=2,
        retry_interval="1m",
    ).append(Attach())

    water["zones"].append("b")

    assert (basin.name, len(basin.streams), basin.continue_on_failure, basin.color) == ("east", 2, True, "blue")
    assert (basin.inputs, basin.outputs) == ((("image", "image"),), (("vm", "east_vm"),))
    assert basin.water == {"zones": ["a"]}
    assert basin.retry == Waits(2, 60.0, 2.0, 60.0)


@pytest.mark.promise("5.7")
def test_a_basin_lets_all_in_and_nothing_out_unless_told() -> None:
    basin = Basin("east")

    assert (basin.inputs, basin.outputs, basin.water, basin.retry) == (None, (), {}, Waits())


@pytest.mark.promise("2.3")
def test_the_attributes_of_a_basin_are_checked() -> None:
    with pytest.raises(AttributeFault, match=r"Basin 'east': retry_times = -1 is not possible"):
        Basin("east", retry_times=-1)


def test_a_basin_takes_text_keys_only() -> None:
    with pytest.raises(DrawingError, match="is no mapping with text keys"):
        Basin("east", water={1: 2})  # type: ignore[dict-item]  # wrong on purpose
