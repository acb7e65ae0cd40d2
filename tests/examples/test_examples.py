import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vastflow.demo import stop_cloud

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an example in this folder."""
    command = [sys.executable, str(EXAMPLES / name)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=55, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder to run in; a cloud that was started there ends with the test."""
    yield tmp_path

    stop_cloud(tmp_path / "attach_volume_cloud")


@pytest.mark.promise("5.7")
def test_three_regions_have_the_same_keys_and_never_meet(folder: Path) -> None:
    ran = example("regions.py", folder)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "published east_address, north_address, west_address",
        "east_address = shop.east.example",
        "north_address = shop.north.example",
        "published = ['east_address', 'north_address', 'west_address']",
        "service = shop",
        "west_address = shop.west.example",
    ]
    assert list(folder.iterdir()) == []


@pytest.mark.promise("2.11")
def test_a_volume_is_attached_once_however_often_the_example_is_run(folder: Path) -> None:
    first, second = example("attach_volume.py", folder), example("attach_volume.py", folder)

    assert (first.returncode, first.stderr, second.returncode, second.stderr) == (0, "", 0, "")
    attached, result = first.stdout.splitlines()
    found = re.fullmatch(r"(volume-\w+) is attached to vm-\w+", attached)
    assert found is not None
    assert result == f"order-17 has its volume: {found[1]}"
    assert second.stdout.splitlines() == [result]


@pytest.mark.promise("10.5")
def test_a_killed_example_goes_on_with_the_same_vm(folder: Path) -> None:
    script = (EXAMPLES / "attach_volume.py").read_text("utf-8")
    doomed = script.replace("        if (state :=", "        import os; os.kill(os.getpid(), 9)\n        if (state :=")
    (folder / "attach_volume.py").write_text(doomed, "utf-8")
    killed = subprocess.run([sys.executable, "attach_volume.py"], cwd=folder, timeout=55, check=False)

    resumed = example("attach_volume.py", folder)

    assert killed.returncode == -signal.SIGKILL
    assert resumed.returncode == 0
    requests = (folder / "attach_volume_cloud" / "requests.jsonl").read_text("utf-8")
    assert requests.count('"status": 201') == 3


def printed(name: str, folder: Path) -> list[str]:
    """Return what an example prints; it ends well, and leaves nothing behind in its folder."""
    ran = example(name, folder)

    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
    assert list(folder.iterdir()) == []
    return ran.stdout.splitlines()


@pytest.mark.promise("7.2", "9.2")
def test_an_order_that_cannot_be_shipped_is_undone_in_reverse_order(folder: Path) -> None:
    assert printed("order_with_undo.py", folder) == [
        "teapot: success",
        "  reserve",
        "  charge",
        "  ship",
        "  thank them (receipt: R-17)",
        "piano: fail",
        "  reserve",
        "  charge",
        "  refund",
        "  release",
        "  tell them: it does not fit into the van",
    ]


@pytest.mark.promise("6.2")
def test_of_a_hundred_files_one_may_be_broken_and_leaves_nothing_behind(folder: Path) -> None:
    assert printed("fan_out.py", folder) == [
        "100 files, 1 broken, total 4933",
        "import[17]: 017.txt holds no number",
        "99 files are imported",
    ]


@pytest.mark.promise("9.2")
def test_a_request_waits_for_its_answer_without_a_thread_and_without_an_engine(folder: Path) -> None:
    assert printed("approval.py", folder) == [
        "May we paint the door red? Please answer to request-1.",
        "May we sell the house? Please answer to request-2.",
        "closed",
        "waiting: cycling, a body is running: False",
        "paint the door red, since grace said yes",
        "request-1: success",
        "do not sell the house: alan said no",
        "request-2: fail",
    ]


@pytest.mark.promise("4.8")
def test_a_payment_whose_process_was_killed_is_found_and_not_made_twice(folder: Path) -> None:
    assert printed("reconcile.py", folder) == [
        "the doomed process",
        "  flow: asks the bank to pay",
        "  killed, before it could write that down",
        "the next process",
        "  reconcile: the bank has paid 100 already",
        "  success: 100 paid",
        "payments in the books of the bank: 1",
    ]
