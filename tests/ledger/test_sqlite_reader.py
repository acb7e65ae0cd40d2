"""Can a store be read, whoever serves it or nobody, and does reading never write?"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from vastflow.errors import StoreError
from vastflow.ledger.contract import FlowQuery
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.testing.samples import MORNING, batch, facts, flow, ids

Serve = Callable[[Path], "subprocess.Popen[str]"]
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flows.db"


@pytest.fixture
def reader(path: Path) -> Iterator[SQLiteReader]:
    with closing(SQLiteReader(path)) as made:
        yield made


def _write(path: Path, flow_id: str = "a") -> None:
    with closing(SQLiteStore(path)) as store:
        owner = store.take("engine", MORNING)
        store.commit(batch(owner, flows=[flow(flow_id, owner)], facts=facts(flow_id, owner, 3)))


@pytest.mark.promise("10.6")
def test_a_store_is_read_while_another_process_serves_it(path: Path, reader: SQLiteReader, serve: Serve) -> None:
    serve(path)

    assert len(reader.facts("a")) == 3


@pytest.mark.promise("10.6")
def test_a_store_is_read_while_nobody_serves_it(path: Path, reader: SQLiteReader) -> None:
    _write(path)

    assert len(reader.facts("a")) == 3
    assert ids(reader.flows(FlowQuery())) == ["a"]


@pytest.mark.promise("10.6")
@pytest.mark.parametrize("kept", ["-wal and -shm", "-wal"])
def test_what_a_killed_server_left_in_its_wal_is_read(
    path: Path, reader: SQLiteReader, serve: Serve, kept: str
) -> None:
    server = serve(path)
    server.kill()
    server.wait()
    if kept == "-wal":
        path.with_name("flows.db-shm").unlink()

    assert len(reader.facts("a")) == 3


@pytest.mark.promise("10.6")
def test_one_reader_reads_before_while_and_after_the_store_is_served(
    path: Path, reader: SQLiteReader, serve: Serve
) -> None:
    _write(path, "before")
    assert reader.flow("before") is not None
    assert reader.flow("a") is None

    server = serve(path)
    assert reader.flow("a") is not None

    server.kill()
    server.wait()
    assert reader.flow("a") is not None
    _write(path, "after")
    assert ids(reader.flows(FlowQuery())) == ["before", "after", "a"]


@pytest.mark.promise("10.6")
def test_a_reader_cannot_write_or_checkpoint(path: Path, reader: SQLiteReader, serve: Serve) -> None:
    server = serve(path)
    server.kill()
    server.wait()
    wal = path.with_name("flows.db-wal")
    before = (path.read_bytes(), wal.read_bytes())

    with reader._lent() as link:  # noqa: SLF001 - what it lends is what this test is about
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            link.execute("DELETE FROM facts")
        with pytest.raises(sqlite3.OperationalError):
            link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    reader.close()

    assert (path.read_bytes(), wal.read_bytes()) == before


@contextmanager
def _as_somebody_who_may_only_read(folder: Path) -> Iterator[None]:
    for each in folder.iterdir():
        each.chmod(0o444)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    # Not pytest's: the way there is closed to others.
    folder = Path(tempfile.mkdtemp(prefix="vastflow-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.promise("10.6")
def test_a_store_in_a_folder_where_nothing_may_be_written_is_read(open_folder: Path) -> None:
    _write(open_folder / "flows.db")
    before = sorted(open_folder.iterdir())

    with closing(SQLiteReader(open_folder / "flows.db")) as reader, _as_somebody_who_may_only_read(open_folder):
        assert len(reader.facts("a")) == 3
        assert len(reader.facts("a", after=1)) == 2

    assert sorted(open_folder.iterdir()) == before


@pytest.mark.promise("10.6")
def test_a_wal_in_a_folder_where_nothing_may_be_written_is_not_passed_over(open_folder: Path, serve: Serve) -> None:
    path = open_folder / "flows.db"
    server = serve(path)
    server.kill()
    server.wait()
    path.with_name("flows.db-shm").unlink()

    advice = r"the last commits of .* stand in flows.db-wal.*copy both files"
    with (
        closing(SQLiteReader(path)) as reader,
        _as_somebody_who_may_only_read(open_folder),
        pytest.raises(StoreError, match=advice),
    ):
        reader.facts("a")


def test_many_threads_read_at_once_and_few_connections_are_kept(path: Path, reader: SQLiteReader) -> None:
    _write(path)
    threads_at_once = 20
    together = threading.Barrier(threads_at_once)
    found: list[int] = []

    def read() -> None:
        with reader._lent():  # noqa: SLF001 - holds a connection while all the others hold theirs
            together.wait(30)
        found.append(len(reader.facts("a")))

    threads = [threading.Thread(target=read) for _ in range(threads_at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert found == [3] * threads_at_once
    assert len(reader._idle) <= 8  # noqa: SLF001 - what is kept can be seen nowhere else


def test_closing_while_a_connection_is_lent_closes_it_when_it_comes_back(path: Path, reader: SQLiteReader) -> None:
    _write(path)

    with reader._lent() as link:  # noqa: SLF001 - a read that is still going on
        reader.close()
        assert link.execute("SELECT count(*) FROM facts").fetchone() == (3,)

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        link.execute("SELECT 1")


def test_a_reader_that_was_never_used_opens_nothing(tmp_path: Path) -> None:
    SQLiteReader(tmp_path / "flows.db").close()

    assert list(tmp_path.iterdir()) == []
