"""What did the bodies of a test do, in which order, and what does the journal say of it?"""

import asyncio
import inspect
from collections.abc import Iterable
from typing import Any

from tests.engine.scenes import Body, drawn, nothing, river
from vastflow import Atlantic, Continue, Engine, FlowStatus, River
from vastflow.drawing.parallel_river import Stream
from vastflow.engine.flow import Flow
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

__all__ = [
    "Deeds",
    "Stage",
    "Staging",
    "addresses",
    "kinds",
    "lasting",
    "no",
    "said_by",
    "states",
    "waiting",
    "writes",
]


class Deeds(list[str]):
    """What was done, in the order it was done: `undo east/create`."""

    def note(self, word: str, then: Body = nothing) -> Body:
        """Return a body that notes its word and address, and then does this."""

        def body(called: Any, water: Any) -> Any:
            self.append(f"{word} {called.address}")
            return then(called, water)

        async def async_body(called: Any, water: Any) -> Any:
            self.append(f"{word} {called.address}")
            return await then(called, water)

        return async_body if inspect.iscoroutinefunction(then) else body

    def step(self, name: str, then: Body = nothing, *, undo: Body = nothing, **attributes: Any) -> River:
        """Return a river that notes its flow and its undo."""
        return river(name, self.note("flow", then), undo=self.note("undo", undo), **attributes)

    def of(self, word: str) -> list[str]:
        """Return the addresses of what was done under this word."""
        return [deed.partition(" ")[2] for deed in self if deed.partition(" ")[0] == word]


class Stage:
    """A store, virtual time, and one engine after another on them.

    Attributes:
        store: outlives the engines.
        runtime: the same for all of them.
        engine: the one that serves now.
    """

    def __init__(self, seed: int = 0, **settings: Any) -> None:
        """Let the first engine serve."""
        self.store = MemoryStore()
        self.runtime = Simulated(seed)
        self._settings = settings
        self.engine = self._open()

    def _open(self) -> Engine:
        return Engine(store=self.store, runtime=self.runtime, jitter=0.0, **self._settings)

    def start(self, *streams: Stream, end: Atlantic | None = None, id: str = "one", **told: Any) -> Flow[Any]:  # noqa: A002  # as in `start()`
        """Start a flow of these streams, one after another."""
        return self.engine.start(drawn(*streams, end=end), id=id, **told)

    @property
    def flow(self) -> Flow[Any]:
        """A new handle on the flow."""
        return self.engine.flow("one")

    @property
    def now(self) -> int:
        """The time, microseconds."""
        return self.runtime.clock.now()

    def play(self, seconds: float = 0.0) -> FlowStatus:
        """Let everything happen that does in these seconds, and return how the flow stands."""
        self.runtime.advance(seconds)
        return self.flow.status()

    def move(self, moves: int) -> None:
        """Let so many things happen."""
        for _ in range(moves):
            self.runtime.pump()

    def crash(self, away: float = 0.0) -> Flow[Any]:
        """Let the process die, be away so many seconds, and go on; return a handle on the flow."""
        self.runtime.crash()
        self.runtime.clock.hold(self.now + round(away * 1_000_000))
        self.engine = self._open()
        return self.flow


class Staging:
    """All stages of one test."""

    def __init__(self) -> None:
        """Have none."""
        self._stages: list[Stage] = []

    def __call__(self, seed: int = 0, **settings: Any) -> Stage:
        """Set a stage; crashes are never taken for a body's fault unless the settings say so."""
        self._stages.append(Stage(seed, **{"crash_limit": 1000, **settings}))
        return self._stages[-1]

    def clear(self) -> None:
        """Close what is left."""
        for stage in self._stages:
            stage.engine.close(drain=0.0)


def no(_self: Any, _water: Any) -> bool:
    """Be a `when` that says no."""
    return False


def writes(key: str, value: Any = None) -> Body:
    """Return a body that puts its address, or a value, under a key."""

    def body(called: Any, water: Any) -> None:
        water[key] = called.address if value is None else value

    return body


def lasting(seconds: float, then: Body = nothing) -> Body:
    """Return an async body that takes so long in simulated time, and does then what this does."""

    async def body(called: Any, water: Any) -> Any:
        await asyncio.sleep(seconds)
        return then(called, water)

    return body


def waiting(name: str, seconds: float = 60.0, times: int = 1, flow: Body = nothing, **attributes: Any) -> River:
    """Return a river that is done at this poll."""
    polls: dict[str, int] = {}

    def cycle(called: Any, _water: Any) -> None:
        polls[called.key] = polls.get(called.key, 0) + 1
        if polls[called.key] < times:
            raise Continue("building")

    told = {"cycle_interval": seconds, "cycle_times": times + 1, **attributes}
    return river(name, flow, cycle, **told)


def states(status: FlowStatus) -> dict[str, str]:
    """Return the states of a flow's rivers, by address."""
    return {each.address: each.state for each in status.streams if each.kind == "river"}


def kinds(flow: Flow[Any], *wanted: str) -> list[str]:
    """Return the kinds of the facts of a flow's journal in order, or those asked for."""
    return [event.kind for event in flow.events() if not wanted or event.kind in wanted]


def addresses(flow: Flow[Any], kind: str) -> list[str]:
    """Return where facts of a kind happened, in order."""
    return [event.address for event in flow.events() if event.kind == kind]


def said_by(store: MemoryStore, wanted: Iterable[str], flow_id: str = "one") -> list[tuple[str, str]]:
    """Return which command came from whom, as the journal has it."""
    return [(fact.kind, fact.who) for fact in store.facts(flow_id) if fact.kind in set(wanted)]
