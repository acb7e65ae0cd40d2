"""Does an engine that stands by take over when nobody serves the store any more, and never before?"""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any, cast

import pytest
import structlog

from tests.engine.scenes import LONG, calling, drawn, nothing, puts, raises, river
from tests.engine.standing import Crew, LeapClock, until
from vastflow import Atlantic, Continue, Engine, FlowStranded, River
from vastflow.engine.standby import Standby
from vastflow.errors import StoreError
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.log import reset, setup
from vastflow.runtime import Real

ANDES = drawn(river("a", puts(a=1)), name="quick")

PROGRAM = """
import sys
from vastflow import Andes, Atlantic, Continue, Engine, River

class Waits(River):
    registered_as = sys.argv[2]
    cycle_interval, deadline = "0.2s", "9h"
    def flow(self, water):
        water["pid"] = 1
        print("began", flush=True)
    def cycle(self, water):
        raise Continue("not yet")

class End(Atlantic):
    registered_as = "tests.takeover.End"

engine = Engine(sys.argv[1])
engine.start(Andes("theirs") >> Waits() >> End(), id="theirs")
sys.stdin.read()
"""


class Known(River):
    """What the other process waits in, if it is known here: it need wait no longer."""

    registered_as = "tests.takeover.Known"
    cycle_interval, deadline = "0.2s", "9h"

    def flow(self, _water: Any) -> None:
        """Never be called: it was, there."""
        raise AssertionError

    def cycle(self, water: Any) -> None:
        """Be done."""
        water["done"] = True


class End(Atlantic):
    """Where it ends, here as there."""

    registered_as = "tests.takeover.End"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Write JSON lines into a text, and put logging back as it was."""
    stream = io.StringIO()
    structlog.reset_defaults()
    setup("info", json=True, stream=stream)
    yield stream
    reset()
    structlog.reset_defaults()


def said(lines: io.StringIO, what: str) -> list[dict[str, object]]:
    return [line for line in map(json.loads, lines.getvalue().splitlines()) if what in line["event"]]


Serve = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def serve(crew: Crew) -> Iterator[Serve]:
    """Let another process serve the store, with a flow that waits in a class of this name."""
    with ExitStack() as stack:

        def begin(name: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, crew.url, name],
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "began\n"
            return process

        yield begin


@pytest.mark.promise("11.1")
def test_whoever_stands_by_takes_over_when_the_server_closes_and_waits_go_on(crew: Crew) -> None:
    calls, ready = list[str](), threading.Event()

    def cycle(self: River, _water: object) -> None:
        calls.append(self.key)
        if not ready.is_set():
            raise Continue("not yet")

    server = crew.engine()
    standby = crew.engine()
    flow = standby.start(drawn(river("a", nothing, cycle, cycle_interval=0.02, deadline="9h")), id="one")
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(flow.result)
        until(lambda: calls)
        server.close()
        until(lambda: standby.serves)
        ready.set()

        assert waits.result(LONG) == {}
    assert len(set(calls)) == 1
    assert standby.start(ANDES).result(LONG) == {"a": 1}
    assert not crew.engine().serves


@pytest.mark.promise("11.1")
@pytest.mark.slow
def test_a_server_that_is_killed_is_followed_by_one_who_knows_its_classes_and_its_flows_go_on(
    crew: Crew, serve: Serve
) -> None:
    server = serve("tests.takeover.Known")
    standbys = [crew.engine() for _ in range(3)]

    server.kill()
    late = standbys[1].start(ANDES, id="late")

    assert standbys[2].flow("theirs").result(LONG) == {"pid": 1, "done": True}
    assert late.result(LONG) == {"a": 1}
    assert [standby.serves for standby in standbys].count(True) == 1


def leapt(clock: LeapClock) -> bool:
    clock.leap(0.5)
    return True


@pytest.mark.promise("11.1")
@pytest.mark.slow
def test_a_server_that_is_stopped_keeps_its_lock_and_is_named_with_its_pid(
    crew: Crew, serve: Serve, lines: io.StringIO
) -> None:
    server = serve("theirs.Waits")
    clock = LeapClock()
    standby = crew.engine(runtime=Real(clock))
    os.kill(server.pid, signal.SIGSTOP)
    try:
        until(lambda: leapt(clock) and said(lines, "no sign of life"))
    finally:
        os.kill(server.pid, signal.SIGCONT)

    (line,) = said(lines, "no sign of life")
    assert line["pid"] == server.pid
    assert "kill -CONT" in str(line["event"])
    assert not standby.serves


@pytest.mark.promise("11.1")
@pytest.mark.slow
def test_who_does_not_know_the_classes_of_the_flows_takes_over_only_when_nobody_else_does(
    crew: Crew, serve: Serve
) -> None:
    server = serve("theirs.Waits")
    clock = LeapClock()
    standby = crew.engine(runtime=Real(clock))
    waits = standby.ending("theirs")
    server.kill()
    server.wait(LONG)
    role, looks = cast("Standby", standby._role), list[int]()  # noqa: SLF001  # how often it looked can be seen nowhere else
    periods = role.periods
    role.periods = lambda since: (looks.append(since), periods(since))[1]  # type: ignore[method-assign, func-returns-value]  # it counts, and does the same
    for _ in range(3):
        seen = len(looks)
        clock.leap(1)
        until(lambda: len(looks) > seen)  # noqa: B023  # within this turn
    early = standby.serves

    clock.leap(5)
    until(lambda: standby.serves)

    assert not early
    assert waits.result(LONG) is None
    with pytest.raises(FlowStranded, match="is not known here"):
        standby.flow("theirs").result()


@pytest.mark.promise("11.1", "11.2")
def test_what_was_asked_before_a_takeover_is_answered_after_it(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vastflow.engine.mail._PATIENCE", LONG)
    crew.engine().close()
    with ThreadPoolExecutor(3) as pool, closing(SQLiteStore(crew.path)) as other:
        other.take("server", 1)
        standby = crew.engine()
        flow = standby.start(ANDES, id="one")
        waits, conflict = pool.submit(flow.result), standby.start(ANDES, id="one", n=2)
        slow = standby.start(drawn(river("s", nothing, raises(lambda: Continue("no")), deadline="9h")), id="slow")
        paused = pool.submit(slow.pause)
        wrong = pool.submit(conflict.result)
        until(lambda: len(standby._waiting) >= 3)  # noqa: SLF001  # that they wait can be seen nowhere else

    assert standby.serves
    assert waits.result(LONG) == {"a": 1}
    assert paused.result(LONG) is True
    assert "other water" in str(wrong.exception(LONG))


@pytest.mark.promise("11.1", "11.2")
def test_a_flow_whose_end_was_not_seen_before_the_takeover_is_told_after_it(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = crew.engine()
    standby = crew.engine()
    look = Standby.look
    monkeypatch.setattr(Standby, "look", lambda self: look(self) if standby.serves else None)
    waits = [standby.ending(server.start(ANDES, n=number).id) for number in range(3)]
    answers = [standby.settling(posted) for posted in [standby.start(ANDES, id="one")._posted] if posted]  # noqa: SLF001  # the letter is the handle's own
    until(lambda: len(server.flows(state="success")) == 4)

    server.close()

    assert [each.result(LONG) for each in waits] == [None] * 3
    assert [each is None or each.result(LONG).what for each in answers] in ([True], ["done"])


@pytest.mark.promise("11.1", "11.4")
@pytest.mark.parametrize("turn", range(10))
def test_an_engine_can_be_closed_at_any_moment_of_a_takeover_from_several_threads(crew: Crew, turn: int) -> None:
    server = crew.engine()
    flows = server.start_many(drawn(river("a", nothing, raises(lambda: Continue("no")), deadline="9h")), [{}] * 30)
    standby = crew.engine()
    server.close(0.0)
    threading.Event().wait(turn * 0.03)

    with ThreadPoolExecutor(3) as pool:
        closed = [pool.submit(standby.close, 0.0) for _ in range(3)]
        assert [each.result(LONG) for each in closed] == [True] * 3

    assert not standby.serves
    with crew.engine(serve=True) as after:
        assert {after.flow(flow.id).status().state for flow in flows} == {"running"}


@pytest.mark.promise("11.1", "10.7")
def test_a_takeover_that_fails_is_tried_again(crew: Crew, monkeypatch: pytest.MonkeyPatch, lines: io.StringIO) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is away")

    clock = LeapClock()
    server = crew.engine()
    flow = server.start(drawn(river("a", nothing, nothing, cycle_interval=0.5, deadline="9h")), id="one")
    standby = crew.engine(runtime=Real(clock))
    with monkeypatch.context() as patch:
        patch.setattr("vastflow.engine.serving.find_unfinished", fail)
        server.close()
        until(lambda: said(lines, "it is tried again"))
        assert standby.flow("one").status().state == "running"

    clock.leap(6)
    until(lambda: standby.serves)

    assert standby.flow("one").result(LONG) == {}
    assert flow.id == "one"


@pytest.mark.promise("11.1")
def test_the_one_who_never_serves_does_not_take_over_and_waits_for_the_next(crew: Crew) -> None:
    done = threading.Event()
    server = crew.engine()
    never = crew.engine(serve=False)
    cycle = calling(lambda *_: done.wait(LONG) and None)
    flow = never.start(drawn(river("a", nothing, cycle, cycle_interval=0.01, deadline="9h")), id="one")
    until(lambda: flow.status().state == "running")
    server.close(0.0)

    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(flow.result)
        with pytest.raises(TimeoutError):
            flow.wait(0.6)
        assert not never.serves
        done.set()
        with Engine(crew.url, serve=True):
            assert waits.result(LONG) == {}
