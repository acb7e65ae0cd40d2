"""Can a flow be mended from a shell: a stream skipped or completed, water put right, a signal sent?"""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from tests.cli.drawings import bad, start_waiting
from vastflow import Engine
from vastflow.cli import main


def tell(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--store", url])


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Serve a store in which a flow has failed."""
    with Engine(url) as engine:
        engine.start(bad, id="wrong").wait(30)
        yield engine


def test_a_stream_is_completed_and_the_flow_ends_well_in_a_new_round(url: str, engine: Engine) -> None:
    assert tell(url, "complete", "wrong", "east/refuse", "paid=true", "by=anna").stdout == "wrong  done\n"
    assert tell(url, "set", "wrong", 'note2="by hand"').stdout == "wrong  done\n"
    assert tell(url, "retry", "wrong").stdout == "wrong  done\n"

    flow = engine.flow("wrong")
    assert flow.result(30)["note2"] == "by hand"
    (completed,) = [event for event in flow.events() if event.kind == "completed"]
    assert (completed.address, completed.details["delta"]["put"]) == ("east/refuse", {"paid": True, "by": "anna"})


def test_a_stream_is_skipped(url: str, engine: Engine) -> None:
    assert tell(url, "skip", "wrong", "east/refuse").stdout == "wrong  done\n"
    assert tell(url, "retry", "wrong").exit_code == 0

    assert engine.flow("wrong").wait(30).state == "success"


def test_a_signal_is_sent_once_for_each_key(url: str, engine: Engine) -> None:
    start_waiting(engine, "waits")

    assert tell(url, "signal", "waits", "go", '{"by": "anna"}', "--id", "k").stdout == "waits  done\n"
    assert tell(url, "signal", "waits", "go", "again", "--id", "k").stdout == "waits  already so\n"
    sent = [event for event in engine.flow("waits").events() if event.kind == "signalled"]
    assert [event.details["put"] for event in sent] == [{"go": {"by": "anna"}}]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("skip", "wrong", "nowhere"), 1, "refused"),
        (("set", "wrong", "note"), 2, "'note' is not KEY=VALUE"),
        (("complete", "wrong", "east/refuse", "=1"), 2, "'=1' is not KEY=VALUE"),
        (("signal", "wrong", "go"), 1, "refused"),
        (("signal", "nobody", "go"), 3, "there is no flow 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    url: str, engine: Engine, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = engine.flow("wrong").status().facts

    asked = tell(url, *arguments)

    assert asked.exit_code == code
    assert said in asked.output
    assert engine.flow("wrong").status().facts == before


def test_programs_get_json(url: str, engine: Engine) -> None:
    told = json.loads(tell(url, "skip", "wrong", "nowhere", "--json").stdout)

    assert engine.serves
    assert told[0]["said"] == "refused"
    assert "nowhere" in told[0]["reason"]
