"""Does a chart find its classes again, and say what is lost?"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from tests.drawing.streams import Attach, Create, End, Tag, Water, drawn
from vastflow.drawing import Andes, Basin, Headwaters, Laid, ParallelRiver, River, bind, lay
from vastflow.drawing.chart import Cargo, Chart
from vastflow.drawing.declaration import parameters_of
from vastflow.errors import StoreUnreadable


class View(Headwaters):
    vm: str


class Viewing(River):
    def flow(self, water: View) -> None:
        """Do nothing."""

    async def cycle(self, water: Any) -> None:
        """Do nothing."""

    cycle_times = 3

    def update(self, attr: Any, water: Any) -> None:
        if "image" in water:
            attr.retry_times = 9


def laid() -> Laid:
    basin = Basin("east", Tag(["a"]) | Create("volume").options(retry_times=7), water={"region": "x"})
    each = ParallelRiver.each("files", Attach(), item="file")
    return lay(drawn(Create("vm"), basin, each, Viewing(), water=Water), None, {"image": "debian"})


def again(laid: Laid) -> Any:
    return bind(Chart.from_bytes(laid.stored), laid.digest)


@pytest.mark.promise("2.5", "2.8")
def test_a_stored_chart_is_bound_to_the_classes_of_the_registry() -> None:
    drawing = laid()

    for bound in (drawing.bound, again(drawing)):
        streams = bound.streams(drawing.cargo)
        assert (bound.water, bound.digest, bound.chart) == (Water, drawing.digest, drawing.chart)
        assert {address: (type(it), parameters_of(it)) for address, it in streams.items()} == {
            "create": (Create, {"kind": "vm", "size": 1}),
            "east/tag-a": (Tag, {"tags": ["a"]}),
            "east/create": (Create, {"kind": "volume", "size": 1}),
            "attach": (Attach, {}),
            "viewing": (Viewing, {}),
            "~": (End, {"note": ""}),
        }


@pytest.mark.promise("2.7", "2.8")
def test_a_stream_has_the_attributes_its_flow_began_with() -> None:
    drawing = laid()

    streams = again(drawing).streams(drawing.cargo)

    assert streams["east/create"].retry_times == 7
    assert streams["viewing"].retry_times == 9
    assert streams["create"].deadline == "10m"


@pytest.mark.promise("2.10")
def test_a_body_gets_the_view_it_asks_for() -> None:
    bound = again(laid())

    assert bound.view("viewing", "flow") is View
    assert bound.view("viewing", "cycle") is Water
    assert bound.view("east/create", "flow") is Water
    assert bound.view("~", "fail") is Water
    assert bound.is_async("viewing", "cycle")
    assert not bound.is_async("viewing", "flow")
    assert not bound.is_async("~", "fail")


@pytest.mark.promise("2.10")
def test_items_and_added_water_are_allowed_where_they_are() -> None:
    bound = again(laid())

    assert bound.extras("attach") == {"file"}
    assert bound.extras("east/create") == {"region"}
    assert bound.extras("create") == bound.extras("~") == frozenset()


def test_streams_of_equal_parameters_are_made_once() -> None:
    drawing = laid()
    bound = again(drawing)
    stored = msgspec.json.decode(msgspec.json.encode(drawing.cargo), type=Cargo)

    streams = bound.streams(drawing.cargo)

    assert bound.streams(drawing.cargo) is streams
    assert bound.streams(stored) is streams
    assert bound.streams(Cargo(parameters=drawing.cargo.parameters)) is not streams


def test_only_so_many_streams_are_kept() -> None:
    drawing = laid()
    bound = again(drawing)
    first = bound.streams(drawing.cargo)

    for number in range(8):
        parameters = {**drawing.cargo.parameters, "create": {"kind": msgspec.Raw(b'"%d"' % number)}}
        bound.streams(Cargo(parameters=parameters, anchors=drawing.cargo.anchors))

    assert bound.streams(drawing.cargo) is not first


@pytest.mark.promise("10.9")
def test_a_chart_whose_classes_are_gone_names_every_one_and_what_to_do() -> None:
    chart = msgspec.json.decode(
        laid()
        .stored.replace(b"streams.Create", b"streams.Gone")
        .replace(b"streams.End", b"streams.Lost")
        .replace(b"streams.Water", b"streams.Dry"),
        type=Chart,
    )

    with pytest.raises(StoreUnreadable) as caught:
        bind(chart, "0123456789abcdef")

    message = str(caught.value)
    assert "the drawing 'test' (chart 0123456789ab)" in message
    for lost in (
        "water's class tests.drawing.streams.Dry",
        "create: the class",
        "east/create: the class",
        "~: the class",
    ):
        assert lost in message
    assert "import the module that defines it" in message


@pytest.mark.promise("10.9")
def test_a_class_that_is_gone_is_told_once_however_often_it_was_drawn() -> None:
    stored = lay(drawn(Attach() | Attach()), None, {}).stored.replace(b"streams.Attach", b"streams.Gone")

    with pytest.raises(StoreUnreadable) as caught:
        bind(Chart.from_bytes(stored), "0")

    assert str(caught.value).count("streams.Gone") == 1


@pytest.mark.promise("10.9")
def test_a_chart_whose_classes_have_changed_says_how() -> None:
    def made(**contents: Any) -> Any:
        return type("Changing", (River,), {"__module__": "tests.changing", "__qualname__": "Changing", **contents})

    def flow(_self: Any, _water: Any) -> None:
        """Do nothing."""

    def sees(_self: Any, water: int) -> None:
        """Do nothing."""

    drawing = lay(drawn(made(flow=flow, undo=flow)()), None, {})

    made(flow=flow)
    with pytest.raises(StoreUnreadable, match=r"changing: tests.changing.Changing has no `undo` any more: keep it"):
        again(drawing)
    made(flow=flow, undo=sees)
    with pytest.raises(StoreUnreadable, match=r"changing\.undo: its water is annotated with <class 'int'>"):
        again(drawing)
    type("Changing", (End,), {"__module__": "tests.changing", "__qualname__": "Changing"})
    with pytest.raises(StoreUnreadable, match=r"tests.changing.Changing is no River any more"):
        again(drawing)


@pytest.mark.promise("2.5")
def test_a_chart_with_a_class_of_an_unknown_kind_is_refused() -> None:
    drawing = laid()
    chart = msgspec.structs.replace(
        drawing.chart, mouth=msgspec.structs.replace(drawing.chart.mouth, atlantic="tests.drawing.streams.Create")
    )

    with pytest.raises(StoreUnreadable, match=r"~: tests.drawing.streams.Create is no Atlantic any more"):
        bind(chart, drawing.digest)


@pytest.mark.promise("10.9")
def test_a_new_parameter_with_a_default_loads_and_others_say_what_to_do() -> None:
    drawing = laid()
    bound = again(drawing)

    def streams(**create: bytes) -> Any:
        parameters = {"create": {name: msgspec.Raw(value) for name, value in create.items()}, "east/tag-a": {}}
        return bound.streams(Cargo(parameters={**drawing.cargo.parameters, **parameters}))

    with pytest.raises(
        StoreUnreadable, match=r"east/tag-a: what is stored .*misses tags.*give new parameters defaults"
    ):
        streams(kind=b'"vm"')
    with pytest.raises(StoreUnreadable, match=r"create: what is stored .*was given colour.*keep the old ones"):
        streams(kind=b'"vm"', colour=b"1")
    with pytest.raises(StoreUnreadable, match=r"create: kind is damaged"):
        streams(kind=b'"')
    only_kind = {**drawing.cargo.parameters, "create": {"kind": msgspec.Raw(b'"x"')}}
    assert parameters_of(bound.streams(Cargo(parameters=only_kind))["create"]) == {"kind": "x", "size": 1}


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("attribute", "value"), [("max_running", -1), ("deadline", -5.0), ("signals", ("",)), ("cycle_backoff", 0.5)]
)
def test_an_attribute_that_no_drawing_has_is_unreadable(attribute: str, value: object) -> None:
    drawing = laid()
    (anchor,) = (place.anchor for place in drawing.chart.streams if place.name == "create")  # type: ignore[union-attr]  # a river
    anchors = {"create": msgspec.structs.replace(anchor, **{attribute: value})}

    with pytest.raises(StoreUnreadable, match=f"create: what is stored .*{attribute} = .* is not possible"):
        again(drawing).streams(Cargo(parameters=drawing.cargo.parameters, anchors=anchors))


def poured(module: str) -> Any:
    return type("Poured", (Headwaters,), {"__module__": module, "__qualname__": "Poured", "__slots__": ()})


@pytest.mark.promise("2.5")
def test_the_latest_water_class_of_a_name_is_meant() -> None:
    first, latest = poured("tests.pouring"), poured("tests.pouring")
    drawing = lay(Andes("x", first) >> Attach() >> End(), None, {})

    assert drawing.bound.water is first
    assert again(drawing).water is latest


@pytest.mark.promise("2.5")
def test_an_imported_water_class_is_meant_before_that_of_the_script(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    main = ModuleType("__main__")
    main.__file__ = str(tmp_path / "pouring.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    of_script, imported = poured("__main__"), poured("pouring")
    drawing = lay(Andes("x", of_script) >> Attach() >> End(), None, {})

    later = poured("__main__")

    assert again(drawing).water is imported
    assert later is not imported
