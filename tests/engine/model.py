"""What should a flow do, as said by docs/semantics.md and by nothing else?

A recursive model in virtual time (microseconds from 0): a stream is run from its begin to its end, and run again with
the moment of its cancel once one is known. It knows a drawing's flat form, and no line of how flows are really run.
"""

import json
import math
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, combinations, count
from typing import TYPE_CHECKING, Any

from vastflow.drawing.chart import Anchor, BasinPlace, Chain, ParallelPlace, RiverPlace, Waits

if TYPE_CHECKING:
    from tests.engine.scripts import Call, Case

Water = dict[str, str]  # canonical JSON by key: encoded values are what is compared (5.4, 5.6)
Begin = tuple[int, Water, float]  # when a stream begins, with which water, and when its part is cancelled


@dataclass(frozen=True)
class Expected:
    """How the whole flow must end.

    Attributes:
        failure: kind and address of the flow's own failure.
        failures: the kind of every stream that failed, by address.
        rivers: state (init, success, fail, cancelled), calls of `flow` and of `cycle` of every river, by address.
        atlantic: the body that was called, once for each attempt.
    """

    outcome: str
    failure: tuple[str, str] | None
    state: str
    water: dict[str, Any]
    failures: dict[str, str]
    rivers: dict[str, tuple[str, int, int]]
    atlantic: list[str]
    ended_at: int


class Tie(Exception):
    """The case leaves open what comes first: two things happen at one instant, and their order would matter."""


@dataclass(frozen=True)
class End:
    """How one stream ended: `failure` is when, of what kind and where; `failures` and `rivers` go by address."""

    at: int
    result: str
    delta: dict[str, str | None]  # None: deleted
    failure: tuple[int, str, str] | None
    failures: dict[str, str]
    rivers: dict[str, tuple[str, int, int]]

    def failed(self, kind: str, address: str) -> "End":
        """Return the same end as a failure that stands under this address (5.9)."""
        return replace(self, result="fail", failure=(self.at, kind, address), failures={**self.failures, address: kind})


@dataclass
class Polls:
    """The polls of one attempt: when the next are due, how many were made, how many of the last failed."""

    positions: Iterator[int]
    made: int = 0
    in_a_row: int = 0


def expect(case: "Case") -> Expected:
    """Return how the case must end (8.1, 8.2); raise `Tie` if it leaves open what comes first."""
    mouth, spring = case.chart.mouth, encoded(case.water)
    end = chain(case, case.chart.streams, "", (0, spring, math.inf))
    calls, anchor = case.atlantic[end.result], Anchor(mouth.retry, retry_on=mouth.retry_on, fail_on=mouth.fail_on)
    place, water = RiverPlace(mouth.name, mouth.atlantic, ("flow",), anchor), written(spring, end.delta)
    sea = river(replace(case, scripts={mouth.name: (calls, ())}), place, "", (end.at, water, math.inf))
    state, own = ("fail", (sea.at, "atlantic", mouth.name)) if sea.failure else (end.result, end.failure)
    water = {key: json.loads(value) for key, value in written(water, sea.delta).items()}
    rivers = {address: end.rivers.get(address, ("init", 0, 0)) for address in case.scripts}
    called = [end.result] * sea.rivers[mouth.name][1]
    return Expected(end.result, own and own[1:], state, water, end.failures, rivers, called, sea.at)


def chain(case: "Case", places: Chain, prefix: str, begin: Begin) -> End:
    """Run streams one after another, until one does not end well or the part is cancelled (7.1, 7.4)."""
    end, (_, water, cancel) = End(begin[0], "success", {}, None, {}, {}), begin
    for place in places:
        if later(end.at, cancel):
            return replace(end, result="cancelled")
        part = STREAMS[type(place)](case, place, prefix, (end.at, written(water, end.delta), cancel))
        failures, known = {**end.failures, **part.failures}, {**end.rivers, **part.rivers}
        end = replace(part, delta={**end.delta, **part.delta}, failures=failures, rivers=known)
        if end.result != "success":
            break
    return end


def river(case: "Case", place: RiverPlace, prefix: str, begin: Begin) -> End:
    """Call the bodies of a river until it flowed, failed or was cancelled (4.1, 4.2, 5.5, 7.4)."""
    (now, water, cancel), address = begin, prefix + place.name
    then: int | str | None = now
    polls, seen, delta = None, [0, 0], dict[str, str | None]()
    bodies = [iter(calls) for calls in case.scripts[address]]
    while isinstance(then, int) and not later(then, cancel):
        body = 1 if polls else 0
        call = next(bodies[body], case.silent)
        seen[body] += 1
        if call.answer == "none" or (polls and call.answer == "continue"):
            delta |= changed(written(water, delta), call)
        now = then + call.duration
        then = follows(place.anchor, polls, seen[0], call, now)
        if then is None and not polls and "cycle" in place.bodies:
            polls = Polls(schedule(place.anchor, now))
            then = next(position for position in polls.positions if position > now)
        elif call.answer == "retry":
            polls = None
    at = max(now, int(cancel)) if isinstance(then, int) else now
    state = "success" if then is None else "cancelled" if isinstance(then, int) or later(now, cancel) else "fail"
    end = End(at, state, delta, None, {}, {address: (state, seen[0], seen[1])})
    return end.failed(str(then), address) if state == "fail" else end


def follows(anchor: Anchor, polls: Polls | None, attempts: int, call: "Call", now: int) -> int | str | None:
    """Say what follows from an answer: done (None), when the next body is due, or the kind of the failure."""
    listed = {*anchor.retry_on} & {*call.types} and not {*anchor.fail_on} & {*call.types}
    if polls and (call.answer == "continue" or listed):
        return not_yet(anchor, polls, call, now)
    if not (listed or call.answer == "retry"):
        return {"none": None, "fail": "error", "raise": "error"}.get(call.answer, "bad-return")
    if attempts > anchor.retry.times:
        return "retries-exhausted" if attempts > 1 else "error"
    return now + (wait(anchor.retry, attempts - 1) if call.after is None else call.after)


def not_yet(anchor: Anchor, polls: Polls, call: "Call", now: int) -> int | str:
    """Say what follows from a poll that said "not yet" or failed (4.2, 10.4)."""
    polls.made, polls.in_a_row = polls.made + 1, polls.in_a_row + 1 if call.answer == "raise" else 0
    if polls.in_a_row > anchor.cycle_errors or polls.made == anchor.cycle_times:
        return "error" if polls.in_a_row > anchor.cycle_errors else "cycles-exhausted"
    if call.after is not None:
        return now + call.after
    return next(position for position in polls.positions if position > now)


def schedule(anchor: Anchor, begin: int) -> Iterator[int]:
    """Return the end of `flow` and all positions of the polls after it."""
    waits = Waits(0, anchor.cycle_interval or 0, anchor.cycle_backoff, anchor.cycle_max_interval)
    return accumulate((wait(waits, number) for number in count()), initial=begin)


def parallel(case: "Case", place: ParallelPlace, prefix: str, begin: Begin) -> End:
    """Run branches side by side, cancel them if too many failed, merge what they wrote (5.6, 6.1)."""
    now, water, cancel = begin
    ends = [chain(case, branch, prefix, begin) for branch in place.branches]
    allowed = place.max_failures * (1 if isinstance(place.max_failures, int) else len(ends))
    fatal = sorted(end.at for end in ends if end.result == "fail")[math.floor(allowed) :]
    if fatal:
        begin = now, water, min(cancel, fatal[0])
        drawn = zip(ends, place.branches, strict=True)
        ends = [end if end.at <= begin[2] else chain(case, branch, prefix, begin) for end, branch in drawn]
    if fatal and fatal[0] in fatal[1:]:
        raise Tie(prefix + place.name)
    good = [end.delta for end in ends if end.result == "success"]
    result = "fail" if fatal else "cancelled" if any(end.result == "cancelled" for end in ends) else "success"
    pairs = combinations(good, 2) if result == "success" and place.on_conflict == "fail" else ()
    conflict = any(one[key] != other[key] for one, other in pairs for key in one.keys() & other.keys())
    merged = ChainMap(*reversed(good if result == "success" and not conflict else [end.delta for end in ends]))
    cause = min(end.failure for end in ends if end.failure) if fatal else None
    failures, known = ChainMap(*(end.failures for end in ends)), ChainMap(*(end.rivers for end in ends))
    whole = End(max(end.at for end in ends), result, dict(merged), cause, dict(failures), dict(known))
    return whole.failed("conflict", prefix + place.name) if conflict else whole


def basin(case: "Case", place: BasinPlace, prefix: str, begin: Begin) -> End:
    """Run a basin in water of its own, of which only the outputs leave (5.7, 6.3)."""
    (now, water, cancel), address = begin, prefix + place.name
    inputs = {key: key for key in water} if place.inputs is None else place.inputs
    end, left, missing = End(now, "success", {}, None, {}, {}), Water(), not inputs.keys() <= water.keys()
    if not missing:
        inside = {key: water[outer] for outer, key in inputs.items()} | encoded(case.added.get(address, {}))
        end = chain(case, place.streams, address + "/", (now, inside, cancel))
        left = written(inside, end.delta)
        missing = end.result == "success" and not place.outputs.keys() <= left.keys()
    kind = "error" if missing else end.failure and end.failure[1]
    if kind and place.continue_on_failure:
        return replace(end.failed(kind, address), result="success", delta={}, failure=None)
    out = {outer: left[key] for key, outer in place.outputs.items()} if end.result == "success" and not kind else {}
    end = replace(end, delta={key: value for key, value in out.items() if water.get(key) != value})
    return end.failed(kind, address) if kind else end


def changed(water: Water, call: "Call") -> dict[str, str | None]:
    """Return what a call changed in the water it saw (5.4)."""
    after = {key: value for key, value in (water | encoded(call.puts)).items() if key not in call.drops}
    return {key: after.get(key) for key in water | after if water.get(key) != after.get(key)}


def written(water: Water, delta: Mapping[str, str | None]) -> Water:
    """Return the water with what was changed in it."""
    return {key: value for key, value in {**water, **delta}.items() if value is not None}


def encoded(values: Mapping[str, Any]) -> Water:
    """Return the values as text that is equal where they are (order of mappings apart)."""
    return {key: json.dumps(value, sort_keys=True) for key, value in values.items()}


def wait(waits: Waits, number: int) -> int:
    """Return the microseconds of the wait with this number, from 0."""
    return round(min(waits.interval * waits.backoff**number, waits.max_interval or math.inf) * 1_000_000)


def later(moment: int, cancel: float) -> bool:
    """Say whether this comes after the cancel of its part."""
    if moment == cancel:
        raise Tie(moment)
    return moment > cancel


STREAMS: Mapping[type, Any] = {RiverPlace: river, ParallelPlace: parallel, BasinPlace: basin}
