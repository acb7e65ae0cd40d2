"""What must hold wherever a flow's process dies?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import msgspec

from tests.course.agreement import disagreements
from tests.course.driver import MICRO, Run
from tests.course.model import Tie, expect
from tests.course.scripts import Calls, Case, rivers
from vastflow.course.facts import (
    Begun,
    Cancelled,
    Completed,
    Conflicted,
    Cycled,
    Doubted,
    Ended,
    Fact,
    Failed,
    Flowed,
    Joined,
    Left,
    Outcome,
    Retried,
    Retrying,
    Skipped,
    UndoFailed,
    Undoing,
    Undone,
)
from vastflow.course.records import ATLANTIC, JoinRecord, RiverRecord
from vastflow.course.schedule import after_seconds
from vastflow.course.states import ENDED
from vastflow.drawing.addresses import template_of
from vastflow.drawing.chart import BasinPlace, Chain, EachPlace, ParallelPlace, Place, RiverPlace

# What records that a body's attempt is over; a poll that says "not yet" is asked again by nature.
OVER: Mapping[str, tuple[type, ...]] = {
    "when": (Flowed, Skipped, Failed, Cancelled),
    "flow": (Flowed, Retrying, Doubted, Failed, Cancelled),
    "reconcile": (Flowed, Retrying, Failed, Cancelled),
    "cycle": (Cycled, Retrying, Failed, Cancelled),
    "undo": (Undone, UndoFailed),
    "success": (Retrying, Ended),
    "fail": (Retrying, Ended),
}
ENDS = (Cycled, Failed, Cancelled, Joined, Conflicted, Left, Skipped, Completed)
UNDO_ENDS = (Undone, UndoFailed)
AWAY = (0, 1, 777_777, 100 * MICRO)


def drawn_deaths(seed: int, steps: int) -> dict[int, int]:
    """Draw one to four deaths among so many steps; some fall into a recovery."""
    rng = Random(seed)  # noqa: S311 - not for secrets
    first = rng.randrange(1, steps + 1)
    return {first + rng.choice((0, 0, 1, 2, 5)) * extra: rng.randrange(5) for extra in range(rng.randrange(1, 5))}


def rounds(run: Run) -> Iterator[list[Fact]]:
    """Return the facts of each round."""
    found: list[Fact] = []
    for fact in run.facts:
        if isinstance(fact.what, Retried):
            yield found
            found = []
        found.append(fact)
    yield found


def assert_ended_once(run: Run) -> None:
    """See that each round ended with one outcome, that no stream ended twice and that every join was passed."""
    assert run.progress.state in ENDED
    outcome = ""
    for facts in rounds(run):
        ends = Counter((fact.address, fact.run, fact.attempt) for fact in facts if isinstance(fact.what, ENDS))
        said = [fact.what for fact in facts if isinstance(fact.what, Outcome | Ended)]
        again = [Ended] if outcome == "success" else [Outcome, Ended]  # only the Atlantic runs again
        assert [type(what) for what in said] == again
        outcome = next((what.outcome for what in said if isinstance(what, Outcome)), outcome)
        assert [address for address, count in ends.items() if count > 1] == []
    joins = [record for record in run.progress.records.values() if isinstance(record, JoinRecord)]
    assert [join.address for join in joins if join.open or join.undoing or join.state not in ENDED | {"skipped"}] == []


def assert_nothing_done_twice(run: Run) -> None:
    """See that no body was called whose end was on disk, and that no attempt was made beyond those drawn."""
    ends = {(fact.address, fact.run, fact.attempt, type(fact.what)): at for at, fact in enumerate(run.facts, 1)}
    never = len(run.facts) + 1
    again = [
        called
        for called in run.called
        for kind in OVER[called.body]
        if ends.get((called.address, called.run, called.attempt, kind), never) <= called.facts
        and not (called.body == "cycle" and goes_on(run, called.address))
        and (called.body == "undo") == (kind in UNDO_ENDS)
    ]

    assert again == [], again
    over = [called for called in run.called if called.attempt > attempts(run, called.address, called.body)]
    assert over == [], over


def goes_on(run: Run, address: str) -> bool:
    """Say whether the river may have polled on in a later round, in the same run."""
    return len(run.rounds) > 1 and address in run.progress.records


def attempts(run: Run, address: str, body: str) -> int:
    if address == ATLANTIC:
        return run.case.chart.mouth.retry.times + 1
    anchor = rivers(run.case.chart.streams)[template_of(address)].anchor
    if body == "undo":
        return anchor.undo_times + 1
    spare = run.died + (anchor.retry.times + 1) * (len(run.rounds) - 1)  # a crash in doubt costs no retry
    return anchor.retry.times + 1 + spare


def assert_undone_in_order(run: Run) -> None:
    """See that what is undone together is undone in the reverse order of its beginning, one at a time and once."""
    begun: dict[tuple[str, int], int] = {}
    for number, fact in enumerate(run.facts):
        if begins_flow(fact):
            begun.setdefault((fact.address, fact.run), number)
    for number, fact in enumerate(run.facts):
        queue = fact.what.queue if isinstance(fact.what, Undoing | Outcome) else ()
        order = [begun_in(begun, address, number) for address in queue]
        assert order == sorted(order, reverse=True), (number, queue)
        assert_one_at_a_time(run, queue, number)


def begins_flow(fact: Fact) -> bool:
    return isinstance(fact.what, Begun) and fact.what.body == "flow"


def begun_in(begun: Mapping[tuple[str, int], int], address: str, before: int) -> int:
    """Return when the last run of a river before this fact began."""
    return max(number for (where, _), number in begun.items() if where == address and number < before)


def assert_one_at_a_time(run: Run, queue: tuple[str, ...], after: int) -> None:
    left = list(queue)
    for fact in run.facts[after + 1 :]:
        if not left:
            break
        if fact.address in left and isinstance(fact.what, (*UNDO_ENDS, Begun)):
            assert fact.address == left[0], (fact, queue)
            left = left[1:] if isinstance(fact.what, UNDO_ENDS) else left
    assert left == [], (left, queue)


def assert_all_undone(run: Run) -> None:
    """See that after a round that did not succeed all that began in it and has an undo was undone, or tried to be."""
    if run.progress.outcome == "success":
        return
    left = [
        record.address
        for record in run.progress.records.values()
        if isinstance(record, RiverRecord) and record.begun and record.has("undo") and record.state in ENDED
    ]
    assert left == []


def calm(each: Case) -> Case:
    """Return the case so that time changes nothing: no join fails, nobody asks, and no poll is counted or in doubt."""
    chart = msgspec.structs.replace(each.chart, streams=calm_chain(each.chart.streams))
    scripts = {
        address: {body: calm_calls(calls) for body, calls in bodies.items()} for address, bodies in each.scripts.items()
    }
    return replace(each, chart=chart, scripts=scripts, outside=(), deadline=None)


def calm_calls(calls: Calls) -> Calls:
    """Let undos succeed at once: how often they are tried depends on the time they are given."""
    return tuple(replace(call, takes="", into="") for call in calls)


def calm_chain(places: Chain) -> Chain:
    return tuple(map(calm_place, places))


def calm_place(place: Place) -> Place:
    change = msgspec.structs.replace
    match place:
        case RiverPlace(anchor=anchor):
            interval = anchor.cycle_interval or 1.0
            plain = change(anchor, cycle_times=None, deadline=None, timeout=None, undo_deadline=1e6, signals=())
            plain = change(plain, cycle_interval=interval, at_most_once=False, atomic=False)
            return change(place, anchor=plain, bodies=tuple(body for body in place.bodies if body != "reconcile"))
        case ParallelPlace():
            branches = tuple(map(calm_chain, place.branches))
            return change(place, branches=branches, max_failures=len(place.branches), join="settle")
        case EachPlace():
            return change(place, streams=calm_chain(place.streams), max_failures=1_000)
        case BasinPlace():
            return change(place, streams=calm_chain(place.streams))


def differences(run: Run) -> dict[str, Any]:
    """Return what differs from the same case without deaths, but for the time and for bodies that were called again."""
    end = expect(run.case)
    told = disagreements(run, end)
    ended = Counter({body: count for body in ("success", "fail") if (count := run.calls[ATLANTIC, body])})
    apart: dict[str, tuple[Any, Any]] = {} if ended == Counter(end.atlantic) else {"atlantic": (ended, end.atlantic)}
    undone = [sorted((address, kind or "") for _, address, kind in undos) for undos in (run.undos(), end.undos)]
    apart |= {} if undone[0] == undone[1] else {"undos": (undone[0], undone[1])}
    ours, theirs = [(each.outcome, each.state) for each in run.rounds], [(e.outcome, e.state) for e in end.rounds]
    apart |= {} if ours == theirs else {"rounds": (ours, theirs)}
    return {what: values for what, values in told.items() if what not in {"rounds", "atlantic", "undos"}} | apart


def assert_polled_within_budget(run: Run) -> None:
    """See that a death refills no budget of polls: it costs the poll that was out, and no more."""
    made = Counter((each.address, each.run, each.attempt) for each in run.called if each.body == "cycle")
    places = rivers(run.case.chart.streams)
    for (address, run_number, attempt), polls in made.items():
        anchor = places[template_of(address)].anchor
        if anchor.cycle_times is not None and not anchor.signals:
            most = anchor.cycle_times * len(run.rounds) + run.died
            assert polls <= most, (address, run_number, attempt, polls)


def assert_asked_before_it_flows_again(run: Run) -> None:
    """See that an attempt which is in doubt after a death is never simply made again (4.8)."""
    made = Counter((each.address, each.run, each.attempt) for each in run.called if each.body == "flow")
    places = rivers(run.case.chart.streams)
    for (address, run_number, attempt), calls in made.items():
        place = places[template_of(address)]
        doubtful = place.anchor.at_most_once or "reconcile" in place.bodies
        assert calls == 1 or not doubtful, (address, run_number, attempt, calls)


def assert_ended_in_time(run: Run) -> None:
    """See that no river with a deadline goes on for longer, but for the time in which nobody was there to end it."""
    began: dict[tuple[str, int], int] = {}
    for called in run.called:
        began.setdefault((called.address, called.run), called.at)
    places = rivers(run.case.chart.streams)
    for fact in run.facts if len(run.rounds) == 1 else ():
        place = places.get(template_of(fact.address))
        deadline = place.anchor.deadline if place is not None else None
        if deadline is not None and isinstance(fact.what, Cycled | Failed | Cancelled):
            most = after_seconds(deadline) + run.died * run.away
            assert fact.at <= began.get((fact.address, fact.run), fact.at) + most, fact


def assert_sound(run: Run) -> None:
    assert_ended_in_time(run)
    assert_asked_before_it_flows_again(run)
    assert_polled_within_budget(run)
    assert_ended_once(run)
    assert_nothing_done_twice(run)
    assert_undone_in_order(run)
    assert_all_undone(run)


def assert_survived(each: Case, seed: int) -> int:
    """Kill both the case and its calm form somewhere; return how often they died."""
    plain = Run(each, check=False)
    away = AWAY[seed % 4]
    run = Run(each, drawn_deaths(seed, plain.steps), away=away, orderly=seed % 3 == 0)
    died = run.died
    assert_sound(run)
    try:
        steps = Run(calm(each), check=False).steps
        quiet = Run(calm(each), drawn_deaths(seed + 1, steps), away=away, check=False)
        differing = differences(quiet)
    except Tie:
        return died
    assert_sound(quiet)
    assert differing == {}, differing
    return died + quiet.died
