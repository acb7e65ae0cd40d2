"""What is a body between being handed over and its reply?

Somebody begins it or somebody takes it back, never both, without a lock: its one callable lies
in a list, and `list.pop` is atomic.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vastflow.runtime.guard import report

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from vastflow.runtime.contract import Ref

__all__ = ["AsyncWork", "SyncWork", "Work"]

T = TypeVar("T")


class Work(Generic[T]):
    """A body handed over, and whom to tell what it returns."""

    __slots__ = ("_claim", "_withdrawn", "began", "reply")

    def __init__(self, body: Callable[[], T], reply: Ref) -> None:
        """Take a body and the ref its answer is told to."""
        self._claim = [body]
        self._withdrawn = False
        self.began = False
        self.reply = reply

    def take(self) -> Callable[[], T] | None:
        """Return the body to the one who begins it; None if it was withdrawn."""
        try:
            body = self._claim.pop()
        except IndexError:
            return None
        self.began = True
        return body

    def withdraw(self) -> bool:
        """Take the body back; True: it had not begun and never will."""
        try:
            self._claim.pop()
        except IndexError:
            return self._withdrawn
        self._withdrawn = True
        return True

    def cancel(self) -> None:
        """Do nothing: a thread cannot be stopped."""

    def abandon(self) -> None:
        """Do nothing: there is no thread to give up."""


class SyncWork(Work[object]):
    """A body that is called."""

    __slots__ = ()

    def perform(self) -> None:
        """Call the body, in a context of its own, and tell what it returned."""
        if (body := self.take()) is None:
            return
        try:
            answer = Context().run(body)
        except BaseException as error:  # noqa: BLE001 - a body may raise anything; its thread must live on
            report("a body raised past its guard; nothing is told", error, self.reply.name)
        else:
            self.reply.tell(answer)


class AsyncWork(Work["Coroutine[Any, Any, object]"]):
    """A body that is awaited."""

    __slots__ = ("_asked", "_task")

    def __init__(self, body: Callable[[], Coroutine[Any, Any, object]], reply: Ref) -> None:
        """Take a body and the ref its answer is told to."""
        super().__init__(body, reply)
        self._asked = False
        self._task: asyncio.Task[Any] | None = None

    async def perform(self) -> None:
        """Await the body and tell what it returned."""
        if (body := self.take()) is None:
            self.ended()
            return
        self._task = asyncio.current_task()
        if self._asked:
            self.interrupt()
        try:
            answer = await body()
        except BaseException as error:  # noqa: BLE001 - SystemExit would stop the loop, and with it every other body
            report("an async body raised past its guard; nothing is told", error, self.reply.name)
        else:
            self.reply.tell(answer)
        finally:
            self._task = None
            self.ended()

    def ended(self) -> None:
        """Do what is to be done when the body was told of, or was withdrawn meanwhile."""

    def interrupt(self) -> None:
        """Throw `CancelledError` into the body, now or when it first waits; only on the loop's thread."""
        self._asked = True
        if self._task is not None:
            self._task.cancel()
