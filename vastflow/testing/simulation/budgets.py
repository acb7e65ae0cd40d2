"""Are budgets neither refilled nor eaten?

Invariants on retries, polls, undos, basins, waits and deadlines.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from vastflow.course.facts import Failed, Retrying, UndoFailed
from vastflow.drawing.chart import Anchor, BasinPlace, EachPlace
from vastflow.testing.simulation.effects import Effect
from vastflow.testing.simulation.history import FORWARD, SECOND, Call, Entry, History, Node

__all__ = ["BUDGETS"]

_PASSED = frozenset({"flowed", "cycled", "skipped", "completed", "joined", "left", "continued"})


def _retries(history: History, call: Call) -> tuple[Counter[int], int]:
    """Return how many retries were paid for by round, since one that polls on has its budget anew (8.4), and all."""
    retries = [(entry.round, entry.what.free) for entry in history.forward(call) if isinstance(entry.what, Retrying)]
    return Counter(number for number, free in retries if not free), len(retries)


def retries_are_as_many_as_allowed(history: History) -> Iterator[str]:
    """No river is tried again more often in a round than its `retry_times`, crashes in doubt apart (4.1, 4.8)."""
    for call in history.rivers():
        paid, retries = _retries(history, call)
        for number, count in paid.items():
            times = history.anchor(call, number).retry.times
            if count > times:
                yield f"{call} was tried again {count} times in round {number}, but may be {times} times"
        attempts = [effect.attempt for effect in history.bodies(call, *FORWARD)]
        if max(attempts, default=1) > retries + 1:
            yield f"{call} made attempt {max(attempts)} after {retries} retries"


def no_retry_is_eaten(history: History) -> Iterator[str]:
    """A river that says it used its retries up has used them all; one that asks for one gets it while there are any."""
    for call in history.rivers():
        by_round, _ = _retries(history, call)
        for entry in history.forward(call):
            if not isinstance(entry.what, Failed):
                continue
            paid = by_round[entry.round]
            times = history.anchor(call, entry.round).retry.times
            kind = entry.what.failure.kind
            if kind == "retries-exhausted" and (paid != times or not paid):
                yield f"{entry}: {kind} after {paid} of {times} retries"
            if kind in {"error", "timeout"} and _asked_again(history, entry) and paid < times:
                yield f"{entry}: it asked to be tried again after {paid} of {times} retries"


def _asked_again(history: History, end: Entry) -> bool:
    """Say whether the last body called before this end asked for a retry; an earlier one may just have said so late."""
    bodies = history.bodies((end.address, end.run), *FORWARD)
    last = max((effect for effect in bodies if effect.order < end.order), key=lambda effect: effect.order, default=None)
    if last is None or not 0 < last.over < end.order or last.cut:
        return False
    return last.answer == "retry" and last.attempt == end.attempt


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
    since = _polls_since(history, call, attempt)
    for entry in history.forward(call):
        if (entry.attempt, entry.round) != attempt or not isinstance(entry.what, Failed):
            continue
        if history.log.troubled(since.at, entry.at) and history.lives > 1:
            continue  # its polls were due in served time, but nothing could be written
        lives = history.lives - since.kept.life
        least = times - lives * _unseen(anchor) - _cut_short(history, call, anchor, polls)
        if entry.what.failure.kind == "cycles-exhausted" and len(polls) < least:
            yield f"{entry}: {len(polls)} of {times} polls were made, in {lives} lives after the first"


def _polls_since(history: History, call: Call, attempt: tuple[int, int]) -> Entry:
    """Return the fact with which the polls of an attempt and round began: it flowed, or the round was opened."""
    begins = [entry for entry in history.of("retried") if entry.round == attempt[1]]
    begins += [entry for entry in history.forward(call) if entry.kind == "flowed" and entry.attempt == attempt[0]]
    return max(begins, key=lambda entry: entry.number, default=history.entries[0])


def _cut_short(history: History, call: Call, anchor: Anchor, polls: list[Effect]) -> int:
    """Return how many positions of the schedule went by in served time while polls ran whose process then died.

    Nothing on disk says that such a poll ran, so each of these counts as a poll made (10.4).
    """
    if not anchor.cycle_interval:
        return 0
    last = {effect.life: effect for effect in polls}
    facts = history.calls.get(call, ())
    silent = [
        history.log.stops[life] - effect.began
        for life, effect in last.items()
        if life in history.log.stops and not any(e.kept.life == life and e.order > effect.order for e in facts)
    ]
    return sum(math.ceil(each / (anchor.cycle_interval * SECOND)) for each in silent)


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
        for effect in bodies:
            turn = _turn(history, history.nodes[call[0]], effect) if effect.round == 1 else None
            late = turn is not None and effect.began > turn + anchor.deadline * SECOND + 1
            if turn is not None and late and not history.log.troubled(turn, effect.began):
                yield f"{effect.body} of {call} began {(effect.began - turn) / SECOND} s after its turn"


def _turn(history: History, node: Node, effect: Effect) -> int | None:
    """Return when the chain came to a stream for this call in the first round; None if the journal does not tell."""
    before, above = node.before, node.above
    if before is not None:
        return _told_at(history, before, _PASSED, effect)
    if above is None:
        return history.of("started")[0].at
    if isinstance(above.place, EachPlace):
        return _told_at(history, above, {"expanded"}, effect) if above.place.limit is None else None
    if isinstance(above.place, BasinPlace):
        return _told_at(history, above, {"entered"}, effect)
    return _turn(history, above, effect)


def _told_at(history: History, node: Node, kinds: Collection[str], effect: Effect) -> int | None:
    """Return when such a fact of a stream was last decided; one that need not be durable may be on disk later (4.9)."""
    facts = (e for e in history.entries if e.address == node.address and e.kind in kinds)
    return max((e.at for e in facts if e.at <= effect.began), default=None)


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
