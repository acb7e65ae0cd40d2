"""What do the tests of the engine play on?"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes
from tests.engine.deeds import Staging


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
