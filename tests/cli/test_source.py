from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.drawings import good
from vastflow import Engine
from vastflow.cli import main
from vastflow.ledger import STORE_VARIABLE


@pytest.mark.parametrize("verb", [["list"], ["show", "order-17"]])
def test_without_a_store_it_says_where_it_looked_and_how_to_name_another(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    asked = CliRunner().invoke(main, verb)

    assert asked.exit_code == 4
    assert f"there is no store at {tmp_path / 'vastflow.db'}" in asked.stderr
    assert "looked at sqlite:///vastflow.db; name another store with --store URL or in VASTFLOW_STORE" in asked.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_trouble_with_the_store(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear all," * 200, "utf-8")

    asked = CliRunner().invoke(main, ["list", "--store", f"sqlite:///{tmp_path / 'letter.db'}"])

    assert asked.exit_code == 4
    assert "not a vastflow store" in asked.stderr


def test_a_url_that_names_no_store_is_trouble_with_the_store() -> None:
    asked = CliRunner().invoke(main, ["list", "--store", "flows.db"])

    assert asked.exit_code == 4
    assert "say sqlite:///flows.db" in asked.stderr


def test_the_store_can_be_named_in_the_environment(url: str) -> None:
    with Engine(url) as served:
        served.start(good, id="order-17").wait(timeout=30)

    asked = CliRunner().invoke(main, ["list"], env={STORE_VARIABLE: url})

    assert "order-17" in asked.stdout


@pytest.mark.parametrize(
    ("written", "store"),
    [
        ('[tool.vastflow]\nstore = "sqlite:///data/flows.db"', "data/flows.db"),
        ("[tool.other]", "vastflow.db"),
        ("", "vastflow.db"),
    ],
)
def test_the_project_around_the_current_folder_names_the_store(
    written: str, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(written)
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    monkeypatch.delenv("VASTFLOW_STORE", raising=False)
    path = (tmp_path if "data" in store else inner) / store
    path.parent.mkdir(exist_ok=True)
    with Engine(f"sqlite:///{path}") as engine:
        engine.start(good, id="first").wait(30)

    assert "first" in CliRunner().invoke(main, ["list"]).output


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[tool.vastflow]\nstore = 3", "store under [tool.vastflow] is no text"),
        ("[tool", "cannot be read"),
        ("tool = 3", "cannot be read"),
    ],
)
def test_a_project_that_names_no_store_says_what_is_wrong(
    written: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(written)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VASTFLOW_STORE", raising=False)

    asked = CliRunner().invoke(main, ["list"], terminal_width=500)

    assert (asked.exit_code, said in asked.output) == (2, True)
