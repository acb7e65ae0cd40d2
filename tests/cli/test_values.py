"""Are stored values shown as people write them?"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.drawing.kinds import Color, Disk
from vastflow import Secret
from vastflow.cli.values import legible
from vastflow.drawing.values import encode


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        ('a"b', '"a\\"b"'),
        (1.5, "1.5"),
        ([1, "a", True], '[1, "a", true]'),
        ({"a": Decimal("19.90"), "b": []}, '{"a": 19.90, "b": []}'),
        ({"$a": 1}, '{"$a": 1}'),
        (1 << 64, "18446744073709551616"),
        (Decimal("19.90"), "19.90"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 16, 24, tzinfo=UTC), "2026-11-23T16:24:00+00:00"),
        (datetime(2026, 11, 23, 16, 24, tzinfo=ZoneInfo("Europe/Berlin")), "2026-11-23T16:24:00 Europe/Berlin"),
        (time(16, 24), "16:24:00"),
        (timedelta(days=1, seconds=5), "1 day, 0:00:05"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ((1, Decimal(2)), "(1, 2)"),
        ({3}, "{3}"),
        (b"\x00\xff", '{"$bytes": "AP8="}'),
        (Color.RED, "Color.RED"),
        (Secret("hunter22"), "***"),
        ({"in": [Secret("hunter22")]}, '{"in": [***]}'),
    ],
)
def test_a_stored_value_is_shown_as_people_write_it(value: Any, shown: str) -> None:
    assert legible(msgspec.json.decode(encode(value))) == shown


def test_a_dataclass_is_shown_with_its_fields() -> None:
    assert legible(msgspec.json.decode(encode(Disk("sda")))) == 'Disk(name="sda", size=10)'


@pytest.mark.parametrize(
    "stored",
    [{"$decimal": 3}, {"$timedelta": "***"}, {"$int": "***"}, {"$enum": "***"}, {"$new": [1]}, {"$dict": "***"}],
)
def test_what_is_stored_in_no_known_form_or_masked_inside_is_shown_as_it_is(stored: Any) -> None:
    assert legible(stored) == msgspec.json.encode(stored).decode().replace(":", ": ", 1)
