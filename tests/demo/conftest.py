"""What do the tests of the demo share? A cloud of their own, which ends with the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vastflow.demo import Cloud, start_cloud, stop_cloud


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[float], Cloud]]:
    """Start (again) the cloud of this test, whose resources are ready after so many seconds."""
    yield lambda ready_after: start_cloud(tmp_path / "cloud", ready_after, idle=120)

    stop_cloud(tmp_path / "cloud")
