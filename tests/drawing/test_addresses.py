"""Does everything stand where its address says?"""

import pytest

from tests.drawing.streams import Attach, Create, drawn
from vastflow.drawing import Basin, ParallelRiver, lay
from vastflow.drawing.addresses import spots
from vastflow.drawing.chart import Chart
from vastflow.drawing.parallel_river import Stream


def chart(*streams: Stream) -> Chart:
    return lay(drawn(*streams), None, {}).chart


def addresses(*streams: Stream) -> list[str]:
    return [spot.address for spot in spots(chart(*streams).streams)]


@pytest.mark.promise("2.6")
def test_the_address_is_the_path_through_basins() -> None:
    inner = Basin("inner", Create("vm") | Create("volume"))

    assert addresses(Create("x") >> Basin("east", Attach(), inner), Attach()) == [
        "create",
        "east",
        "east/attach",
        "east/inner",
        "east/inner/parallel-river",
        "east/inner/create",
        "east/inner/create-2",
        "attach",
    ]


@pytest.mark.promise("2.6")
def test_the_same_river_drawn_twice_stands_at_two_addresses() -> None:
    river = Attach()

    assert addresses(river >> river, river | river) == ["attach", "attach-2", "parallel-river", "attach-3", "attach-4"]


@pytest.mark.promise("2.6")
def test_an_each_over_one_stream_stands_at_its_branches_own_address() -> None:
    each = ParallelRiver.each("files", Attach(), item="file")
    renamed = ParallelRiver.each("files", Attach(), item="file", name="convert")
    basin = ParallelRiver.each("files", Basin("east", Attach()), item="file")

    assert addresses(each, renamed, basin) == ["attach", "attach", "convert", "convert", "east", "east", "east/attach"]


@pytest.mark.promise("2.6")
def test_an_each_over_a_chain_or_branches_puts_its_name_before_them() -> None:
    chain = ParallelRiver.each("files", Attach() >> Create("x"), item="file", name="convert")
    branches = ParallelRiver.each("files", Attach() | Create("x"), item="file")

    assert addresses(chain, branches) == [
        "convert",
        "convert/attach",
        "convert/create",
        "parallel-river",
        "parallel-river/parallel-river",
        "parallel-river/attach",
        "parallel-river/create",
    ]


@pytest.mark.promise("2.10")
def test_items_and_added_water_are_allowed_below_where_they_come_in() -> None:
    inner = Basin("inner", Attach(), inputs={"file": "it", "x": "y"}, water={"region": "east"})
    outer = Basin("outer", inner, Attach())

    found = {
        spot.address: set(spot.extras)
        for spot in spots(chart(ParallelRiver.each("files", outer >> Attach(), item="file", name="all")).streams)
    }

    assert found == {
        "all": set(),
        "all/outer": {"file"},
        "all/outer/inner": {"file"},
        "all/outer/inner/attach": {"it", "region"},
        "all/outer/attach": {"file"},
        "all/attach": {"file"},
    }
