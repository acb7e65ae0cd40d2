"""Is a flow whole or gone when the process is killed that removes it, and what goes on untouched?"""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.plan import NEVER, Kill
from tests.crash.removing import QUICK, WAITING, remove, url_of
from tests.engine.scenes import LONG
from vastflow import Engine, FlowCancelled

ENDED, OPEN = 2500, 5  # flows; so many that they are removed in several portions

KILLS = [
    Kill("statement", 1, statement="DELETE FROM facts"),
    Kill("statement", 700, statement="DELETE FROM cargoes"),
    Kill("statement", 1300, statement="DELETE FROM flows"),
    Kill("statement", 1, statement="COMMIT after DELETE FROM flows"),
    Kill("statement", 2, statement="COMMIT after DELETE FROM flows"),
    Kill("statement", 1, statement="DELETE FROM charts"),
    Kill("statement", 1, statement="COMMIT after DELETE FROM charts"),
]

ORPHANS = (
    "SELECT count(*) FROM facts WHERE flow NOT IN (SELECT no FROM flows)",
    "SELECT count(*) FROM cargoes WHERE flow NOT IN (SELECT no FROM flows)",
    "SELECT count(*) FROM flows WHERE no NOT IN (SELECT flow FROM facts)",
    "SELECT count(*) FROM flows WHERE no NOT IN (SELECT flow FROM cargoes)",
    "SELECT count(*) FROM flows WHERE chart NOT IN (SELECT hash FROM charts)",
)


def removed(folder: Path, kill: Kill) -> int | None:
    """Let a process remove what has ended; return what it said, None if it was killed."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.crash.removing"])
    mine, theirs = forking.Pipe(duplex=False)
    process = forking.Process(target=remove, args=(folder, kill, theirs))
    process.start()
    theirs.close()
    with mine:
        try:
            said: int | None = mine.recv()
        except EOFError:
            said = None
    process.join(LONG)
    return said


def left(folder: Path) -> tuple[str, list[int], int, int]:
    """Return what SQLite says of the file, how much belongs to nothing, and how many flows and charts there are."""
    with closing(sqlite3.connect(folder / "flows.db")) as link:
        (said,) = link.execute("PRAGMA integrity_check").fetchone()
        orphans = [link.execute(select).fetchone()[0] for select in ORPHANS]
        (flows,) = link.execute("SELECT count(*) FROM flows").fetchone()
        (charts,) = link.execute("SELECT count(*) FROM charts").fetchone()
    return said, orphans, flows, charts


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: f"{kill}, {kill.number}")
def test_a_flow_is_whole_or_gone_when_the_process_is_killed_that_removes_it(kill: Kill, tmp_path: Path) -> None:
    with Engine(url_of(tmp_path)) as engine:
        for flow in engine.start_many(QUICK, [{}] * ENDED):
            flow.result(LONG)
        waiting = [flow.id for flow in engine.start_many(WAITING, [{}] * OPEN)]

    first, after_kill = removed(tmp_path, kill), left(tmp_path)
    second, after = removed(tmp_path, NEVER), left(tmp_path)
    with Engine(url_of(tmp_path)) as engine:
        for flow_id in waiting:
            engine.flow(flow_id).cancel()
            with pytest.raises(FlowCancelled):
                engine.flow(flow_id).result(LONG)

    assert first is None
    assert after_kill[:2] == after[:2] == ("ok", [0, 0, 0, 0, 0])
    assert OPEN <= after_kill[2] <= ENDED + OPEN
    assert (second, after[2:]) == (after_kill[2] - OPEN, (OPEN, 1))
