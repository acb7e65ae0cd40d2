"""How are many seeds played, and what is said of them?"""

import itertools
import multiprocessing
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from vastflow.ledger.contract import Store
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.log.configuration import reset, setup
from vastflow.testing.simulation.census import census_of
from vastflow.testing.simulation.history import History, read_history
from vastflow.testing.simulation.invariants import violations
from vastflow.testing.simulation.performance import Performance

__all__ = ["Kind", "Report", "campaign", "play"]

Kind = Literal["memory", "sqlite"]

_AT_ONCE = 50  # seeds handed to a worker at a time
_NO_DISK = "power-loss-may-break-the-file"  # a simulated crash is none of the disk


@dataclass(slots=True)
class Report:
    """What came of some seeds.

    Attributes:
        seeds: how many were played.
        met: how often everything was met.
        wrongs: what was wrong, by seed.
        journals: of seeds where something was wrong, for people.
    """

    seeds: int = 0
    met: Counter[str] = field(default_factory=Counter)
    wrongs: dict[int, list[str]] = field(default_factory=dict)
    journals: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: "Report") -> None:
        """Take what came of others."""
        self.seeds += other.seeds
        self.met += other.met
        self.wrongs |= other.wrongs
        self.journals |= other.journals


def play(seed: int, store: Kind = "memory") -> Report:
    """Play one seed and return what came of it; the same seed gives the same, on every machine."""
    if store == "memory":
        return _play(seed, None)
    with tempfile.TemporaryDirectory(prefix="vastflow-") as folder:
        path = Path(folder) / "simulated.db"
        return _play(seed, lambda: SQLiteStore(path, _NO_DISK))


def _play(seed: int, reopen: Callable[[], Store] | None) -> Report:
    with _silence():
        performance = Performance(seed, reopen)
        try:
            wrongs = _perform(performance)
            histories = list(_histories(performance, wrongs))
            wrongs += [wrong for history in histories for wrong in violations(history)]
        finally:
            performance.close()
    met = performance.stage.met
    for history in histories:
        met += census_of(history)
    report = Report(1, met)
    if wrongs:
        report.wrongs[seed] = wrongs
        report.journals[seed] = [line for history in histories for line in _journal(history)]
    return report


def _perform(performance: Performance) -> list[str]:
    try:
        return list(performance.perform())
    except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to this seed
        return [f"it raised {type(error).__name__}: {error}"]


def _histories(performance: Performance, wrongs: list[str]) -> Iterator[History]:
    stage = performance.stage
    for flow_id in performance.flows:
        try:
            yield read_history(performance.store, flow_id, stage.log, stage.life)
        except Exception as error:  # noqa: BLE001  # the same
            wrongs.append(f"flow {flow_id} cannot be read: {type(error).__name__}: {error}")


def _journal(history: History) -> Iterator[str]:
    """Tell a flow's facts and effects, in the order in which they happened."""
    begin = history.row.started
    lines: list[tuple[int, str]] = []
    for entry in history.entries:
        at = (entry.at - begin) / 1_000_000
        lines.append((entry.order, f"{at:10.3f} {entry} attempt {entry.attempt} round {entry.round}: {entry.what}"))
    for effect in history.effects:
        at, until = (effect.began - begin) / 1_000_000, (effect.ended - begin) / 1_000_000 if effect.over else None
        said = f"{effect.answer or 'nothing'} at {until}" + (", cut" if effect.cut else "")
        what = f"{effect.body} of {effect.address}, run {effect.run}, attempt {effect.attempt}, life {effect.life}"
        lines.append((effect.order, f"{at:10.3f}   {what}: {said}; wrote {effect.wrote}"))
    yield f"{history.row.id}: {history.row.state}, {history.row.outcome}, {history.row.stranded}"
    yield from (line for _, line in sorted(lines, key=lambda each: each[0]))


@contextmanager
def _silence() -> Iterator[None]:
    """Let the engine not log what is simulated, unless whoever runs this wants it."""
    if structlog.is_configured():
        yield
        return
    setup("critical")
    try:
        yield
    finally:
        reset()


def _play_all(seeds: list[int], store: Kind) -> Report:
    total = Report()
    for seed in seeds:
        total.add(play(seed, store))
    return total


def campaign(
    seeds: Iterable[int],
    store: Kind = "memory",
    *,
    workers: int = 2,
    more: Callable[[Report], bool] = lambda _: True,
) -> Report:
    """Play many seeds in several processes.

    Args:
        seeds: which; they may be without end.
        store: memory or sqlite.
        workers: processes.
        more: is asked now and then whether to go on.
    """
    total = Report()
    source = iter(seeds)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        out: deque[Future[Report]] = deque()
        while True:
            while len(out) < workers * 2 and more(total) and (chunk := list(itertools.islice(source, _AT_ONCE))):
                out.append(pool.submit(_play_all, chunk, store))
            if not out:
                return total
            total.add(out.popleft().result())
