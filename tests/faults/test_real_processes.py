"""What if the serving process is stopped, or killed with a body on every thread? What if the clock is set?"""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, river
from tests.faults.real import Signs, check_journal, signs
from tests.faults.server import DRAWN
from vastflow import Continue, Engine, FlowFailed
from vastflow import clock as clocks
from vastflow.ledger.sqlite import SQLiteStore

__all__ = ["signs"]

_THREADS = 64  # bodies that run at once
_HOUR = 3600 * 10**9  # nanoseconds
_STOPPED = 30  # seconds for which the serving process stands still
SERVER = Path(__file__).with_name("server.py")


class Servers:
    """Processes that serve one store, and what they said."""

    def __init__(self, store: Path, stack: ExitStack) -> None:
        """Have none yet."""
        self.store = store
        self.said: list[list[str]] = []
        self._stack = stack

    def begin(self, flows: int, hang: str) -> "subprocess.Popen[str]":
        """Let a process serve the store."""
        command = [sys.executable, str(SERVER), str(self.store), str(flows), hang]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def hear(self, process: "subprocess.Popen[str]", word: str, times: int) -> None:
        """Hear what a process says until it has said this word so often."""
        assert process.stdout is not None
        while times and (line := process.stdout.readline()):
            self.said.append(line.split())
            times -= self.said[-1][0] == word
        assert times == 0

    def hear_all(self, process: "subprocess.Popen[str]") -> None:
        """Let a process end, and hear what it says until it has."""
        said, _ = process.communicate(timeout=LONG)
        self.said += [line.split() for line in said.splitlines()]

    def count(self, word: str) -> Counter[str]:
        """Return how often a word was said of each flow."""
        return Counter(line[1] for line in self.said if line[0] == word)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Make processes, and end what is left of them."""
    with ExitStack() as stack:
        yield Servers(tmp_path / "flows.db", stack)


def check_store(path: Path, flows: int) -> None:
    with closing(SQLiteStore(path)) as store:
        for number in range(flows):
            check_journal(store.facts(f"flow-{number}"))


@pytest.mark.slow
@pytest.mark.promise("4.10", "10.5")
def test_a_process_killed_with_a_body_on_every_thread_loses_none_and_repeats_only_those(servers: Servers) -> None:
    flows = _THREADS + 16
    killed = servers.begin(flows, "hang")
    servers.hear(killed, "begin", _THREADS)

    killed.kill()
    killed.wait(LONG)
    running = servers.count("begin")
    again = servers.begin(flows, "0")
    servers.hear(again, "result", flows)
    servers.hear_all(again)
    ended = again.wait(LONG)

    begun = servers.count("begin")
    assert (len(running), set(running.values()), ended) == (_THREADS, {1}, 0)
    assert {flow: times for flow, times in begun.items() if times == 2} == dict.fromkeys(running, 2)
    assert len(begun) == flows
    assert servers.count("end") == servers.count("result") == dict.fromkeys(begun, 1)
    assert {line[2] for line in servers.said if line[0] == "result"} == {"1"}
    check_store(servers.store, flows)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.promise("11.1")
def test_the_lock_of_a_server_that_stands_still_for_thirty_seconds_is_not_broken(
    servers: Servers, signs: Signs
) -> None:
    stopped = servers.begin(8, "1.5")
    servers.hear(stopped, "begin", 8)

    with Engine(f"sqlite:///{servers.store}") as engine:
        stopped.send_signal(signal.SIGSTOP)
        asked = engine.start(DRAWN, id="flow-8")
        hung = signs.wait_for("whoever serves the store gives no sign of life", 1, _STOPPED)
        with pytest.raises(subprocess.TimeoutExpired):
            stopped.wait(_STOPPED * 2 / 3)
        standing_by = not engine.serves
        state = asked.status().state
        stopped.send_signal(signal.SIGCONT)
        servers.hear(stopped, "end", 9)
        still_standing_by = not engine.serves
        water = asked.result(LONG)

    servers.hear_all(stopped)
    assert (standing_by, still_standing_by, state) == (True, True, "init")
    assert (hung[0]["pid"], stopped.wait(LONG)) == (stopped.pid, 0)
    assert water["done"] == 1
    assert set(servers.count("begin").values()) == set(servers.count("end").values()) == {1}
    check_store(servers.store, 9)


class Wall:
    """The clock on the wall, which somebody sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hang it where the machine's time is asked for."""
        self.set = 0
        monkeypatch.setattr(clocks, "time", SimpleNamespace(time_ns=self.time_ns, monotonic_ns=time.monotonic_ns))

    def time_ns(self) -> int:
        """Return what it shows."""
        return time.time_ns() + self.set


def polled(calls: Counter[str], times: int) -> Any:
    """Return a poll that is done the n-th time; its count outlives the engine."""

    def cycle(_self: Any, water: Any) -> None:
        calls["cycle"] += 1
        if calls["cycle"] < times:
            raise Continue("not yet")
        water["done"] = True

    return cycle


def begins(calls: Counter[str]) -> Any:
    """Return a body that counts itself."""

    def flow(_self: Any, _water: Any) -> None:
        calls["flow"] += 1

    return flow


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """Hang up a clock that can be set."""
    return Wall(monkeypatch)


@pytest.mark.promise("10.11")
@pytest.mark.parametrize("hour", [_HOUR, -_HOUR])
def test_a_clock_set_by_an_hour_under_a_living_engine_changes_nothing(wall: Wall, hour: int, tmp_path: Path) -> None:
    calls = Counter[str]()
    waits = river("waits", begins(calls), polled(calls, 8), cycle_interval=0.05, deadline=600)
    with Engine(f"sqlite:///{tmp_path / 'flows.db'}", jitter=0.0) as engine:
        flow = engine.start(drawn(waits), deadline="20m")
        wall.set = hour
        later = engine.start(drawn(waits), deadline="20m")
        water = flow.result(LONG)
        after = later.result(LONG)

        assert (water["done"], after["done"], calls["flow"]) == (True, True, 2)
        assert abs((later.status().started - flow.status().started).total_seconds()) < LONG


def left_waiting(path: Path, wall: Wall, calls: Counter[str]) -> str:
    """Leave a flow behind that waits for its next poll."""
    waits = river("waits", begins(calls), polled(calls, 8), cycle_interval=0.05, deadline=600)
    with Engine(f"sqlite:///{path}", jitter=0.0) as engine:
        flow = engine.start(drawn(waits))
        with pytest.raises(TimeoutError):
            flow.result(0.2)
    assert wall.set == 0
    return flow.id


@pytest.mark.promise("10.11", "10.4")
def test_a_clock_set_back_by_an_hour_between_two_engines_lets_nobody_wait_an_hour(wall: Wall, tmp_path: Path) -> None:
    calls = Counter[str]()
    flow_id = left_waiting(tmp_path / "flows.db", wall, calls)

    wall.set = -_HOUR
    with Engine(f"sqlite:///{tmp_path / 'flows.db'}", jitter=0.0) as engine:
        water = engine.flow(flow_id).result(LONG)
    with closing(SQLiteStore(tmp_path / "flows.db")) as store:
        check_journal(store.facts(flow_id))

    assert (water["done"], calls["flow"]) == (True, 1)


@pytest.mark.promise("10.11", "2.3")
def test_a_clock_set_forward_by_an_hour_between_two_engines_is_an_hour_in_which_nobody_served(
    wall: Wall, tmp_path: Path
) -> None:
    calls = Counter[str]()
    flow_id = left_waiting(tmp_path / "flows.db", wall, calls)
    polls = calls["cycle"]

    wall.set = _HOUR
    with (
        Engine(f"sqlite:///{tmp_path / 'flows.db'}", jitter=0.0) as engine,
        pytest.raises(FlowFailed) as failed,
    ):
        engine.flow(flow_id).result(LONG)
    with closing(SQLiteStore(tmp_path / "flows.db")) as store:
        check_journal(store.facts(flow_id))

    assert failed.value.failure is not None
    assert (failed.value.failure.kind, calls["cycle"]) == ("deadline", polls)
