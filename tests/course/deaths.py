"""What must hold wherever a flow's process dies?"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import msgspec

from tests.course.agreement import disagreements
from tests.course.driver import MICRO, Run
from tests.course.model import expect
from tests.course.scripts import Case, rivers
from vastflow.course.facts import Cancelled, Conflicted, Cycled, Ended, Failed, Flowed, Joined, Left, Outcome, Retrying
from vastflow.course.progress import ATLANTIC, JoinRecord
from vastflow.course.states import ENDED
from vastflow.drawing.chart import BasinPlace, Chain, ParallelPlace, Place, RiverPlace

# What records that a body's attempt is over; a poll that says "not yet" is asked again by nature.
OVER: Mapping[str, tuple[type, ...]] = {
    "flow": (Flowed, Retrying, Failed, Cancelled),
    "cycle": (Cycled, Retrying, Failed, Cancelled),
    "success": (Retrying, Ended),
    "fail": (Retrying, Ended),
}
ENDS = (Cycled, Failed, Cancelled, Joined, Conflicted, Left)


def drawn_deaths(seed: int, steps: int) -> dict[int, int]:
    """Draw one to four deaths among so many steps; some fall into a recovery."""
    rng = Random(seed)  # noqa: S311 - not for secrets
    first = rng.randrange(1, steps + 1)
    return {first + rng.choice((0, 0, 1, 2, 5)) * extra: rng.randrange(5) for extra in range(rng.randrange(1, 5))}


def assert_ended_once(run: Run) -> None:
    """See that it ended with one outcome, that no stream ended twice and that every join that was begun was passed."""
    ends = Counter(fact.address for fact in run.facts if isinstance(fact.what, ENDS))
    joins = [record for record in run.progress.records.values() if isinstance(record, JoinRecord)]

    assert run.progress.state in ENDED
    assert [type(fact.what) for fact in run.facts if isinstance(fact.what, Outcome | Ended)] == [Outcome, Ended]
    assert [address for address, count in ends.items() if count > 1] == []
    assert [join.address for join in joins if join.open or ends[join.address] != 1] == []


def assert_nothing_done_twice(run: Run) -> None:
    """See that no body was called whose end was on disk, and that no attempt was made beyond those drawn."""
    ends = {(fact.address, fact.attempt, type(fact.what)): number for number, fact in enumerate(run.facts, 1)}
    places = rivers(run.case.chart.streams)
    again = [
        called
        for called in run.called
        for kind in OVER[called.body]
        if ends.get((called.address, called.attempt, kind), len(run.facts) + 1) <= called.facts
    ]

    assert again == []
    assert [called for called in run.called if called.attempt > attempts(run, places, called.address)] == []


def attempts(run: Run, places: Mapping[str, RiverPlace], address: str) -> int:
    retry = run.case.chart.mouth.retry if address == ATLANTIC else places[address].anchor.retry
    return retry.times + 1


def calm(each: Case) -> Case:
    """Return the case so that time changes nothing: no join fails, so none cancels, and no poll is counted."""
    return replace(each, chart=msgspec.structs.replace(each.chart, streams=calm_chain(each.chart.streams)))


def calm_chain(places: Chain) -> Chain:
    return tuple(map(calm_place, places))


def calm_place(place: Place) -> Place:
    change = msgspec.structs.replace
    match place:
        case RiverPlace():
            return change(place, anchor=change(place.anchor, cycle_times=None))
        case ParallelPlace():
            return change(place, branches=tuple(map(calm_chain, place.branches)), max_failures=len(place.branches))
        case BasinPlace():
            return change(place, streams=calm_chain(place.streams))
        case _:
            raise AssertionError


def differences(run: Run) -> dict[str, Any]:
    """Return what differs from the same case without deaths, but for the time and for bodies that were called again."""
    end = expect(run.case)
    told = disagreements(run, end)
    ended = [body for body in ("success", "fail") for _ in range(run.calls[ATLANTIC, body])]
    apart = {} if ended == end.atlantic else {"atlantic": (ended, end.atlantic)}
    return {what: values for what, values in told.items() if what not in {"end", "atlantic"}} | apart


def assert_survived(each: Case, seed: int) -> int:
    """Kill both the case and its calm form somewhere; return how often they died."""
    plain, quiet = Run(each, check=False), Run(calm(each), check=False)
    away = (0, 1, 777_777, 100 * MICRO)[seed % 4]
    run = Run(each, drawn_deaths(seed, plain.steps), away=away)
    quiet = Run(calm(each), drawn_deaths(seed + 1, quiet.steps), away=away, check=False)

    assert_ended_once(run)
    assert_nothing_done_twice(run)
    assert_nothing_done_twice(quiet)
    assert differences(quiet) == {}
    return run.died + quiet.died
