"""What do the tests of the engine play on?"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes
from tests.engine.deeds import Staging
from tests.engine.standing import Crew


@pytest.fixture
def stage() -> Iterator[Staging]:
    """Set stages, and close what is left of them."""
    staging = Staging()
    yield staging
    staging.clear()


@pytest.fixture
def scenes() -> Iterator[Scenes]:
    """Make scenes on a seed, and close them."""
    with ExitStack() as stack:

        def make(seed: int = 0, **settings: Any) -> Scene:
            scene = Scene(seed, **settings)
            stack.callback(scene.close)
            return scene

        yield make


@pytest.fixture
def scene(scenes: Scenes) -> Scene:
    """Make one scene."""
    return scenes()


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """Open engines on one store file, and close them."""
    with Crew(tmp_path) as made:
        yield made
