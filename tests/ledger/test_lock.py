"""Does the lock hold while its process lives, and no longer?"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vastflow.errors import StoreError, StoreServed
from vastflow.ledger.lock import ServingLock

Serve = Callable[[Path], "subprocess.Popen[str]"]

_TRY = """
import sys
from vastflow.errors import StoreServed
from vastflow.ledger.lock import ServingLock

try:
    ServingLock(sys.argv[1]).release()
    print("free")
except StoreServed as error:
    print(error)
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "flows.db"


@pytest.fixture
def lock(store: Path) -> Iterator[ServingLock]:
    held = ServingLock(str(store))
    yield held
    held.release()


@pytest.mark.promise("11.1")
def test_a_second_process_is_refused_with_the_pid_of_the_first_and_what_to_do(
    store: Path, lock: ServingLock, ask: Callable[..., str]
) -> None:
    said = ask(_TRY, store)

    assert f"{store} is served by process {os.getpid()}" in said
    assert "close it and try again" in said
    lock.release()
    assert ask(_TRY, store) == "free"


@pytest.mark.promise("11.1")
def test_a_second_engine_of_one_process_is_refused(store: Path, lock: ServingLock) -> None:
    with pytest.raises(StoreServed, match=f"another engine of this process .{os.getpid()}."):
        ServingLock(str(store))

    lock.release()
    ServingLock(str(store)).release()


@pytest.mark.promise("11.1")
@pytest.mark.usefixtures("lock")
def test_a_refused_second_engine_does_not_drop_the_lock_of_the_first(store: Path, ask: Callable[..., str]) -> None:
    with pytest.raises(StoreServed):
        ServingLock(str(store))

    assert "is served by process" in ask(_TRY, store)


@pytest.mark.promise("11.1")
@pytest.mark.usefixtures("lock")
def test_another_name_of_the_file_is_refused_and_does_not_drop_the_lock(
    store: Path, tmp_path: Path, ask: Callable[..., str]
) -> None:
    other = tmp_path / "other.db"
    os.link(f"{store}-lock", f"{other}-lock")

    with pytest.raises(StoreServed):
        ServingLock(str(other))

    assert "is served by process" in ask(_TRY, store)


@pytest.mark.promise("11.1")
def test_a_lock_whose_process_was_killed_is_free_at_once(store: Path, serve: Serve, ask: Callable[..., str]) -> None:
    server = serve(store)
    assert f"is served by process {server.pid}" in ask(_TRY, store)

    server.kill()
    server.wait()

    ServingLock(str(store)).release()


def test_a_fork_holds_no_lock(lock: ServingLock, store: Path, ask: Callable[..., str]) -> None:
    child = os.fork()
    if not child:
        try:
            ServingLock(str(store))
        except StoreServed as error:
            os._exit(0 if f"process {os.getppid()}" in str(error) else 1)
        os._exit(2)

    assert os.waitpid(child, 0)[1] == 0
    assert "is served by process" in ask(_TRY, store)
    lock.release()


@pytest.mark.usefixtures("lock")
def test_the_side_file_is_private_and_holds_the_pid(store: Path) -> None:
    side = store.with_name("flows.db-lock")

    assert side.stat().st_mode & 0o777 == 0o600
    assert side.read_bytes() == f"{os.getpid()}\n".encode()


def test_releasing_may_come_twice(lock: ServingLock) -> None:
    lock.release()
    lock.release()


def test_a_side_file_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"flows.db-lock"):
        ServingLock(str(tmp_path / "nowhere" / "flows.db"))
