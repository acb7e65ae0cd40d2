import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vastflow.demo import Cloud, stop_cloud
from vastflow.demo.scene import Scene

Demo = Callable[..., subprocess.CompletedProcess[str]]
READY_AFTER = "1"


def vastflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vastflow", *arguments]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a demo, whose cloud ends with the test."""
    yield tmp_path / "demo"

    stop_cloud(tmp_path / "demo" / "cloud")


@pytest.fixture
def demo(folder: Path) -> Demo:
    """Run the demo in its folder, or go on with it, as a process of its own whose output is piped."""

    def demo(*options: str, resume: bool = False) -> subprocess.CompletedProcess[str]:
        where = ("--resume" if resume else "--folder", str(folder))
        return subprocess.run(
            vastflow("demo", *where, "--ready-after", READY_AFTER, *options),
            capture_output=True,
            text=True,
            timeout=55,
            check=False,
        )

    return demo


def shown(folder: Path) -> dict[str, Any]:
    """Return what `vastflow show` says of the demo's flow."""
    command = vastflow("show", "demo", "--store", Scene(folder).url, "--json", "--events", "--water")
    told: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, timeout=55, check=True).stdout)
    return told


def requests(folder: Path) -> list[dict[str, Any]]:
    """Return what the cloud was asked to make."""
    lines = (folder / "cloud" / "requests.jsonl").read_text("utf-8").splitlines()
    return [request for request in map(json.loads, lines) if request["asked"].get("token")]


def test_a_piped_demo_says_each_change_once_and_its_journal_holds_the_polls_of_both_resources(
    folder: Path, demo: Demo
) -> None:
    ran = demo("--ready-after", "3")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\x1b" not in ran.stdout
    told = shown(folder)
    assert f"{told['water']['volume']} is attached to {told['water']['vm']}." in ran.stdout
    polls = Counter(event["address"] for event in told["events"] if event["kind"] in {"polled", "cycled"})
    assert polls.keys() == {"create-vm", "create-volume"}
    assert min(polls.values()) >= 2
    words = [line.split() for line in ran.stdout.splitlines()]
    changes = [tuple(said) for said in words if said and said[0] in {"create-vm", "create-volume", "attach", "~"}]
    assert len(set(changes)) == len(changes)
    assert {said[0] for said in changes if said[1] == "success"} == {"create-vm", "create-volume", "attach", "~"}
    assert any(said[:3] == ("create-vm", "cycling", "poll") and said[-1] == "building" for said in changes)


@pytest.mark.slow
def test_a_demo_that_ended_has_stopped_its_cloud_and_its_last_lines_are_commands_that_work(
    folder: Path, demo: Demo
) -> None:
    last = demo().stdout.splitlines()[-2:]

    assert not Cloud(folder / "cloud").alive()
    for line in last:
        _, _, arguments = line.partition("-m vastflow ")
        looked = subprocess.run(vastflow(*arguments.split()), capture_output=True, text=True, timeout=55, check=True)
        assert "attach-volume" in looked.stdout


@pytest.mark.promise("10.5", "5.2")
@pytest.mark.parametrize(
    ("river", "asked"),
    [
        ("create-vm", 1),
        pytest.param("create-volume", 1, marks=pytest.mark.slow),
        pytest.param("attach", 2, marks=pytest.mark.slow),
    ],
)
def test_a_killed_demo_goes_on_with_the_same_vm_and_nothing_is_made_twice(
    river: str, asked: int, folder: Path, demo: Demo
) -> None:
    killed = demo("--kill-at", river)
    before = {request["answer"]["id"] for request in requests(folder)}
    resumed = demo(resume=True)

    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.splitlines()[-1].endswith(f"vastflow demo --resume {folder}")
    assert (resumed.returncode, resumed.stderr) == (0, "")
    water = shown(folder)["water"]
    assert water["vm"] in before
    assert f"{water['volume']} is attached to {water['vm']}." in resumed.stdout
    created = Counter(request["asked"]["token"] for request in requests(folder) if request["status"] == 201)
    assert sorted(created.values()) == [1, 1, 1]
    kind = "attachment" if river == "attach" else river.removeprefix("create-")
    assert len([request for request in requests(folder) if request["answer"]["id"].startswith(f"{kind}-")]) == asked


def test_a_killed_demo_can_be_looked_at_before_it_goes_on(folder: Path, demo: Demo) -> None:
    demo("--kill-at", "create-vm")

    told = shown(folder)

    assert (told["state"], told["outcome"]) == ("running", "")
    states = {stream["address"]: stream["state"] for stream in told["streams"]}
    assert (states["create-vm"], states["attach"]) == ("cycling", "init")


@pytest.mark.slow
def test_a_demo_whose_vm_was_deleted_meanwhile_fails_and_says_why(folder: Path, demo: Demo) -> None:
    demo("--kill-at", "create-vm")
    (vm,) = (request["answer"]["id"] for request in requests(folder) if request["asked"]["kind"] == "vm")
    Cloud(folder / "cloud").delete(vm)

    resumed = demo(resume=True)

    assert resumed.returncode == 1
    assert "Failed" in resumed.stdout
    assert f"{vm} was deleted" in resumed.stdout


@pytest.mark.slow
def test_a_demo_that_ended_can_be_gone_on_with_and_only_says_how_it_ended(folder: Path, demo: Demo) -> None:
    demo()
    before = len(requests(folder))

    again = demo(resume=True)

    assert again.returncode == 0
    assert "Success" in again.stdout
    assert len(requests(folder)) == before


def test_a_folder_with_a_demo_in_it_is_not_begun_anew(folder: Path, demo: Demo) -> None:
    folder.mkdir()
    (folder / "vastflow.db").touch()

    again = demo()

    assert again.returncode == 2
    assert "say --resume to go on" in again.stderr


def test_a_demo_that_is_not_there_cannot_be_gone_on_with(folder: Path, demo: Demo) -> None:
    assert demo(resume=True).returncode == 2
    folder.mkdir()

    empty = demo(resume=True)

    assert empty.returncode == 4
    assert "there is no store at" in empty.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_a_demo_that_another_process_runs_is_left_alone(folder: Path, demo: Demo) -> None:
    first = subprocess.Popen(
        vastflow("demo", "--folder", str(folder), "--ready-after", "3600"), stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout is not None
        assert any("cycling" in line for line in first.stdout)

        second = demo(resume=True)

        first.send_signal(signal.SIGKILL)
    assert second.returncode == 4
    assert "another" in second.stderr


def test_a_demo_that_is_interrupted_says_how_to_go_on(folder: Path) -> None:
    ran = subprocess.Popen(
        vastflow("demo", "--folder", str(folder), "--ready-after", "3600"), stdout=subprocess.PIPE, text=True
    )
    with ran:
        assert ran.stdout is not None
        assert any("cycling" in line for line in ran.stdout)

        ran.send_signal(signal.SIGINT)
        rest = ran.stdout.read()

    assert ran.returncode == 130
    assert rest.endswith(f"vastflow demo --resume {folder}\n")


def on_a_terminal(command: list[str], **environment: str) -> str:
    """Run a command on a terminal of its own and return all that it wrote there."""
    ours, its = pty.openpty()
    known = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    ran = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=known | {"TERM": "xterm"} | environment)
    os.close(its)
    with ran, os.fdopen(ours, "rb", buffering=0) as terminal:
        return b"".join(iter(lambda: read(terminal.fileno()), b"")).decode()


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when nobody holds the other end any more
        return b""


def test_on_a_terminal_the_rivers_are_redrawn_in_place(folder: Path) -> None:
    wrote = on_a_terminal(vastflow("demo", "--folder", str(folder), "--ready-after", READY_AFTER))

    assert "\x1b[1A" in wrote
    assert wrote.count("attach-volume") == 0
    assert "Success" in wrote


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, pytest.param({"TERM": "dumb"}, marks=pytest.mark.slow)])
def test_a_terminal_that_wants_plain_lines_gets_them(environment: dict[str, str], folder: Path) -> None:
    wrote = on_a_terminal(vastflow("demo", "--folder", str(folder), "--ready-after", "0"), **environment)

    assert "\x1b" not in wrote
    assert "Success" in wrote
