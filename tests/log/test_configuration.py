import io
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

from vastflow.log import BodyFields, in_body, leave, reset, setup

IMPORTS = """
import logging, sys
import structlog
before = structlog.get_config(), logging.root.handlers[:], logging.root.level, logging.getLogger().filters[:]
import vastflow.log
vastflow.log.get_logger("x").warning("said")
after = structlog.get_config(), logging.root.handlers[:], logging.root.level, logging.getLogger().filters[:]
assert before == after
assert not structlog.is_configured()
print("unchanged")
"""


@contextmanager
def bare_root() -> Iterator[logging.Logger]:
    """Take away the handlers pytest put at the root logger, for a while: an application starts without any."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    root.handlers[:] = []
    yield root
    root.handlers[:] = handlers


def refuse(text: str) -> None:
    raise ValueError(text)


def test_importing_and_logging_configure_nothing() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=False, timeout=50)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "unchanged\n"
    assert "said" in ran.stderr


def test_elsewhere_than_on_a_terminal_lines_are_json() -> None:
    stream = io.StringIO()
    setup(stream=stream)

    structlog.get_logger().info("grüße\n\x1b[31m", vm="vm-1", share=float("nan"), half="\ud800", thing=object())
    structlog.get_logger().debug("not asked for")

    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["event"] == "grüße\\n\\x1b[31m"
    assert (told["level"], told["vm"], told["share"], told["half"]) == ("info", "vm-1", "nan", "\\ud800")
    assert told["timestamp"].endswith("Z")


def test_a_traceback_in_json_is_masked_and_stays_one_line() -> None:
    stream = io.StringIO()
    setup(stream=stream)

    try:
        refuse("refused: hunter2 \x1b[2J")
    except ValueError:
        structlog.get_logger().exception("broke", password="hunter2")  # noqa: S106  # an example of a secret

    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert "ValueError: refused: *** \\x1b[2J" in told["exception"]
    assert len(told["exception"].splitlines()) > 2


def on_a_terminal(write: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> str:
    """Run `write` with stderr at a pseudo-terminal and return what the terminal got."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8", buffering=1) as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        write()
        stream.flush()
        told = os.read(ours, 65536).decode()
    os.close(ours)
    return told


def hello() -> None:
    setup()
    structlog.get_logger().info("hello", vm="vm-1")


def test_on_a_terminal_lines_are_for_people_and_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    told = on_a_terminal(hello, monkeypatch)

    assert "hello" in told
    assert "\x1b[" in told
    assert not told.startswith("{")


def test_a_traceback_on_a_terminal_shows_no_local_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def broke() -> None:
        hidden = "hunter2"
        setup()
        try:
            refuse(f"{len(hidden)} letters")
        except ValueError:
            structlog.get_logger().exception("broke")

    told = on_a_terminal(broke, monkeypatch)

    assert "ValueError: 7 letters" in told
    assert "hunter2" not in told


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")

    told = on_a_terminal(hello, monkeypatch)

    assert "vm=vm-1" in told
    assert "\x1b[" not in told


def test_lines_for_people_have_no_colours_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = io.StringIO()
    setup(json=False, stream=stream)

    structlog.get_logger().info("hello", vm="vm-1")

    assert "vm=vm-1" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.promise("12.1")
def test_lines_of_the_standard_library_come_out_alike() -> None:
    stream = io.StringIO()

    with bare_root():
        setup(stream=stream)
        token = in_body(BodyFields("order-17", "create-vm", 1))
        logging.getLogger("some.library").info("got %s\x1b", "it", extra={"api_key": "abcd"})
        logging.getLogger("some.library").debug("not asked for")
        leave(token)

    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["api_key"]) == ("got it\\x1b", "info", "***")
    assert (told["flow"], told["river"], told["attempt"]) == ("order-17", "create-vm", 1)


def test_a_root_logger_that_has_handlers_is_left_alone() -> None:
    theirs = logging.NullHandler()

    with bare_root() as root:
        root.addHandler(theirs)
        level = root.level
        setup(level="debug", stream=io.StringIO())
        handlers = root.handlers[:]

    assert handlers == [theirs]
    assert root.level == level


def test_setup_may_change_its_mind_and_reset_takes_it_all_back() -> None:
    first, second = io.StringIO(), io.StringIO()

    with bare_root() as root:
        level = root.level
        setup(stream=first)
        setup(level="debug", stream=second)
        logging.getLogger("some.library").debug("once")
        structlog.get_logger().debug("twice")
        reset()
        after = root.handlers[:], root.level

    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 2
    assert after == ([], level)
    assert not structlog.is_configured()


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"setup\(level='loud'\): no such level; write one of debug, info, warning"):
        setup("loud")

    assert not structlog.is_configured()
