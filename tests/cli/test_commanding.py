"""Does a command that is given in a shell reach the flows that are meant, and no others?"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.drawings import bad, good, start_waiting
from vastflow import Engine
from vastflow.cli import main

NAMES = ("one-a", "one-b", "two")


def tell(url: str, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, [*arguments, "--store", url], input=answer)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Serve a store in which three flows wait."""
    with Engine(url) as engine:
        for name in NAMES:
            start_waiting(engine, name)
        yield engine


def flags(engine: Engine) -> dict[str, tuple[str, ...]]:
    return {name: engine.flow(name).status().flags for name in NAMES}


def test_flows_are_paused_resumed_and_cancelled_by_id_or_by_its_beginning(url: str, engine: Engine) -> None:
    paused = tell(url, "pause", "one-a", "tw", "--who", "anna")

    assert (paused.exit_code, paused.stdout) == (0, "one-a  done\ntwo    done\n")
    assert flags(engine) == {"one-a": ("paused",), "one-b": (), "two": ("paused",)}
    assert engine.flow("two").events()[-1].who == "anna"
    assert tell(url, "pause", "two").stdout == "two  already so\n"
    assert tell(url, "resume", "two").stdout == "two  done\n"
    assert json.loads(tell(url, "cancel", "two", "--json").stdout) == [{"id": "two", "said": "done", "reason": ""}]
    assert engine.flow("two").wait(30).state == "cancelled"
    assert engine.flow("one-b").status().state == "running"


def test_flows_that_have_something_in_common_are_counted_and_it_is_asked_first(url: str, engine: Engine) -> None:
    no = tell(url, "cancel", "--name", "waiting", answer="n\n")

    assert no.exit_code == 1
    assert "Cancel 3 flows (init, running)?" in no.output
    assert {flow.status().state for flow in engine.flows()} == {"running"}

    yes = tell(url, "cancel", "--name", "waiting", "--yes", "--per-minute", "6000")
    assert yes.stdout.count("done") == 3
    assert {engine.flow(name).wait(30).state for name in NAMES} == {"cancelled"}
    assert tell(url, "cancel", "--name", "waiting", "--yes").stdout == ""


def test_tags_and_states_find_flows(url: str, engine: Engine) -> None:
    engine.start(bad, id="wrong", tags={"team": "storage"}).wait(30)
    engine.start(bad, id="other", tags={"team": "network"}).wait(30)

    assert tell(url, "retry", "--tag", "team=storage", "--yes").stdout == "wrong  done\n"
    assert tell(url, "pause", "--state", "running", "--yes").stdout.count("done") == 3


def test_a_flow_that_refuses_says_why_and_the_others_are_told(url: str, engine: Engine) -> None:
    engine.start(good, id="good").wait(30)

    asked = tell(url, "cancel", "good", "two")

    assert asked.exit_code == 1
    assert "good  refused: " in asked.output
    assert "two   done" in asked.output
    assert engine.flow("two").wait(30).state == "cancelled"


def test_with_nobody_serving_it_is_kept_for_the_next_one(url: str) -> None:
    with Engine(url) as engine:
        start_waiting(engine, "two")

    asked = tell(url, "cancel", "two")

    assert (asked.exit_code, asked.stdout) == (0, "two  asked for\n")
    assert "when a process that serves this store takes it in" in asked.stderr
    with Engine(url) as engine:
        assert engine.flow("two").wait(30).state == "cancelled"


def test_a_flow_that_is_only_in_the_inbox_is_told_too(url: str) -> None:
    with Engine(url) as engine:
        start_waiting(engine, "first")
    with Engine(url, serve=False) as standby:
        standby.start(good, id="posted")

    assert tell(url, "cancel", "posted").stdout.startswith("posted  asked for\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("cancel",), 2, "name flows by their ids, or say what they have in common"),
        (("cancel", "two", "--name", "waiting"), 2, "name flows by their ids, or say what they have in common"),
        (("cancel", "nobody"), 3, "there is no flow 'nobody'"),
        (("cancel", "one"), 2, "2 flows have an id that begins with 'one'"),
        (("cancel", "--tag", "team"), 2, "'team' is not KEY=VALUE"),
        (("retry", "two", "--now", "nowhere.at.all"), 2, "there is no module 'nowhere.at.all'"),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_says_so(
    url: str, engine: Engine, arguments: tuple[str, ...], code: int, said: str
) -> None:
    asked = tell(url, *arguments)

    assert asked.exit_code == code
    assert said in asked.output
    assert set(flags(engine).values()) == {()}


def test_a_store_that_is_not_there_is_trouble_with_the_store(tmp_path: Path) -> None:
    asked = tell(f"sqlite:///{tmp_path / 'none.db'}", "cancel", "two")

    assert asked.exit_code == 4
    assert "there is no store" in asked.output
    assert list(tmp_path.iterdir()) == []
