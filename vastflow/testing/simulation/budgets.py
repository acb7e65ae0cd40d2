"""Are budgets neither refilled nor eaten?

Invariants on retries, polls, undos, basins, waits and deadlines.
"""

import math
from collections import defaultdict
from collections.abc import Iterator

from vastflow.course.facts import Failed, Retrying, UndoFailed
from vastflow.drawing.chart import Anchor, BasinPlace, EachPlace
from vastflow.testing.simulation.effects import Effect
from vastflow.testing.simulation.history import FORWARD, SECOND, Call, Entry, History, Node

__all__ = ["BUDGETS"]


def _forward_retries(history: History, call: Call) -> list[Retrying]:
    return [entry.what for entry in history.forward(call) if isinstance(entry.what, Retrying)]


def retries_are_as_many_as_allowed(history: History) -> Iterator[str]:
    """No river is tried again more often than its `retry_times`, crashes in doubt apart (4.1, 4.8)."""
    for call in history.rivers():
        times = max(history.anchor(call, entry.round).retry.times for entry in history.entries)
        retries = _forward_retries(history, call)
        paid = sum(not each.free for each in retries)
        if paid > times:
            yield f"{call} was tried again {paid} times, but may be {times} times"
        attempts = [effect.attempt for effect in history.bodies(call, *FORWARD)]
        if max(attempts, default=1) > len(retries) + 1:
            yield f"{call} made attempt {max(attempts)} after {len(retries)} retries"


def no_retry_is_eaten(history: History) -> Iterator[str]:
    """A river that says it used its retries up has used them all; one that asks for one gets it while there are any."""
    for call in history.rivers():
        paid = sum(not each.free for each in _forward_retries(history, call))
        for entry in history.forward(call):
            if not isinstance(entry.what, Failed):
                continue
            times = history.anchor(call, entry.round).retry.times
            kind = entry.what.failure.kind
            if history.is_changed(call):
                continue
            if kind == "retries-exhausted" and (paid != times or not paid):
                yield f"{entry}: {kind} after {paid} of {times} retries"
            if kind in {"error", "timeout"} and _asked_again(history, entry) and paid < times:
                yield f"{entry}: it asked to be tried again after {paid} of {times} retries"


def _asked_again(history: History, end: Entry) -> bool:
    bodies = history.bodies((end.address, end.run), *FORWARD)
    before = [effect for effect in bodies if 0 < effect.over < end.order and not effect.cut]
    last = max(before, key=lambda effect: effect.over, default=None)
    return last is not None and last.answer == "retry" and last.attempt == end.attempt


def polls_are_as_many_as_allowed(history: History) -> Iterator[str]:
    """An attempt polls `cycle_times` at most, and as often as that before it says so; signals and crashes apart."""
    for call in history.rivers():
        for attempt, polls in _by_attempt(history.bodies(call, "cycle")).items():
            anchor = history.anchor(call, attempt[1])
            if anchor.cycle_times is None:
                continue
            free = _free_polls(history, anchor, polls)
            if len(polls) > anchor.cycle_times + free:
                yield f"{call} polled {len(polls)} times in attempt {attempt}, but may {anchor.cycle_times} times"
            yield from _eaten(history, call, attempt, polls)


def _by_attempt(effects: list[Effect]) -> dict[tuple[int, int], list[Effect]]:
    """Group by attempt and round: a new round lets polls begin anew."""
    found: dict[tuple[int, int], list[Effect]] = defaultdict(list)
    for effect in effects:
        found[effect.attempt, effect.round].append(effect)
    return found


def _free_polls(history: History, anchor: Anchor, polls: list[Effect]) -> int:
    """Return how many polls cost nothing: after signals, and what a crash may have lost since the last beat."""
    signals = len(history.of("signalled")) + sum(effect.answer == "error" for effect in polls)
    lives = len({effect.life for effect in polls}) - 1
    free = lives * _unseen(anchor)
    return free + (2 * signals if anchor.signals else 0)


def _unseen(anchor: Anchor) -> int:
    """Return how many polls a crash may forget: those of the second since the last beat, and those off schedule."""
    times = anchor.cycle_times or 0
    in_a_second = math.ceil(1 / anchor.cycle_interval) if anchor.cycle_interval else times
    return in_a_second + max(1, times // 10) + 1


def _eaten(history: History, call: Call, attempt: tuple[int, int], polls: list[Effect]) -> Iterator[str]:
    anchor = history.anchor(call, attempt[1])
    times = anchor.cycle_times or 0
    flowed = [entry for entry in history.forward(call) if entry.kind == "flowed" and entry.attempt == attempt[0]]
    since = flowed[-1] if flowed else history.entries[0]
    for entry in history.forward(call):
        if (entry.attempt, entry.round) != attempt or not isinstance(entry.what, Failed):
            continue
        if history.log.troubled(since.at, entry.at) and history.lives > 1:
            continue  # its polls were due in served time, but nothing could be written
        lives = history.lives - since.kept.life
        if entry.what.failure.kind == "cycles-exhausted" and len(polls) < times - lives * _unseen(anchor):
            yield f"{entry}: {len(polls)} of {times} polls were made, in {lives} lives after the first"


def undos_are_as_many_as_allowed(history: History) -> Iterator[str]:
    """An undo is tried `undo_times` after the first, no more, and no less before it says so (7.3)."""
    for call in history.rivers():
        times = history.anchor(call).undo_times
        most = max((effect.attempt for effect in history.bodies(call, "undo")), default=0)
        if most > times + 1:
            yield f"undo of {call} made attempt {most} of {times + 1}"
        for entry in history.calls.get(call, ()):
            exhausted = isinstance(entry.what, UndoFailed) and entry.what.failure.kind == "retries-exhausted"
            if exhausted and entry.attempt != times + 1:
                yield f"{entry}: after attempt {entry.attempt} of {times + 1}"


def basins_are_tried_as_often_as_allowed(history: History) -> Iterator[str]:
    """A basin is tried again `retry_times` in a round (6.3)."""
    tried: dict[tuple[str, int, int], int] = defaultdict(int)
    for entry in history.of("retrying"):
        node = history.nodes.get(entry.address)
        if node is not None and isinstance(node.place, BasinPlace):
            key = (entry.address, entry.run, entry.round)
            tried[key] += 1
            if tried[key] > node.place.retry.times:
                yield f"{entry}: this is its retry {tried[key]} of {node.place.retry.times}"


def reconcile_is_asked_ten_times(history: History) -> Iterator[str]:
    """A river in doubt is asked ten times at most, interrupted askings apart (4.8)."""
    for call in history.rivers():
        for attempt, asked in _by_attempt(history.bodies(call, "reconcile")).items():
            whole = [effect for effect in asked if effect.over]
            if len(whole) > 10 + history.lives:
                yield f"{call} was asked {len(whole)} times whether attempt {attempt} was done"


def waits_are_waited(history: History) -> Iterator[str]:
    """No attempt begins before the retry that leads to it is due."""
    for entry in history.entries:
        if not isinstance(entry.what, Retrying):
            continue
        undoing = entry not in history.forward((entry.address, entry.run))
        for effect in history.done.get((entry.address, entry.run), ()):
            same = (effect.body == "undo") == undoing and effect.attempt == entry.attempt + 1
            if same and effect.order > entry.order and effect.began < entry.what.due:
                yield f"{effect.body} of {effect.address}, attempt {effect.attempt}, came before its time: {entry}"


def nothing_begins_after_its_deadline(history: History) -> Iterator[str]:
    """No body of a river begins when its deadline is over, however often the process died (4.5)."""
    for call in history.rivers():
        anchor = history.anchor(call)
        bodies = history.bodies(call, *FORWARD)
        if anchor.deadline is None or not bodies:
            continue
        turn = _turn(history, history.nodes[call[0]], bodies[0])
        if turn is None:
            continue
        for effect in bodies:
            late = effect.began > turn + anchor.deadline * SECOND + 1
            if effect.round == bodies[0].round and late and not history.log.troubled(turn, effect.began):
                yield f"{effect.body} of {call} began {(effect.began - turn) / SECOND} s after its turn"


def _turn(history: History, node: Node, first: Effect) -> int | None:
    """Return when the chain came to a stream, microseconds; None if the journal does not tell."""
    before, above = node.before, node.above
    if before is not None:
        return _last_at(history, before.address, first)
    if above is None:
        begun = [e.at for e in history.of("started", "retried") if e.round == first.round]
        return begun[0] if begun and first.round == 1 else None
    if isinstance(above.place, EachPlace):
        return _last_at(history, above.address, first) if above.place.limit is None else None
    if isinstance(above.place, BasinPlace):
        return _last_at(history, above.address, first)
    return _turn(history, above, first)


def _last_at(history: History, address: str, first: Effect) -> int | None:
    """Return when the last fact of a stream was before this; in later rounds that may be long before its turn."""
    if first.round != 1:
        return None
    known = [e.at for e in history.entries if e.address == address and e.order < first.order and e.kind != "late"]
    return max(known, default=None)


def the_flows_deadline_is_kept(history: History) -> Iterator[str]:
    """Once the flow's deadline is over that is said before any body begins that is not atomic (2.11)."""
    if not history.row.deadline:
        return
    said = next((entry for entry in history.of("cancelling") if entry.round == 1), None)
    for effect in history.effects:
        late = effect.body in FORWARD and effect.round == 1 and effect.began > history.row.deadline
        if late and (said is None or said.at > effect.began or _is_too_late(history, effect, said)):
            yield f"{effect.body} of {effect.address} began after the flow's deadline"


def _is_too_late(history: History, effect: Effect, said: Entry) -> bool:
    """Say whether a body was called before that, in a life that began when the deadline was over already."""
    return history.log.starts[effect.life] > history.row.deadline and effect.order < said.order


BUDGETS = (
    retries_are_as_many_as_allowed,
    no_retry_is_eaten,
    polls_are_as_many_as_allowed,
    undos_are_as_many_as_allowed,
    basins_are_tried_as_often_as_allowed,
    reconcile_is_asked_ten_times,
    waits_are_waited,
    nothing_begins_after_its_deadline,
    the_flows_deadline_is_kept,
)
