"""Who plays in the tests of the runtime? The smallest actors there can be."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

LONG = 20.0  # seconds after which a sign will not come any more


class Recorder:
    """Keeps what it hears; `full` is done when it has heard as many messages as were expected."""

    def __init__(self, expected: int = 1, name: str = "recorder") -> None:
        self.name = name
        self.heard: list[Any] = []
        self.stranded: list[tuple[Any, BaseException]] = []
        self.full: Future[list[Any]] = Future()
        self._expected = expected

    def receive(self, message: Any, /) -> None:
        self.heard.append(message)
        if len(self.heard) == self._expected:
            self.full.set_result(self.heard)

    def failed(self, message: Any, error: BaseException, /) -> None:
        self.stranded.append((message, error))


class Doer(Recorder):
    """Calls what it is told, as an actor with a bug in it would."""

    def receive(self, message: Any, /) -> None:
        if callable(message):
            message()
        super().receive(message)


class Fragile(Recorder):
    """Raises while it handles what it is told, and once more while it hears of that."""

    def receive(self, message: Any, /) -> None:
        if isinstance(message, BaseException):
            raise message
        super().receive(message)

    def failed(self, message: Any, error: BaseException, /) -> None:
        super().failed(message, error)
        raise SystemExit("failed() failed")


def raising(error: BaseException) -> Callable[[], object]:
    """Return a body that raises."""

    def body() -> object:
        raise error

    return body


def printed_under_other_hash_seeds(program: str) -> set[str]:
    """Return what a program prints in other processes, whose texts hash in other ways."""
    return {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
