"""Is what goes wrong said, without being asked for?"""

import io
import json
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, puts, raises, river
from vastflow import Continue, Engine, FlowFailed, Retry


def told(lines: io.StringIO, level: str) -> list[dict[str, Any]]:
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [line for line in said if line["level"] == level]


@pytest.mark.promise("12.1")
def test_a_river_that_fails_is_said_with_its_reason(lines: io.StringIO) -> None:
    with Engine("memory:") as engine, pytest.raises(FlowFailed):
        engine.start(drawn(river("ship", raises(OSError("no lorry")))), id="one").result(LONG)

    failed, ended = told(lines, "warning")
    assert (failed["event"], failed["flow"], failed["river"], failed["attempt"]) == ("failed", "one", "ship", 1)
    assert failed["failure"] == "ship: error: builtins.OSError: no lorry"
    assert (ended["event"], ended["state"], ended["failure"]) == ("flow ended", "fail", failed["failure"])


@pytest.mark.promise("12.1")
def test_a_failure_is_said_on_stderr_although_nothing_was_set_up(capfd: pytest.CaptureFixture[str]) -> None:
    with Engine("memory:") as engine, pytest.raises(FlowFailed):
        engine.start(drawn(river("ship", raises(OSError("no lorry")))), id="one").result(LONG)

    said = capfd.readouterr().err
    assert "no lorry" in said
    assert "ship" in said


@pytest.mark.promise("12.1")
def test_attempts_and_polls_that_are_made_again_are_said_to_whoever_asks(lines: io.StringIO) -> None:
    answers: list[BaseException] = [Retry("busy", after=0), OSError("net"), Continue("building")]
    polls: list[BaseException] = answers[1:]
    ship = river(
        "ship",
        lambda self, _water: raises(answers[0])(self, _water) if self.attempt == 1 else None,
        lambda self, water: raises(polls.pop(0))(self, water) if polls else None,
        retry_times=1,
        cycle_interval=0.01,
        cycle_times=9,
    )
    with Engine("memory:") as engine:
        engine.start(drawn(ship, river("end", puts(done=True))), id="one").result(LONG)

    told_of = [(line["event"], line["failure"]) for line in told(lines, "info") if "failure" in line]
    assert told_of == [
        ("tried again", "ship: error: vastflow.errors.Retry: busy"),
        ("a poll failed", "ship: error: builtins.OSError: net"),
    ]
    assert [line["event"] for line in told(lines, "warning")] == []


@pytest.mark.promise("12.1", "12.5")
def test_where_it_was_raised_is_said_on_the_level_debug(lines: io.StringIO) -> None:
    with Engine("memory:") as engine, pytest.raises(FlowFailed):
        engine.start(drawn(river("ship", raises(OSError("no lorry")))), id="one").result(LONG)

    traces = [line["exception"] for line in told(lines, "debug") if line["event"] == "it was raised here"]
    assert len(traces) == 1
    assert traces[0].endswith("OSError: no lorry\n")
    assert "scenes.py" in traces[0]
