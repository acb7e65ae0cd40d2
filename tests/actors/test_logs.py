"""Does every line say which flow, river, attempt and actor it is about, the engine's and the user's own?"""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.engine.scenes import LONG, drawn, nothing, raises, river, sea
from vastflow import Basin, Engine, River
from vastflow.actors.messages import Answered
from vastflow.course.events import Done
from vastflow.log import StdlibFields

NAMES = ("flow", "river", "attempt", "color", "actor")


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """Catch the standard library's records, as an application's own handler would."""
    caught: list[logging.LogRecord] = []

    class Catching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            caught.append(record)

    handler = Catching()
    handler.addFilter(StdlibFields())
    logger = logging.getLogger("tests.actors.logs")
    logger.addHandler(handler)
    yield caught
    logger.removeHandler(handler)


def told(lines: io.StringIO, event: str) -> list[dict[str, Any]]:
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [line for line in said if line["event"] == event]


def speaks(_self: River, _water: Any) -> None:
    structlog.get_logger().info("structlog speaks")
    logging.getLogger("tests.actors.logs").warning("stdlib speaks")


async def speaks_async(self: River, water: Any) -> None:
    await asyncio.sleep(0)
    speaks(self, water)


async def speaks_in_a_thread(self: River, water: Any) -> None:
    await asyncio.to_thread(speaks, self, water)


@pytest.mark.promise("12.1")
@pytest.mark.parametrize("body", [speaks, speaks_async, speaks_in_a_thread])
def test_a_users_own_lines_inside_a_body_carry_whom_they_are_about(
    lines: io.StringIO, records: list[logging.LogRecord], body: Any
) -> None:
    def again(self: River, water: Any) -> Any:
        if self.attempt == 1:
            raise RuntimeError("once")
        return body(self, water)

    async def again_async(self: River, water: Any) -> None:
        if self.attempt == 1:
            raise RuntimeError("once")
        await body(self, water)

    flow = again if body is speaks else again_async
    speaking = river("speaks", flow, retry_times=1, retry_interval=0.01)
    with Engine("memory:") as engine:
        engine.start(drawn(Basin("east", speaking, color="blue")), id="order-17").result(LONG)

    (line,) = told(lines, "structlog speaks")
    actor = line["actor"]
    assert [line[name] for name in NAMES] == ["order-17", "east/speaks", 2, "blue", actor]
    assert actor.startswith("river:")
    assert [[getattr(record, name) for name in NAMES] for record in records] == [
        ["order-17", "east/speaks", 2, "blue", actor]
    ]


@pytest.mark.promise("12.1")
def test_many_bodies_at_once_each_speak_for_themselves(lines: io.StringIO) -> None:
    with Engine("memory:") as engine:
        andes = drawn(river("a", speaks) | river("b", speaks_async), river("c", speaks))
        for number in range(50):
            engine.start(andes, id=f"flow-{number}")
        for number in range(50):
            engine.flow(f"flow-{number}").result(LONG)

    said = sorted((line["flow"], line["river"]) for line in told(lines, "structlog speaks"))
    assert said == sorted((f"flow-{number}", name) for number in range(50) for name in "abc")


@pytest.mark.promise("12.1")
def test_the_lines_of_an_atlantic_carry_its_flow_too(lines: io.StringIO) -> None:
    with Engine("memory:") as engine:
        engine.start(drawn(river("a", nothing), end=sea(success=speaks)), id="one").result(LONG)

    (line,) = told(lines, "structlog speaks")
    assert (line["flow"], line["river"], line["attempt"]) == ("one", "~", 1)
    assert line["actor"].startswith("atlantic:")


@pytest.mark.promise("12.1")
def test_the_engines_own_lines_say_what_they_are_about(lines: io.StringIO) -> None:
    with Engine("memory:") as engine:
        engine.start(drawn(Basin("east", river("a", nothing), color="blue")), id="one").result(LONG)

    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    about = [line for line in said if "flow" in line]
    assert {line["event"] for line in about} >= {"flow started", "flow", "success", "flow ended"}
    assert all(line["actor"] and line["flow"] == "one" for line in about)
    (body,) = told(lines, "flow")
    assert (body["river"], body["attempt"], body["color"]) == ("east/a", 1, "blue")


@pytest.mark.promise("12.1", "12.5")
def test_no_secret_of_a_failing_body_is_in_any_line(lines: io.StringIO) -> None:
    def fails(_self: River, water: Any) -> None:
        structlog.get_logger().info("logging in", password=water["password"], text=f"as {water['password']}")
        message = f"refused {water['password']}"
        raise RuntimeError(message)

    with Engine("memory:") as engine:
        flow = engine.start(drawn(river("a", fails)), {"password": "open-sesame"}, id="one")
        status = flow.wait(LONG)

    assert "open-sesame" not in lines.getvalue()
    assert "open-sesame" not in str(status.failure)


@pytest.mark.promise("7.6", "12.1")
def test_a_stranded_flow_is_an_error_line_with_its_traceback(lines: io.StringIO) -> None:
    with Engine("memory:") as engine:
        waits = river("a", nothing, raises(RuntimeError("?")), cycle_interval="1h", cycle_times=2)
        flow = engine.start(drawn(waits), id="one")
        record: Any = flow._record  # noqa: SLF001  # no user can send such
        record.supervisor.tell(Answered(record, "nowhere", 1, Done()))
        flow.wait(LONG)

    (line,) = told(lines, "handling a message raised")
    assert (line["level"], line["flow"], line["actor"]) == ("error", "one", "andes:drawn")
    assert "KeyError: 'nowhere'" in line["exception"]


def test_nothing_is_configured_by_an_engine() -> None:
    structlog.reset_defaults()
    handlers = list(logging.getLogger().handlers)
    with Engine("memory:") as engine:
        engine.start(drawn(river("a", speaks))).result(LONG)

    assert not structlog.is_configured()
    assert logging.getLogger().handlers == handlers
