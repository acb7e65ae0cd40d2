"""Is a duration read as the seconds it says?"""

from datetime import timedelta

import pytest

from vastflow.drawing.durations import seconds


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
