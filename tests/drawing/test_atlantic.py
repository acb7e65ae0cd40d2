"""Is an Atlantic the end it should be?"""

from typing import Any

import pytest

from tests.drawing.streams import Attach
from vastflow.drawing import Andes, Atlantic, lay
from vastflow.drawing.chart import Mouth, Waits
from vastflow.errors import AttributeFault


class Alarm(Atlantic):
    whom: str
    name = "alarm-{whom}"
    retry_times, retry_interval, retry_on, fail_on = 3, "2s", (OSError,), (FileNotFoundError,)

    async def fail(self, water: Any) -> None:
        """Tell."""


@pytest.mark.promise("8.2")
def test_an_atlantic_has_success_fail_and_retries() -> None:
    laid = lay(Andes("x") >> Attach() >> Alarm("me"), None, {})

    assert laid.chart.mouth == Mouth(
        "alarm-me",
        f"{__name__}.Alarm",
        Waits(3, 2.0, 2.0, 60.0),
        ("builtins.OSError",),
        ("builtins.FileNotFoundError",),
    )
    assert laid.bound.is_async("~", "fail")
    assert not laid.bound.is_async("~", "success")


@pytest.mark.promise("8.2")
def test_a_body_that_is_not_written_does_nothing() -> None:
    class Silent(Atlantic):
        pass

    Silent().success({})
    Silent().fail({})
    Alarm("me").success({})


@pytest.mark.promise("8.2")
@pytest.mark.parametrize("name", ["deadline", "cycle_interval", "signals", "atomic", "undo_times"])
def test_an_atlantic_has_no_other_attributes(name: str) -> None:
    with pytest.raises(AttributeFault, match=f"{name} is an attribute of rivers, an Atlantic has none"):
        type("Bad", (Atlantic,), {name: 1})


@pytest.mark.promise("2.4", "8.2")
def test_what_is_an_attribute_of_rivers_may_be_a_parameter_of_an_atlantic() -> None:
    class Timed(Atlantic):
        timeout: int = 5

    assert Timed().timeout == 5
