import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from tests.cli.drawings import bad, good, start_waiting
from vastflow import Engine
from vastflow.cli import main
from vastflow.ledger.inbox import Inbox


def ask(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--store", url, *arguments])


def change(url: str, sql: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as link, link:
        link.execute(sql)


def fill(url: str) -> None:
    with Engine(url) as engine:
        engine.start(good, id="first").wait(timeout=30)
        engine.start(bad, id="second").wait(timeout=30)
        start_waiting(engine, "third")


def test_a_store_that_is_served_is_in_order_and_its_server_is_named(url: str) -> None:
    with Engine(url) as engine:
        start_waiting(engine, "one")
        asked = ask(url)

    lines = dict(line.split("  ", 1) for line in asked.output.splitlines())
    told = {name: text.strip() for name, text in lines.items()}
    assert asked.exit_code == 0
    assert told["store"] == url.removeprefix("sqlite:///")
    assert told["form"] == "2, the one this release writes"
    assert told["integrity"] == "whole"
    assert told["served by"] == f"process {os.getpid()}"
    assert told["last beat"].endswith(" s ago")
    assert told["flows"] == "1 unfinished, 0 of them stranded"
    assert told["inbox"] == "0 letters that are not taken in yet"
    assert told["free space"].endswith(" GiB")
    assert told["synchronous"] == "FULL, as this URL says: what was answered is on disk"


def test_for_programs_it_says_the_same(url: str) -> None:
    fill(url)
    inbox = Inbox(url.removeprefix("sqlite:///"))
    inbox.put("pause", "third", b"{}", "anna", 1)
    inbox.close()

    found = json.loads(ask(f"{url}?synchronous=power-loss-loses-the-last-commits", "--json", "--quick").output)

    assert (found["pid"], found["unfinished"], found["stranded"], found["letters"]) == (None, 1, 0, 1)
    assert (found["form"], found["release_form"], found["faults"], found["troubles"]) == (2, 2, [], [])
    assert found["synchronous"] == "power-loss-loses-the-last-commits"


def test_what_is_wrong_is_said_with_what_to_do_and_in_the_exit_code(url: str) -> None:
    fill(url)
    change(url, "UPDATE flows SET stranded = 'its class is gone' WHERE id = 'third'")
    change(url, "DELETE FROM cargoes WHERE flow = (SELECT no FROM flows WHERE id = 'first')")

    asked = ask(url)

    assert asked.exit_code == 1
    assert "1 unfinished, 1 of them stranded" in asked.output
    assert "Wrong: 1 flows are stranded: `vastflow list --state stranded` shows them" in asked.output
    assert "flows have no cargo" in asked.output
    assert "restore the store from a copy" in asked.output


def test_a_server_that_does_not_beat_is_said_to_hang(url: str) -> None:
    with Engine(url) as engine:
        engine._role._beats[0].cancel()  # type: ignore[union-attr]  # noqa: SLF001  # it is to hang
        change(url, "UPDATE periods SET ended = began - 60000000")
        asked = ask(url)

    assert asked.exit_code == 1
    assert f"Wrong: process {os.getpid()} holds the store and has not beaten for" in asked.output


def test_where_there_is_no_store_nothing_is_made(url: str) -> None:
    assert ask(url).exit_code == 4
    assert not Path(url.removeprefix("sqlite:///")).exists()
