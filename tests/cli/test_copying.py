import stat
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.drawings import good, start_waiting
from vastflow import Engine
from vastflow.ledger import open_reader


def test_a_store_is_copied_while_it_is_served_and_a_copy_replaces_nothing(run: Run, url: str, tmp_path: Path) -> None:
    with Engine(url) as engine:
        engine.start(good, id="first").wait(timeout=30)
        start_waiting(engine, "second")
        asked = run("backup", "copy.db", "--store", url)

    copy = tmp_path / "copy.db"
    assert asked.stdout == f"copy.db: {copy.stat().st_size} bytes\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    reader = open_reader(f"sqlite:///{copy}")
    assert [fact.kind for fact in reader.facts("first")] == ["started", "flowed", "outcome", "ended"]
    assert reader.flow("second") is not None
    reader.close()
    assert "there already" in run("backup", "copy.db", "--store", url, check=4).stderr


def test_where_there_is_no_store_nothing_is_made(run: Run, url: str, tmp_path: Path) -> None:
    assert "there is no store" in run("backup", "copy.db", "--store", url, check=4).stderr
    assert list(tmp_path.iterdir()) == []
