"""Does a start reach the engine that is there?"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.drawing.streams import Water, drawn, slot
from vastflow.drawing import Andes
from vastflow.drawing.launcher import Terms, launcher, offer
from vastflow.errors import CommandRefused, EngineError, FlowError


class Remembers:
    """A launcher that only remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def launch(
        self, andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Any:
        self.asked.append((andes, water, dict(values), terms))
        return "flow"


@pytest.mark.promise("2.11")
def test_a_start_hands_everything_to_the_launcher() -> None:
    engine, andes, water = Remembers(), drawn(), Water(image="debian")

    with slot(engine):
        flow: Any = andes.start(water, id="17", tags={"a": "b"}, not_before=5, deadline="1h", size=3)
        andes.start()

    assert flow == "flow"
    assert engine.asked == [
        (andes, water, {"size": 3}, Terms("17", {"a": "b"}, 5, "1h")),
        (andes, None, {}, Terms()),
    ]


def test_a_launcher_that_is_offered_gives_way_to_the_one_that_is_there() -> None:
    first, second = Remembers(), Remembers()

    with slot(None):
        offer(first)
        offer(second)

        assert launcher() is first


def test_without_an_engine_a_start_says_what_to_do() -> None:
    with slot(None), pytest.raises(EngineError, match=r"found no engine: `import vastflow`"):
        launcher()


@pytest.mark.promise("7.4")
def test_a_refused_command_says_which_flow_which_command_and_why() -> None:
    refused = CommandRefused("order-17", "cancel", "it is being undone: wait until it has ended")

    assert str(refused) == "flow 'order-17': cancel was refused: it is being undone: wait until it has ended"
    assert (refused.flow_id, refused.flow, refused.command) == ("order-17", "order-17", "cancel")
    assert refused.reason == "it is being undone: wait until it has ended"
    assert isinstance(refused, FlowError)
