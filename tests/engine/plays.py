"""How does the real engine run a scripted case? With real drawings, whose bodies do what the script says."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

from msgspec.structs import replace

from tests.course.driver import Called, Run
from tests.course.scripts import Call, Case, Outside
from vastflow import (
    Andes,
    Atlantic,
    Basin,
    CommandRefused,
    Continue,
    Engine,
    Fail,
    Flow,
    Headwaters,
    ParallelRiver,
    Retry,
    River,
)
from vastflow.drawing.chart import BasinPlace, Chain, EachPlace, ParallelPlace, Place, RiverPlace, Waits
from vastflow.drawing.parallel_river import Stream
from vastflow.errors import SaveRefused
from vastflow.ledger.codec import decode_facts
from vastflow.ledger.contract import Store
from vastflow.ledger.reading import find, read_progress
from vastflow.runtime import Ref, Simulated

__all__ = ["MICRO", "Play", "Played", "begin", "playing", "tell"]

MICRO = 1_000_000


class Boom(Exception):
    __module__ = "app"


class Bang(Boom):
    __module__ = "app"


class Fatal(Exception):
    __module__ = "app"


KINDS: dict[str, type[BaseException]] = {
    "app.Boom": Boom,
    "app.Bang": Bang,
    "app.Fatal": Fatal,
    "builtins.Exception": Exception,
    "builtins.KeyError": KeyError,
    "builtins.LookupError": LookupError,
    "builtins.SystemExit": SystemExit,
}


class Clapper:
    """Calls what it is told to, at the microsecond: asyncio's own timers come a little late."""

    name = "clapper"

    def receive(self, message: Any, /) -> None:
        """Call it."""
        message()

    def failed(self, message: object, error: BaseException, /) -> None:
        """Leave it at that."""


@dataclass
class Play:
    """One flow that plays a case, and which of its bodies were called, when; moments go from its begin."""

    case: Case
    runtime: Simulated
    clapper: Ref = field(init=False)
    start: int = field(init=False)
    called: list[Called] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clapper = self.runtime.spawn(Clapper())
        self.start = self.runtime.clock.now()

    def next(self, callee: River | Atlantic, body: str) -> Call:
        """Return what the body is to do this time."""
        key = callee.address, body
        call = self.case.call(*key, self.calls[key])
        self.calls[key] += 1
        self.called.append(Called(0, *key, callee.attempt, callee.run, self.runtime.clock.now() - self.start))
        return call

    async def last(self, until: int) -> None:
        """Wait for this moment, and heed no cancel but that of a runtime which is being closed."""
        over = asyncio.get_running_loop().create_future()
        self.runtime.at(until, self.clapper, partial(over.set_result, None))
        while not over.done():
            try:
                await asyncio.wait([over])
            except asyncio.CancelledError:
                if self not in playing.values():
                    raise


playing: dict[str, Play] = {}
"""The plays under way, by flow; bodies find theirs here."""


class Played(Run):
    """What the engine did, in the words in which the course tells what it did."""

    def __init__(self, play: Play, store: Store, flow_id: str) -> None:
        self.case, self.called, self.calls, self.answers = play.case, play.called, play.calls, play.answers
        self.progress = read_progress(store, find(store, flow_id))
        self.facts = [replace(fact, at=fact.at - play.start) for fact in decode_facts(store.facts(flow_id))]

    def signals(self) -> list[tuple[str, Any]]:
        """Return what nobody took, unwrapped."""
        return [(name, value) for name, (value,) in super().signals()]


def begin(engine: Engine, flow_id: str, play: Play) -> None:
    """Start the flow."""
    deadline = None if play.case.deadline is None else play.case.deadline / MICRO
    engine.start(drawing(play.case), dict(play.case.water), id=flow_id, deadline=deadline)


def tell(engine: Engine, cast: dict[str, Play]) -> None:
    """Let all come from outside, each at its moment, and then all flows end."""
    told = sorted(
        ((play.start + event.at, name, event) for name, play in cast.items() for event in play.case.outside),
        key=lambda each: each[:2],
    )
    for at, name, event in told:
        play = cast[name]
        play.runtime.advance((at - play.runtime.clock.now()) / MICRO)
        play.answers.append(answer_to(engine.flow(name), event))
    for name in cast:
        engine.flow(name).wait()


def answer_to(flow: Flow[Any], event: Outside) -> str:
    try:
        if event.command == "signal":
            done = flow.signal(event.name, [event.value])  # in a list, so that None differs from nothing
        else:
            command: Callable[[], bool] = getattr(flow, event.command)
            done = command()
    except CommandRefused:
        return "refused"
    return "done" if done else "already"


async def act(self: River | Atlantic, body: str, water: Any) -> Any:
    """Do what the script says."""
    play = playing[self.flow_id]
    call, began = play.next(self, body), play.runtime.clock.now()
    if isinstance(self, River) and call.takes in self.signals and (taken := self.signal(call.takes)) is not None:
        [water[call.into]] = taken
    if call.save_at is not None:
        await play.last(began + call.save_at)
        await save(self, call, water)
    await play.last(began + call.duration)
    water.update(call.puts)
    for key in call.drops:
        water.pop(key, None)
    return answer(call)


async def save(self: River | Atlantic, call: Call, water: Any) -> None:
    water.update(call.saves)
    with suppress(SaveRefused):  # a call that counts no longer goes on as it would have
        await self.asave()


RETURNED = {"none": None, "true": True, "false": False, "bad": 17}


def answer(call: Call) -> Any:
    after = None if call.after is None else call.after / MICRO
    match call.answer:
        case "retry":
            raise Retry("again", after=after)
        case "continue":
            raise Continue("building", after=after)
        case "fail":
            raise Fail("fail")
        case "raise":
            raise KINDS[call.types[0]]("raised")
        case returned:
            return RETURNED[returned]


def plays(name: str) -> Callable[[Any, Any], Any]:
    """Return a body of this name."""

    async def body(self: Any, water: Any) -> Any:
        return await act(self, name, water)

    return body


def river_of(bodies: tuple[str, ...]) -> type[River]:
    """Return the class of rivers with these bodies."""
    told: dict[str, Any] = {"cycle_times": 1} if "cycle" in bodies else {}
    made = {body: plays(body) for body in bodies}
    return type(f"Plays{''.join(body.title() for body in bodies)}", (River,), {**made, **told})


BODIES = ("when", "flow", "cycle", "undo", "reconcile")
RIVERS = {
    bodies: river_of(bodies)
    for number in range(len(BODIES) + 1)
    for bodies in combinations(BODIES, number)
    if "flow" in bodies
}
"""A class for each choice of bodies."""


class Sea(Atlantic):
    """An end that plays its scripts."""

    success = plays("success")
    fail = plays("fail")


def drawing(case: Case) -> Andes[Headwaters]:
    """Return the case as a user would have drawn it."""
    andes: Andes[Headwaters] = Andes(case.chart.name)
    for stream in streams(case, case.chart.streams, ""):
        andes = andes >> stream
    mouth = case.chart.mouth
    return andes >> Sea().options(**waits(mouth.retry), **excepted(mouth.retry_on, mouth.fail_on))


def streams(case: Case, chain: Chain, prefix: str) -> list[Stream]:
    return [stream_of(case, place, prefix) for place in chain]


def stream_of(case: Case, place: Place, prefix: str) -> Stream:
    match place:
        case RiverPlace():
            return river(place)
        case ParallelPlace():
            branches = [chained(streams(case, branch, prefix)) for branch in place.branches]
            how: dict[str, Any] = {"max_failures": place.max_failures, "on_conflict": place.on_conflict}
            return ParallelRiver(*branches, join=place.join, name=place.name, **how)
        case EachPlace():
            return each(case, place, prefix)
        case BasinPlace():
            address = prefix + place.name
            within = streams(case, place.streams, f"{address}/")
            water = case.added.get(address)
            how = {"continue_on_failure": place.continue_on_failure, **waits(place.retry)}
            return Basin(place.name, *within, inputs=place.inputs, outputs=place.outputs, water=water, **how)


def each(case: Case, place: EachPlace, prefix: str) -> Stream:
    """Return an `each`; one of a single river is called as that."""
    single = len(place.streams) == 1
    within = chained(streams(case, place.streams, prefix if single else f"{prefix}{place.name}/"))
    return ParallelRiver.each(
        place.key,
        within,
        item=place.item,
        limit=place.limit,
        collect=place.collect,
        max_failures=place.max_failures,
        name=None if single else place.name,
    )


def chained(drawn: Iterable[Stream]) -> Stream:
    chain, *more = drawn
    for stream in more:
        chain = chain >> stream
    return chain


POLLED = ("cycle_interval", "cycle_backoff", "cycle_max_interval", "cycle_times", "cycle_errors", "signals")
UNDONE = ("undo_times", "undo_interval", "undo_deadline")
ALWAYS = ("deadline", "timeout", "atomic", "at_most_once")


def river(place: RiverPlace) -> River:
    anchor = place.anchor
    told: dict[str, Any] = {"name": place.name, **waits(anchor.retry), **excepted(anchor.retry_on, anchor.fail_on)}
    names = (*ALWAYS, *(POLLED if "cycle" in place.bodies else ()), *(UNDONE if "undo" in place.bodies else ()))
    return RIVERS[place.bodies]().options(**told, **{name: getattr(anchor, name) for name in names})


def waits(retry: Waits) -> dict[str, Any]:
    return {
        "retry_times": retry.times,
        "retry_interval": retry.interval,
        "retry_backoff": retry.backoff,
        "retry_max_interval": retry.max_interval,
    }


def excepted(retry_on: tuple[str, ...], fail_on: tuple[str, ...]) -> dict[str, Any]:
    return {"retry_on": tuple(KINDS[name] for name in retry_on), "fail_on": tuple(KINDS[name] for name in fail_on)}
