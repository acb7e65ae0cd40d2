"""How does the real engine run a scripted case? With real drawings, whose bodies do what the script says."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.engine.scripts import Call, Case
from vastflow import Andes, Atlantic, Basin, Continue, Fail, Headwaters, ParallelRiver, Retry, River
from vastflow.drawing.chart import BasinPlace, Chain, EachPlace, ParallelPlace, Place, RiverPlace, Waits
from vastflow.drawing.parallel_river import Stream

__all__ = ["Play", "drawing", "playing"]

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


@dataclass
class Play:
    """One flow that plays a case, and what was called in it; whether its bodies stop when they are cancelled."""

    case: Case
    obeys: bool = False
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    atlantic: list[str] = field(default_factory=list)

    def next(self, address: str, body: str) -> Call:
        """Return what the body is to do this time."""
        self.calls[address, body] += 1
        if address == "~":
            self.atlantic.append(body)
            calls, made = self.case.atlantic[body], len(self.atlantic)
        else:
            calls, made = self.case.scripts[address][body == "cycle"], self.calls[address, body]
        return calls[made - 1] if made <= len(calls) else self.case.silent


playing: dict[str, Play] = {}
"""The plays under way, by flow; bodies find theirs here."""


async def act(self: River | Atlantic, body: str, water: Any) -> Any:
    """Do what the script says; to the model, a cancelled body ends as it would have."""
    call = playing[self.flow_id].next(self.address, body)
    loop = asyncio.get_running_loop()
    until = loop.time() + call.duration / MICRO
    while (left := until - loop.time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            if self.flow_id not in playing or playing[self.flow_id].obeys:
                raise
    for key, value in call.puts.items():
        water[key] = value
    for key in call.drops:
        water.pop(key, None)
    return answer(call)


def answer(call: Call) -> Any:
    after = None if call.after is None else call.after / MICRO
    match call.answer:
        case "none":
            return None
        case "bad":
            return "bad"
        case "retry":
            raise Retry("again", after=after)
        case "continue":
            raise Continue("building", after=after)
        case "fail":
            raise Fail("fail")
        case "raise":
            raise KINDS[call.types[0]]("raised")


class Flows(River):
    """A river that plays its script."""

    async def flow(self, water: Any) -> Any:
        return await act(self, "flow", water)


class Polls(River):
    """A river that plays its scripts, polls included."""

    cycle_times = 1

    async def flow(self, water: Any) -> Any:
        return await act(self, "flow", water)

    async def cycle(self, water: Any) -> Any:
        return await act(self, "cycle", water)


def drawing(case: Case) -> Andes[Headwaters]:
    """Return the case as a user would have drawn it."""
    andes = Andes(case.chart.name)
    for stream in streams(case, case.chart.streams, ""):
        andes = andes >> stream
    return andes >> sea(case)


def streams(case: Case, chain: Chain, prefix: str) -> list[Stream]:
    return [stream_of(case, place, prefix) for place in chain]


def stream_of(case: Case, place: Place, prefix: str) -> Stream:
    match place:
        case RiverPlace():
            return river(place)
        case ParallelPlace():
            branches = [chained(streams(case, branch, prefix)) for branch in place.branches]
            how: dict[str, Any] = {"max_failures": place.max_failures, "on_conflict": place.on_conflict}
            return ParallelRiver(*branches, name=place.name, **how)
        case BasinPlace():
            address = prefix + place.name
            within = streams(case, place.streams, f"{address}/")
            water = case.added.get(address)
            return Basin(place.name, *within, inputs=place.inputs, outputs=place.outputs, water=water)
        case EachPlace():
            raise NotImplementedError


def chained(drawn: list[Stream]) -> Stream:
    chain = drawn[0]
    for stream in drawn[1:]:
        chain = chain >> stream
    return chain


def river(place: RiverPlace) -> River:
    anchor = place.anchor
    told: dict[str, Any] = {"name": place.name, **waits(anchor.retry), **excepted(anchor.retry_on, anchor.fail_on)}
    if "cycle" not in place.bodies:
        return Flows().options(**told)
    for name in ("cycle_interval", "cycle_backoff", "cycle_max_interval", "cycle_times", "cycle_errors"):
        told[name] = getattr(anchor, name)
    return Polls().options(**told)


def waits(retry: Waits) -> dict[str, Any]:
    return {
        "retry_times": retry.times,
        "retry_interval": retry.interval,
        "retry_backoff": retry.backoff,
        "retry_max_interval": retry.max_interval,
    }


def excepted(retry_on: tuple[str, ...], fail_on: tuple[str, ...]) -> dict[str, Any]:
    return {"retry_on": tuple(KINDS[name] for name in retry_on), "fail_on": tuple(KINDS[name] for name in fail_on)}


def sea(case: Case) -> Atlantic:
    """Return the case's Atlantic; one class for all, since a class of the same name replaces the one before."""
    mouth = case.chart.mouth

    class Sea(Atlantic):
        """An end that plays its scripts."""

        locals().update({**waits(mouth.retry), **excepted(mouth.retry_on, mouth.fail_on)})

        async def success(self, water: Any) -> Any:
            return await act(self, "success", water)

        async def fail(self, water: Any) -> Any:
            return await act(self, "fail", water)

    return Sea()
