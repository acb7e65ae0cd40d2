import json
import re
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner, Result

from tests.cli.conftest import Run
from tests.cli.drawings import bad, good, start_waiting
from vastflow import Engine
from vastflow.cli import main


def ask(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["list", "--store", url, *arguments])


def ids(asked: Result) -> list[str]:
    return [line.split()[0] for line in asked.stdout.splitlines()[1:]]


@pytest.fixture
def three(url: str) -> str:
    """Return the URL of a store with three flows that nobody serves any more."""
    with Engine(url) as engine:
        engine.start(good, id="first", tags={"team": "blue", "api_token": "xyzzy-99"}).wait(timeout=30)
        engine.start(bad, id="second").wait(timeout=30)
        start_waiting(engine, "third")
    return url


def test_flows_are_listed_with_name_state_and_times_the_newest_first(three: str) -> None:
    lines = ask(three).stdout.splitlines()

    assert lines[0].split() == ["ID", "NAME", "STATE", "STARTED", "TOOK"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["third", "waiting", "running"],
        ["second", "bad", "fail"],
        ["first", "good", "success"],
    ]
    assert lines[3].endswith(" s")
    assert lines[1].endswith(" s so far")
    assert all(re.search(r" \d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d) ", line) for line in lines[1:])


def strand(url: str, flow: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as link, link:
        link.execute("UPDATE flows SET stranded = 'its class is gone' WHERE id = ?", (flow,))


@pytest.mark.parametrize(
    ("states", "found"),
    [
        (["stranded"], ["third"]),
        (["running"], []),
        (["stranded", "fail"], ["third", "second"]),
        ([], ["third", "second", "first"]),
    ],
)
def test_flows_are_found_in_the_states_they_are_listed_in(three: str, states: list[str], found: list[str]) -> None:
    strand(three, "third")

    assert ids(ask(three, *(word for state in states for word in ("--state", state)))) == found
    assert "third   waiting  stranded " in ask(three).stdout


def test_a_limit_counts_what_is_listed_and_not_what_was_looked_through(url: str) -> None:
    with Engine(url) as engine:
        for number in range(5):
            start_waiting(engine, f"waits-{number}")
    for number in (3, 4):
        strand(url, f"waits-{number}")

    assert ids(ask(url, "--state", "running", "--limit", "2")) == ["waits-2", "waits-1"]
    assert ids(ask(url, "--state", "stranded", "--limit", "1")) == ["waits-4"]


def test_flows_of_a_store_that_another_process_serves_are_listed(url: str, run: Run) -> None:
    with Engine(url) as engine:
        start_waiting(engine, "served")

        assert "served  waiting  running" in run("list", "--store", url).stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--state", "success"], ["first"]),
        (["--state", "success", "--state", "fail"], ["second", "first"]),
        (["--name", "waiting"], ["third"]),
        (["--limit", "2"], ["third", "second"]),
        (["--name", "waiting", "--state", "fail"], []),
    ],
)
def test_a_list_can_be_narrowed(three: str, arguments: list[str], found: list[str]) -> None:
    assert ids(ask(three, *arguments)) == found


def test_a_list_that_was_cut_says_so_beside_it(three: str) -> None:
    assert "There are more" in ask(three, "--limit", "2").stderr
    assert ask(three, "--limit", "3").stderr == ""


def test_an_empty_list_says_so_beside_it_and_is_no_error(three: str) -> None:
    asked = ask(three, "--name", "nobody's")

    assert (asked.exit_code, asked.stdout, asked.stderr) == (0, "", "No flows.\n")


@pytest.mark.parametrize("arguments", [["--state", "asleep"], ["--limit", "0"], ["order-17"]])
def test_what_cannot_be_asked_is_a_usage_error(three: str, arguments: list[str]) -> None:
    assert ask(three, *arguments).exit_code == 2


@pytest.mark.promise("12.5")
def test_json_has_all_of_a_row_and_no_secret(three: str) -> None:
    first = json.loads(ask(three, "--json").stdout)[-1]

    assert first.pop("started") < first.pop("ended")
    assert first == {
        "id": "first",
        "name": "good",
        "state": "success",
        "outcome": "success",
        "stranded": "",
        "flags": [],
        "tags": {"team": "blue", "api_token": "***"},
    }


def test_json_of_no_flow_is_an_empty_array(three: str) -> None:
    asked = ask(three, "--json", "--name", "nobody's")

    assert (asked.stdout, asked.stderr) == ("[]\n", "")


@pytest.mark.promise("12.5")
def test_control_characters_of_an_id_are_shown_and_not_obeyed(url: str) -> None:
    with Engine(url) as engine:
        engine.start(good, id="sly\x1b[2J\u202e").wait(timeout=30)

    for told in (ask(url), ask(url, "--json")):
        assert "\x1b" not in told.stdout
        assert "\u202e" not in told.stdout
        assert "sly" in told.stdout


def test_a_long_id_is_never_cut(url: str) -> None:
    with Engine(url) as engine:
        engine.start(good, id="order-" + "1234567890" * 20).wait(timeout=30)

    assert "order-" + "1234567890" * 20 in ask(url).stdout


def test_a_letter_that_the_terminal_lacks_is_no_reason_to_end(
    url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(url) as engine:
        engine.start(good, id="日-17").wait(timeout=30)
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")

    assert "\\u65e5-17" in run("list", "--store", url).stdout


def test_on_a_narrow_terminal_the_state_is_seen_whole(three: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vastflow.cli.output._ENDLESS", 20)

    head, *lines = ask(three).stdout.splitlines()

    assert head.split() == ["ID", "STATE"]
    assert [line.split() for line in lines] == [["third", "running"], ["second", "fail"], ["first", "success"]]
