"""What do the tests of the log floor share? That each leaves logging as it found it."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from vastflow.log import reset, sinks


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Put structlog, the root logger and the sinks back as they were."""
    level = logging.getLogger().level
    structlog.reset_defaults()

    yield

    reset()
    structlog.reset_defaults()
    sinks.clear()
    logging.getLogger().setLevel(level)
