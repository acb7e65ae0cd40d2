"""What may an actor ask of whatever runs it?

One protocol with two implementations: `Real` (threads, an event loop, a timer wheel) and
`Simulated` (one thread, a virtual clock, an order chosen by a seed). What cannot run on both
is wrongly built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from vastflow.clock import Clock

__all__ = ["Actor", "Lane", "Ref", "Running", "Runtime", "Stats", "Timer"]

T = TypeVar("T")

Lane = Literal["body", "end"]
"""Where a body runs: `end` is a small reserve for undo and Atlantic, so that hung bodies keep no flow from ending."""


class Ref(Protocol):
    """Where an actor can be told something."""

    name: str

    def tell(self, message: object, /) -> None:
        """Put a message behind those already told; never waits, never raises."""
        ...


class Actor(Protocol):
    """What an actor does: a plain object that knows nothing of what runs it."""

    name: str

    def receive(self, message: Any, /) -> None:
        """Handle one message; never called twice at the same time."""
        ...

    def failed(self, message: Any, error: BaseException, /) -> None:
        """`receive(message)` raised: strand what the message was about."""
        ...


class Running(Protocol):
    """A body that was handed over."""

    @property
    def began(self) -> bool:
        """Whether the body was ever begun."""
        ...

    def admit(self) -> bool:
        """Let a body run for which a thread is held at its gate; it counts as begun from now on.

        False: it was withdrawn, or no thread is held for it yet. A body without a gate needs no leave.
        """
        ...

    def withdraw(self) -> bool:
        """Take the body back; True: it had not begun and never will, and nothing will be told."""
        ...

    def cancel(self) -> None:
        """Ask it to stop: an async body gets `CancelledError`, a thread is not touched."""
        ...

    def abandon(self) -> None:
        """Count it no longer: its thread is replaced, nobody waits for its task; its late reply is still told."""
        ...


class Timer(Protocol):
    """Something that will be told later."""

    def cancel(self) -> None:
        """Forget it; nothing is told any more."""
        ...


@dataclass(frozen=True, slots=True)
class Stats:
    """How much a runtime has to do at this moment."""

    queued: int
    """Bodies handed over and not begun."""
    running: int
    """Bodies that occupy a worker thread or are held at their gate, abandoned ones not counted."""
    abandoned: int
    """Bodies given up that still occupy a worker thread."""
    threads: int
    """Worker threads, abandoned ones included."""
    timers: int
    """Timers that are still to fire, beats included."""
    actors: int
    """Actors spawned and alive."""
    tasks: int
    """Async bodies begun and not ended, abandoned ones included."""
    abandoned_tasks: int
    """Async bodies given up that have not ended."""


class Runtime(Protocol):
    """What gives actors their turns, bodies their threads, and timers their moment."""

    @property
    def clock(self) -> Clock:
        """What tells the time here."""
        ...

    def spawn(self, actor: Actor, /) -> Ref:
        """Give an actor an inbox and a life; the ref works as long as the runtime is open."""
        ...

    def run(
        self,
        work: Callable[[], object],
        reply: Ref,
        *,
        lane: Lane = "body",
        gate: Callable[[], None] | None = None,
    ) -> Running:
        """Call `work` on a worker thread and tell `reply` what it returns.

        Args:
            work: the body.
            reply: who is told.
            lane: whose threads it takes.
            gate: called when a thread is free for the body (it tells an actor, and never waits); that thread is then
                held, and the body called only after `admit()`. `withdraw()`, closing or a crash frees the thread.
        """
        ...

    def run_async(self, work: Callable[[], Coroutine[Any, Any, object]], reply: Ref) -> Running:
        """Run `work` as a task of the one event loop and tell `reply` what it returns."""
        ...

    def at(self, when: int, ref: Ref, message: object) -> Timer:
        """Tell `ref` the message at `when` (microseconds on `clock`), never earlier; at once if that is past."""
        ...

    def every(self, seconds: float, ref: Ref, message: object) -> Timer:
        """Tell `ref` the message again and again; such a beat alone keeps no simulated time going."""
        ...

    def wait(self, future: Future[T], timeout: float | None = None) -> T:
        """Wait, in a client's thread, for a future's result.

        Args:
            future: what to wait for.
            timeout: seconds on `clock`, or None for as long as it takes.

        Returns:
            The future's result.

        Raises:
            TimeoutError: if the future is not done in time.
        """
        ...

    def entropy(self, size: int) -> bytes:
        """Return random bytes: from the system, or from the seed of a simulation."""
        ...

    def stats(self) -> Stats:
        """Return how much there is to do."""
        ...

    def close(self, drain: float = 0.0) -> bool:
        """Stop everything; may come twice and may come before use.

        Bodies that have not begun never will. Running ones get `drain` seconds, during which actors still
        hear of their ends. Then actors, timers, pool and loop stop.

        Returns:
            True if nothing was left running.
        """
        ...
