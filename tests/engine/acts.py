"""What else do bodies of the engine's tests do? They follow a script, sleep, hang until they are let go, are seen."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from tests.engine.scenes import LONG, Body, simulated
from vastflow import Engine
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

__all__ = [
    "SECOND",
    "Held",
    "Hung",
    "Scene",
    "Scenes",
    "Script",
    "Seen",
    "Step",
    "naps",
    "stubborn",
]

SECOND = 1_000_000
MOVES = 20_000  # after which a sign will not come any more

Step = BaseException | Body | None
"""What a body does once: raise this, do this, or nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One call of a body, as the body saw it; `at` in seconds since its scene began."""

    at: float
    attempt: int
    run: int
    key: str
    water: dict[str, Any]
    failure: Any = None


class Scene:
    """A store, a simulated time, an engine, and its deaths; flows are called "one" where nothing else is said."""

    def __init__(self, seed: int = 0, store: MemoryStore | None = None, **settings: Any) -> None:
        self.store = store or MemoryStore()
        self.runtime = Simulated(seed)
        self.settings = settings
        self.begin = self.runtime.clock.now()
        self.engine = self.open()

    def open(self) -> Engine:
        """Return an engine that goes on with what is in the store."""
        self.engine = simulated(self.store, self.runtime, **self.settings)
        return self.engine

    def crash(self, away: float = 0.0) -> Engine:
        """Let the engine die, and another one go on after so many seconds."""
        self.runtime.crash()
        if away:
            self.runtime.clock.hold(self.runtime.clock.now() + round(away * SECOND))
        return self.open()

    def reopen(self) -> Engine:
        """Let another engine go on after the last one was closed, in the same time."""
        now = self.runtime.clock.now()
        self.runtime = Simulated(start=now)
        return self.open()

    def now(self) -> float:
        """Return seconds since the scene began, to the millisecond: a simulated loop sleeps a microsecond longer."""
        return round((self.runtime.clock.now() - self.begin) / SECOND, 3)

    def close(self) -> None:
        """Bury what is left of the simulation."""
        self.engine.close()

    def until(self, sign: Callable[[], object]) -> None:
        """Let things happen until there is a sign."""
        for _ in range(MOVES):
            if sign():
                return
            assert self.runtime.pump(), "nothing can happen any more, and the sign has not come"
        raise AssertionError("the sign has not come for a long time")

    def kinds(self, address: str | None = None, flow: str = "one") -> list[str]:
        """Return which facts are on disk, of one stream or of all."""
        return [fact.kind for fact in self.store.facts(flow) if address is None or fact.address == address]

    def has(self, kind: str, address: str | None = None) -> bool:
        """Say whether such a fact is on disk."""
        return kind in self.kinds(address)


class Scenes(Protocol):
    """What makes scenes."""

    def __call__(self, seed: int = 0, **settings: Any) -> Scene:
        """Return a scene on a seed."""


@dataclass
class Script:
    """A body that does one thing after another, the last again and again, and keeps how it was called."""

    scene: Scene | None = None
    steps: tuple[Step, ...] = (None,)
    calls: list[Seen] = field(default_factory=list[Seen])

    def __len__(self) -> int:
        return len(self.calls)

    @property
    def times(self) -> list[float]:
        """When it was called, seconds since the scene began."""
        return [call.at for call in self.calls]

    def _take(self, called: Any, water: Any) -> Any:
        """Note the call, and take the next step."""
        at = self.scene.now() if self.scene is not None else 0.0
        failure = called.failure if _has_failure(called) else None
        self.calls.append(Seen(at, called.attempt, called.run, called.key, dict(water), failure))
        match self.steps[min(len(self.calls), len(self.steps)) - 1]:
            case None:
                return None
            case BaseException() as error:
                raise error
            case act:
                return act(called, water)

    def body(self, *steps: Step) -> Body:
        """Return it as a `def` body that takes these steps."""
        self.steps = steps or self.steps

        def scripted(called: Any, water: Any) -> Any:
            return self._take(called, water)

        return scripted

    def async_body(self, *steps: Step) -> Body:
        """Return it as an `async def` body that takes these steps."""
        self.steps = steps or self.steps

        async def scripted(called: Any, water: Any) -> Any:
            told = self._take(called, water)
            return await told if asyncio.iscoroutine(told) else told

        return scripted


def _has_failure(called: Any) -> bool:
    try:
        return called.failure is not None
    except Exception:  # noqa: BLE001  # most bodies have none, and asking them for it is an error
        return False


def naps(seconds: float, then: Step = None) -> Body:
    """Return an `async def` body that sleeps."""

    async def body(called: Any, water: Any) -> Any:
        await asyncio.sleep(seconds)
        if isinstance(then, BaseException):
            raise then
        return then(called, water) if then is not None else None

    return body


def stubborn(seconds: float, then: Step = None) -> Body:
    """Return an `async def` body that sleeps, and is not disturbed by being cancelled once."""

    async def body(called: Any, water: Any) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(seconds)
        await asyncio.sleep(max(0.0, until - loop.time()))
        if isinstance(then, BaseException):
            raise then
        return then(called, water) if then is not None else None

    return body


class Hung:
    """A `def` body that hangs on its thread until it is let go; `with` lets all go at the end."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()
        self.ended = threading.Semaphore(0)
        self.asked: list[bool] = []

    def body(self, then: Body | None = None) -> Body:
        """Return the body; what it does when it is let go comes `then`."""

        def hangs(called: Any, water: Any) -> Any:
            self.begun.release()
            assert self.free.wait(LONG)
            self.asked.append(called.cancelled)
            try:
                return then(called, water) if then is not None else None
            finally:
                self.ended.release()

        return hangs

    def await_begun(self, count: int = 1) -> None:
        """Wait until so many more hang."""
        for _ in range(count):
            assert self.begun.acquire(timeout=LONG)

    def await_ended(self, count: int = 1) -> None:
        """Wait until so many more have been let go and have ended."""
        for _ in range(count):
            assert self.ended.acquire(timeout=LONG)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.free.set()


class Held(MemoryStore):
    """A store whose commits can be held back: what comes meanwhile is seen here, and written when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.held = threading.Event()

    def commit(self, batch: Batch) -> frozenset[str]:
        """Write the batch, once it may be written."""
        if not self.go.is_set() and batch.facts:
            self.held.set()
            assert self.go.wait(LONG)
        return super().commit(batch)
