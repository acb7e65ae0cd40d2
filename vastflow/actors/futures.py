"""How does whoever waits outside the actors learn what came of it?

By a future; if it is over already, since he gave up or the engine has closed meanwhile, nobody is told.
"""

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TypeVar

__all__ = ["fail", "fulfil"]

T = TypeVar("T")


def fulfil(future: "Future[T]", value: T) -> None:
    """Tell whoever waits what came of it."""
    with suppress(InvalidStateError):
        future.set_result(value)


def fail(future: "Future[T]", error: BaseException) -> None:
    """Tell whoever waits why nothing came of it."""
    with suppress(InvalidStateError):
        future.set_exception(error)
