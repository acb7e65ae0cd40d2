"""Is a drawing drawn the same with methods and with operators?"""

from typing import Any

import pytest

from tests.drawing.streams import Attach, Create, End, Water
from vastflow.drawing import Andes, Headwaters, ParallelRiver, lay
from vastflow.errors import DrawingError

a, b, end = Create("a"), Attach(), End()


@pytest.mark.promise("2.1")
def test_methods_change_the_drawing_and_return_it() -> None:
    andes = Andes("x")

    assert andes.draw_headwaters(Headwaters(image="debian")) is andes
    assert andes.draw_stream(a).draw_stream(ParallelRiver(a, b)) is andes
    assert andes.draw_atlantic(end) is andes
    assert (len(andes.streams), andes.atlantic, andes.headwaters) == (2, end, {"image": "debian"})


@pytest.mark.promise("2.1")
def test_operators_make_a_new_drawing() -> None:
    andes: Andes[Water] = Andes("x", Water).draw_headwaters({"image": "debian"})

    flowing = andes >> a
    ended = flowing >> (a | b) >> end

    assert (andes.streams, flowing.streams, flowing.atlantic) == ((), (a,), None)
    assert (ended.name, ended.water, len(ended.streams), ended.atlantic) == ("x", Water, 2, end)
    assert ended.headwaters == {"image": "debian"}


@pytest.mark.promise("2.1", "2.8")
def test_both_spellings_give_one_chart() -> None:
    one = Andes("x") >> a >> (a | b) >> end
    other = Andes("x").draw_stream(a).draw_stream(ParallelRiver(a, b)).draw_atlantic(end)

    assert lay(one, None, {}).digest == lay(other, None, {}).digest


@pytest.mark.promise("2.2")
def test_drawn_water_is_the_default_and_keeps_its_own_copy() -> None:
    told: dict[str, Any] = {"zones": ["a"], "image": "debian"}
    andes = (Andes("x") >> a >> end).draw_headwaters(told)
    told["zones"].append("b")

    laid = lay(andes, {"image": "arch"}, {"size": 3})

    assert {key: bytes(raw) for key, raw in laid.cargo.water.items()} == {
        "zones": b'["a"]',
        "image": b'"arch"',
        "size": b"3",
    }


@pytest.mark.promise("2.1")
def test_the_atlantic_may_be_drawn_before_the_streams_with_methods_only() -> None:
    andes = Andes("x").draw_atlantic(end).draw_stream(a)

    assert andes.streams == (a,)
    with pytest.raises(DrawingError, match="nothing flows on after"):
        _ = andes >> b


@pytest.mark.promise("2.1")
def test_a_bar_after_an_andes_asks_for_parentheses() -> None:
    with pytest.raises(TypeError, match="put parentheses"):
        Andes("x") >> a | b


@pytest.mark.parametrize("name", ["", "  ", "a\nb", 7, None])
def test_an_andes_has_a_name_that_can_be_read(name: Any) -> None:
    with pytest.raises(DrawingError, match="this is no name"):
        Andes(name)
