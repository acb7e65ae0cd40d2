"""What do the tests of real faults share?

A store on a real disk, flows that wait at a gate, and log lines that are signs.
"""

import io
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, river, sea
from vastflow import Andes, Engine, Flow, Headwaters
from vastflow.ledger.contract import FactRow
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.log import reset, setup
from vastflow.runtime import Runtime

__all__ = ["FLOWS", "TROUBLE", "Signs", "Site", "check_journal", "link_of", "signs"]

FLOWS = 5
TROUBLE = "the store cannot be written; nothing is lost, it is tried again"
_BULK = 40_000  # characters of water, so that what is written needs pages which the file does not have yet


class Signs(io.StringIO):
    """A log whose lines can be waited for."""

    def __init__(self) -> None:
        """Have heard nothing."""
        super().__init__()
        self._grown = threading.Condition()
        self._lines: list[dict[str, Any]] = []

    def write(self, text: str) -> int:
        """Hear a line."""
        with self._grown:
            self._lines += [json.loads(line) for line in text.splitlines() if line.strip()]
            self._grown.notify_all()
        return len(text)

    def wait_for(self, event: str, times: int = 1, patience: float = LONG) -> list[dict[str, Any]]:
        """Wait until it was said so many times; a line that only begins so says it too."""
        with self._grown:
            found = self._grown.wait_for(lambda: len(self._of(event)) >= times, patience)
            assert found, f"{event!r} was not said {times} times; said was {[line['event'] for line in self._lines]}"
            return self._of(event)

    def _of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self._lines if line["event"].startswith(event)]


@pytest.fixture
def signs() -> Iterator[Signs]:
    """Hear what is logged."""
    heard = Signs()
    setup("info", json=True, stream=heard)
    yield heard
    reset()


class Site:
    """A store, and flows on it: each does something, waits at a gate, does something more, and ends.

    Attributes:
        calls: how often each body was called, by flow and name.
        gate: shut at first; what stands behind it is done during the fault, or when that is over.
    """

    def __init__(self, path: Path) -> None:
        """Name the place of the store."""
        self.path = path
        self.calls: Counter[tuple[str, str]] = Counter()
        self.gate = threading.Event()
        self._at_gate = threading.Semaphore(0)
        self.drawing = self._draw()

    def engine(self, runtime: Runtime | None = None) -> tuple[Engine, SQLiteStore]:
        """Serve the store."""
        store = SQLiteStore(self.path)
        return Engine(store=store, jitter=0.0, runtime=runtime), store

    def start(self, engine: Engine) -> list[Flow[Headwaters]]:
        """Start the flows, and wait until all stand at the gate."""
        flows = [engine.start(self.drawing, id=f"flow-{number}") for number in range(FLOWS)]
        for _ in flows:
            assert self._at_gate.acquire(timeout=LONG)
        return flows

    def check(self, flows: list[Flow[Headwaters]]) -> None:
        """Let all of them end, and find nothing lost and nothing doubled."""
        for flow in flows:
            water = flow.result(LONG)
            assert (water["first"], len(water["second"])) == (1, _BULK)
        bodies = ("first", "at-gate", "second", "success")
        assert self.calls == Counter((flow.id, body) for flow in flows for body in bodies)

    def check_disk(self, flows: list[Flow[Headwaters]]) -> None:
        """Find the file whole, and every journal with one outcome and one end."""
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as link:
            assert link.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with closing(SQLiteStore(self.path)) as store:
            for flow in flows:
                check_journal(store.facts(flow.id))

    def _draw(self) -> Andes[Headwaters]:
        def first(self_: Any, water: Any) -> None:
            self.calls[self_.flow_id, "first"] += 1
            water["first"] = water.get("first", 0) + 1

        def at_gate(self_: Any, _water: Any) -> None:
            self.calls[self_.flow_id, "at-gate"] += 1
            self._at_gate.release()
            assert self.gate.wait(LONG * 3)

        def second(self_: Any, water: Any) -> None:
            self.calls[self_.flow_id, "second"] += 1
            water["second"] = "x" * _BULK

        return drawn(
            river("first", first), river("at-gate", at_gate), river("second", second), end=sea(success=self._succeed())
        )

    def _succeed(self) -> Callable[[Any, Any], None]:
        def success(self_: Any, _water: Any) -> None:
            self.calls[self_.flow_id, "success"] += 1

        return success


def check_journal(facts: list[FactRow]) -> None:
    """Find its numbers without gaps, its times never going back, and one of what there is one of."""
    kinds = Counter(fact.kind for fact in facts)
    times = [fact.at for fact in facts]
    assert [fact.number for fact in facts] == list(range(1, len(facts) + 1))
    assert times == sorted(times)
    assert (kinds["started"], kinds["outcome"], kinds["ended"]) == (1, 1, 1)


def link_of(store: SQLiteStore) -> sqlite3.Connection:
    """Return the connection that writes, to be troubled."""
    link = store._link  # noqa: SLF001  # the fault is to come from where faults come from
    assert link is not None
    return link
