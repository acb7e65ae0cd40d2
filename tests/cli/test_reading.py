"""Are journal and water shown, as tables and as JSON, without secrets?"""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from tests.cli.drawings import good
from vastflow import Engine
from vastflow.cli import main


def ask(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--store", url])


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Serve a store with a flow in it that knows a secret."""
    with Engine(url) as engine:
        engine.start(good, {"who": "anna", "api_token": "sesame-7"}, id="first").wait(30)
        yield engine


def test_the_journal_is_shown_fact_by_fact(url: str, engine: Engine) -> None:
    shown = ask(url, "events", "fir")

    assert engine.serves
    assert [line.split()[3:5] for line in shown.output.splitlines()[2:3]] == [["note", "flowed"]]
    assert "wrote note\n" in shown.output
    assert 'wrote note = "for anna"' in ask(url, "events", "first", "--water").output
    kinds = [event["kind"] for event in json.loads(ask(url, "events", "first", "--json").output)]
    assert kinds == ["started", "flowed", "outcome", "ended"]


def test_the_water_is_shown(url: str, engine: Engine) -> None:
    assert engine.serves
    assert '"for anna"' in ask(url, "water", "first").output
    assert json.loads(ask(url, "water", "first", "--json").output)["note"] == "for anna"


@pytest.mark.promise("12.5")
@pytest.mark.parametrize("verb", [("events",), ("events", "--water"), ("water",)])
def test_no_secret_is_shown(url: str, engine: Engine, verb: tuple[str, ...]) -> None:
    assert engine.serves
    for form in ((), ("--json",)):
        assert "sesame" not in ask(url, *verb, "first", *form).output


@pytest.mark.parametrize("verb", ["events", "water"])
def test_a_flow_that_is_not_there_is_not_found(url: str, engine: Engine, verb: str) -> None:
    assert engine.serves
    asked = ask(url, verb, "nobody")

    assert (asked.exit_code, "there is no flow 'nobody'" in asked.output) == (3, True)
