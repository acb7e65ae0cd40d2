"""Would the model find a fault in the course?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vastflow
from tests.course.faults import AT_DEATH, FAULTS, QUICK, Fault
from tests.house.source import ROOT

LIBRARY = Path(vastflow.__file__).parent
SEEDS = 2_000


def planted(tree: Path, fault: Fault | None) -> Path:
    """Copy the library, and plant a fault in its course."""
    shutil.copytree(LIBRARY, tree / "vastflow", ignore=shutil.ignore_patterns("__pycache__"))
    for here, there in fault.changes if fault is not None else ():
        (page,) = pages_with(tree / "vastflow/course", here)
        page.write_text(page.read_text(encoding="utf-8").replace(here, there), encoding="utf-8")
    return tree


def pages_with(course: Path, text: str) -> list[Path]:
    return [page for page in course.glob("*.py") if text in page.read_text(encoding="utf-8")]


def hunt(tree: Path, seeds: int, *how: str) -> subprocess.CompletedProcess[str]:
    """Compare the copy with the model, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "tests.course.hunt", str(seeds), *how],
        env=os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_found(tree: Path, name: str, *how: str) -> None:
    told = hunt(planted(tree, (FAULTS | AT_DEATH)[name]), SEEDS, *how)

    print(f"{name}: {told.stdout[:300]}")  # noqa: T201 - a figure to report
    assert told.returncode == 1, told.stderr
    assert told.stdout.startswith("case "), told.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", QUICK)
def test_a_planted_fault_is_found(tmp_path: Path, name: str) -> None:
    assert_found(tmp_path, name)


@pytest.mark.timeout(600)
def test_without_a_fault_nothing_is_found(tmp_path: Path) -> None:
    told = hunt(planted(tmp_path, None), 50)

    assert (told.returncode, told.stdout) == (0, ""), told.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [name for name in FAULTS if name not in QUICK])
def test_every_planted_fault_is_found(tmp_path: Path, name: str) -> None:
    assert_found(tmp_path, name)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", AT_DEATH)
def test_every_fault_planted_in_recovery_is_found(tmp_path: Path, name: str) -> None:
    assert_found(tmp_path, name, "deaths")


@pytest.mark.parametrize("name", FAULTS | AT_DEATH)
def test_every_fault_can_still_be_planted(name: str) -> None:
    fault = (FAULTS | AT_DEATH)[name]

    assert [here for here, _ in fault.changes if len(pages_with(LIBRARY / "course", here)) != 1] == []
