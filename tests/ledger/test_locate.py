"""Does a URL lead to its store, and nothing else to any?"""

from contextlib import closing
from pathlib import Path

import pytest

from vastflow.errors import StoreError
from vastflow.ledger import open_reader, open_store
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.testing.samples import MORNING, batch, flow


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///flows.db", "{here}/flows.db"),
        ("sqlite:///sub/my%20flows.db", "{here}/sub/my flows.db"),
        ("sqlite:///odd%3F%23name.db", "{here}/odd?#name.db"),
        ("sqlite:////var/lib/flows.db", "/var/lib/flows.db"),
    ],
)
def test_a_sqlite_url_names_a_file_beside_the_process_or_by_its_whole_path(
    url: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with closing(open_store(url)) as store:
        assert isinstance(store, SQLiteStore)
        assert store.path == place.format(here=tmp_path)


def test_memory_is_a_new_store_each_time() -> None:
    first, second = open_store("memory:"), open_store("memory:")

    assert isinstance(first, MemoryStore)
    assert first is not second


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("flows.db", "for a file say sqlite:///flows.db"),
        ("", "say sqlite:///vastflow.db .beside the process."),
        ("sqlite:///", "say sqlite:///vastflow.db .beside the process."),
        ("sqlite://flows.db", "say sqlite:///vastflow.db .beside the process."),
        ("sqlite:///:memory:", "or memory:"),
        ("postgresql://host/db", "PostgreSQL is not built yet"),
        ("mysql://host/db", "say sqlite:///vastflow.db"),
        ("sqlite:///a.db?mode=ro", "unknown options: mode; there is .synchronous="),
        ("sqlite:///a.db?synchronous=NORMAL", "power-loss-loses-the-last-commits"),
    ],
)
def test_anything_else_is_an_error_that_says_what_to_write(url: str, advice: str) -> None:
    with pytest.raises(StoreError, match=advice) as caught:
        open_store(url)

    assert url.partition("?")[2].rpartition("=")[2] in str(caught.value)


def test_a_reader_finds_what_a_store_wrote(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"
    with closing(open_store(url)) as store:
        owner = store.take("engine", MORNING)
        store.commit(batch(owner, flows=[flow("a", owner)]))

        with closing(open_reader(url)) as reader:
            assert reader.flow("a") == store.flow("a")


def test_a_reader_of_a_missing_file_says_how_a_store_comes_to_be_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"there is no store at .*flows.db; one is made when an engine first serves it"
    ):
        open_reader(f"sqlite:///{tmp_path}/flows.db")

    assert list(tmp_path.iterdir()) == []


def test_memory_of_another_process_cannot_be_read() -> None:
    with pytest.raises(StoreError, match="only through the engine that made it"):
        open_reader("memory:")
