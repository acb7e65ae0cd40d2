"""What do the tests of the actors listen with?"""

import io
from collections.abc import Iterator

import pytest
import structlog

from vastflow.log import reset, setup


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Write JSON lines into a text, and put logging back as it was."""
    stream = io.StringIO()
    structlog.reset_defaults()
    setup("debug", json=True, stream=stream)
    yield stream
    reset()
    structlog.reset_defaults()
