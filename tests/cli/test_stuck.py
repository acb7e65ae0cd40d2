"""Does the command line list the flows that are stuck?"""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from tests.cli.drawings import End, good, start_waiting
from tests.engine.scenes import nothing, raises, river
from tests.engine.standing import until
from vastflow import Andes, Continue, Engine
from vastflow.cli import main

approving = (
    Andes("approving")
    >> river("approve", nothing, raises(lambda: Continue("who?", after=3600)), signals=("ok",), cycle_interval=0.01)
    >> End()
)


def ask(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["stuck", "--store", url, *arguments])


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Serve a store in which flows wait by plan, and for a signal."""
    with Engine(url) as engine:
        engine.start(good, id="good-1").wait(timeout=30)
        start_waiting(engine, "waiting-1")
        for number in range(3):
            flow = engine.start(approving, id=f"approving-{number}")
            until(lambda asked=flow: asked.why().reason.details.get("polls") == 1)  # type: ignore[misc]  # it is bound
        yield engine


@pytest.mark.promise("12.4")
def test_what_is_stuck_is_listed_with_its_reason_and_what_waits_by_plan_is_not(engine: Engine, url: str) -> None:
    asked = ask(url, "--older-than", "0")

    lines = [line.split() for line in asked.stdout.splitlines()]
    assert lines[0] == ["ID", "NAME", "IDLE", "REASON"]
    assert sorted(line[0] for line in lines[1:]) == ["approving-0", "approving-1", "approving-2"]
    assert all("waiting-signal" in line for line in lines[1:])
    assert engine.serves


@pytest.mark.promise("12.4")
def test_programs_get_the_whole_of_it_and_no_more_than_they_ask_for(engine: Engine, url: str) -> None:
    asked = ask(url, "--older-than", "0s", "--limit", "2", "--json")

    told = json.loads(asked.stdout)
    assert [each["reason"]["code"] for each in told] == ["waiting-signal"] * 2
    assert "There are more: --limit 20 shows them." in asked.stderr
    assert engine.serves


def test_if_nothing_is_stuck_it_says_so(engine: Engine, url: str) -> None:
    asked = ask(url)

    assert (asked.exit_code, asked.stdout, asked.stderr) == (0, "", "No flow is stuck.\n")
    assert engine.serves


@pytest.mark.parametrize("age", ["soon", "-5m", "nan", "-1"])
def test_what_is_no_age_is_a_usage_error(url: str, age: str) -> None:
    asked = ask(url, "--older-than", age)

    assert asked.exit_code == 2
    assert "is not an age: write something like 10m" in asked.stderr
