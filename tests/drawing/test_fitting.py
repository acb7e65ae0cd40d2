"""Is found before the start what does not fit together?"""

from typing import Any

import pytest

from tests.drawing.streams import Attach, Water, drawn
from vastflow.drawing import Basin, Headwaters, ParallelRiver, River, lay
from vastflow.drawing.parallel_river import Stream
from vastflow.errors import DrawingError


class Pay(River):
    signals = ("paid",)

    def flow(self, water: Any) -> None:
        """Do nothing."""

    def cycle(self, water: Any) -> None:
        """Wait."""


class FileView(Headwaters):
    file: str
    image: str


class Process(River):
    def flow(self, water: FileView) -> None:
        """Process."""


def faults(*streams: Stream, water: type[Headwaters] = Water) -> list[str]:
    try:
        lay(drawn(*streams, water=water), None, {"image": ""})
    except DrawingError as error:
        return [fault.partition(":")[0] for fault in error.faults]
    return []


def each(stream: Stream, **more: Any) -> Stream:
    return ParallelRiver.each(**{"key": "files", "stream": stream, "item": "file", **more})


@pytest.mark.promise("2.9", "2.10")
@pytest.mark.parametrize(
    "stream",
    [
        Basin("a", Attach(), inputs=["image"], outputs={"vm": "volume"}),
        Basin("a", Attach(), inputs={"image": "vm"}, outputs={"region": "vm"}, water={"region": "x"}),
        Basin("a", Attach(), inputs={"image": "place"}, water={"place": "x"}),
        each(Attach(), collect={"file": "rows"}),
        each(Basin("a", Attach(), inputs={"file": "file"}, outputs={"file": "file"})),
    ],
    ids=["plain", "added", "renamed to added", "each", "item"],
)
def test_declared_keys_items_and_added_water_fit(stream: Stream) -> None:
    assert faults(stream) == []


@pytest.mark.promise("2.9", "2.10")
@pytest.mark.parametrize(
    "stream",
    [
        Basin("a", Attach(), inputs=["nowhere"], water={"nowhere": 1}),
        Basin("a", Attach(), inputs={"image": "nowhere"}),
        Basin("a", Attach(), outputs={"nowhere": "vm"}),
        Basin("a", Attach(), outputs={"vm": "nowhere"}),
        each(Attach(), key="nowhere", name="a"),
        each(Attach(), collect={"nowhere": "rows"}, name="a"),
        each(Attach(), collect={"file": "nowhere"}, name="a"),
    ],
    ids=["input", "inside", "output", "outside", "each", "collected", "collection"],
)
def test_a_key_that_the_water_does_not_declare_is_a_fault_and_in_a_free_water_none(stream: Stream) -> None:
    assert faults(stream) == ["a"]
    assert faults(stream, water=Headwaters) == []


@pytest.mark.promise("2.9")
@pytest.mark.parametrize("names", [{"inputs": ["aa"]}, {"outputs": ["aa"]}], ids=["inputs", "outputs"])
def test_a_key_that_is_declared_nowhere_is_one_fault_and_not_two(names: dict[str, Any]) -> None:
    assert faults(Basin("a", Attach(), **names)) == ["a"]


@pytest.mark.promise("2.9")
def test_two_keys_may_not_go_into_one() -> None:
    assert faults(Basin("a", Attach(), inputs={"vm": "image", "volume": "image"})) == ["a"]
    assert faults(Basin("a", Attach(), outputs={"vm": "image", "volume": "image"})) == ["a"]
    assert faults(each(Attach(), collect={"vm": "rows", "volume": "rows"}, name="a")) == ["a"]


@pytest.mark.promise("2.10")
def test_a_view_may_ask_for_the_item_of_its_each() -> None:
    assert faults(each(Process())) == []
    assert faults(Process()) == ["process.flow"]


@pytest.mark.promise("2.10")
def test_a_view_that_does_not_fit_is_told_once_however_often_it_is_drawn() -> None:
    assert faults(Process(), Process() | Process()) == ["process.flow"]


@pytest.mark.promise("9.2")
def test_two_rivers_that_may_run_at_once_cannot_want_one_signal() -> None:
    assert faults(Pay() | Pay()) == ["parallel-river"]
    assert faults((Attach() >> Basin("a", Pay())) | Pay() | Pay()) == ["parallel-river"] * 2
    assert faults(Basin("a", Pay() | Pay())) == ["a/parallel-river"]
    assert faults(Attach() | Basin("a", Attach() | (Pay() | Pay()))) == ["a/parallel-river"]
    assert faults(each(Pay())) == ["pay"]
    assert faults(each(Basin("a", Pay() | Pay()), limit=1)) == ["a/parallel-river"]


@pytest.mark.promise("9.2")
def test_rivers_that_run_one_after_another_may_want_one_signal() -> None:
    assert faults(Pay(), Basin("a", Pay()), Pay() | Pay().options(signals=("sent",))) == []
    assert faults(each(Pay(), limit=1)) == []
