"""Does a drawing keep everything when it is laid flat?"""

from typing import Any

import msgspec
import pytest

from tests.drawing.streams import Attach, Create, End, Tag, drawn
from vastflow.drawing import Andes, Basin, ParallelRiver, River, lay
from vastflow.drawing.chart import Anchor, BasinPlace, Chart, EachPlace, Mouth, ParallelPlace, RiverPlace, Waits
from vastflow.drawing.parallel_river import Stream
from vastflow.errors import DrawingError

CREATE = Anchor(retry=Waits(times=3), deadline=600.0)
HERE = "tests.drawing.streams"


def chart(*streams: Stream) -> Chart:
    return lay(drawn(*streams), None, {}).chart


def create(name: str = "create", **more: Any) -> RiverPlace:
    return RiverPlace(name, f"{HERE}.Create", ("flow", "cycle"), more.pop("anchor", CREATE), **more)


def attach(name: str = "attach", **more: Any) -> RiverPlace:
    return RiverPlace(name, f"{HERE}.Attach", ("flow",), Anchor(), **more)


@pytest.mark.promise("2.8")
def test_a_chart_holds_classes_names_attributes_and_nesting() -> None:
    parallel = ParallelRiver(Create("vm"), Attach() >> Attach(), join="settle", max_failures=0.5, on_conflict="last")

    assert chart(Create("x") >> parallel, Attach()) == Chart(
        "test",
        "vastflow.drawing.headwaters.Headwaters",
        (
            create(),
            ParallelPlace(
                "parallel-river", ((create("create-2"),), (attach(), attach("attach-2"))), "settle", 0.5, "last"
            ),
            attach("attach-3"),
        ),
        Mouth("end", f"{HERE}.End", Waits(times=2)),
    )


@pytest.mark.promise("2.0", "2.6", "5.7")
def test_a_basin_is_kept_with_all_its_arguments_and_colours_what_is_in_it() -> None:
    inner = Basin("inner", Attach().options(color="red"), Attach())
    basin = Basin(
        "east", inner, Attach(), inputs={"a": "b"}, outputs=["c"], water={"d": 1}, color="blue",
        continue_on_failure=True, retry_times=2,
    )  # fmt: skip

    assert chart(basin, Attach()).streams == (
        BasinPlace(
            "east",
            (
                BasinPlace("inner", (attach(color="red"), attach("attach-2", color="blue")), color="blue"),
                attach(color="blue"),
            ),
            inputs={"a": "b"},
            outputs={"c": "c"},
            added=("d",),
            continue_on_failure=True,
            retry=Waits(times=2),
            color="blue",
        ),
        attach(),
    )


@pytest.mark.promise("2.0", "6.2")
def test_an_each_is_kept_with_its_template_once() -> None:
    each = ParallelRiver.each("files", Create("x"), item="file", limit=20, collect={"row": "rows"}, max_failures=2)

    assert chart(each).streams == (EachPlace("create", "files", "file", (create(),), 20, {"row": "rows"}, 2),)


@pytest.mark.promise("2.6")
def test_an_each_is_named_after_its_template_and_counted_with_it() -> None:
    def each(stream: Stream) -> Stream:
        return ParallelRiver.each("files", stream, item="file")

    streams = chart(Create("x"), each(Create("x")), each(each(Attach())), each(Basin("east", Attach()))).streams

    assert [place.name for place in streams] == ["create", "create-2", "attach", "east"]
    assert streams[2] == EachPlace("attach", "files", "file", (EachPlace("attach", "files", "file", (attach(),)),))


@pytest.mark.promise("2.6")
def test_a_name_is_a_template_of_the_parameters() -> None:
    streams = chart(Tag(["a"]), Tag(["b"]), Tag(["a"]), Create("vm").options(name="new-{kind}-{size}")).streams

    assert [place.name for place in streams] == ["tag-a", "tag-b", "tag-a-2", "new-vm-1"]


@pytest.mark.promise("2.6")
def test_names_begin_anew_in_every_basin_and_each() -> None:
    each = ParallelRiver.each("files", Attach() >> Attach(), item="file", name="all")
    streams = chart(Attach(), Basin("east", Attach()), each).streams

    assert isinstance(streams[1], BasinPlace)
    assert isinstance(streams[2], EachPlace)
    assert [place.name for place in (*streams[1].streams, *streams[2].streams)] == ["attach", "attach", "attach-2"]


@pytest.mark.promise("2.6")
def test_parallel_rivers_have_names_too() -> None:
    names = [
        place.name
        for place in chart(Attach() | Attach(), ParallelRiver(Attach()), ParallelRiver(Attach(), name="x")).streams
    ]

    assert names == ["parallel-river", "parallel-river-2", "x"]


@pytest.mark.promise("2.4", "2.8")
def test_options_are_part_of_the_chart_and_parameters_are_not() -> None:
    plain = lay(drawn(Create("vm")), None, {})
    other = lay(drawn(Create("volume", size=3)), None, {})
    optioned = lay(drawn(Create("vm").options(retry_times=9)), None, {})

    assert plain.digest == other.digest != optioned.digest
    assert optioned.chart.streams == (create(anchor=msgspec.structs.replace(CREATE, retry=Waits(times=9))),)
    assert {address: {k: bytes(v) for k, v in told.items()} for address, told in other.cargo.parameters.items()} == {
        "create": {"kind": b'"volume"', "size": b"3"},
        "~": {"note": b'""'},
    }


@pytest.mark.promise("5.7")
def test_the_added_water_of_a_basin_is_cargo() -> None:
    laid = lay(drawn(Basin("east", Basin("inner", Attach(), water={"x": [1]}))), None, {})

    assert bytes(laid.cargo.parameters["east/inner"]["x"]) == b"[1]"
    assert "east" not in laid.cargo.parameters


@pytest.mark.promise("2.9")
def test_all_faults_are_told_in_one_error() -> None:
    class Abstract(River):
        pass

    class Spoiled(River):
        def flow(self, water: Any) -> None:
            """Do nothing."""

    spoiled = Spoiled().options(color="red")
    Spoiled.timeout = -1
    bad: Any = object()
    andes = (
        Andes("wrong").draw_stream(ParallelRiver(name="x")).draw_stream(Basin("x")).draw_stream(Abstract())
        .draw_stream(Create(bad)).draw_stream(Basin("y", Attach(), water={"a": bad})).draw_stream(spoiled)
        .draw_stream(Spoiled())
    )  # fmt: skip

    with pytest.raises(DrawingError) as caught:
        lay(andes, None, {"b": bad})

    assert caught.value.name == "wrong"
    assert len(caught.value.faults) == 10
    for number, beginning in enumerate(
        [
            "Andes('wrong'): 2 streams are called 'x'",
            "x: this ParallelRiver is empty",
            "x: this Basin is empty",
            "abstract: the class",
            "create: kind",
            "y: a",
            "spoiled: Spoiled",
            "spoiled-2: Spoiled",
            "Andes('wrong'): it has no Atlantic",
            "Andes('wrong'): in the starting water, b",
        ]
    ):
        assert beginning.split(": ")[0] in caught.value.faults[number]
        assert beginning.split(": ")[1] in caught.value.faults[number]


@pytest.mark.promise("2.9")
def test_an_atlantic_made_wrong_later_is_a_fault_too() -> None:
    class Ending(End):
        pass

    andes = Andes("x") >> Attach() >> Ending()
    Ending.retry_times = -1

    with pytest.raises(DrawingError, match=r"~: .*Ending: retry_times = -1"):
        lay(andes, None, {})
