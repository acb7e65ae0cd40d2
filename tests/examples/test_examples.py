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
