"""Do values come back as what they were, and is everything else refused?"""

import copy
import io
import queue
import subprocess
import sys
import threading
from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given

from tests.drawing.kinds import VALUES, Color, Disk, Machine, Right, Size, same
from vastflow.drawing.storables import storable
from vastflow.drawing.values import DEFAULT, Limits, canonical, check_size, decode, encode
from vastflow.errors import StoreUnreadable, UnstorableValue

Pair = namedtuple("Pair", "a b")  # noqa: PYI024  # the very thing that is refused


class Loose(Enum):
    ONE = 1


@dataclass
class Bare:
    x: int = 0


class Thicker(Disk):
    """Derived from a storable class without being one."""


class Text(str):
    __slots__ = ()


class Odd(tzinfo):
    def utcoffset(self, _at: object) -> timedelta:
        return timedelta(hours=1)

    def dst(self, _at: object) -> None:
        return None

    def tzname(self, _at: object) -> str:
        return "odd"


class Drawer(io.RawIOBase):
    """An open thing of the user's own."""


class Shaky(list[int]):
    """Not a list: exact types only."""


@storable
@dataclass
class Meddler:
    """Does something while it is being stored."""

    x: int = 0
    deed: ClassVar[Callable[[], object]]

    def __getattribute__(self, name: str) -> Any:
        type(self).deed()
        return super().__getattribute__(name)


def refused(value: object, where: str = "spec", limits: Limits = DEFAULT) -> UnstorableValue:
    with pytest.raises(UnstorableValue) as caught:
        encode(value, where, limits)
    return caught.value


@pytest.mark.promise("5.3")
@given(VALUES)
def test_every_storable_value_comes_back_as_what_it_was(value: Any) -> None:
    back = decode(encode(value))

    assert same(back, value)


@pytest.mark.promise("5.3")
@pytest.mark.parametrize("micros", [1, -1, 999_999, -999_999])
@pytest.mark.parametrize("name", [None, "odd"])
def test_an_offset_below_a_second_is_kept(micros: int, name: str | None) -> None:
    offset = timedelta(microseconds=micros)
    zone = timezone(offset) if name is None else timezone(offset, name)

    for value in (time(1, 2, tzinfo=zone), datetime(2026, 11, 23, tzinfo=zone)):
        back = decode(encode(value))
        assert (back, back.utcoffset(), back.tzname()) == (value, offset, value.tzname())


@pytest.mark.promise("5.3")
@given(VALUES)
def test_stored_again_a_value_has_the_same_bytes(value: Any) -> None:
    stored = encode(value)

    assert encode(decode(stored)) == stored


@pytest.mark.promise("5.3")
@pytest.mark.parametrize(
    "value",
    [2**60 + 1, -(2**63), 2**64, 10**5000, -0.0, 5e-324, 1e22, Decimal("1.10"), Decimal("-0E+7"), b"\x00\xff"],
    ids=["2^60+1", "-2^63", "2^64", "5001 digits", "-0.0", "smallest", "1e22", "1.10", "-0E+7", "bytes"],
)
def test_no_digit_and_no_sign_is_lost(value: Any) -> None:
    back = decode(encode(value))

    assert same([back], [value])


@pytest.mark.promise("5.3")
def test_a_zone_a_fold_and_an_offset_of_microseconds_come_back() -> None:
    berlin = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    odd = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=-1, microseconds=3), "ODD"))
    clock = time(2, 30, fold=1, tzinfo=UTC)

    back = decode(encode([berlin, odd, clock]))

    assert isinstance(back[0].tzinfo, ZoneInfo)
    assert (back[0].fold, back[0].utcoffset()) == (1, timedelta(hours=1))
    assert (back[1], back[1].tzname()) == (odd, "ODD")
    assert (back[2], back[2].fold) == (clock, 1)


@pytest.mark.promise("5.3")
def test_a_zone_is_stored_by_its_key_and_without_an_offset() -> None:
    stored = encode(datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")))

    assert stored == b'{"$datetime":{"at":"2024-07-01T12:00:00","zone":"Europe/Berlin"}}'


@pytest.mark.promise("5.3")
def test_mappings_that_look_like_tags_come_back() -> None:
    value = {"a": {"$datetime": "2024"}, "b": {"$dict": {"$dict": 1}}, "c": {"$x": 1, "y": 2}, "d": {"$": {}}}

    back = decode(encode(value))

    assert same(back, value)


@pytest.mark.promise("5.3")
def test_the_order_of_a_mapping_comes_back() -> None:
    back = decode(encode({"b": 1, "a": 2}))

    assert list(back) == ["b", "a"]


@pytest.mark.promise("5.3")
def test_members_are_stored_by_name_and_flags_by_their_parts() -> None:
    stored = encode([Color.CRIMSON, Size.LARGE, Right.READ | Right.WRITE, Right(0)])

    assert b'["tests.drawing.kinds.Color","RED"]' in stored
    assert decode(stored) == [Color.RED, Size.LARGE, Right.ALL, Right(0)]


@pytest.mark.promise("5.4")
@given(VALUES)
def test_canonical_bytes_are_not_changed_by_the_order_of_mappings(value: Any) -> None:
    assert canonical(encode(value)) == canonical(encode(turned(value)))


@pytest.mark.promise("5.4")
@given(VALUES, VALUES)
def test_canonical_bytes_are_equal_for_equal_values_only(one: Any, other: Any) -> None:
    assert (canonical(encode(one)) == canonical(encode(other))) == same(sorted_out(one), sorted_out(other))


@pytest.mark.promise("5.4")
@given(VALUES)
def test_canonical_bytes_are_canonical(value: Any) -> None:
    once = canonical(encode(value))

    assert canonical(once) == once
    assert same(sorted_out(decode(once)), sorted_out(value))


def turned(value: Any) -> Any:
    """Return the value with the order of all mappings turned round."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    if isinstance(value, list | tuple):
        return type(value)(map(turned, value))
    if isinstance(value, Machine):
        value = copy.copy(value)
        value.labels = turned(value.labels)
    return value


def sorted_out(value: Any) -> Any:
    """Return the value with all mappings in the order of their keys."""
    if isinstance(value, dict):
        return {key: sorted_out(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return type(value)(map(sorted_out, value))
    if isinstance(value, Machine):
        value = copy.copy(value)
        value.labels = sorted_out(value.labels)
    return value


@pytest.mark.promise("5.4")
def test_bytes_without_a_mapping_are_canonical_as_they_are() -> None:
    stored = encode([3, "b", None])

    assert canonical(stored) is stored


@pytest.mark.promise("5.3")
def test_sets_have_one_order_whatever_the_hashes_are() -> None:
    told = "from vastflow.drawing.values import encode; print(encode({'a', 'b', 'c', 'd', 'e', ('f', 'g')}))"

    shown = {
        subprocess.run(
            [sys.executable, "-c", told],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(shown) == 1


REFUSED: list[tuple[Any, str, str]] = [
    (float("nan"), "the float nan", "store None"),
    (float("-inf"), "the float -inf", "store None"),
    (Decimal("NaN"), "the Decimal NaN", "store None"),
    (Decimal("Infinity"), "the Decimal Infinity", "store None"),
    ({1: 2}, "the key 1 is a int", "write str(key)"),
    ({Text("a"): 1}, "the key 'a' is a Text", "write str(key)"),
    ("\ud800", "lone surrogate (character 0)", "store the bytes"),
    ({"a\udfff": 1}, "lone surrogate (character 1)", "store the bytes"),
    (Text("a"), "a value of type tests.drawing.test_values.Text", "write str(value)"),
    (PurePosixPath("/a"), "PurePosixPath cannot be stored", "write str(value)"),
    (Pair(1, 2), "test_values.Pair cannot be stored", "write tuple(value)"),
    (OrderedDict(a=1), "a value of type collections.OrderedDict", "write dict(value)"),
    (defaultdict(list), "a value of type collections.defaultdict", "write dict(value)"),
    (UserDict(), "a value of type collections.UserDict", "write dict(value)"),
    (Shaky(), "Shaky cannot be stored", "write list(value)"),
    (range(3), "a value of type range", "write list(value)"),
    (iter([1]), "a value of type list_iterator", "write list(value)"),
    (deque([1]), "a value of type collections.deque", "store its data"),
    (bytearray(b"a"), "a value of type bytearray", "write bytes(value)"),
    (memoryview(b"a"), "a value of type memoryview", "write bytes(value)"),
    (1j, "a value of type complex", "store its data"),
    (Fraction(1, 3), "a value of type fractions.Fraction", "store its data"),
    (threading.Lock(), "a value of type _thread.lock", "open or make it in the body that uses it"),
    (io.TextIOWrapper(io.BytesIO()), "a value of type _io.TextIOWrapper", "open or make it in the body that uses it"),
    (Drawer(), "test_values.Drawer cannot be stored", "open or make it in the body that uses it"),
    (io.BytesIO(), "a value of type _io.BytesIO", "open or make it in the body that uses it"),
    (queue.Queue(), "a value of type queue.Queue", "open or make it in the body that uses it"),
    ((each for each in (1, 2)), "a value of type generator", "write list(value)"),
    (len, "a value of type builtin_function_or_method", "store its data"),
    (int, "a value of type type", "store its name"),
    (ValueError("x"), "a value of type ValueError", "write str(value)"),
    (Loose.ONE, "a value of type tests.drawing.test_values.Loose", "put @storable above its class"),
    (Bare(), "a value of type tests.drawing.test_values.Bare", "put @storable above the @dataclass"),
    (Thicker("a"), "a value of type tests.drawing.test_values.Thicker", "put @storable above the @dataclass"),
    (datetime(2024, 1, 1, tzinfo=Odd()), "a datetime with the time zone", "use a datetime.timezone"),
    (time(1, tzinfo=Odd()), "a time with the time zone", "use a datetime.timezone"),
]


@pytest.mark.promise("5.3")
@pytest.mark.parametrize(("value", "what", "advice"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_what_cannot_be_stored_is_refused_with_what_where_and_what_to_do(value: Any, what: str, advice: str) -> None:
    error = refused({"disks": [1, value]}, "spec")

    assert str(error).startswith('spec["disks"][1]: ')
    assert what in str(error)
    assert advice in str(error).partition(what)[2]
    assert error.where == 'spec["disks"][1]'
    assert error.reason in str(error)


@pytest.mark.promise("5.3")
def test_the_way_to_a_refused_value_is_told_through_every_kind_of_container() -> None:
    assert refused((1, [len])).where == "spec[1][0]"
    assert refused({"a": frozenset([len])}).where == 'spec["a"]{...}'
    assert refused([Machine([], {"x": {len}})]).where == 'spec[0].labels["x"]{...}'
    assert refused({"a": {"b": len}}).where == 'spec["a"]["b"]'
    assert refused(len).where == "spec"


@pytest.mark.promise("5.3")
def test_a_value_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]

    assert decode(encode(deep)) == deep
    assert "deeper than 100 levels" in str(refused([deep]))
    assert "deeper than 2 levels" in str(refused([Machine([Disk("a")])], limits=Limits(depth=2)))
    assert "deeper than 0 levels" in str(refused(Disk("a"), limits=Limits(depth=0)))
    assert encode(3, limits=Limits(depth=0)) == b"3"


@pytest.mark.promise("5.3")
def test_a_value_that_holds_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)

    assert "holds itself" in str(refused(ring))


@pytest.mark.promise("5.3")
def test_a_value_may_be_as_large_as_the_limit_and_no_larger() -> None:
    exact = "x" * (2**20 - 2)

    assert len(encode(exact)) == 2**20
    assert str(refused(exact + "x")) == (
        "spec: this str takes 1048577 bytes, 1048576 are allowed: keep large data elsewhere and store where it is"
    )
    assert "this list takes 7 bytes, 6 are allowed" in str(refused([1, 2, 3], limits=Limits(value=6)))


@pytest.mark.promise("5.3")
def test_a_value_encoded_elsewhere_is_measured_alike() -> None:
    limits = Limits(value=7)

    check_size(b"[1,2,3]", "rows", limits)
    check_size(msgspec.Raw(b"[1,2,3]"), "rows", limits)
    with pytest.raises(
        UnstorableValue, match=r"^rows: this list takes 9 bytes, 7 are allowed: keep large data .* is!$"
    ):
        check_size(b"[1,2,3,4]", "rows", limits, "list", "!")


@pytest.mark.promise("5.3")
def test_what_is_changed_while_it_is_stored_is_refused() -> None:
    growing: dict[str, Any] = {"a": Meddler(), "b": 1}
    Meddler.deed = lambda: growing.setdefault("c", 1)

    assert "was changed while it was being stored (dictionary changed size" in str(refused(growing))


BROKEN: list[tuple[bytes, str, str]] = [
    (b'{"$colour":1}', "'$colour'", "install the vastflow that wrote it"),
    (b'{"$elsewhere":{"hash":"ab","size":7}}', "stored elsewhere ({'hash': 'ab', 'size': 7})", "install a newer"),
    (b'{"$datetime":"never"}', "'$datetime'", "ValueError"),
    (b'{"$datetime":{"at":"2024-01-01T00:00:00","zone":"No/Where"}}', "'$datetime'", "No/Where"),
    (b'{"$uuid":5}', "'$uuid'", "AttributeError"),
    (b'{"$tuple":"abc"}', "'$tuple'", "a list is wanted"),
    (b'{"$set":[[1]]}', "'$set'", "TypeError"),
    (b'{"$dict":[["a",1]]}', "'$dict'", "AttributeError"),
    (b'{"$bytes":"!"}', "'$bytes'", "Error"),
    (b'{"$int":5}', "'$int'", "TypeError"),
    (b'{"$enum":["os.system","x"]}', "class os.system is not known here", "@storable"),
    (b'{"$enum":["tests.drawing.kinds.Color","PINK"]}', "kinds.Color has no member 'PINK'", "give it back"),
    (b'{"$dataclass":["tests.drawing.kinds.Gone",{}]}', "class tests.drawing.kinds.Gone", "import the module"),
    (b'{"$dataclass":["tests.drawing.kinds.Disk",{"name":"a","rpm":1}]}', "kinds.Disk has no field 'rpm'", "give it"),
    (b'{"$dataclass":["tests.drawing.kinds.Disk",{}]}', "'$dataclass'", "missing 1 required positional argument"),
    (b"[1", "damaged", "restore the store from a backup"),
    (b"[NaN]", "damaged", "restore the store from a backup"),
    (b"", "damaged", "restore the store from a backup"),
    (b'"\xff"', "damaged", "restore the store from a backup"),
    (b"[" * 100_000, "damaged", "restore the store from a backup"),
]


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(("stored", "what", "advice"), BROKEN, ids=map(str, range(len(BROKEN))))
def test_what_cannot_be_read_says_so_and_names_it(stored: bytes, what: str, advice: str) -> None:
    with pytest.raises(StoreUnreadable) as caught:
        decode(stored, "spec")

    assert str(caught.value).startswith("spec")
    assert what in str(caught.value)
    assert advice in str(caught.value)
    with pytest.raises(StoreUnreadable, match=r"^(it|its|the|a|tests)"):
        decode(stored)


@pytest.mark.promise("10.9")
def test_damaged_bytes_have_no_canonical_form() -> None:
    with pytest.raises(StoreUnreadable, match="damaged"):
        canonical(b'{"a":')
    with pytest.raises(StoreUnreadable, match="damaged"):
        canonical(b'{"a":"\xff"}')
