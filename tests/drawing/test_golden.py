"""Is every value still written as it was on the first day, and what was written then still read?"""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.drawing.kinds import Color, Disk, Login, Machine, Right, Size, Zone, same
from vastflow.drawing import Secret, values
from vastflow.drawing.values import canonical, decode, encode
from vastflow.errors import StoreUnreadable

GOLDEN = Path(__file__).parents[1] / "golden" / "values.json"
FORMAT = Path(__file__).parents[2] / "docs" / "format.md"

BERLIN = ZoneInfo("Europe/Berlin")
VECTORS: dict[str, Any] = {
    "None": None,
    "True": True,
    "False": False,
    "empty text": "",
    "text": 'grün "\\/\b\n\t\x00\x7f\u2028 🌊',
    "zero": 0,
    "63 bits": 2**63 - 1,
    "63 bits, negative": -(2**63) + 1,
    "64 bits": 2**63,
    "64 bits, negative": -(2**63),
    "a large integer": 10**40,
    "float": 0.1,
    "whole float": 3.0,
    "negative zero": -0.0,
    "large float": 1e300,
    "small float": 5e-324,
    "empty list": [],
    "list": [1, "a", None, [2.5]],
    "empty mapping": {},
    "mapping": {"b": 1, "a": {"d": 2, "c": 3}},
    "mapping with a key like a tag": {"$datetime": "2024"},
    "mapping with two keys, one like a tag": {"$datetime": "2024", "a": 1},
    "mapping with the key $": {"$": {"$dict": {}}},
    "Decimal": Decimal("-1.10"),
    "Decimal with exponent": Decimal("1E+30"),
    "bytes": b"\x00\xff",
    "date": date(2024, 2, 29),
    "datetime": datetime(2024, 2, 29, 12, 30),  # noqa: DTZ001  # without a zone on purpose
    "datetime with fold": datetime(2024, 2, 29, 12, 30, fold=1),  # noqa: DTZ001  # without a zone on purpose
    "datetime in UTC": datetime(2024, 2, 29, 12, 30, 0, 5, UTC),
    "datetime with offset": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    "datetime with a small offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(seconds=1, microseconds=2))),
    "datetime with a named offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), "MEZ")),
    "datetime in a zone": datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN),
    "datetime in a zone, with fold": datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
    "time": time(12, 30, 0, 5),
    "time in a zone": time(12, 30, tzinfo=BERLIN),
    "timedelta": timedelta(days=2, seconds=3, microseconds=4),
    "negative timedelta": timedelta(microseconds=-1),
    "UUID": UUID("12345678-1234-5678-1234-567812345678"),
    "tuple": (1, (2,), ()),
    "set": {"b", "a", "ä", 10, 9, None},
    "frozenset": frozenset({(1, 2), frozenset()}),
    "Enum": Color.CRIMSON,
    "IntEnum": Size.LARGE,
    "StrEnum": Zone.EAST,
    "Flag": Right.ALL,
    "Flag of none": Right(0),
    "dataclass": Disk("a"),
    "dataclass with all": Machine([Disk("a", 1)], {"$x": (Color.BLUE,)}),
    "Secret": Secret('p@ß "s3cr3t"'),
    "mapping with a key like a Secret's": {"$secret": "x"},
    "dataclass with a Secret": Login("a", Secret("s3cr3t")),
}
ROWS = {row["value"]: row for row in json.loads(GOLDEN.read_text(encoding="utf-8"))}


@pytest.mark.promise("5.3")
def test_every_golden_vector_has_its_value() -> None:
    assert list(ROWS) == list(VECTORS)


@pytest.mark.promise("5.3", "5.4")
@pytest.mark.parametrize("name", VECTORS)
def test_a_value_is_written_and_read_as_on_the_first_day(name: str) -> None:
    value, row = VECTORS[name], ROWS[name]

    assert encode(value).decode() == row["stored"]
    assert canonical(encode(value)).decode() == row["canonical"]
    assert same(decode(row["stored"].encode()), value)


@pytest.mark.promise("5.3")
def test_the_reserved_form_is_known_and_not_read() -> None:
    with pytest.raises(StoreUnreadable, match=r"stored elsewhere .* install a newer vastflow"):
        decode(b'{"$elsewhere":{"hash":"00","size":1}}')


@pytest.mark.promise("5.3")
def test_the_format_page_names_every_tag_there_is() -> None:
    told = FORMAT.read_text(encoding="utf-8")

    tags = values._READERS  # noqa: SLF001  # all there are

    assert [tag for tag in tags if f'{{"{tag}": ' not in told] == []
