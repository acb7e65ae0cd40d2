"""What does `asyncio.to_thread` run on inside a body?

A pool of ours. The threads of a stock executor are joined when the interpreter ends, so that one
hung name look-up would keep the process alive.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from vastflow.runtime.pool import Pool

__all__ = ["PoolExecutor"]

P = ParamSpec("P")
T = TypeVar("T")


class _Nobody:
    """Whom a call's answer is told to: its future has it already."""

    name = "executor"

    def tell(self, message: object, /) -> None:
        """Hear and forget."""


class PoolExecutor(ThreadPoolExecutor):
    """An executor without threads of its own; asyncio accepts only this class and its children."""

    def __init__(self, pool: Pool) -> None:
        """Use the threads of a pool."""
        super().__init__(max_workers=1)
        self._pool = pool

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function on the pool."""
        future: Future[T] = Future()

        def call() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - as any executor: it belongs to whoever waits
                    future.set_exception(error)

        job = self._pool.submit(call, _Nobody())
        if self._pool.closing and job.withdraw():
            future.cancel()
        return future
