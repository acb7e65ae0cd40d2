"""What must hold for a store that somebody has damaged?

It is opened, or refused with advice where it is the store itself; whoever was not damaged comes to the end that was
meant for him; who was is stranded with a reason that says what to do, or goes on; all of it can be looked at, and
nothing is imported, run or changed beyond that.
"""

import io
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

from click.testing import CliRunner

from tests.engine.hostile_store import ENDS, FAST, LATER, NEW, rows_of
from vastflow import Engine, log
from vastflow.cli import main
from vastflow.errors import FlowNotFound, StoreError, StoreTooNew
from vastflow.ledger.reading import FlowStatus
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.runtime import Simulated

__all__ = ["ADVICE", "Ordeal", "unsafe"]

T = TypeVar("T")

ADVICE = re.compile(r"restore|install|import the module|mend|give |keep |look at|name another store")
"""Words of which a reason has one that says what to do."""

_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u206f]")
_OURS = ("vastflow", "rich")  # what loads pages of its own when they are asked for first
_RUNNING = frozenset({"pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"})
_OPEN_END = frozenset({"stranded", "changed", "owner", "epoch"})  # what becomes of the row of a flow that is stranded
_LONG = 600.0  # simulated seconds
_AFTER = 3.0

_watched: list[list[str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watched:
        return
    first = arguments[0] if arguments else ""
    from_text = event == "exec" and isinstance(first, CodeType) and first.co_filename.startswith("<")
    imported = event == "import" and str(first).partition(".")[0] not in _OURS
    if event in _RUNNING or from_text or imported:
        _watched[-1].append(f"{event} {first!r}")


sys.addaudithook(_watch)  # for good, since none can be taken away; it does nothing while nobody watches


class Ordeal:
    """One store that was damaged, and what became of it.

    Attributes:
        faults: what did not hold.
        refused: why it was not opened; empty if it was.
        stranded: why the flows that cannot go on cannot, by id.
        going: how all others stand, by id.
    """

    def __init__(self, path: Path, damaged: Mapping[str, str], *, whole: bool = True) -> None:
        """Go through with it.

        Args:
            path: of the store.
            damaged: the ids of the flows that were damaged, and how, or in which column.
            whole: let all flows come to their ends; else the store is only opened and looked at.
        """
        self.faults: list[str] = []
        self.refused = ""
        self.stranded: dict[str, str] = {}
        self.going: dict[str, FlowStatus] = {}
        self._path = path
        self._damaged = damaged
        self._whole = whole
        with self._watching():
            before = rows_of(path) if whole else {}
            self._serve(
                frozenset(
                    row[1].decode(errors="replace") for row in before.get("flows", ()) if isinstance(row[1], bytes)
                )
            )
            self._look()
        if whole:
            self._compare(before, rows_of(path))

    def _fault(self, told: str) -> None:
        self.faults.append(f"{told:.2000}")

    @contextmanager
    def _watching(self) -> Iterator[None]:
        seen: list[str] = []
        lines = io.StringIO()
        _watched.append(seen)
        log.setup("info", json=False, stream=lines)
        try:
            yield
        finally:
            log.reset()
            _watched.remove(seen)
        if seen:
            self._fault(f"something was imported or run: {seen}")
        if found := unsafe(lines.getvalue()):
            self._fault(f"the log has a control character: {found}")

    # It is served

    def _serve(self, there: frozenset[str]) -> None:
        runtime, store = Simulated(start=LATER), SQLiteStore(self._path, FAST)
        try:
            engine = Engine(store=store, runtime=runtime, jitter=0.0)
        except StoreError as error:
            self._refuse(error)
            store.close()
            return
        with closing(engine):
            for flow in sorted(ENDS.keys() & there - self._damaged.keys()) if self._whole else ():
                self._asked(flow, lambda flow=flow: self._end(engine, flow))  # type: ignore[misc]  # bound on purpose
            if self._whole:
                self._asked("new", lambda: self._begin(engine))
                runtime.advance(_AFTER)
            for handle in self._asked("", lambda: engine.flows(limit=1000)) or ():
                self._read(engine, handle.id)

    def _refuse(self, error: StoreError) -> None:
        self.refused = str(error)
        if not ADVICE.search(self.refused):
            self._fault(f"it was refused without advice: {error}")

    def _end(self, engine: Engine, flow: str) -> None:
        if flow == "paused":
            engine.flow(flow).resume()
        status = engine.flow(flow).wait(_LONG)
        if status.state != ENDS[flow] or status.stranded:
            self._fault(f"{flow} came to {status.state}: {status}")

    def _begin(self, engine: Engine) -> None:
        status = engine.start(NEW, id="new").wait(_LONG)
        if status.state != "success":
            self._fault(f"a new flow came to {status.state}: {status}")

    def _read(self, engine: Engine, flow_id: str) -> None:
        flow = self._asked(flow_id, lambda: engine.flow(flow_id))
        if flow is None:
            return
        self._asked(flow_id, flow.events)
        status = self._asked(flow_id, flow.status)
        if status is not None and not status.stranded:
            self.going[flow_id] = status
        elif status is not None:
            self.stranded[flow_id] = status.stranded
            self._doubt(flow_id, status.stranded)

    def _doubt(self, flow_id: str, reason: str) -> None:
        forged = self._damaged.get(flow_id) == "flows.stranded"
        if not forged and not ADVICE.search(reason.partition("\nTraceback")[0]):
            self._fault(f"{flow_id} is stranded without advice: {reason}")
        if unsafe(reason):
            self._fault(f"{flow_id} is stranded with a control character: {reason!r}")
        if self._whole and flow_id in ENDS and flow_id not in self._damaged:
            self._fault(f"{flow_id} is stranded, and was not damaged: {reason}")

    def _asked(self, flow_id: str, ask: Callable[[], T]) -> T | None:
        """Return an answer. What was damaged may refuse it, naming what to do; nothing else may be raised."""
        try:
            return ask()
        except FlowNotFound as error:
            if flow_id in self._damaged or flow_id in ENDS:
                self._fault(f"{flow_id}: {error}")
        except (StoreError, StoreTooNew) as error:
            if not ADVICE.search(str(error)) or (self._whole and flow_id in {*ENDS, "new"} - self._damaged.keys()):
                self._fault(f"{flow_id}: {type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a fault
            self._fault(f"{flow_id}: {type(error).__name__}: {error}")
        return None

    # It is looked at

    def _look(self) -> None:
        store = ("--store", f"sqlite:///{self._path}")
        self._call("list", *store)
        if not self._damaged and self._whole:
            return
        rows = json.loads(self._call("list", *store, "--json", "--limit", "1000") or "[]")
        for number, row in enumerate(row for row in rows if row["id"] in self._damaged):
            self._call("show", row["id"], *store, *(("--json",) if number % 2 else ("--events", "--water")))

    def _call(self, *arguments: str) -> str:
        done = CliRunner().invoke(main, arguments)
        told = f"vastflow {' '.join(arguments)}"
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            self._fault(f"{told} raised {type(done.exception).__name__}: {done.exception}")
        if "Traceback (most" in done.stderr or (done.exit_code and not done.stderr.startswith("Error: ")):
            self._fault(f"{told} ended with {done.exit_code}: {done.stderr}")
        if found := unsafe(done.output):
            self._fault(f"{told} wrote a control character: {found}")
        return done.stdout if done.exit_code == 0 else ""

    # Nothing else has changed

    def _compare(self, before: dict[str, list[tuple[Any, ...]]], after: dict[str, list[tuple[Any, ...]]]) -> None:
        for table in before.keys() - {"flows", "owner", "periods"}:
            if gone := set(before[table]) - set(after[table]):
                self._fault(f"rows of {table} were changed or removed: {gone}")
        names = self._columns()
        rows = {row[0]: row for row in after["flows"]}
        for old in before["flows"]:
            changed = {name for name, was, now in zip(names, old, rows[old[0]], strict=True) if was != now}
            told = old[1].decode(errors="replace") if isinstance(old[1], bytes) else ""
            if changed and (ENDS.get(told) == _ended(old, names) or self.refused):
                self._fault(f"the row of {told}, which had ended, was changed: {changed}")
            if told in self.stranded and changed - _OPEN_END:
                self._fault(f"the row of {told}, which is stranded, was changed: {changed}")

    def _columns(self) -> list[str]:
        with closing(sqlite3.connect(self._path)) as link:
            return [name for _, name, *_ in link.execute("PRAGMA table_info(flows)")]


def _ended(row: tuple[Any, ...], names: list[str]) -> str:
    """Return how a flow has ended by its row; empty if it has not."""
    state = row[names.index("state")]
    return state.decode(errors="replace") if isinstance(state, bytes) and row[names.index("ended")] else ""


def unsafe(text: str) -> str:
    """Return the place where a text has a control character; empty if there is none."""
    found = _UNSAFE.search(text)
    return repr(text[max(0, found.start() - 60) : found.end() + 60]) if found else ""
