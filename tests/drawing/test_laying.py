"""Is a drawing laid flat once, and each flow's cargo with it?"""

from typing import Any

import pytest

from tests.drawing.streams import Attach, Create, End, Water, drawn
from vastflow.drawing import Andes, Atlantic, Basin, Headwaters, ParallelRiver, River, lay
from vastflow.drawing.chart import Chart
from vastflow.errors import AttributeFault, DrawingError, WaterError


class Silent(Atlantic):
    """Has nothing to say."""


class Sized(River):
    retry_times = 1
    deadline = "1m"

    def flow(self, water: Any) -> None:
        """Do nothing."""

    def update(self, attr: Any, water: Water) -> None:
        if water.image == "large":
            attr.retry_times += 4
            attr.deadline *= 2
            attr.retry_on = (*attr.retry_on, BaseException)
        if water.image == "broken":
            raise LookupError("no such image")
        if water.image == "written":
            water.vm = "x"
        if water.image == "unending":
            attr.deadline = None
            attr.atomic = True


def told(cargo: Any) -> dict[str, bytes]:
    return {key: bytes(raw) for key, raw in cargo.water.items()}


@pytest.mark.promise("2.8")
def test_flows_drawn_alike_have_one_chart_and_their_own_water() -> None:
    def draw() -> Andes[Any]:
        return Andes("x", Water) >> (Create("vm") | Create("volume")) >> Attach() >> End()

    one, other = lay(draw(), Water(image="a"), {}), lay(draw(), None, {"image": "b"})

    assert one.digest == other.digest == one.chart.digest()
    assert one.stored == one.chart.to_bytes()
    assert Chart.from_bytes(one.stored) == one.chart
    assert (told(one.cargo), told(other.cargo)) == ({"image": b'"a"'}, {"image": b'"b"'})


@pytest.mark.promise("2.8")
def test_a_drawing_is_worked_out_once_until_something_is_drawn() -> None:
    andes = drawn(Attach())

    one, other = lay(andes, {"a": 1}, {}), lay(andes, {"a": 2}, {})
    assert one.bound is other.bound
    assert one.cargo.parameters is other.cargo.parameters

    later = lay(andes.draw_stream(Attach()), None, {})
    assert later.bound is not one.bound
    assert len(later.chart.streams) == 2


@pytest.mark.promise("2.2", "2.11")
def test_a_start_lays_its_water_and_values_over_the_drawn_water() -> None:
    andes = drawn(Attach()).draw_headwaters({"a": 1, "b": 1, "c": 1})

    laid = lay(andes, Headwaters(b=2, c=2), {"c": 3, "d": 3})

    assert told(laid.cargo) == {"a": b"1", "b": b"2", "c": b"3", "d": b"3"}


@pytest.mark.promise("2.10")
def test_a_water_of_another_class_is_taken_key_by_key() -> None:
    class Other(Headwaters):
        image: str

    assert told(lay(drawn(Attach(), water=Water), Other(image="x"), {}).cargo) == {"image": b'"x"'}
    assert told(lay(drawn(Attach()), Other(image="x"), {}).cargo) == {"image": b'"x"'}


@pytest.mark.promise("2.9", "2.10")
def test_everything_wrong_with_the_starting_water_is_told_at_once() -> None:
    class Strict(Headwaters):
        image: str
        size: int
        vm: str

    andes = Andes("x", Strict) >> Attach() >> Silent()
    with pytest.raises(DrawingError) as caught:
        lay(andes, {"vm": 7, "wm": 1}, {"size": object()})

    water, undeclared, size, image = caught.value.faults
    assert water.startswith("Andes('x'): in the starting water, vm: ")
    assert "declares no key 'wm'" in undeclared
    assert size.startswith("Andes('x'): in the starting water, size: ")
    assert "needs 'image' at start" in image


@pytest.mark.promise("2.7")
def test_update_may_change_attributes_by_the_starting_water_and_the_chart_stays() -> None:
    andes = drawn(Sized(), Attach(), water=Water)

    small, large = lay(andes, None, {"image": "small"}), lay(andes, None, {"image": "large"})

    assert small.digest == large.digest
    assert small.cargo.anchors == {}
    anchor = large.cargo.anchors["sized"]
    assert (anchor.retry.times, anchor.deadline) == (5, 120.0)
    assert anchor.retry_on == ("builtins.Exception", "builtins.BaseException")
    assert list(large.cargo.anchors) == ["sized"]


@pytest.mark.promise("2.7")
def test_update_is_called_for_every_stream_drawn_and_every_start() -> None:
    seen: list[tuple[str, str]] = []

    class Seen(River):
        kind: str

        def flow(self, water: Any) -> None:
            """Do nothing."""

        def update(self, _attr: Any, water: Any) -> None:
            seen.append((self.kind, water["image"]))

    andes = drawn(Seen("a") | Seen("b"), ParallelRiver.each("files", Seen("c"), item="file"))

    lay(andes, None, {"image": "x"})
    lay(andes, None, {"image": "y"})

    assert seen == [("a", "x"), ("b", "x"), ("c", "x"), ("a", "y"), ("b", "y"), ("c", "y")]


@pytest.mark.promise("2.7")
def test_what_update_raises_is_the_starts() -> None:
    with pytest.raises(LookupError, match="no such image"):
        lay(drawn(Sized(), water=Water), None, {"image": "broken"})
    with pytest.raises(WaterError, match="read-only"):
        lay(drawn(Sized(), water=Water), None, {"image": "written"})


@pytest.mark.promise("2.7")
def test_update_must_leave_attributes_that_go_together() -> None:
    with pytest.raises(DrawingError, match=r"sized \(Sized\): after update\(\), atomic = True"):
        lay(drawn(Sized(), water=Water), None, {"image": "unending"})


@pytest.mark.promise("2.7")
def test_fault_14_update_cannot_replace_what_it_is_not_given() -> None:
    class Greedy(River):
        def flow(self, water: Any) -> None:
            """Do nothing."""

        def update(self, attr: Any, _water: Any) -> None:
            attr.inner = False

    with pytest.raises(AttributeFault, match="has no attribute 'inner'"):
        lay(drawn(Greedy()), None, {})


@pytest.mark.promise("2.9")
def test_fault_22_odd_drawings_are_faults_or_work() -> None:
    river = Attach()

    assert len(lay(drawn(river, river), None, {}).chart.streams) == 2
    with pytest.raises(DrawingError, match=r"2 faults[^$]*no stream is drawn[^$]*no Atlantic"):
        lay(Andes("x"), None, {})


@pytest.mark.promise("2.9")
def test_a_drawing_that_nests_too_deep_is_a_fault_and_no_recursion_error() -> None:
    deep: Any = Attach()
    for number in range(1_500):
        deep = Basin(f"b{number}", deep)

    with pytest.raises(DrawingError, match="nests too deep to be laid flat: draw fewer basins"):
        lay(Andes("deep") >> deep >> End(), None, {})


@pytest.mark.promise("2.2")
def test_a_start_changes_nothing_for_the_next() -> None:
    andes = drawn(Attach()).draw_headwaters({"a": 1})

    lay(andes, Headwaters(a=2), {"b": 2})

    assert told(lay(andes, None, {}).cargo) == {"a": b"1"}
