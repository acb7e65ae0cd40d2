from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.drawings import bad, good, start_waiting
from vastflow import Engine
from vastflow.cli import main
from vastflow.errors import StoreServed
from vastflow.ledger import FlowQuery, open_reader


def ask(url: str, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, ["gc", "--store", url, *arguments], input=answer)


def fill(engine: Engine) -> None:
    engine.start(good, id="first").wait(timeout=30)
    engine.start(bad, id="second").wait(timeout=30)
    start_waiting(engine, "third")


def left(url: str) -> list[str]:
    reader = open_reader(url)
    try:
        return sorted(row.id for row in reader.flows(FlowQuery()))
    finally:
        reader.close()


def test_while_nobody_serves_it_is_done_here_and_the_store_can_be_served_again(url: str) -> None:
    with Engine(url) as engine:
        fill(engine)

    assert ask(url, "--older-than", "30d", "--yes").output == "0 flows removed.\n"
    assert ask(url, "--older-than", "0s", "--yes").output == "1 flows removed.\n"
    assert left(url) == ["second", "third"]
    assert (
        ask(url, "--older-than", "0", "--state", "fail", "--state", "success", "--yes").output == "1 flows removed.\n"
    )
    with Engine(url, serve=True) as engine:
        assert [flow.id for flow in engine.flows()] == ["third"]
        assert engine.flow("third").status().state == "running"


def test_while_somebody_serves_he_does_it(url: str) -> None:
    with Engine(url) as engine:
        fill(engine)

        assert ask(url, "--older-than", "0s", "--yes").output == "1 flows removed.\n"
        assert sorted(flow.id for flow in engine.flows()) == ["second", "third"]
        with pytest.raises(StoreServed):
            Engine(url, serve=True)


def test_it_asks_before_it_removes_anything(url: str) -> None:
    with Engine(url) as engine:
        fill(engine)

        for answer in ("n\n", ""):
            asked = ask(url, "--older-than", "0s", answer=answer)
            assert (asked.exit_code, len(left(url))) == (1, 3)
            assert f"Remove 1 flows (success, cancelled) from {url}?" in asked.output
        assert "1 flows removed." in ask(url, "--older-than", "0s", answer="y\n").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--older-than"),
        (("--older-than", "soon"), "'soon' is not an age: write something like 30d"),
        (("--older-than", "1d", "--state", "running"), "'running' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(url: str, arguments: tuple[str, ...], said: str) -> None:
    asked = ask(url, *arguments)

    assert asked.exit_code == 2
    assert said in asked.output


def test_where_there_is_no_store_nothing_is_made(url: str) -> None:
    for yes in ((), ("--yes",)):
        asked = ask(url, "--older-than", "1d", *yes)
        assert asked.exit_code == 4
        assert "there is no store" in asked.output
    assert not Path(url.removeprefix("sqlite:///")).exists()
