"""Does a worker serve until a signal ends it, and let running bodies end?"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli import served
from tests.cli.conftest import Run
from tests.cli.served import dwelling
from vastflow import Engine
from vastflow.ledger.lock import holder

LONG = 50.0
Worker = subprocess.Popen[str]
Begin = Callable[..., Worker]


@pytest.fixture
def begin(tmp_path: Path, url: str) -> Iterator[Begin]:
    """Begin workers in a folder where the flows' module lies, and end what is left of them."""
    shutil.copy(Path(served.__file__), tmp_path / "flows_of_mine.py")
    begun: list[Worker] = []

    def begin(*arguments: str) -> Worker:
        command = [sys.executable, "-m", "vastflow", "worker", "--store", url, *arguments]
        begun.append(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True))
        return begun[-1]

    yield begin
    for worker in begun:
        worker.kill()
        worker.communicate()


def line(worker: Worker) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().rstrip("\n")


def ask(url: str, seconds: float) -> None:
    with Engine(url, serve=False) as engine:
        engine.start(dwelling, {"seconds": seconds}, id="one")


def state(url: str) -> str:
    with Engine(url, serve=False) as engine:
        return engine.flow("one").status().state


@pytest.mark.slow
@pytest.mark.promise("11.1", "11.4")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("module", ["flows_of_mine", "flows_of_mine.py"])
def test_a_worker_serves_until_a_signal_and_lets_running_bodies_end(
    begin: Begin, url: str, number: signal.Signals, module: str
) -> None:
    ask(url, 1.0)
    worker = begin(module, "--drain", "30")

    assert line(worker) == f"Process {worker.pid} serves {url}."
    assert line(worker) == "begin one 1"
    assert holder(url.removeprefix("sqlite:///")) == worker.pid
    worker.send_signal(number)

    assert line(worker) == f"{number.name}: this process serves no longer."
    assert worker.wait(LONG) == 0
    ask_again = begin(module)
    assert line(ask_again) == f"Process {ask_again.pid} serves {url}."
    with Engine(url, serve=False) as engine:
        assert engine.flow("one").result(LONG) == {"seconds": 1.0, "done": True}


@pytest.mark.slow
@pytest.mark.promise("11.4")
def test_bodies_that_do_not_end_in_time_are_left_and_run_again_by_the_next_who_serves(begin: Begin, url: str) -> None:
    ask(url, 600.0)
    worker = begin("flows_of_mine", "--drain", "0.2")
    line(worker)
    assert line(worker) == "begin one 1"
    worker.terminate()

    assert line(worker).startswith("SIGTERM: this process serves no longer; bodies still ran")
    assert worker.wait(LONG) == 0
    assert state(url) == "running"
    second = begin("flows_of_mine")
    line(second)
    assert line(second) == "begin one 1"


@pytest.mark.slow
@pytest.mark.promise("11.4")
def test_a_second_signal_ends_it_at_once(begin: Begin, url: str) -> None:
    ask(url, 600.0)
    worker = begin("flows_of_mine", "--drain", "3600")
    line(worker)
    assert line(worker) == "begin one 1"
    worker.terminate()
    while worker.poll() is None:
        worker.terminate()  # the second; the first may not have been heard yet

    assert worker.wait(LONG) == -signal.SIGTERM
    assert state(url) == "running"


@pytest.mark.slow
@pytest.mark.promise("11.1")
def test_a_worker_stands_by_while_another_serves_and_takes_over(begin: Begin, url: str) -> None:
    first = begin("flows_of_mine")
    assert line(first) == f"Process {first.pid} serves {url}."
    second = begin("flows_of_mine")
    assert line(second) == f"Process {second.pid} stands by for {url}."

    first.kill()

    assert line(second) == f"Process {second.pid} serves {url}."
    second.terminate()
    assert second.wait(LONG) == 0


def test_a_module_that_is_not_there_is_a_usage_error_and_one_that_raises_is_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import not_there_either\n")

    assert "there is no module 'nowhere'" in run("worker", "nowhere", check=2).stderr
    assert "there is no module 'gone.py'" in run("worker", "gone.py", check=2).stderr
    assert "No module named 'not_there_either'" in run("worker", "broken", check=1).stderr
    assert "Missing argument" in run("worker", check=2).stderr
    assert not (tmp_path / "vastflow.db").exists()
