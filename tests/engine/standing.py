"""What do tests of several engines on one store share? A crew that is closed at the end, signs to wait for, a clock."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.engine.scenes import LONG
from vastflow import Engine
from vastflow.clock import SystemClock

__all__ = ["Crew", "LeapClock", "until"]


def until(sign: Callable[[], object]) -> None:
    """Wait for a sign that nobody gives but that can be seen."""
    waiting = threading.Event()
    for _ in range(round(LONG * 200)):
        if sign():
            return
        waiting.wait(0.005)
    raise TimeoutError("the sign did not come")


class LeapClock(SystemClock):
    """The machine's time, which can leap forward."""

    def leap(self, seconds: float) -> None:
        """Let so much time be over at once."""
        self.hold(self.now() + round(seconds * 1_000_000))


class Crew:
    """Engines on one store file."""

    def __init__(self, folder: Path) -> None:
        """Have none yet."""
        self.path = folder / "flows.db"
        self.url = f"sqlite:///{self.path}"
        self._stack = ExitStack()

    def engine(self, serve: bool | None = None, **settings: Any) -> Engine:  # noqa: FBT001  # as in `Engine(serve=)`
        """Open one more engine."""
        made = Engine(self.url, serve=serve, **settings)
        self._stack.callback(made.close, 0.0)
        return made

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all of them."""
        self._stack.close()
