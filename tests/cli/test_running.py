"""Does a flow that is run from a shell run, and say how it ended?"""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from vastflow import Engine
from vastflow.ledger import open_reader
from vastflow.ledger.reading import read_status

APP = """
from vastflow import Andes, Atlantic, Fail, River

class Greet(River):
    registered_as = "app.Greet"
    def flow(self, water):
        if water["who"] == "nobody":
            raise Fail("there is nobody to be greeted")
        water["said"] = f"Hello {water['who']} {water.get('times', 1) + 1}"

class End(Atlantic):
    registered_as = "app.End"

hello = Andes("hello") >> Greet() >> End()
other = Andes("other") >> Greet() >> End()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Write a module with drawings into the folder in which the command is called."""
    path = tmp_path / "app.py"
    path.write_text(APP)
    return path


def test_a_flow_is_started_watched_and_its_outcome_said(run: Run, app: Path, url: str) -> None:
    ended = run("run", "app.py:hello", "who=Anna", "times=2", "--id", "one", "--tag", "team=a", "--store", url)

    assert ended.stdout.splitlines()[-1] == "Flow one: success"
    assert "greet" in ended.stdout
    assert "Flow one of hello." in ended.stderr
    reader = open_reader(url)
    assert read_status(reader, "one").tags == {"team": "a"}
    reader.close()
    assert "Hello Anna 3" in run("water", "one", "--store", url).stdout
    assert app.exists()


def test_a_flow_that_fails_ends_the_command_with_1(run: Run, app: Path, url: str) -> None:
    ended = run("run", "app:hello", "who=nobody", "--id", "one", "--store", url, check=1)

    assert ended.stdout.splitlines()[-1] == "Flow one: fail: greet: error: there is nobody to be greeted"
    assert app.exists()


def test_a_flow_is_only_asked_for_if_somebody_else_is_to_run_it(run: Run, app: Path, url: str) -> None:
    asked = run("run", "app:hello", "who=Anna", "--detach", "--store", url)

    with Engine(url, serve=False) as engine:
        assert engine.flow(asked.stdout.strip()).status().state == "init"
    assert app.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("app.py",), "write MODULE:ANDES"),
        (("app.py:nothing",), "it has hello, other"),
        (("nowhere:hello",), "there is no module 'nowhere'"),
        (("app:hello", "who"), "'who' is not KEY=VALUE"),
    ],
)
def test_what_cannot_be_run_is_a_usage_error(
    run: Run, app: Path, url: str, arguments: tuple[str, ...], said: str
) -> None:
    ended = run("run", *arguments, "--store", url, check=2)

    assert said in ended.stderr.replace("\n", " ")
    assert app.exists()
