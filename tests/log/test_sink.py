import io

import pytest
import structlog

from vastflow.log import BodyFields, Line, get_logger, in_body, leave, setup, sinks


class Book:
    def __init__(self) -> None:
        self.lines: list[Line] = []

    def keep(self, line: Line) -> None:
        self.lines.append(line)


class Broken:
    def keep(self, line: Line) -> None:
        raise RuntimeError(line.event)


@pytest.mark.promise("12.1")
def test_a_sink_gets_the_lines_of_flows_masked_and_escaped() -> None:
    book = Book()
    sinks.append(book)
    setup(json=True, stream=io.StringIO())

    token = in_body(BodyFields("order-17", "create-vm", 2, actor="Create"))
    structlog.get_logger().info("made\n", vm="vm-1", password="hunter2")  # noqa: S106  # an example of a secret
    leave(token)

    (line,) = book.lines
    assert (line.level, line.event, line.values) == ("info", "made\\n", {"vm": "vm-1", "password": "***"})
    assert line.fields == BodyFields("order-17", "create-vm", 2, actor="Create")
    assert line.at > 1_600_000_000_000_000


def test_lines_that_are_about_no_flow_are_not_kept() -> None:
    book = Book()
    sinks.append(book)
    setup(json=True, stream=io.StringIO())

    structlog.get_logger().info("hello")

    assert book.lines == []


def test_a_sink_that_raises_hurts_neither_the_body_nor_the_next_sink() -> None:
    book, stream = Book(), io.StringIO()
    sinks.extend((Broken(), book))
    setup(json=True, stream=stream)

    structlog.get_logger().info("made", flow="order-17")

    assert [line.event for line in book.lines] == ["made"]
    assert "made" in stream.getvalue()


def test_engine_lines_of_flows_are_kept_too() -> None:
    book = Book()
    sinks.append(book)
    setup(json=True, stream=io.StringIO())

    get_logger("ledger").warning("stranded", flow="order-17", river="create-vm")

    assert [(line.event, line.fields.actor, line.level) for line in book.lines] == [("stranded", "ledger", "warning")]
