"""Does the command line say why a flow stands where it stands?"""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli import served
from tests.cli.conftest import Run
from tests.cli.drawings import bad, good, start_waiting, waiting
from tests.cli.served import dwelling
from vastflow import Engine
from vastflow.cli import main


def ask(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["why", "--store", url, *arguments])


def head(asked: Result) -> dict[str, str]:
    lines = asked.stdout.split("\n\n")[0].splitlines()
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Serve a store in which a flow waits, one has failed and one has ended well."""
    with Engine(url) as engine:
        engine.start(good, id="good-1").wait(timeout=30)
        engine.start(bad, id="bad-1").wait(timeout=30)
        start_waiting(engine, "waiting-1")
        yield engine


@pytest.mark.promise("12.3", "12.4")
def test_a_flow_that_waits_says_in_which_poll_and_when_the_next_is_due(engine: Engine, url: str) -> None:
    asked = ask(url, "wait")

    told = head(asked)
    assert asked.exit_code == 0
    assert (told["flow"], told["state"]) == ("waiting-1 (waiting)", "running")
    assert told["why"].startswith('waits in poll 1 of 600 of wait ("not yet"), next in ')
    assert set(told) == {"flow", "state", "why", "since", "next"}
    assert engine.serves


@pytest.mark.promise("12.4")
def test_a_flow_that_failed_says_so_and_what_tries_it_again(engine: Engine, url: str) -> None:
    told = head(ask(url, "bad-1"))

    assert told["why"].endswith('"the card\\x1b[2J of nobody was declined"')
    assert told["unblock"] == f"vastflow retry --store {url} bad-1"
    assert engine.serves


@pytest.mark.promise("12.4")
def test_several_reasons_are_listed_as_a_tree_and_programs_get_all_of_it(engine: Engine, url: str) -> None:
    engine.flow("waiting-1").pause(who="ann")

    asked, document = ask(url, "waiting-1"), json.loads(ask(url, "waiting-1", "--json").stdout)

    table = asked.stdout.split("\n\n")[1].splitlines()
    assert [line.split()[0] for line in table] == ["REASON", "paused", "poll-wait"]
    assert document["reason"]["code"] == "paused"
    assert [each["code"] for each in document["tree"]] == ["paused", "poll-wait"]
    assert (document["live"], document["tree"][1]["details"]["answer"]) == (True, "not yet")


@pytest.mark.promise("12.3")
def test_if_nobody_serves_it_says_so_and_that_only_the_store_was_read(engine: Engine, url: str) -> None:
    engine.close()

    told = head(ask(url, "waiting-1"))

    assert told["why"].startswith("nobody has served this store since ")
    assert told["unblock"] == f"vastflow worker --store {url} MODULE"
    assert " ".join(told["as"].split()) == "of its last fact: no process was asked, only the store was read"


def test_a_flow_that_is_still_in_the_inbox_is_found(url: str) -> None:
    with Engine(url, serve=True):
        pass
    with Engine(url, serve=False) as engine:
        engine.start(waiting, id="asked-1")

    assert head(ask(url, "asked-1"))["why"].startswith("was asked for ")


def test_what_is_not_there_has_the_exit_code_of_that(engine: Engine, url: str, tmp_path: Path) -> None:
    assert engine.serves
    assert (ask(url, "none").exit_code, ask(f"sqlite:///{tmp_path}/none.db", "x").exit_code) == (3, 4)


@pytest.mark.slow
@pytest.mark.promise("12.3", "12.4")
def test_another_process_is_asked_and_if_it_is_stopped_that_is_told(run: Run, url: str, tmp_path: Path) -> None:
    shutil.copy(Path(served.__file__), tmp_path / "flows_of_mine.py")
    with Engine(url, serve=False) as engine:
        engine.start(dwelling, {"seconds": 60}, id="one")
    command = [sys.executable, "-m", "vastflow", "worker", "--store", url, "flows_of_mine"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        while not worker.stdout.readline().startswith("begin one"):
            pass
        running = json.loads(run("why", "--store", url, "one", "--json").stdout)
        worker.send_signal(signal.SIGSTOP)
        stopped = json.loads(run("why", "--store", url, "one", "--json").stdout)
        worker.kill()
        worker.wait()
    gone = json.loads(run("why", "--store", url, "one", "--json").stdout)

    assert (running["live"], running["reason"]["code"], running["reason"]["address"]) == (True, "body-running", "dwell")
    assert running["reason"]["details"]["thread"] == "thread vastflow-body-1"
    assert (stopped["live"], stopped["reason"]["code"]) == (False, "owner-silent")
    assert stopped["reason"]["details"]["pid"] == worker.pid
    assert [each["code"] for each in gone["tree"]] == ["unserved", "going-on"]
