"""What is a body between being handed over and its reply?

Somebody begins it, lets it through its gate or takes it back: the first word said about its fate is
the last, without a lock, since `dict.setdefault` is atomic.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from vastflow.runtime.guard import report

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from vastflow.runtime.contract import Ref

__all__ = ["AsyncWork", "SyncWork", "Work"]

T = TypeVar("T")

Fate = Literal["begun", "admitted", "withdrawn"]


class Work(Generic[T]):
    """A body handed over, and whom to tell what it returns.

    Attributes:
        reply: who is told.
    """

    __slots__ = ("_body", "_fate", "reply")

    def __init__(self, body: Callable[[], T], reply: Ref) -> None:
        """Take a body and the ref its answer is told to."""
        self._body: Callable[[], T] | None = body
        self._fate: dict[str, Fate] = {}
        self.reply = reply

    @property
    def began(self) -> bool:
        """Whether it was begun, or let begin."""
        return self._fate.get("is", "withdrawn") != "withdrawn"

    def decide(self, fate: Fate) -> Fate:
        """Say what becomes of it, and return what does: what was said first."""
        return self._fate.setdefault("is", fate)

    def take(self) -> Callable[[], T] | None:
        """Return the body to the one who begins it; None if it was withdrawn."""
        if self.decide("begun") == "withdrawn":
            return None
        body, self._body = self._body, None
        return body

    def withdraw(self) -> bool:
        """Take the body back; True: it had not begun and never will."""
        if self.decide("withdrawn") != "withdrawn":
            return False
        self._body = None
        return True

    def admit(self) -> bool:
        """Let it begin: nobody takes it back any more. False: it was withdrawn."""
        return self.decide("admitted") != "withdrawn"

    def cancel(self) -> None:
        """Do nothing: a thread cannot be stopped."""

    def abandon(self) -> None:
        """Do nothing: there is nothing to give up."""


class SyncWork(Work[object]):
    """A body that is called, after its gate if it has one."""

    __slots__ = ("_gate", "_held")

    def __init__(self, body: Callable[[], object], reply: Ref, gate: Callable[[], None] | None = None) -> None:
        """Take a body, the ref its answer is told to, and whom to call when a thread is free for it."""
        super().__init__(body, reply)
        self._gate = gate
        self._held = False

    def knock(self) -> None:
        """Say at the gate that a thread is free; a gate that raises stays shut."""
        if self._gate is None:
            return
        self._held = True
        try:
            self._gate()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the thread must live on
            report("the gate of a body raised; the body is withdrawn", error, self.reply.name)
            self.withdraw()

    def admit(self) -> bool:
        """Let the body run; False: it was withdrawn, or no thread is held for it. Without a gate nothing changes."""
        if self._gate is None:
            return self._fate.get("is") != "withdrawn"
        return self._held and super().admit()

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

    __slots__ = ("_asked", "_task", "abandoned")

    def __init__(self, body: Callable[[], Coroutine[Any, Any, object]], reply: Ref) -> None:
        """Take a body and the ref its answer is told to."""
        super().__init__(body, reply)
        self.abandoned = False
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

    def abandon(self) -> None:
        """Count it no longer as one that is waited for; it counts as abandoned until it ends."""
        self.abandoned = True

    def ended(self) -> None:
        """Do what is to be done when the body was told of, or was withdrawn meanwhile."""

    def interrupt(self) -> None:
        """Throw `CancelledError` into the body, now or when it first waits; only on the loop's thread."""
        self._asked = True
        if self._task is not None:
            self._task.cancel()
