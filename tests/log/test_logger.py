import io
import logging
import sys
import timeit
from typing import Any

import pytest
import structlog

from vastflow.log import BodyFields, get_logger, in_body, leave, setup


class Refusing(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_with_nothing_configured_warnings_and_errors_go_to_stderr_for_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = get_logger("ledger")

    log.debug("a")
    log.info("b")
    log.warning("the store is locked", flow="order-17", password="hunter2")  # noqa: S106  # an example of a secret
    log.error("forged\nline")

    told = capsys.readouterr()
    first, second = told.err.splitlines()
    assert told.out == ""
    for part in ("warning", "the store is locked", "actor=ledger", "flow=order-17", "password=***"):
        assert part in first
    assert "forged\\nline" in second
    assert "\x1b" not in told.err


def test_an_error_shows_its_traceback_without_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(hidden: str) -> None:
        raise ValueError(len(hidden))

    try:
        broken("hunter2")
    except ValueError as error:
        get_logger().error("broke", exc_info=error)

    told = capsys.readouterr().err
    assert "ValueError: 7" in told
    assert "Traceback" in told
    assert "hunter2" not in told.replace('broken("hunter2")', "")


def test_with_nothing_configured_a_dropped_line_costs_next_to_nothing() -> None:
    log = get_logger("andes")

    assert not log.enabled("debug")
    assert not log.enabled("info")
    assert log.enabled("warning")
    cost = min(timeit.repeat(lambda: log.enabled("debug"), number=10_000, repeat=20)) / 10_000
    assert cost < 2e-6  # measured 0.15 us; the bound leaves room for a busy machine


@pytest.mark.promise("12.1")
def test_engine_lines_go_through_the_applications_configuration() -> None:
    seen: list[dict[str, Any]] = []

    def keep(_logger: object, _method: str, event: Any) -> Any:
        seen.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[keep], wrapper_class=structlog.make_filtering_bound_logger(20))
    log = get_logger("andes")

    log.debug("a")
    log.info("b\n", flow="order-17", river="east/create-vm", token="abcd")  # noqa: S106  # an example of a secret

    assert (log.enabled("debug"), log.enabled("info")) == (False, True)
    wanted = {"event": "b\\n", "actor": "andes", "flow": "order-17", "river": "east/create-vm", "token": "***"}
    assert seen == [wanted]


def test_a_changed_configuration_is_noticed() -> None:
    log = get_logger()
    seen = [log.enabled("debug")]

    for level in (20, 10, 30):
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
        seen.append(log.enabled("debug"))

    assert seen == [False, False, True, False]


def test_the_standard_librarys_level_counts_where_the_application_uses_it() -> None:
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    log, ours = get_logger(), logging.getLogger("vastflow")
    before = ours.level

    ours.setLevel(logging.WARNING)
    quiet = log.enabled("info")
    ours.setLevel(logging.DEBUG)
    loud = log.enabled("info")
    ours.setLevel(before)

    assert (quiet, loud) == (False, True)


def test_a_logger_that_knows_no_levels_is_handed_every_line() -> None:
    structlog.configure(wrapper_class=structlog.BoundLogger)

    assert get_logger().enabled("debug")


def test_a_line_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> Any:
        raise RuntimeError

    log = get_logger("ledger")
    monkeypatch.setattr(sys, "stderr", Refusing())
    log.error("nobody listens")
    structlog.configure(processors=[broken])
    log.error("a chain that fails")
    structlog.configure(logger_factory=broken)
    log.error("a factory that fails")

    assert not log.enabled("error")


def test_an_engine_line_inside_a_body_takes_its_fields_from_there() -> None:
    stream = io.StringIO()
    setup(json=False, stream=stream)

    token = in_body(BodyFields("order-17", "create-vm", 3, actor="Create"))
    get_logger("pool").info("body abandoned")
    leave(token)

    for part in ("flow=order-17", "river=create-vm", "attempt=3", "actor=pool"):
        assert part in stream.getvalue()
