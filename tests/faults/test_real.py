"""Do flows wait while the store cannot be written, and go on when it can again: nothing lost, nothing doubled?

The faults are real ones: of the file, of SQLite, of the file system, of other processes, of the clock.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.engine.scenes import LONG
from tests.faults.real import FLOWS, TROUBLE, Signs, Site, link_of, signs
from vastflow import Engine, Flow, Headwaters
from vastflow.errors import StoreError
from vastflow.ledger.sqlite import SQLiteStore

__all__ = ["signs"]

_MOST_PAGES = 2**30
_SMALL = 4_000_000  # bytes of a file system that is soon full

LOCKER = """
import sqlite3, sys
link = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
link.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
link.execute("ROLLBACK")
"""


@contextmanager
def no_room(store: SQLiteStore) -> Iterator[None]:
    """Let the file not grow: to SQLite that is a full disk."""
    link = link_of(store)
    pages = link.execute("PRAGMA page_count").fetchone()[0]
    link.execute(f"PRAGMA max_page_count = {pages}")
    yield
    link.execute(f"PRAGMA max_page_count = {_MOST_PAGES}")


@contextmanager
def read_only(store: SQLiteStore) -> Iterator[None]:
    """Let nothing be written."""
    link_of(store).execute("PRAGMA query_only = ON")
    yield
    link_of(store).execute("PRAGMA query_only = OFF")


@contextmanager
def removed(store: SQLiteStore) -> Iterator[None]:
    """Take the file away, and bring it back."""
    away = f"{store.path}-away"
    Path(store.path).rename(away)
    yield
    Path(away).rename(store.path)


@contextmanager
def replaced(store: SQLiteStore) -> Iterator[None]:
    """Lay a copy in its place, as somebody does who restores a backup under a living server."""
    away = f"{store.path}-away"
    Path(store.path).rename(away)
    shutil.copy(away, store.path)
    yield
    Path(away).rename(store.path)


@contextmanager
def unlocked(store: SQLiteStore) -> Iterator[None]:
    """Take the lock's file away, so that another process could lock a new one; and bring it back."""
    away = f"{store.path}-lock-away"
    Path(f"{store.path}-lock").rename(away)
    yield
    Path(away).rename(f"{store.path}-lock")


@contextmanager
def locked(store: SQLiteStore) -> Iterator[None]:
    """Let another process hold SQLite's exclusive lock."""
    command = [sys.executable, "-c", LOCKER, store.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        yield
        locker.communicate("let go\n", timeout=LONG)
        assert locker.returncode == 0


FAULTS: dict[str, tuple[Callable[[SQLiteStore], object], str]] = {
    "no room": (no_room, "full"),
    "read only": (read_only, "readonly"),
    "removed": (removed, "was removed or renamed"),
    "replaced": (replaced, "was replaced by another file"),
    "lock removed": (unlocked, "-lock was removed"),
    "locked": (locked, "locked"),
}


def started_meanwhile(site: Site, engine: Engine) -> tuple[threading.Thread, list[Flow[Headwaters]]]:
    """Let somebody start a flow during the fault, who waits until it is on disk."""
    returned: list[Flow[Headwaters]] = []
    starter = threading.Thread(target=lambda: returned.append(engine.start(site.drawing)), daemon=True)
    starter.start()
    return starter, returned


@pytest.mark.promise("10.2", "10.7")
@pytest.mark.parametrize("name", FAULTS)
def test_flows_wait_while_the_store_cannot_be_written_and_go_on_when_it_can(
    name: str, tmp_path: Path, signs: Signs
) -> None:
    fault, told = FAULTS[name]
    site = Site(tmp_path / "flows.db")
    engine, store = site.engine()
    with closing(store), engine:
        flows = site.start(engine)

        with fault(store):  # type: ignore[attr-defined]  # each is a context
            site.gate.set()
            line = signs.wait_for(TROUBLE)[0]
            starter, returned = started_meanwhile(site, engine)
            signs.wait_for(TROUBLE, 2)
            during = [flow.status().state for flow in flows] if name not in {"removed", "replaced"} else []
            trouble, early = engine.trouble, list(returned)

        starter.join(LONG)
        site.check([*flows, *returned])
        after = engine.trouble
    assert early == []
    assert set(during) <= {"running", "ending"}
    assert (len(returned), told in line["exception"]) == (1, True)
    assert trouble is not None
    assert (told in trouble.error, trouble.tried >= 2, after) == (True, True, None)
    site.check_disk([*flows, *returned])


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.promise("10.7")
def test_flows_outwait_a_foreign_process_that_locks_the_store_for_twenty_seconds(tmp_path: Path, signs: Signs) -> None:
    site = Site(tmp_path / "flows.db")
    engine, store = site.engine()
    with closing(store), engine:
        flows = site.start(engine)

        with locked(store):
            site.gate.set()
            tried = signs.wait_for(TROUBLE, 4, 60)  # SQLite itself waits five seconds each time

        site.check(flows)
    assert len(tried) >= 4
    site.check_disk(flows)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system that is soon full, where that is allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False, timeout=LONG)
    except OSError:
        pytest.skip("there is no mount here")
    if done.returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=LONG)  # noqa: S607  # wherever it stands


def fill(folder: Path) -> Path:
    """Write until there is no room left, and return what took it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    raise AssertionError("a full disk took everything")


@pytest.mark.slow
@pytest.mark.promise("10.7")
def test_flows_outwait_a_disk_that_is_full(small_disk: Path, signs: Signs) -> None:
    site = Site(small_disk / "flows.db")
    engine, store = site.engine()
    with closing(store), engine:
        flows = site.start(engine)
        filler = fill(small_disk)

        site.gate.set()
        line = signs.wait_for(TROUBLE)[0]
        starter, returned = started_meanwhile(site, engine)
        signs.wait_for(TROUBLE, 2)
        early = list(returned)
        filler.unlink()

        starter.join(LONG)
        site.check([*flows, *returned])
    assert (early, len(returned)) == ([], 1)
    assert "full" in line["exception"] or "disk I/O" in line["exception"]
    site.check_disk([*flows, *returned])


@pytest.mark.slow
@pytest.mark.promise("10.7", "11.4")
def test_an_engine_closed_and_opened_while_the_disk_is_full_says_so_and_loses_nothing(
    small_disk: Path, signs: Signs
) -> None:
    site = Site(small_disk / "flows.db")
    engine, store = site.engine()
    with closing(store), engine:
        flows = site.start(engine)
        filler = fill(small_disk)
        site.gate.set()
        signs.wait_for(TROUBLE)
    opened: list[Engine] = []

    with pytest.raises(StoreError, match=r"full|disk I/O"):
        opened.append(site.engine()[0])
    filler.unlink()
    again, store = site.engine()

    with closing(store), again:
        for flow in flows:
            assert again.flow(flow.id).result(LONG)["first"] == 1
    assert opened == []
    site.check_disk(flows)
    assert len(flows) == FLOWS
    assert os.listdir(small_disk)  # noqa: PTH208  # it is still there


def empty(path: Path) -> None:
    """Make the file, and die."""
    path.touch(0o600)


def without_tables(path: Path) -> None:
    """Make the file a SQLite file, and die."""
    with closing(sqlite3.connect(path)) as link:
        link.execute("PRAGMA journal_mode = WAL")
        link.execute("PRAGMA application_id = 0")


@pytest.mark.promise("10.6")
@pytest.mark.parametrize("die", [empty, without_tables])
def test_a_store_whose_maker_died_before_it_was_made_is_made_by_the_next_engine(
    die: Callable[[Path], None], tmp_path: Path
) -> None:
    site = Site(tmp_path / "flows.db")
    die(site.path)
    site.gate.set()

    with Engine(f"sqlite:///{site.path}", serve=False) as before:
        asked = before.start(site.drawing, id="asked")
        state = asked.status().state
        engine, store = site.engine()
        with closing(store), engine:
            site.check([asked])

    assert state == "init"
