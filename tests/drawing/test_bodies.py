"""Does a class know its bodies and the view each asks for?"""

from collections.abc import Mapping, MutableMapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from tests.drawing.streams import Water
from vastflow.drawing import Headwaters, River
from vastflow.drawing.bodies import view_of
from vastflow.drawing.declaration import shape_of

if TYPE_CHECKING:
    from somewhere import Unseen  # type: ignore[import-not-found]  # nobody sees it


class View(Headwaters):
    vm: str


class Base(River):
    retry_times = 1

    def when(self, water: "View") -> bool:
        return "vm" in water

    def flow(self, water: "Later") -> None:
        """Do nothing."""

    async def undo(self, water: Any) -> None:
        """Do nothing."""

    def update(self, attr: Any, water: View) -> None:
        """Change nothing."""


class Heir(Base):
    def reconcile(self, water: "Unseen") -> None:
        """Do nothing."""


class Later(Headwaters):
    image: str


def view(cls: type[River], body: str, water: type[Headwaters] = Water) -> object:
    return view_of(shape_of(cls).bodies[body], water)


@pytest.mark.promise("4.1")
def test_bodies_are_listed_in_the_order_of_a_rivers_life() -> None:
    assert shape_of(Heir).called == ("when", "flow", "undo", "reconcile")
    assert shape_of(River).called == ()


@pytest.mark.promise("4.4")
def test_a_body_is_def_or_async_def() -> None:
    assert {name: body.is_async for name, body in shape_of(Base).bodies.items()} == {
        "when": False,
        "flow": False,
        "undo": True,
        "update": False,
    }


@pytest.mark.promise("2.10")
def test_the_annotation_says_which_view_a_body_gets_also_as_text_and_before_its_class() -> None:
    assert view(Heir, "when") == (View, "")
    assert view(Heir, "flow") == (Later, "")
    assert view(Heir, "update") == (View, "")
    assert view(Heir, "undo") == (Water, "")


@pytest.mark.promise("2.10")
def test_names_are_looked_up_where_the_class_was_made() -> None:
    class Local(Headwaters):
        vm: str

    class Here(River):
        def flow(self, water: "Local") -> None:
            """Do nothing."""

    assert view(Here, "flow") == (Local, "")


@pytest.mark.promise("2.10")
def test_a_name_only_a_type_checker_sees_may_be_the_flows_water() -> None:
    class Unseen(Headwaters):
        image: str

    assert view(Heir, "reconcile", Unseen) == (Unseen, "")
    water, fault = view_of(shape_of(Heir).bodies["reconcile"], Water)
    assert water is Water
    assert "'Unseen'" in fault


@pytest.mark.promise("2.10")
@pytest.mark.parametrize("annotation", [None, Any, object, Headwaters, Mapping, MutableMapping[str, int]])
def test_a_body_that_asks_for_no_view_gets_the_flows_water(annotation: object) -> None:
    def flow(_self: Any, water: Any) -> None:
        """Do nothing."""

    flow.__annotations__["water"] = annotation
    if annotation is None:
        flow.__annotations__.clear()

    assert view(type("Free", (River,), {"flow": flow}), "flow") == (Water, "")


def test_a_decorated_body_keeps_its_view() -> None:
    def logged(body: Any) -> Any:
        @wraps(body)
        def told(*args: Any) -> Any:
            return body(*args)

        return told

    class Wrapped(River):
        @logged
        def flow(self, water: View) -> None:
            """Do nothing."""

    assert view(Wrapped, "flow") == (View, "")


def test_a_body_may_take_anything() -> None:
    class Open(River):
        def flow(self, *args: Any) -> None:
            """Do nothing."""

    class Opener(River):
        def flow(*args: Any) -> None:
            """Do nothing."""

    assert view(Open, "flow") == (Water, "")
    assert view(Opener, "flow") == (Water, "")
