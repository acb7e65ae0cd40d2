import asyncio
import io
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from vastflow.log import CALL_FIELDS, BodyFields, StdlibFields, add_call_fields, in_body, leave, setup

FIELDS = BodyFields(flow="order-17", river="east/create-vm", attempt=2, color="blue", actor="Create")
WANTED = {"flow": "order-17", "river": "east/create-vm", "attempt": 2, "color": "blue", "actor": "Create"}


def fields_of(line: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(line)
    return {name: told.get(name) for name in WANTED}


@pytest.mark.promise("12.1")
def test_a_users_line_inside_a_body_carries_flow_river_attempt_color_and_actor() -> None:
    stream = io.StringIO()
    setup(json=True, stream=stream)

    token = in_body(FIELDS)
    structlog.get_logger().info("creating")
    leave(token)

    assert fields_of(stream.getvalue()) == WANTED


def test_after_the_body_lines_carry_no_fields() -> None:
    token = in_body(FIELDS)
    leave(token)

    assert CALL_FIELDS.get() is None
    assert add_call_fields(None, "info", {"event": "later"}) == {"event": "later"}


def test_a_body_inside_a_body_gives_the_outer_ones_fields_back() -> None:
    outer = in_body(FIELDS)
    inner = in_body(BodyFields("other"))
    leave(inner)

    assert CALL_FIELDS.get() == FIELDS
    leave(outer)


def test_what_a_line_says_itself_is_left_as_it_is() -> None:
    token = in_body(FIELDS)
    event = add_call_fields(None, "info", {"event": "looked", "river": "Danube"})
    leave(token)

    assert event["river"] == "Danube"
    assert event["flow"] == "order-17"


def test_fields_that_are_not_known_are_not_written() -> None:
    token = in_body(BodyFields("order-17"))
    event = add_call_fields(None, "info", {"event": "x"})
    leave(token)

    assert event == {"event": "x", "flow": "order-17"}


@pytest.mark.promise("12.1")
def test_bodies_on_threads_each_write_their_own_fields() -> None:
    stream = io.StringIO()
    setup(json=True, stream=stream)
    together = threading.Barrier(8, timeout=30)

    def body(number: int) -> None:
        token = in_body(BodyFields(f"flow-{number}", actor=f"actor-{number}"))
        together.wait()
        for _ in range(25):
            structlog.get_logger().info("working", mine=f"flow-{number}")
        leave(token)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(body, range(8)))

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 200
    assert all(line["flow"] == line["mine"] and line["actor"][6:] == line["flow"][5:] for line in lines)


@pytest.mark.promise("12.1")
async def test_bodies_on_the_event_loop_each_write_their_own_fields() -> None:
    stream = io.StringIO()
    setup(json=True, stream=stream)
    together = asyncio.Barrier(8)

    async def body(number: int) -> None:
        token = in_body(BodyFields(f"flow-{number}"))
        await together.wait()
        structlog.get_logger().info("working", mine=f"flow-{number}")
        await asyncio.to_thread(structlog.get_logger().info, "on a thread of its own", mine=f"flow-{number}")
        leave(token)

    await asyncio.gather(*(body(number) for number in range(8)))

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 16
    assert all(line["flow"] == line["mine"] for line in lines)
    assert CALL_FIELDS.get() is None


def test_a_library_record_gets_the_fields_for_any_format() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(StdlibFields())
    handler.setFormatter(logging.Formatter("%(flow)s|%(river)s|%(attempt)s|%(color)s|%(actor)s|%(message)s"))
    logger = logging.getLogger("tests.log.fields")
    logger.propagate = False
    logger.addHandler(handler)

    logger.warning("outside")
    token = in_body(FIELDS)
    logger.warning("inside")
    logger.warning("named", extra={"color": "red"})
    leave(token)
    logger.removeHandler(handler)

    assert stream.getvalue().splitlines() == [
        "||0|||outside",
        "order-17|east/create-vm|2|blue|Create|inside",
        "order-17|east/create-vm|2|red|Create|named",
    ]


def test_fields_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        FIELDS.flow = "other"  # type: ignore[misc]  # that is what is tried
