"""Does a water class know its keys, and does a body's view of it fit?"""

import gc
import weakref
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from tests.drawing.kinds import Disk
from vastflow.drawing.headwaters import Headwaters, declared, fits, later
from vastflow.drawing.storables import storable
from vastflow.errors import AttributeFault


class Water(Headwaters):
    image: str
    size: int = 5
    vm: str = later()
    spec: "Spec | None" = later()
    KINDS: ClassVar[list[str]] = ["vm", "volume"]
    kinds: "ClassVar[list[str]]" = KINDS

    @property
    def is_ready(self) -> bool:
        return "vm" in self


@storable
@dataclass
class Spec:
    """Comes after the class that names it."""

    x: int


@pytest.mark.promise("2.10")
def test_the_annotations_of_a_class_are_its_keys() -> None:
    keys = declared(Water)

    assert [(one.key, one.annotation, one.required, one.fault) for one in keys.values()] == [
        ("image", str, True, ""),
        ("size", int, False, ""),
        ("vm", str, False, ""),
        ("spec", Spec | None, False, ""),
    ]
    assert Water.kinds == ["vm", "volume"]
    assert declared(Headwaters) == {}


@pytest.mark.promise("2.10")
def test_a_class_inherits_keys_and_may_declare_one_again() -> None:
    class Wider(Water):
        vm: str
        zone: str = "east"

    keys = declared(Wider)

    assert list(keys) == ["image", "size", "vm", "spec", "zone"]
    assert keys["vm"].required
    assert Wider(image="a", vm="b").zone == "east"
    assert "zone" not in declared(Water)


@pytest.mark.promise("2.10")
def test_names_are_looked_up_in_the_module_then_in_the_frame_that_made_the_class() -> None:
    @storable
    @dataclass
    class Local:
        x: int

    class Disk:
        """Hides the module's, which wins all the same."""

    class Here(Headwaters):
        one: "Local"
        many: list["Local"]
        disk: "Disk"
        inner: "Inner"

        @storable
        @dataclass
        class Inner:
            y: int

    keys = declared(Here)

    assert [one.fault for one in keys.values()] == [""] * 4
    assert keys["one"].annotation is Local
    assert keys["many"].annotation == list[Local]
    assert keys["disk"].annotation is globals()["Disk"] is not Disk
    assert keys["inner"].annotation is Here.Inner


@pytest.mark.promise("2.9", "2.10")
def test_an_annotation_that_means_nothing_is_a_fault_that_names_it() -> None:
    class Wrong(Headwaters):
        gone: "Gone"  # type: ignore[name-defined]  # noqa: F821  # the fault that is tested
        broken: "list["  # type: ignore[valid-type]  # noqa: F722  # the fault that is tested
        client: type
        fine: int

    faults = [one.fault for one in declared(Wrong).values()]

    assert faults[0].endswith("Wrong.gone: the name 'Gone' in Gone means nothing there: import or define it before")
    assert "Wrong.broken: list[ is no type (SyntaxError" in faults[1]
    assert "Wrong.client: no value of type type can be stored: put @storable above that class" in faults[2]
    assert faults[3] == ""
    assert [fault in fits(Wrong, Water) for fault in faults[:3]] == [True] * 3


@pytest.mark.promise("2.10")
def test_a_class_whose_names_mean_nothing_yet_can_be_used_and_is_checked_later() -> None:
    names = {"Headwaters": Headwaters, "__name__": "not.imported.yet"}
    exec("class Early(Headwaters):\n    item: 'Soon'\n", names)  # noqa: S102  # a module that is half loaded
    early: Any = names["Early"]

    water = early(item=3)

    assert water.item == 3
    assert "'Soon'" in declared(early)["item"].fault


@pytest.mark.promise("2.10")
def test_a_class_made_in_a_function_is_let_go_with_its_frame() -> None:
    class Heavy:
        pass

    def make() -> weakref.ref[Any]:
        heavy = Heavy()

        class Passing(Headwaters):
            x: "int"

        declared(Passing)
        gone.append(weakref.ref(heavy))
        return weakref.ref(Passing)

    gone: list[weakref.ref[Any]] = []
    passing = make()
    gc.collect()

    assert (gone[0](), passing()) == (None, None)


@pytest.mark.promise("2.10")
@pytest.mark.parametrize("key", ["items", "keys", "get", "put", "pop", "update", "changes", "open", "clear"])
def test_a_key_named_like_a_method_of_the_water_is_refused(key: str) -> None:
    with pytest.raises(AttributeFault) as caught:
        type("Wrong", (Headwaters,), {"__annotations__": {key: int}})

    assert str(caught.value) == (
        f"Wrong.{key}: every water has a method of this name, so water.{key} could not be the entry: "
        f"give the key another name, such as {key}_"
    )


@pytest.mark.promise("2.10")
def test_a_key_with_a_leading_underscore_is_refused() -> None:
    with pytest.raises(AttributeFault, match=r"Wrong\._x: a key of a typed water begins with a letter"):
        type("Wrong", (Headwaters,), {"__annotations__": {"_x": int}})


@pytest.mark.promise("2.10")
def test_a_key_hidden_by_a_method_or_a_bare_default_is_refused() -> None:
    with pytest.raises(AttributeFault, match=r"Wrong\.vm: this is a key of a class it derives from: write its type"):
        type("Wrong", (Water,), {"vm": "vm-1"})


class Subset(Headwaters):
    vm: str
    size: Any


class Renamed(Headwaters):
    vn: str


class Retyped(Headwaters):
    size: float
    vm: str


class Item(Headwaters):
    vm: str
    payload: str


class Faulty(Headwaters):
    vm: "Gone"  # type: ignore[name-defined]  # noqa: F821  # the fault that is tested


@pytest.mark.promise("2.10")
def test_a_view_fits_whose_keys_and_types_are_the_waters() -> None:
    assert fits(Water, Water) == []
    assert fits(Subset, Water) == []
    assert fits(Headwaters, Water) == []
    assert fits(Retyped, Headwaters) == []


@pytest.mark.promise("2.9", "2.10")
def test_a_view_that_does_not_fit_is_told_with_what_where_and_what_to_do() -> None:
    assert fits(Renamed, Water) == [
        "Renamed.vn: the flow's water Water has no such key (did you mean 'vm'?): declare it there"
    ]
    assert fits(Retyped, Water) == [
        "Retyped.size is declared as float, in the flow's water Water as int: declare the same type in both"
    ]
    assert fits(Item, Water) == ["Item.payload: the flow's water Water has no such key: declare it there"]
    assert fits(Item, Water, {"payload"}) == []
    assert fits(Subset, Faulty)[0].startswith("Subset.size: ")


@pytest.mark.promise("2.10")
def test_a_view_may_use_names_of_the_flows_water_class() -> None:
    @storable
    @dataclass
    class Far:
        x: int

    class Whole(Headwaters):
        far: "Far"
        near: "Near"

        @storable
        @dataclass
        class Near:
            x: int

    view = elsewhere()

    assert declared(view)["far"].fault
    assert fits(view, Whole) == []
    assert declared(view)["far"].annotation is Far


def elsewhere() -> type[Headwaters]:
    class View(Headwaters):
        far: "Far"  # type: ignore[name-defined]  # noqa: F821  # known to the flow's water only
        near: "Near"  # type: ignore[name-defined]  # noqa: F821  # known to the flow's water only

    return View


@pytest.mark.promise("2.10")
def test_a_default_may_be_anything_storable() -> None:
    class Defaults(Headwaters):
        disk: Disk = Disk("a")
        many: list[int] = [1]  # noqa: RUF012  # each water has its own copy

    one, other = Defaults(), Defaults()
    one.many.append(2)

    assert (one.disk, one.many, other.many) == (Disk("a"), [1, 2], [1])
