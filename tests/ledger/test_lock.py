"""Does the lock hold while its process lives, and no longer?"""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vastflow.errors import StoreError, StoreServed
from vastflow.ledger.lock import ServingLock, holder

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


_HOLDER = """
import sys
from vastflow.ledger.lock import holder

print(holder(sys.argv[1]))
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


@pytest.mark.promise("11.1")
def test_who_serves_a_store_can_be_asked_from_anywhere(store: Path, lock: ServingLock, ask: Callable[..., str]) -> None:
    assert holder(str(store)) == os.getpid()
    assert ask(_HOLDER, store) == str(os.getpid())

    lock.release()
    assert holder(str(store)) is None
    assert ask(_HOLDER, store) == "None"


@pytest.mark.promise("11.1")
@pytest.mark.usefixtures("lock")
def test_asking_who_serves_drops_no_lock_and_refuses_nobody(store: Path, ask: Callable[..., str]) -> None:
    for _ in range(3):
        holder(str(store))

    assert "is served by process" in ask(_TRY, store)


def test_a_store_that_was_never_served_is_served_by_nobody_and_asking_makes_no_file(store: Path) -> None:
    assert holder(str(store)) is None
    assert list(store.parent.iterdir()) == []


@pytest.mark.promise("11.1")
def test_a_killed_process_serves_no_longer_though_its_pid_stays(store: Path, serve: Serve) -> None:
    server = serve(store)
    assert holder(str(store)) == server.pid

    server.kill()
    server.wait()

    assert holder(str(store)) is None
    assert store.with_name("flows.db-lock").read_text() == f"{server.pid}\n"


@pytest.mark.parametrize("content", ["", "nonsense\n", "\u0669\n"])
def test_whoever_holds_the_lock_without_saying_who_it_is_holds_it(store: Path, serve: Serve, content: str) -> None:
    serve(store)
    store.with_name("flows.db-lock").write_text(content, encoding="utf-8")

    assert holder(str(store)) == 0


def test_a_link_to_a_store_is_served_by_whoever_serves_the_store(store: Path, lock: ServingLock) -> None:
    assert lock.is_in_place()
    store.touch()
    link = store.with_name("link.db")
    link.symlink_to(store)

    assert holder(str(link)) == os.getpid()


def test_a_side_file_that_cannot_be_read_is_an_error_that_names_it(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    store.with_name("flows.db-lock").touch()
    monkeypatch.setattr(os, "open", refused)

    with pytest.raises(StoreError, match=r"cannot see who serves .*flows.db: .*flows.db-lock: Permission denied"):
        holder(str(store))


@pytest.mark.promise("11.1")
def test_a_side_file_that_was_removed_or_replaced_is_not_in_place_any_more(store: Path, lock: ServingLock) -> None:
    side, away = store.with_name("flows.db-lock"), store.with_name("away")
    assert lock.is_in_place()

    side.rename(away)
    assert not lock.is_in_place()
    side.touch()
    assert not lock.is_in_place()
    away.replace(side)
    assert lock.is_in_place()
    lock.release()
    assert not lock.is_in_place()
