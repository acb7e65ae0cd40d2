"""Does the water hold what was put, tell what was changed, and share nothing with anybody?"""

import copy
import gc
from collections.abc import Callable, MutableMapping
from types import new_class
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.drawing.kinds import KEYS, VALUES, Color, Disk, Machine, same
from vastflow.drawing.headwaters import Headwaters, later, limits_of, rebase
from vastflow.drawing.values import Limits, canonical, decode, encode
from vastflow.errors import (
    AttributeFault,
    StoreUnreadable,
    UndeclaredKey,
    UnstorableValue,
    WaterError,
    WaterKeyError,
    WaterTypeError,
)


class Water(Headwaters):
    image: str
    size: float = 5
    vm: str = later()
    disks: list[dict[str, int]] = later()
    mode: Literal["fast", "slow"] | None = later()

    @property
    def is_ready(self) -> bool:
        return "vm" in self


def stored(**values: Any) -> dict[str, bytes]:
    return {key: encode(value) for key, value in values.items()}


# As a mapping


@pytest.mark.promise("5.1")
def test_the_water_is_a_mutable_mapping() -> None:
    water = Headwaters({"a": 1}, b=[2])

    water["c"] = 3
    del water["a"]

    assert isinstance(water, MutableMapping)
    assert water == {"b": [2], "c": 3}
    assert water != {"b": [2]}
    assert (list(water), len(water), "b" in water, "a" in water) == (["b", "c"], 2, True, False)
    assert water.pop("b") == [2]
    assert water.get("zz", 7) == 7
    assert dict(water) == {"c": 3}
    assert water.popitem() == ("c", 3)
    assert not water
    with pytest.raises(WaterKeyError):
        del water["c"]


@pytest.mark.promise("5.1")
def test_put_puts_and_can_be_chained() -> None:
    assert Headwaters().put("a", 1).put("b", None) == {"a": 1, "b": None}


@pytest.mark.promise("5.1")
def test_setdefault_returns_what_can_be_gone_on_with() -> None:
    water = Headwaters()

    water.setdefault("rows", []).append(1)
    water.setdefault("rows", []).append(2)

    assert water["rows"] == [1, 2]


@pytest.mark.promise("5.1")
def test_the_water_is_not_hashable() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Headwaters())


@pytest.mark.promise("5.1")
def test_its_repr_is_short_and_never_fails() -> None:
    many = Headwaters({f"k{number}": number for number in range(9)})

    assert repr(many) == "Headwaters(k0=0, k1=1, k2=2, k3=3, k4=4, k5=5, ...)"
    assert len(repr(Headwaters(a="x" * 1000, b=list(range(1000))))) < 200
    assert repr(Water(image="a")) == "Water(image='a', size=5)"
    assert repr(Headwaters.open({"a": b"[1", "b": b"2"})) == "Headwaters(a=<unreadable>, b=2)"
    assert repr(Headwaters(n=10**5000)) == "Headwaters(n=<a int>)"


@pytest.mark.promise("2.2", "5.1")
def test_a_water_can_be_made_from_a_water() -> None:
    made: Any = Water
    water = made(Water(image="a", vm="x"), vm="y")

    assert water == {"image": "a", "size": 5, "vm": "y"}


# Refused when put

UNFIT: list[tuple[str, Any, str]] = [
    ("spec", float("nan"), "spec: the float nan cannot be stored"),
    ("spec", {"a": [float("inf")]}, 'spec["a"][0]: the float inf cannot be stored'),
    ("spec", {1: 2}, "spec: the key 1 is a int, but keys are plain text"),
    ("spec", {"a": Color}, 'spec["a"]: a value of type enum.EnumType cannot be stored'),
    ("spec", ["\ud800"], "spec[0]: the text"),
    ("spec", "x" * (1 << 20), "spec: this str takes 1048578 bytes, 1048576 are allowed"),
    ("\ud800", 1, "lone surrogate"),
]


@pytest.mark.promise("5.3")
@pytest.mark.parametrize("water", [Headwaters(), Headwaters.open({})], ids=["made", "opened"])
@pytest.mark.parametrize(("key", "value", "message"), UNFIT, ids=map(str, range(len(UNFIT))))
def test_what_cannot_be_stored_is_refused_when_it_is_put(water: Headwaters, key: str, value: Any, message: str) -> None:
    with pytest.raises(UnstorableValue) as caught:
        water[key] = value

    assert message in str(caught.value)
    assert key not in water


@pytest.mark.promise("5.3")
def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(UnstorableValue, match="the key 3 is a int, but keys are plain text"):
        Headwaters()[3] = 1  # type: ignore[index]  # what is tested


@pytest.mark.promise("5.3")
def test_the_water_may_be_as_large_as_the_limit_and_no_larger() -> None:
    water = Headwaters.open({"a": b'"xx"', "b": msgspec.Raw(b"1")}, limits=Limits(water=11))

    water["c"] = 123
    water["a"] = "yy"
    with pytest.raises(UnstorableValue) as caught:
        water["c"] = 1234
    del water["b"]
    water["c"] = 12345

    assert str(caught.value) == (
        "c: with it the water takes 12 bytes, 11 are allowed: delete keys that nobody reads any more, "
        "keep large data elsewhere and store where it is, or declare a larger limit with the flow's water, "
        "class Water(Headwaters, water_limit=...)"
    )
    assert water == {"a": "yy", "c": 12345}


class Roomy(Headwaters, value_limit=3 << 20, water_limit=4 << 20):
    """Allows more than others."""


class RoomyToo(Roomy, water_limit=5 << 20):
    image: str = ""


@pytest.mark.promise("5.3")
@pytest.mark.parametrize(
    ("water", "value", "whole"), [(Headwaters, 1, 16), (Roomy, 3, 4), (RoomyToo, 3, 5)], ids=["any", "own", "derived"]
)
def test_how_large_a_water_may_become_is_said_where_its_class_is_made(
    water: type[Headwaters], value: int, whole: int
) -> None:
    assert limits_of(water) == Limits(value=value << 20, water=whole << 20)


@pytest.mark.promise("5.3")
def test_the_limits_of_its_class_hold_at_the_start_and_in_a_body() -> None:
    large, too_large = "x" * (2 << 20), "x" * (3 << 20)
    opened = Roomy.open({})

    for water in (Roomy(), opened, copy.copy(opened)):
        water["a"] = large
        with pytest.raises(UnstorableValue, match="b: with it the water takes 4194310 bytes, 4194304 are allowed"):
            water["b"] = large
        with pytest.raises(
            UnstorableValue, match=r"b: this str takes .*, class Water\(Headwaters, value_limit=\.\.\.\)"
        ):
            water["b"] = too_large
        assert list(water) == ["a"]


@pytest.mark.promise("5.3")
def test_a_view_has_the_limits_it_is_opened_with() -> None:
    view = Headwaters.open({}, limits=limits_of(Roomy))

    view["a"] = "x" * (2 << 20)

    assert len(view.changes()[0]["a"]) == (2 << 20) + 2


@pytest.mark.promise("5.3")
def test_what_is_over_the_limit_already_can_be_read_and_made_smaller() -> None:
    water = Headwaters.open(stored(a="x" * 40), limits=Limits(value=20, water=20))

    assert water["a"] == "x" * 40
    water["a"] = "x"
    assert water.changes() == (stored(a="x"), ())


@pytest.mark.promise("5.3")
@pytest.mark.parametrize("limit", ["value_limit", "water_limit"])
@pytest.mark.parametrize("told", [0, -1, True, 1.5, "4 MiB"])
def test_a_limit_that_is_no_number_of_bytes_is_refused(limit: str, told: Any) -> None:
    with pytest.raises(AttributeFault, match=rf"Small: {limit}=.* write a number of bytes, such as {limit}=4 << 20"):
        new_class("Small", (Headwaters,), {limit: told})


@pytest.mark.promise("5.3")
def test_a_water_that_grows_in_place_is_measured_too() -> None:
    water = Headwaters.open({"a": b"[]"}, limits=Limits(water=10))

    water["a"].extend([1, 2, 3, 4])
    assert water.changes() == ({"a": b"[1,2,3,4]"}, ())
    water["a"].append(5)

    with pytest.raises(UnstorableValue, match=r"a: with it the water takes 12 bytes"):
        water.changes()


# What was changed


@pytest.mark.promise("5.4")
def test_nothing_touched_is_no_change() -> None:
    assert Headwaters.open(stored(a=1, b=[2])).changes() == ({}, ())


@pytest.mark.promise("5.4")
def test_reading_is_no_change() -> None:
    water = Headwaters.open({"a": msgspec.Raw(b'{"y":1,"x":2}'), "b": b" 1"})

    assert (water["a"], water["b"]) == ({"x": 2, "y": 1}, 1)
    assert water.changes() == ({}, ())


@pytest.mark.promise("5.4")
def test_what_was_put_changed_in_place_and_deleted_is_told() -> None:
    water = Headwaters.open(stored(a=1, b=[1], c={"x": [1]}, d=4, e=5, f=(1, [2])))

    water["a"] = 2
    water["b"].append(2)
    water["c"]["x"].append(2)
    water["f"][1].append(3)
    water["new"] = "n"
    del water["d"], water["e"]
    water["e"] = 6
    put, dropped = water.changes()

    assert {key: decode(value) for key, value in put.items()} == {
        "a": 2,
        "b": [1, 2],
        "c": {"x": [1, 2]},
        "e": 6,
        "f": (1, [2, 3]),
        "new": "n",
    }
    assert dropped == ("d",)


@pytest.mark.promise("5.4")
def test_a_key_put_back_to_what_it_was_is_no_change() -> None:
    water = Headwaters.open(stored(a=1, b=[1], c={"x": 1, "y": 2}))

    water["a"] = 2
    water["a"] = 1
    water["b"].append(2)
    water["b"].pop()
    del water["c"]
    water["c"] = {"y": 2, "x": 1}
    water["new"] = 1
    del water["new"]

    assert water.changes() == ({}, ())


@pytest.mark.promise("5.4")
def test_an_equal_value_of_another_type_is_a_change() -> None:
    water = Headwaters.open(stored(a=1, b=[1]))

    water["a"] = True
    water["b"] = (1,)

    assert water.changes()[0] == {"a": b"true", "b": b'{"$tuple":[1]}'}


@pytest.mark.promise("5.4")
def test_an_object_changed_in_a_body_after_it_was_put_counts_as_it_is_in_the_end() -> None:
    water = Headwaters.open({})

    rows = water["rows"] = [1]
    rows.append(2)

    assert water["rows"] is rows
    assert water.changes() == ({"rows": b"[1,2]"}, ())


@pytest.mark.promise("5.4")
def test_changes_can_be_asked_for_again() -> None:
    water = Headwaters.open(stored(a=[1]))

    water["a"].append(2)
    first = water.changes()
    water["a"].append(3)

    assert first == ({"a": b"[1,2]"}, ())
    assert water.changes() == ({"a": b"[1,2,3]"}, ())


@pytest.mark.promise("5.3", "5.4")
def test_what_became_unstorable_in_place_is_refused_with_its_key() -> None:
    water = Headwaters.open(stored(spec={"disks": [1]}))

    water["spec"]["disks"].append(len)

    with pytest.raises(UnstorableValue, match=r'^spec\["disks"\]\[1\]: a value of type builtin_function'):
        water.changes()


@pytest.mark.promise("5.4")
def test_changes_come_in_the_order_they_were_made() -> None:
    keys = [f"k{number}" for number in range(50)]
    water = Headwaters.open(dict.fromkeys(keys, b"[]"))

    for key in reversed(keys):
        water[key].append(1)

    assert list(water.changes()[0]) == keys[::-1]


@pytest.mark.promise("5.5")
def test_after_a_save_only_what_came_later_is_a_change() -> None:
    water = Headwaters.open(stored(a=1, b=[1], c=3))
    water["a"] = 2
    water["b"].append(2)
    water["new"] = "x"
    del water["c"]

    rebase(water, *water.changes())

    assert water.changes() == ({}, ())
    water["b"].append(3)
    del water["new"]
    assert water.changes() == (stored(b=[1, 2, 3]), ("new",))


@pytest.mark.promise("5.5")
def test_what_is_put_back_to_what_it_was_before_a_save_is_a_change() -> None:
    water = Headwaters.open(stored(a=1, c=3))
    water["a"] = 2
    del water["c"]
    rebase(water, *water.changes())

    water["a"] = 1
    water["c"] = 3

    assert water.changes() == (stored(a=1, c=3), ())
    assert dict(water) == {"a": 1, "c": 3}


@pytest.mark.promise("5.5")
def test_what_a_body_writes_while_it_is_saved_comes_with_the_next_changes() -> None:
    water = Headwaters.open(stored(a=1))
    water["a"] = 2
    water["b"] = 1
    taken = water.changes()

    water["a"] = 3
    del water["b"]
    rebase(water, *taken)

    assert water.changes() == (stored(a=3), ("b",))


class Tale(RuleBasedStateMachine):
    """A water beside a plain dict that is encoded as a whole at the end."""

    keys = st.sampled_from(["a", "b", "c"])

    @initialize(values=st.dictionaries(keys, VALUES))
    def begin(self, values: dict[str, Any]) -> None:
        self.base = stored(**values)
        self.model = {key: decode(value) for key, value in self.base.items()}
        self.water = Headwaters.open(dict(self.base))
        self.saving: tuple[Any, dict[str, bytes]] | None = None

    @rule(key=keys, value=VALUES)
    def put(self, key: str, value: Any) -> None:
        self.water[key] = value
        self.model[key] = decode(encode(value))

    @rule(key=keys)
    def drop(self, key: str) -> None:
        assert (self.water.pop(key, None) is None) == (self.model.pop(key, None) is None)

    @rule(key=keys)
    def read(self, key: str) -> None:
        assert same(self.water.get(key), self.model.get(key))

    @precondition(lambda self: any(isinstance(value, list | dict) for value in self.model.values()))
    @rule(key=KEYS)
    def change_in_place(self, key: str) -> None:
        name = next(name for name, value in self.model.items() if isinstance(value, list | dict))
        for thing in (self.model[name], self.water[name]):
            if isinstance(thing, list):
                thing.insert(0, [key])
            else:
                thing[key] = [key]

    @precondition(lambda self: self.saving is None)
    @rule()
    def begin_to_save(self) -> None:
        self.saving = (self.water.changes(), stored(**self.model))

    @precondition(lambda self: self.saving is not None)
    @rule()
    def have_saved(self) -> None:
        changes, self.base = self.saving or pytest.fail("checked before")
        rebase(self.water, *changes)
        self.saving = None

    @invariant()
    def the_changes_are_the_difference(self) -> None:
        if hasattr(self, "water"):
            new = stored(**self.model)
            put, dropped = self.water.changes()
            assert {key: canonical(value) for key, value in put.items()} == {
                key: canonical(value)
                for key, value in new.items()
                if key not in self.base or canonical(self.base[key]) != canonical(value)
            }
            assert set(dropped) == self.base.keys() - new.keys()
            assert self.water.encoded() | put == self.water.encoded()
            assert self.water.encoded().keys() == new.keys()


@pytest.mark.promise("5.1", "5.4", "5.5")
def test_the_changes_are_the_difference_to_what_it_was_opened_on_or_saved_last() -> None:
    run_state_machine_as_test(Tale, settings=settings(max_examples=50, stateful_step_count=12))


# Shared with nobody


@pytest.mark.promise("5.4")
def test_a_water_made_for_a_start_keeps_copies() -> None:
    rows = [[1]]
    water = Headwaters(rows=rows)
    water["more"] = rows

    rows[0].append(2)

    assert water == {"rows": [[1]], "more": [[1]]}
    assert water.encoded() == {"rows": b"[[1]]", "more": b"[[1]]"}


@pytest.mark.promise("5.4")
def test_what_is_read_from_a_water_made_for_a_start_can_be_changed_in_place() -> None:
    water = Headwaters(rows=[1])

    rows = water["rows"]
    rows.append(2)
    water["rows"] = rows
    rows.append(3)

    assert water.encoded() == {"rows": b"[1,2,3]"}


@pytest.mark.promise("5.4", "6.1")
def test_two_waters_opened_on_the_same_bytes_share_no_object() -> None:
    base = stored(rows=[[1]])
    one, other = Headwaters.open(base), Headwaters.open(base)

    one["rows"][0].append(2)
    one["new"] = 1

    assert other == {"rows": [[1]]}
    assert base == stored(rows=[[1]])
    assert Headwaters.open(one.encoded()) == {"rows": [[1, 2]], "new": 1}


@pytest.mark.promise("5.4")
def test_a_water_can_be_gone_through_while_another_on_the_same_bytes_is_written() -> None:
    base = stored(a=1, b=2, c=3)
    one, other = Headwaters.open(base), Headwaters.open(base)

    for number, key in enumerate(one):
        other[f"new{number}"] = key
        one[key + key] = number

    assert list(one) == ["a", "b", "c", "aa", "bb", "cc"]
    assert len(other) == 6


@pytest.mark.promise("5.4")
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_shares_nothing(copied: Callable[[Any], Any]) -> None:
    water = Water.open(stored(image="a", disks=[{"x": 1}], file=[1]), extra={"file"}, place="east/create")
    water["file"].append(2)

    twin = copied(water)
    twin.disks[0]["x"] = 2

    assert type(twin) is Water
    assert water == {"image": "a", "disks": [{"x": 1}], "file": [1, 2]}
    assert twin == {"image": "a", "disks": [{"x": 2}], "file": [1, 2]}


# Lazy


@pytest.mark.promise("5.4")
def test_nothing_is_decoded_before_it_is_asked_for() -> None:
    water = Headwaters.open({"good": b"1", "bad": b"[1"})

    assert ("bad" in water, list(water), len(water), water["good"]) == (True, ["good", "bad"], 2, 1)
    assert water.changes() == ({}, ())
    assert water.encoded() == {"good": b"1", "bad": b"[1"}
    with pytest.raises(StoreUnreadable, match="bad is damaged"):
        water["bad"]


@pytest.mark.promise("5.4")
def test_what_was_read_is_the_same_object_the_next_time() -> None:
    water = Headwaters.open(stored(a=[1]))

    assert water["a"] is water["a"]


# Read-only


@pytest.mark.promise("8.3")
def test_a_read_only_water_refuses_to_be_written() -> None:
    water = Water.open(stored(image="a", vm="b"), read_only=True)

    deeds: list[Callable[[], object]] = [
        lambda: water.put("vm", "c"),
        lambda: water.pop("vm"),
        lambda: setattr(water, "vm", "c"),
        lambda: delattr(water, "vm"),
        water.clear,
    ]
    for deed in deeds:
        with pytest.raises(
            WaterError, match=r"^\w+: this water is read-only, .*: copy what you need with dict\(water\)"
        ):
            deed()
    assert water == {"image": "a", "vm": "b"}


# Typed


@pytest.mark.promise("2.10")
def test_an_attribute_and_an_item_are_one_entry() -> None:
    water = Water(image="debian")

    water.vm = "vm-1"
    water["mode"] = "fast"
    del water.mode

    assert (water["vm"], water.image, water["size"], water.is_ready) == ("vm-1", "debian", 5, True)
    assert list(water) == ["image", "size", "vm"]
    assert not hasattr(water, "mode")


@pytest.mark.promise("2.9", "2.10")
def test_missing_are_the_keys_needed_at_start() -> None:
    assert Water().missing() == ["image"]  # type: ignore[call-arg]  # what start() will complain about
    assert Water(image="a").missing() == []
    assert Headwaters().missing() == []


@pytest.mark.promise("2.10")
@pytest.mark.parametrize("ask", [lambda water: water.vm, lambda water: water["vm"]], ids=["attribute", "item"])
def test_a_key_not_yet_written_raises_with_key_river_and_what_to_do(ask: Callable[[Water], Any]) -> None:
    with pytest.raises(WaterKeyError) as caught:
        ask(Water.open({}, place="east/create-vm"))

    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, AttributeError)
    assert not isinstance(caught.value, UndeclaredKey)
    assert caught.value.key == "vm"
    assert str(caught.value) == (
        "the water at 'east/create-vm' has no 'vm' (yet): let a stream before this one write it, or give it at start; "
        "to ask whether it is there write `'vm' in water`"
    )


@pytest.mark.promise("2.10")
def test_outside_a_river_a_missing_key_says_this_water() -> None:
    asks: list[Callable[[], Any]] = [lambda: Headwaters()["vm"], lambda: Headwaters().pop("vm")]
    for ask in asks:
        with pytest.raises(WaterKeyError, match=r"^this water has no 'vm' \(yet\)"):
            ask()


DEEDS: list[Callable[[Any], Any]] = [
    lambda water: water["imagee"],
    lambda water: water.imagee,
    lambda water: water.put("imagee", 1),
    lambda water: setattr(water, "imagee", 1),
    lambda water: water.__delitem__("imagee"),
]


@pytest.mark.promise("2.10")
@pytest.mark.parametrize("deed", DEEDS, ids=["read", "attribute", "put", "set", "delete"])
def test_a_typed_water_refuses_undeclared_keys_and_names_near_ones(deed: Callable[[Any], Any]) -> None:
    with pytest.raises(UndeclaredKey) as caught:
        deed(Water.open(stored(image="a", imagee="b"), place="east/create"))

    assert str(caught.value) == (
        "Water (at 'east/create') declares no key 'imagee' (did you mean 'image'?): "
        "declare it there, as in `imagee: str = later()`"
    )
    assert caught.value.key == "imagee"


@pytest.mark.promise("2.10")
def test_an_undeclared_key_at_start_is_refused() -> None:
    with pytest.raises(UndeclaredKey, match=r"^Water declares no key 'imag' \(did you mean 'image'\?\)"):
        Water(imag="a")  # type: ignore[call-arg]  # what is tested


@pytest.mark.promise("2.10", "6.2")
def test_keys_of_an_each_or_a_basin_are_allowed_where_they_are_handed_in() -> None:
    water = Water.open(stored(image="a", file="f", hidden=1), extra=frozenset({"file", "rate"}))

    water["rate"] = 2.5

    assert water == {"image": "a", "file": "f", "rate": 2.5}
    assert water.changes() == ({"rate": b"2.5"}, ())
    assert ("hidden" in water, len(water)) == (False, 3)
    assert water.encoded().keys() == {"image", "file", "hidden", "rate"}
    with pytest.raises(UndeclaredKey):
        water["hidden"]


@pytest.mark.promise("2.10")
def test_a_plain_water_has_no_attributes_and_says_so() -> None:
    water: Any = Headwaters(vm="a")

    for deed in (lambda: water.vm, lambda: setattr(water, "vm", "b")):
        with pytest.raises(
            UndeclaredKey, match=r"^Headwaters declares no keys, so 'vm' is no attribute: write water\["
        ):
            deed()
    with pytest.raises(AttributeError, match="object has no attribute '_vm'"):
        water._vm  # noqa: B018, SLF001  # what is tested


@pytest.mark.promise("2.10")
def test_a_method_of_the_water_cannot_be_hidden_by_an_attribute() -> None:
    with pytest.raises(AttributeError):
        Water(image="a").items = 3  # type: ignore[method-assign,assignment]  # what is tested


@pytest.mark.promise("2.10")
@pytest.mark.parametrize("values", [3, 0, [], [("image", "a")], "image"], ids=repr)
def test_a_water_that_is_made_of_no_mapping_says_what_it_can_be_made_of(values: Any) -> None:
    with pytest.raises(WaterTypeError, match=r"Water\(.*\): .* write Water\(image='debian'\) or Water\(\{"):
        Water(values)  # type: ignore[call-arg]  # what is tested


@pytest.mark.promise("2.10")
def test_values_are_checked_as_deep_as_declared_when_they_are_put() -> None:
    water = Water(image="a")

    with pytest.raises(WaterTypeError) as caught:
        water.disks = [{"a": 1}, {"b": "x"}]  # type: ignore[dict-item]  # what is tested
    with pytest.raises(WaterTypeError, match=r"^mode: Water declares mode as .*, but it is 'quick' \(str\)"):
        water["mode"] = "quick"
    water.size = 7

    assert str(caught.value) == (
        "disks[1][\"b\"]: Water declares disks as list[dict[str, int]], so this should be int, but it is 'x' (str): "
        "put what is declared, or declare what is put"
    )
    assert water == {"image": "a", "size": 7}


@pytest.mark.promise("2.10", "10.9")
def test_values_are_checked_when_they_are_read_back() -> None:
    water = Water.open(stored(image="a", vm=3, disks=[{"a": "x"}]))

    for key in ("vm", "disks", "disks"):
        with pytest.raises(WaterTypeError, match=rf"^{key}.*: Water declares {key} as "):
            water[key]
    assert water.image == "a"


@pytest.mark.promise("2.10", "5.4")
def test_values_are_checked_when_they_were_changed_in_place() -> None:
    water = Water.open(stored(disks=[{"a": 1}]))

    water.disks[0]["a"] = "x"  # type: ignore[assignment]  # what is tested

    with pytest.raises(WaterTypeError, match=r'^disks\[0\]\["a"\]: Water declares disks as'):
        water.changes()


@pytest.mark.promise("2.10")
def test_own_classes_come_back_through_the_water() -> None:
    water = Headwaters(machine=Machine([Disk("a")], {"x": {Color.RED}}))

    back = Headwaters.open(water.encoded())

    assert back["machine"] == Machine([Disk("a")], {"x": {Color.RED}})


@pytest.mark.promise("5.3")
@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_all_that_was_put_comes_out_of_another_process(values: dict[str, Any]) -> None:
    back = Headwaters.open(Headwaters(values).encoded())

    assert same(dict(back), values)


@pytest.mark.promise("5.4")
def test_a_water_is_no_garbage_for_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            water = Water.open(stored(image="a", disks=[]))
            water.disks.append({})
            water.changes()
        del water
        assert gc.collect() == 0
    finally:
        gc.enable()
