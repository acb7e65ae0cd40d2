"""Do the flows that many processes start on one store run once each, though whoever serves it is killed twice?"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

import pytest

from tests.engine.scenes import LONG
from tests.engine.standing import until
from tests.faults.real import check_journal
from vastflow.ledger.contract import FlowQuery
from vastflow.ledger.sqlite import SQLiteStore

PROGRAM = Path(__file__).with_name("crowd.py")
STARTERS, FLOWS = 4, 1000


class Crowd:
    """Processes on one store; what they log goes into one file."""

    def __init__(self, folder: Path, log: IO[str], stack: ExitStack) -> None:
        """Have none yet."""
        self.store, self.notes = folder / "flows.db", folder / "notes"
        self._log, self._stack = log, stack

    def begin(self, *arguments: object) -> "subprocess.Popen[str]":
        """Begin a process."""
        command = [sys.executable, str(PROGRAM), *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def server(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a process that serves the store or stands by, and hear that it does."""
        process = self.begin("serve", self.store, self.notes)
        hear(process, *words)
        return process

    def noted(self) -> list[tuple[str, int, str]]:
        """Return what has been noted: begin or end, by which process, of which flow."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [(word, int(pid), flow) for word, pid, flow in map(str.split, lines)]


def hear(process: "subprocess.Popen[str]", *words: str) -> None:
    """Hear what a process says, word for word."""
    assert process.stdout is not None
    assert [process.stdout.readline().strip() for _ in words] == list(words)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    """Make processes, and end what is left of them."""
    with (tmp_path / "log").open("w") as log, ExitStack() as stack:
        yield Crowd(tmp_path, log, stack)


def kill_at(crowd: Crowd, server: "subprocess.Popen[str]", notes: int) -> int:
    """Kill a server when so much has been noted, and return its number."""
    until(lambda: len(crowd.noted()) >= notes)
    server.kill()
    server.wait(LONG)
    return server.pid


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.promise("11.1", "11.2", "10.5")
def test_four_thousand_flows_of_four_processes_run_once_each_though_their_server_is_killed_twice(crowd: Crowd) -> None:
    first = crowd.server("serves")
    second = crowd.server("stands by")
    starters = [crowd.begin("start", crowd.store, f"s{each}", FLOWS) for each in range(STARTERS)]

    killed = {kill_at(crowd, first, 1000)}
    hear(second, "serves")  # it has taken over
    killed.add(kill_at(crowd, second, 3500))
    crowd.server("serves")

    for each in starters:
        hear(each, "started", f"ended {FLOWS} [1]")
        assert each.wait(LONG) == 0
    check_bodies(crowd, killed)
    check_store(crowd.store)
    assert "locked" not in (crowd.store.parent / "log").read_text()


def check_bodies(crowd: Crowd, killed: set[int]) -> None:
    """Check that no process ran a body twice, and that only a killed process left one to another."""
    begun: dict[str, list[int]] = defaultdict(list)
    for word, pid, flow in crowd.noted():
        if word == "begin":
            begun[flow].append(pid)
    assert len(begun) == STARTERS * FLOWS
    assert [flow for flow, pids in begun.items() if len(set(pids)) < len(pids) or not set(pids[:-1]) <= killed] == []
    twice = [flow for flow, pids in begun.items() if len(pids) > 1]
    sys.stdout.write(f"{len(begun)} flows, {len(twice)} of them begun twice\n")


def check_store(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        rows = store.flows(FlowQuery(limit=2 * STARTERS * FLOWS))
        assert len(rows) == STARTERS * FLOWS
        assert {(row.state, row.stranded) for row in rows} == {("success", "")}
        for row in rows:
            check_journal(store.facts(row.id))
