"""Which classes may be stored, and do their values survive a change of the class?"""

import gc
import weakref
from dataclasses import InitVar, dataclass, field
from enum import Enum, IntFlag
from typing import Any

import msgspec
import pytest

from vastflow.drawing import registry
from vastflow.drawing.storables import form_of, storable
from vastflow.drawing.values import decode, encode
from vastflow.errors import RegistryError, StoreUnreadable, UnstorableValue

HOME = __name__


def made(name: str, **members: Any) -> Any:
    """Return a new dataclass of this page, as a reload would make it."""
    return storable(dataclass(type(name, (), {"__module__": HOME, "__qualname__": name, **members})))


@pytest.mark.promise("5.3")
def test_a_class_made_again_replaces_the_earlier_one() -> None:
    first = made("Reloaded", __annotations__={"x": int})
    stored = encode(first(1))

    second = made("Reloaded", __annotations__={"x": int, "y": int}, y=7)
    back = decode(stored)

    assert type(back) is second
    assert (back.x, back.y) == (1, 7)
    assert encode(first(1)) == stored


@pytest.mark.promise("5.3")
def test_a_replaced_class_is_let_go() -> None:
    first = weakref.ref(made("Replaced", __annotations__={"x": int}))

    made("Replaced", __annotations__={"x": int})
    gc.collect()

    assert first() is None


@pytest.mark.promise("5.3", "10.9")
def test_a_field_that_is_gone_strands_and_one_that_came_takes_its_default() -> None:
    fuller = made("Changing", __annotations__={"x": int, "gone": int})
    stored = encode(fuller(1, 2))

    made("Changing", __annotations__={"x": int})

    with pytest.raises(StoreUnreadable, match=r"Changing has no field 'gone' any more: give it back"):
        decode(stored)


@pytest.mark.promise("5.3")
def test_what_the_constructor_does_not_take_or_changes_comes_back_as_it_was() -> None:
    @storable
    @dataclass(frozen=True)
    class Counted:
        name: str
        seen: int = field(default=0, init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "name", self.name + "!")
            object.__setattr__(self, "length", len(self.name))

    counted = Counted("a")
    object.__setattr__(counted, "seen", 3)

    back = decode(encode(counted))

    assert (back.name, back.seen, back.length) == ("a!", 3, 3)


@pytest.mark.promise("5.3")
def test_a_constructor_that_raises_makes_the_value_unreadable() -> None:
    @storable
    @dataclass
    class Strict:
        x: int

        def __post_init__(self) -> None:
            if self.x > 1:
                message = "too much"
                raise LookupError(message)

    stored = encode(Strict(1)).replace(b'"x":1', b'"x":2')

    with pytest.raises(StoreUnreadable, match=r"LookupError: too much"):
        decode(stored)


@pytest.mark.promise("5.3", "2.5")
def test_a_class_may_be_renamed_and_pinned() -> None:
    @storable(registered_as="disk", renamed_from=("old.Disk",))
    @dataclass
    class Renamed:
        x: int

    @storable(registered_as="hue", renamed_from=("old.Hue",))
    class Hue(Enum):
        RED = 1

    assert encode(Renamed(1)) == b'{"$dataclass":["disk",{"x":1}]}'
    assert decode(b'{"$dataclass":["old.Disk",{"x":2}]}') == Renamed(2)
    assert encode(Hue.RED) == b'{"$enum":["hue","RED"]}'
    assert decode(b'{"$enum":["old.Hue","RED"]}') is Hue.RED


@pytest.mark.promise("2.5", "5.3")
def test_two_classes_that_pin_one_name_are_refused() -> None:
    @storable(registered_as="taken")
    @dataclass
    class One:
        x: int

    with pytest.raises(RegistryError, match=r"the name 'taken' is claimed by two classes, .*One and .*Two"):

        @storable(registered_as="taken")
        @dataclass
        class Two:
            x: int

    assert decode(b'{"$dataclass":["taken",{"x":1}]}') == One(1)


def unnamed(cls: type) -> str:
    with pytest.raises(UnstorableValue) as caught:
        storable(cls)
    return str(caught.value)


@pytest.mark.promise("5.3")
def test_only_dataclasses_and_enums_can_be_made_storable() -> None:
    class Plain:
        pass

    class Record(msgspec.Struct):
        x: int

    @dataclass
    class Parent:
        x: int

    class Child(Parent):
        pass

    for cls in (Plain, Record, Child):
        assert unnamed(cls).endswith(
            f"{cls.__name__} is neither a dataclass nor an Enum: put @storable above @dataclass"
        )
        assert form_of(cls) is None


@pytest.mark.promise("5.3")
def test_a_dataclass_that_cannot_be_made_from_its_fields_is_refused_when_it_is_decorated() -> None:
    @dataclass
    class Asks:
        x: int
        key: InitVar[int]

    @dataclass
    class Own:
        x: int

        def __init__(self, y: int = 0) -> None:
            self.x = y

    @dataclass(init=False)
    class Bare:
        x: int

    @dataclass
    class Fine:
        x: int
        key: InitVar[int] = 0

    assert "Asks cannot be made again from its fields (key): let @dataclass write its __init__" in unnamed(Asks)
    assert "Own cannot be made again from its fields (x)" in unnamed(Own)
    assert "Bare cannot be made again from its fields (x)" in unnamed(Bare)
    assert decode(encode(storable(Fine)(1))) == Fine(1)


@pytest.mark.promise("5.3")
def test_a_river_of_the_same_registry_is_no_storable_class() -> None:
    class River:
        pass

    registry.register(River)

    with pytest.raises(StoreUnreadable, match="River is not known here"):
        decode(b'{"$dataclass":["%s",{}]}' % registry.name_of(River).encode())


@pytest.mark.promise("5.3")
def test_a_flag_with_bits_nobody_named_is_refused() -> None:
    @storable
    class Mode(IntFlag):
        READ = 1
        WRITE = 2

    with pytest.raises(UnstorableValue, match=r"modes\[0\]: .* has bits that no member of .*Mode names"):
        encode([Mode(5)], "modes")
    assert decode(encode(Mode.READ | Mode.WRITE)) == Mode(3)
