import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.conftest import Run
from tests.cli.drawings import End, Refuse, bad, good, start_waiting
from vastflow import Andes, Engine, ParallelRiver
from vastflow.cli import main


def ask(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["show", "--store", url, *arguments])


def head(asked: Result) -> dict[str, str]:
    lines = asked.stdout.split("\n\n")[0].splitlines()
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}


@pytest.fixture
def store(url: str) -> str:
    """Return the URL of a store with some flows that nobody serves any more."""
    with Engine(url) as engine:
        engine.start(
            good, {"who": "ann", "password": "hunter22", "door_secret": "qz"}, id="good-1", tags={"team": "blue"}
        ).wait(timeout=30)
        engine.start(good, {"who": "she of hunter22", "api_token": "hunter22"}, id="good-2").wait(timeout=30)
        engine.start(bad, id="bad-1").wait(timeout=30)
        start_waiting(engine, "waiting-1")
    return url


def test_a_flow_is_shown_with_its_streams_indented_by_depth(store: str) -> None:
    asked = ask(store, "bad-1")

    streams = asked.stdout.split("\n\n")[1].splitlines()
    assert streams[0].split() == ["STREAM", "STATE", "ATTEMPT", "POLL"]
    assert [line[:22].rstrip() for line in streams[1:]] == [
        "parallel-river   fail",
        "  east           fail",
        "    east/note    succe",
        "    east/refuse  fail",
        "  beside         succe",
        "~ (Atlantic)     ended",
    ]


def test_the_head_says_who_it_is_how_it_ended_and_why(store: str) -> None:
    told = head(ask(store, "bad-1"))

    assert (told["flow"], told["name"], told["state"], told["outcome"]) == ("bad-1", "bad", "fail", "fail")
    assert told["took"].endswith(" s")
    assert told["failure"] == "east: error: basin east failed (declined)"
    assert told["because"] == "of  east/refuse: error: the card\\x1b[2J of nobody was declined (declined)"


def test_the_end_of_the_root_cause_s_traceback_is_shown_and_nothing_in_it_steers_the_terminal(store: str) -> None:
    traceback = ask(store, "bad-1").stdout.split("\n\n")[2].splitlines()

    assert traceback[0].startswith("TRACEBACK")
    assert traceback[-1] == "vastflow.errors.Fail: the card\\x1b[2J of nobody was declined"
    assert any(line.endswith("in flow") for line in traceback)
    assert len(traceback) <= 13
    assert "TRACEBACK" not in ask(store, "good-1").stdout


def test_a_flow_that_cannot_go_on_is_shown_as_stranded_with_the_reason(store: str) -> None:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as link, link:
        link.execute("UPDATE flows SET stranded = 'its class is gone' WHERE id = 'waiting-1'")

    told = head(ask(store, "waiting-1"))
    assert (told["state"], told["stranded"]) == ("stranded", "its class is gone")


def test_the_line_of_a_failed_river_says_why_in_one_line(store: str) -> None:
    lines = ask(store, "bad-1").stdout.splitlines()

    (line,) = (line for line in lines if line.strip().startswith("east/refuse"))
    assert "1 of 1" in line
    assert "was declined" in line


def test_a_flow_that_waits_says_what_for_and_that_nobody_failed(store: str) -> None:
    asked = ask(store, "waiting-1")

    (line,) = (line for line in asked.stdout.splitlines() if line.startswith("wait "))
    assert line.split()[:5] == ["wait", "cycling", "1", "of", "3"]
    assert "next at " in line
    assert head(asked)["outcome"] == "none yet"
    assert head(asked)["took"].endswith(" so far")
    assert "failure" not in head(asked)


def test_a_wait_that_is_over_is_not_shown_as_one_that_is_to_come(store: str) -> None:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as link, link:
        for rowid, payload in link.execute("SELECT rowid, payload FROM facts").fetchall():
            if "due" in (told := json.loads(payload)):
                told["due"] -= 86_400_000_000
                link.execute("UPDATE facts SET payload = ? WHERE rowid = ?", (json.dumps(told).encode(), rowid))

    asked = ask(store, "waiting-1").stdout
    assert "next at" not in asked
    assert "as of its last fact" in asked


def test_a_flow_that_nobody_serves_any_more_says_since_when_and_one_that_ended_does_not(store: str) -> None:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as link, link:
        link.execute("UPDATE periods SET began = began - 3600000000, ended = ended - 3600000000")

    assert head(ask(store, "waiting-1"))["served"].startswith("by nobody since ")
    assert json.loads(ask(store, "waiting-1", "--json").stdout)["silent_since"].endswith("Z")
    assert "served" not in head(ask(store, "good-1"))


def test_a_flow_that_another_process_runs_is_shown(url: str, run: Run) -> None:
    with Engine(url) as engine:
        start_waiting(engine, "served")

        shown = run("show", "served", "--store", url).stdout

    assert "state    running" in shown
    assert "by nobody" not in shown


def test_the_beginning_of_an_id_is_enough_if_no_other_flow_has_it(store: str) -> None:
    assert head(ask(store, "wait"))["flow"] == "waiting-1"


def test_an_id_that_is_the_beginning_of_another_is_meant_itself(store: str) -> None:
    with Engine(store) as engine:
        engine.start(good, id="good").wait(timeout=30)

    assert head(ask(store, "good"))["flow"] == "good"


def test_a_beginning_of_several_ids_is_a_usage_error_that_names_them(store: str) -> None:
    asked = ask(store, "good")

    assert asked.exit_code == 2
    assert "2 flows have an id that begins with 'good' ('good-2', 'good-1'): write more of it" in asked.stderr


@pytest.mark.parametrize("given", ["bad-12", "", "ad-1"])
def test_a_flow_that_is_not_there_is_not_found(store: str, given: str) -> None:
    asked = ask(store, given)

    assert asked.exit_code == 3
    assert f"there is no flow {given!r} in this store: `vastflow list` shows those there are" in asked.stderr
    assert asked.stdout == ""


def test_the_water_is_shown_only_when_it_is_asked_for(store: str) -> None:
    for told in (ask(store, "good-1", "--events"), ask(store, "good-1", "--events", "--json")):
        assert "note" in told.stdout
        assert "for ann" not in told.stdout

    for told in (ask(store, "good-1", "--water"), ask(store, "good-1", "--water", "--json")):
        assert "for ann" in told.stdout


@pytest.mark.promise("12.5")
@pytest.mark.parametrize("flow", ["good-1", "good-2"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_of_the_water_is_shown_nor_where_it_stands_in_another_value(
    store: str, flow: str, form: list[str]
) -> None:
    shown = ask(store, flow, "--water", "--events", *form).stdout

    assert "***" in shown
    assert "hunter22" not in shown
    assert "qz" not in shown


def test_water_and_journal_show_values_as_people_write_them(url: str) -> None:
    with Engine(url) as engine:
        engine.start(good, {"who": "ann", "price": Decimal("19.90"), "paid": None}, id="good-1").wait(timeout=30)

    water = ask(url, "good-1", "--water").stdout
    assert "price  19.90\n" in water
    assert 'who    "ann"\n' in water
    told = ask(url, "good-1", "--water", "--events").stdout
    assert 'note = "for ann"' in told
    assert json.loads(ask(url, "good-1", "--water", "--json").stdout)["water"]["price"] == {"$decimal": "19.90"}


def test_the_journal_has_a_line_for_each_fact(store: str) -> None:
    journal = ask(store, "good-1", "--events").stdout.split("\n\n")[2].splitlines()

    assert [line.split()[0] for line in journal[1:]] == ["1", "2", "3", "4"]
    assert [line.split()[3:] for line in journal[1:]] == [
        ["started"],
        ["note", "flowed", "wrote", "note"],
        ["outcome", "success"],
        ["~", "ended"],
    ]


def test_json_has_streams_failure_and_journal(store: str) -> None:
    told = json.loads(ask(store, "bad-1", "--events", "--json").stdout)

    assert (told["id"], told["state"], told["failure"]["address"]) == ("bad-1", "fail", "east")
    assert [stream["address"] for stream in told["streams"]][:3] == ["parallel-river", "east", "east/note"]
    assert [event["number"] for event in told["events"]] == list(range(1, told["facts"] + 1))
    assert "water" not in told


def test_json_without_journal_has_none(store: str) -> None:
    assert "events" not in json.loads(ask(store, "bad-1", "--json").stdout)


def test_tags_are_shown(store: str) -> None:
    assert head(ask(store, "good-1"))["tags"] == "team=blue"


@pytest.mark.promise("12.5")
def test_control_characters_of_a_failure_are_shown_and_not_obeyed(store: str) -> None:
    assert "\x1b" not in ask(store, "bad-1", "--events", "--water").stdout


def test_on_a_narrow_terminal_the_states_are_seen_whole(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vastflow.cli.output._ENDLESS", 26)

    streams = ask(store, "bad-1").stdout.split("\n\n")[1].splitlines()

    assert streams[0].split() == ["STREAM", "STATE"]
    assert [line.split()[-1] for line in streams[1:]] == ["fail", "fail", "success", "fail", "success", "ended"]


@pytest.fixture
def old(tmp_path: Path) -> str:
    """Return the URL of a store in which everything has happened that can happen."""
    return f"sqlite:///{shutil.copy(Path(__file__).parents[1] / 'stores' / 'v1b.db', tmp_path / 'old.db')}"


def lines_of(asked: Result) -> list[str]:
    return [" ".join(line.split()) for line in asked.stdout.splitlines()]


@pytest.mark.parametrize(
    ("flow", "lines"),
    [
        (
            "undone",
            [
                "first undone 2 of 2 error: RuntimeError: again",
                "east/stubborn undo-failed 1 of 1 error: it stays",
            ],
        ),
        (
            "spread-ill",
            ["skipped skipped 1 of 1", "breaks fail 1 of 4 done, 1 failed, 2 cancelled, breaks[1]: error: no"],
        ),
        ("spread-ill", ["BRANCH STATE ATTEMPT POLL", "breaks[1] fail 1 of 1 error: no"]),
        ("mended", ["outcome cancelled", "two skipped 1 of 1"]),
        ("waiting", ["state running", "flags paused"]),
        ("poisoned", ["state stranded", "outcome none yet"]),
    ],
)
def test_every_state_of_a_stream_is_shown_with_what_there_is_to_say_of_it(
    old: str, flow: str, lines: list[str]
) -> None:
    shown = lines_of(ask(old, flow))

    assert [line for line in lines if line not in shown] == [], shown


def test_a_flow_with_thousands_of_branches_shows_the_first_few_in_trouble(url: str) -> None:
    each = ParallelRiver.each("items", Refuse(), item="item", max_failures=99)
    with Engine(url) as engine:
        engine.start(Andes("many") >> each >> End(), {"items": list(range(13))}, id="many").wait(timeout=30)

    parts = ask(url, "many").stdout.split("\n\n")

    assert len(parts[2].splitlines()) == 12
    assert parts[2].splitlines()[-1] == "and 3 more: --json has all"
    assert len(json.loads(ask(url, "many", "--json").stdout)["branches"]) == 13


TOLD = {
    "undone": [
        "chosen",
        "saved wrote kept",
        "saved attempt 2; wrote kept",
        "cycled poll 3; wrote polls",
        "outcome fail; to undo: east/stubborn, first; breaks: error: no (quota)",
        "begun undo",
        "undone wrote back",
        "undofailed error: it stays",
        "retried by ann",
    ],
    "spread-ill": ["skipped", "expanded branches: 4", "dropped from item 2 on"],
    "won": ["won branch 1; cancels branches 0", "joined branches 1"],
    "mended": [
        "paused by ann",
        "set wrote size; before it was size; by ann",
        "completed was cycling; wrote vm; new vm; by ann",
        "resumed by ann",
        "skipped was cycling; by ann",
        "cancelling asked for; by ann",
    ],
    "late": ["cancelling its deadline is over"],
    "doubted": ["late too late: it was done"],
    "paid": ["flowed", "signalled id hook-17; carries paid; by bank", "cycled took signal 4; wrote paid"],
    "poisoned": ["begun flow; running", "begun flow; running; alone", "spared"],
}


@pytest.mark.parametrize("flow", TOLD)
def test_the_journal_tells_what_each_fact_says_and_who_caused_it(old: str, flow: str) -> None:
    shown = [line.partition(" s ")[2] for line in lines_of(ask(old, flow, "--events"))]

    assert [told for told in TOLD[flow] if not any(line.endswith(told) for line in shown)] == [], shown


@pytest.mark.promise("12.5", "9.1")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_a_signal_carries_and_what_somebody_changed_is_shown_like_water(url: str, form: list[str]) -> None:
    with Engine(url) as engine:
        start_waiting(engine, "one")
        flow = engine.flow("one")
        flow.signal("api_token", "qwertz99")
        flow.signal("note", {"by": "ann"})
        flow.pause()
        flow.set("password", "hunter22")
        flow.set("password", "hunter23")
        flow.set("public", "as hunter22 said")

    keys = ask(url, "one", "--events", *form).stdout
    told = ask(url, "one", "--events", "--water", *form).stdout

    for key in ("api_token", "note", "password", "public"):
        assert key in keys
        assert key in told
    for secret in ("qwertz99", "hunter22", "hunter23"):
        assert secret not in keys
        assert secret not in told
    assert "ann" not in keys
    assert "ann" in told
