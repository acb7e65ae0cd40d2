"""How is a round played?

Process after process on one store, each killed when its plan says so, until all has ended; or several at a time.
"""

import multiprocessing
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.crash.findings import Findings, examine
from tests.crash.life import LONGEST, Part, live
from tests.crash.plan import NEVER, Kill, Plan, crew_of, plan_of
from vastflow.errors import StoreError
from vastflow.ledger.contract import FlowQuery
from vastflow.ledger.sqlite_reader import SQLiteReader

__all__ = ["Report", "play", "play_together"]

_OPEN = ("init", "running", "undoing", "ending")


# Forked off a process that has imported everything and does nothing else.
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.crash.life"])


@dataclass(slots=True)
class Report:
    """What came of some rounds.

    Attributes:
        figures: what was counted.
        kills: kills by the place at which they fell, and those that hit unfinished flows.
        wrongs: what was wrong, by seed.
        gaps: seconds without a server, while another process stood by.
    """

    figures: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    wrongs: dict[int, list[str]] = field(default_factory=dict)
    gaps: list[float] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Take what came of others."""
        self.figures += other.figures
        self.kills += other.kills
        self.wrongs |= other.wrongs
        self.gaps += other.gaps

    @property
    def violations(self) -> int:
        """How much was wrong."""
        return sum(map(len, self.wrongs.values()))


def play(seed: int, folder: Path, *, flows: int | None = None) -> Report:
    """Play the round of a seed in an empty folder; what it leaves there stays."""
    plan = plan_of(seed, flows=flows)
    report = Report()
    parts = [Part(folder, str(n), kill, 0, plan.flows) for n, kill in enumerate((*plan.kills, NEVER))]
    wrongs = [_live(plan, parts[0], report)]
    if plan.migrates:
        _make_old(folder / "flows.db")
    wrongs += [_live(plan, part, report) for part in parts[1:]]
    _judge(plan, folder, report, wrongs)
    return report


def play_together(seed: int, folder: Path, *, flows: int | None = None) -> Report:
    """Play the round of a seed in which several processes open one store, and whoever serves it is killed."""
    crew = crew_of(seed, flows=flows)
    plan, report = crew.plan, Report()
    bounds = [plan.flows * number // len(crew.kills) for number in range(len(crew.kills) + 1)]

    def live_on(number: int) -> tuple[Report, list[str]]:
        own, kills = Report(), (*crew.kills[number], NEVER)
        span = (bounds[number], bounds[number + 1])
        parts = [Part(folder, f"{number}-{n}", kill, *span, alone=False) for n, kill in enumerate(kills)]
        return own, [_live(plan, part, own) for part in parts]

    with ThreadPoolExecutor(len(crew.kills)) as pool:
        lived = list(pool.map(live_on, range(len(crew.kills))))
    for own, _ in lived:
        report.add(own)
    wrongs = [wrong for _, wrongs in lived for wrong in wrongs]
    wrongs.append(
        _live(plan, Part(folder, "last", NEVER, 0, plan.flows), report)
    )  # somebody may have opened a new round
    findings = _judge(plan, folder, report, wrongs)
    report.gaps += findings.gaps if findings is not None else []
    return report


def _judge(plan: Plan, folder: Path, report: Report, wrongs: list[str]) -> Findings | None:
    """Look at what the round has left."""
    report.figures["rounds"] += 1
    findings = None
    try:
        findings = examine(folder / "flows.db", folder / "notes")
    except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to this round
        wrongs.append(f"the store cannot be read: {type(error).__name__}: {error}")
    else:
        report.figures += findings.figures
        missing = plan.flows - findings.figures["flows"]
        wrongs += [*findings.wrongs, f"{missing} flows are missing" if missing else ""]
    if found := [wrong for wrong in wrongs if wrong]:
        report.wrongs[plan.seed] = found
    return findings


def _make_old(store: Path) -> None:
    """Give a store that nobody serves the form that an earlier release wrote."""
    if not store.exists():
        return
    with closing(sqlite3.connect(store, isolation_level=None)) as link:
        link.execute("DROP TABLE IF EXISTS answer")
        link.execute("PRAGMA user_version = 1")


def _live(plan: Plan, part: Part, report: Report) -> str:
    """Let one process live until it is killed, or to its end; return what was wrong with that."""
    parent, child = _forking.Pipe(duplex=False)
    process = _forking.Process(target=live, args=(plan, part, child))
    process.start()
    child.close()
    with parent:
        said = _see_to(process, parent, part.kill)
    process.join()
    report.figures["lives"] += 1
    if not said:
        _count(report, part.kill, part.folder / "flows.db")
    return said if said != "over" else ""


def _see_to(process: BaseProcess, parent: Connection, kill: Kill) -> str:
    """Wait until the process has ended; kill it before, if it is its parent that does so and the moment comes.

    Returns:
        What it said last; nothing if it was killed. (Its exit code is no sign: `multiprocessing` loses it, if processes
        are started by several threads.)
    """
    try:
        parent.recv()
        if kill.at == "moment" and not parent.poll(kill.seconds):
            process.kill()
        if not parent.poll(LONGEST + 5):
            process.kill()
            return "it did not end"
        return str(parent.recv())
    except EOFError:
        return ""


def _count(report: Report, kill: Kill, store: Path) -> None:
    report.figures["kills"] += 1
    report.kills[str(kill)] += 1
    try:
        with closing(SQLiteReader(store)) as reader:
            hit = len(reader.flows(FlowQuery(states=_OPEN, limit=10_000)))
    except StoreError:
        hit = 0  # it died before there was a store
    report.figures["unfinished flows hit"] += hit
    report.figures["kills that hit unfinished flows"] += hit > 0
