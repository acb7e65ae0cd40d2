"""What may be stored in these tests: classes with `@storable`, and everything else, drawn by hypothesis."""

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta, timezone
from enum import Enum, Flag, IntEnum, StrEnum, auto
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from vastflow.drawing.storables import storable
from vastflow.secret import Secret


@storable
class Color(Enum):
    RED = "red"
    CRIMSON = "red"  # noqa: PIE796  # another name of the same member
    BLUE = ("b", 1)


@storable
class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@storable
class Zone(StrEnum):
    EAST = "east"


@storable
class Right(Flag):
    READ = auto()
    WRITE = auto()
    ALL = READ | WRITE


@storable
@dataclass(frozen=True)
class Disk:
    name: str
    size: int = 10


@storable
@dataclass(slots=True)
class Machine:
    disks: list[Disk]
    labels: dict[str, Any] = field(default_factory=dict[str, Any])
    seen: int = field(default=0, init=False)


@storable
@dataclass(frozen=True)
class Login:
    user: str
    password: Secret


def same(one: Any, other: Any) -> bool:
    """Say whether two values are equal with exact types, signs, zones, fold and the order of mappings."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, set | frozenset):
        return one == other and sorted(map(shape, one)) == sorted(map(shape, other))
    if is_dataclass(one):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    return shape(one) == shape(other)


def shape(value: Any) -> str:
    shown = hex(value) if type(value) is int else value.reveal() if type(value) is Secret else repr(value)
    return f"{shown} {getattr(value, 'fold', '')} {getattr(getattr(value, 'tzinfo', None), 'key', '')}"


OFFSETS = st.timedeltas(min_value=-timedelta(hours=23), max_value=timedelta(hours=23))
ZONES = st.one_of(
    st.none(),
    st.builds(timezone, OFFSETS),
    st.builds(timezone, OFFSETS, st.text(max_size=5)),
    st.sampled_from([ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("UTC")]),
)
FOLDS = st.sampled_from([0, 1])
MOMENTS = st.builds(lambda at, zone, fold: at.replace(tzinfo=zone, fold=fold), st.datetimes(), ZONES, FOLDS)
TIMES = st.builds(lambda at, zone, fold: at.replace(tzinfo=zone, fold=fold), st.times(), ZONES, FOLDS)
DISKS = st.builds(Disk, st.text(), st.integers())
HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**62, max_value=2**66),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.binary(),
    MOMENTS,
    TIMES,
    st.dates(),
    st.timedeltas(),
    st.uuids(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from([*Color, *Size, *Zone, *Right, Right.ALL, Right(0)]),
    DISKS,
    st.builds(Secret, st.text()),
)
KEYS = st.one_of(st.text(), st.sampled_from(["$datetime", "$dict", "$", "$elsewhere", "$secret"]))


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.sets(HASHABLE, max_size=4),
        st.frozensets(HASHABLE, max_size=4),
        st.builds(Machine, st.lists(DISKS, max_size=2), st.dictionaries(KEYS, inner, max_size=2)),
    )


VALUES = st.recursive(HASHABLE, nested, max_leaves=12)
