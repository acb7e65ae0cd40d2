"""What do the tests of the command line share? A store of their own, and how the command is called."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of a store that is not there yet."""
    return f"sqlite:///{tmp_path / 'flows.db'}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call `vastflow` as a process of its own in an empty folder."""

    def run(*arguments: str, check: int | None = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "vastflow", *arguments]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
        assert check is None or ended.returncode == check, ended.stderr
        return ended

    return run
