"""Does what must stop stop, and go on what must not?

Invariants on cancel, pause, atomic, at_most_once, poison, limits and the flow's end.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

from vastflow.course.facts import Begun, Poisoned
from vastflow.drawing.chart import EachPlace
from vastflow.testing.simulation.effects import Effect
from vastflow.testing.simulation.history import FORWARD, SECOND, History, Node

__all__ = ["STOPS"]


def a_flow_ends(history: History) -> Iterator[str]:
    """A flow has ended when nothing can happen any more, and is not stranded."""
    row = history.row
    if row.state not in {"success", "fail", "cancelled"} or row.stranded:
        yield f"it is {row.state}, {row.flags.decode()}, stranded: {row.stranded[:2000]}"


def nothing_begins_after_a_cancel(history: History) -> Iterator[str]:
    """Once a cancel is on disk no body goes forward but of atomic rivers that had begun (7.4, 4.7)."""
    for entry in history.of("cancelling"):
        for effect in history.effects:
            later = effect.order > entry.order and effect.began > entry.kept.at and effect.round == entry.round
            if later and effect.body in FORWARD and not _has_begun(history, effect, entry.order):
                yield f"{effect.body} of {effect.address} was called after {entry}"


def _has_begun(history: History, effect: Effect, order: int) -> bool:
    begins = (e for e in history.calls.get(effect.call, ()) if isinstance(e.what, Begun) and e.what.body == "flow")
    return history.anchor(effect.call).atomic and any(e.order <= order for e in begins)


def a_cancel_ends(history: History, slack: float = 61.0) -> Iterator[str]:
    """What is cancelled comes to its outcome soon after its last atomic river (7.4)."""
    for entry in history.of("cancelling"):
        outcome = next((each for each in history.of("outcome") if each.number > entry.number), None)
        if outcome is None or outcome.kept.life != entry.kept.life:
            continue
        atomics = [history.anchor(call).deadline or 0 for call in history.rivers() if history.anchor(call).atomic]
        most = slack + sum(atomics) + _losers_time(history)
        if outcome.at - entry.at > most * SECOND:
            yield f"{outcome} came {(outcome.at - entry.at) / SECOND} s after {entry}; {most} s are enough"


def _losers_time(history: History) -> float:
    """Return how long undos of branches that ended before the flow did may take, seconds."""
    return sum(history.anchor(call).undo_deadline for call in history.rivers() if history.bodies(call, "undo"))


def nothing_cuts_what_is_atomic(history: History) -> Iterator[str]:
    """An atomic river that has begun never ends as cancelled, and only its own time stops its bodies (4.7)."""
    for call in history.rivers():
        if not history.anchor(call).atomic or history.is_changed(call):
            continue
        begun = False
        for entry in history.forward(call):
            begun = begun or (isinstance(entry.what, Begun) and entry.what.body == "flow")
            if begun and entry.kind == "cancelled":
                yield f"{entry}, but it is atomic and had begun"
        yield from _cut(history, call)


def _cut(history: History, call: tuple[str, int]) -> Iterator[str]:
    anchor = history.anchor(call)
    for effect in history.bodies(call, "flow", "cycle", "reconcile"):
        if effect.cut and anchor.timeout is None and effect.over:
            deadlines = [e for e in history.forward(call) if e.kind == "failed" and "deadline" in str(e.what)]
            if not deadlines:
                yield f"{effect.body} of {effect.address} was cut, but it is atomic"


def nothing_begins_in_a_pause(history: History) -> Iterator[str]:
    """Once a pause is on disk no body begins until it is lifted (7.5)."""
    since = None
    for entry in history.entries:
        if since is not None and entry.kind in {"resumed", "cancelling", "ended"}:
            for effect in history.effects:
                within = since.order < effect.order < entry.order and since.kept.at < effect.began < entry.at
                if within:
                    yield f"{effect.body} of {effect.address} was called between {since} and {entry}"
            since = None
        if entry.kind == "paused":
            since = entry


def at_most_once_is_that(history: History) -> Iterator[str]:
    """A river of `at_most_once` without `reconcile` is called again only after it answered `Retry` (4.8)."""
    for call in history.rivers():
        if not history.anchor(call).at_most_once or "reconcile" in history.river(call[0]).bodies:
            continue
        flows = history.bodies(call, "flow")
        for before, after in pairwise(flows):
            asked = before.answer == "retry" and before.over
            polled_again = any(e.kind == "flowed" and before.order < e.order < after.order for e in history.calls[call])
            if not asked and not polled_again:
                yield f"flow of {call} was called again after {before.answer or 'an interruption'}"


def poison_runs_alone_first(history: History) -> Iterator[str]:
    """A flow is stranded by poison only after a body was interrupted while it ran alone (4.10)."""
    for entry in history.entries:
        if isinstance(entry.what, Poisoned):
            calls = history.calls[entry.address, entry.run]
            alone = [e for e in calls if isinstance(e.what, Begun) and e.what.alone and e.number < entry.number]
            if not alone:
                yield f"{entry}, but no body of it ran alone"


def nothing_runs_beside_what_runs_alone(history: History) -> Iterator[str]:
    """While a body runs alone, no other body goes forward (4.10)."""
    for entry in history.entries:
        if not isinstance(entry.what, Begun) or not entry.what.alone or entry.what.body not in FORWARD:
            continue
        calls = [e for e in history.done.get((entry.address, entry.run), ()) if e.order > entry.order]
        if not calls or calls[0].life != entry.kept.life or not calls[0].over or calls[0].cut:
            continue
        alone, until = calls[0], _until(history, calls[0])
        given_up = [e.at for e in history.calls[alone.call] if e.gives_up and e.order > alone.order]
        over = min((alone.ended, *given_up))
        for effect in history.log.effects:
            beside = alone.order < effect.order < until and effect.began < over
            if beside and effect.body in FORWARD:
                yield f"{effect.body} of {effect.address} began while {alone.address} ran alone"


def limits_hold(history: History) -> Iterator[str]:
    """No more items of an `each` are under way than its `limit` says (6.2, 6.4)."""
    for node in history.nodes.values():
        if not isinstance(node.place, EachPlace) or node.place.limit is None:
            continue
        addresses = {river.address: number for number, branch in enumerate(node.inside) for river in _rivers(branch)}
        spans = [
            (e, _until(history, e))
            for e in history.effects
            if e.address in addresses and e.body in FORWARD and not _comes_too_late(history, e)
        ]
        for effect, _ in spans:
            beside = {
                addresses[e.address]
                for e, until in spans
                if e.order <= effect.order < until and (e.life, e.round) == (effect.life, effect.round)
            }
            if len(beside) > node.place.limit:
                yield f"items {sorted(beside)} of {node.address} were under way, its limit is {node.place.limit}"


def _until(history: History, effect: Effect) -> float:
    """Return the place in the order at which a call was over, or was given up."""
    given_up = (e.order for e in history.calls.get(effect.call, ()) if e.gives_up and e.order > effect.order)
    return min((effect.over or math.inf, *given_up))


def _comes_too_late(history: History, effect: Effect) -> bool:
    """Say whether a body began only after it had been given up, in the same moment."""
    facts = history.calls.get(effect.call, ())
    return any(e.gives_up and e.order < effect.order and effect.began <= e.kept.at for e in facts)


def _rivers(branch: list[Node]) -> Iterator[Node]:
    for node in branch:
        yield from node.rivers()


STOPS = (
    a_flow_ends,
    nothing_begins_after_a_cancel,
    a_cancel_ends,
    nothing_cuts_what_is_atomic,
    nothing_begins_in_a_pause,
    at_most_once_is_that,
    poison_runs_alone_first,
    nothing_runs_beside_what_runs_alone,
    limits_hold,
)
