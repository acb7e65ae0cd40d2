import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.house.source import ROOT
from vastflow import Engine
from vastflow.cli import main
from vastflow.ledger.sqlite_reader import SQLiteReader


def ask(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["migrate", "--store", url, *arguments])


def form(url: str) -> int:
    with closing(SQLiteReader(url.removeprefix("sqlite:///"))) as reader:
        return reader.version()


@pytest.fixture
def old(url: str) -> str:
    """Return the URL of a store of the first form."""
    shutil.copy(ROOT / "tests/stores/v1.db", url.removeprefix("sqlite:///"))
    return url


def test_a_store_of_an_earlier_form_is_brought_to_todays_once(old: str) -> None:
    assert ask(old).output == "The store had form 1, and has form 2 now.\n"
    assert form(old) == 2
    assert ask(old).output == "The store has form 2 already, the one that this release writes.\n"
    assert ask(old, "--print-sql").output == "-- This store has form 2 already.\n"


def test_the_statements_are_shown_and_do_the_same_and_nothing_is_changed_by_it(old: str) -> None:
    sql = ask(old, "--print-sql").output

    assert form(old) == 1
    with closing(sqlite3.connect(old.removeprefix("sqlite:///"), isolation_level=None)) as link:
        link.executescript(sql)
    assert form(old) == 2
    with Engine(old, serve=True) as engine:
        assert engine.serves


def test_while_it_is_served_or_is_not_there_nothing_is_done(old: str, tmp_path: Path) -> None:
    with Engine(old):
        assert ask(old).exit_code == 0  # whoever serves has done it
    asked = ask(f"sqlite:///{tmp_path / 'none.db'}")
    assert (asked.exit_code, "there is no store" in asked.output) == (4, True)
    assert "memory" in ask("memory:").output
