"""Is a duration read as the seconds it says, and a moment as the time it says?"""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from vastflow.drawing.durations import moment_of, seconds

NOW = 1_700_000_000_000_007


@pytest.mark.promise("2.3")
@pytest.mark.parametrize(
    ("duration", "told"),
    [
        (5, 5.0),
        (0.25, 0.25),
        (timedelta(minutes=1, milliseconds=5), 60.005),
        ("90s", 90.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("3d", 259200.0),
        (" 0.5 h ", 1800.0),
    ],
)
def test_a_duration_is_seconds_a_timedelta_or_text(duration: object, told: float) -> None:
    assert seconds(duration) == told


@pytest.mark.promise("2.3")
@pytest.mark.parametrize("duration", [True, None, "", "5", "m", "5 m s", "-5s", "٣s", [5], float("nan"), float("inf")])
def test_what_is_no_duration_is_refused_with_what_to_write(duration: object) -> None:
    with pytest.raises(ValueError, match='write seconds, a timedelta, or text such as "90s"'):
        seconds(duration)


@pytest.mark.promise("2.11")
@pytest.mark.parametrize(
    ("told", "at"),
    [
        (0, NOW),
        (5, NOW + 5_000_000),
        (0.25, NOW + 250_000),
        ("90s", NOW + 90_000_000),
        ("3d", NOW + 259_200_000_000),
        (timedelta(microseconds=3), NOW + 3),
        (datetime(2024, 2, 29, 12, 0, 0, 5, UTC), 1_709_208_000_000_005),
        (datetime(2024, 2, 29, 13, 0, 0, 5, timezone(timedelta(hours=1))), 1_709_208_000_000_005),
        (datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")), 1_729_989_000_000_000),
        (datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")), 1_729_992_600_000_000),
        (datetime.max.replace(tzinfo=UTC), 253_402_300_799_999_999),
    ],
)
def test_a_moment_is_a_duration_from_now_or_an_aware_datetime(told: object, at: int) -> None:
    assert moment_of(told, NOW, "start(deadline=...)") == at


@pytest.mark.promise("2.11")
@pytest.mark.parametrize("told", [datetime(1970, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_moment_is_never_taken_for_none(told: datetime) -> None:
    assert moment_of(told, NOW, "start(deadline=...)") == 1


@pytest.mark.promise("2.11")
@pytest.mark.parametrize(
    ("told", "message"),
    [
        (datetime(2030, 1, 31), "does not say in which time zone it is: write an aware datetime, such as datetime("),  # noqa: DTZ001  # what is refused
        (-5, "-5 is before now: write a duration of 0 or more"),
        (timedelta(seconds=-1), "is before now"),
        ("tomorrow", "'tomorrow' is not possible: write seconds, a timedelta, or text such as"),
        (True, "True is not possible"),
        (None, "None is not possible"),
        (time(12), "is not possible: write seconds"),
        (float("inf"), "inf is not possible"),
        (1e300, "lies after the year 9999: write a nearer one"),
        ("9999999d", "lies after the year 9999"),
    ],
)
def test_what_is_no_moment_is_refused_with_where_and_what_to_write(told: object, message: str) -> None:
    with pytest.raises(ValueError, match=r"^start\(deadline=\.\.\.\): ") as refused:
        moment_of(told, NOW, "start(deadline=...)")

    assert message in str(refused.value)
