"""Is undone what must be, in the right order?

Invariants on scopes.
"""

from collections.abc import Iterator

from vastflow.course.facts import Begun, Outcome, Undoing
from vastflow.drawing.chart import ParallelPlace, RiverPlace
from vastflow.testing.simulation.history import Call, Entry, History, Node

__all__ = ["UNDOS"]

_UNDONE = frozenset({"undone", "undofailed"})


def _scopes(history: History) -> Iterator[tuple[Entry, tuple[str, ...], list[Node]]]:
    """Return each scope that was undone: its fact, its queue, and what lies in it."""
    for entry in history.entries:
        if isinstance(entry.what, Undoing):
            inside = history.nodes[entry.address].inside[entry.what.branch]
            yield entry, entry.what.queue, [river for node in inside for river in node.rivers()]
        elif isinstance(entry.what, Outcome) and entry.what.outcome != "success":
            yield entry, entry.what.queue, [river for node in history.root for river in node.rivers()]


def _run_before(history: History, address: str, entry: Entry) -> int:
    """Return the run of a stream that was its last one at a fact; 0 if it was never reached."""
    facts = [each.run for each in history.entries if each.address == address and each.number < entry.number]
    calls = [each.run for each in history.effects if each.address == address and each.order < entry.order]
    return max((*facts, *calls), default=0)


def _first_begun(history: History, call: Call, entry: Entry) -> int:
    """Return the number of the fact that said that a run's `flow` begins; 0 if there is none."""
    for each in history.calls.get(call, ()):
        if each.number < entry.number and isinstance(each.what, Begun) and each.what.body == "flow":
            return each.number
    return 0


def _was_undone(history: History, call: Call, entry: Entry) -> bool:
    return any(each.kind in _UNDONE and each.number < entry.number for each in history.calls.get(call, ()))


def undo_covers_what_began(history: History) -> Iterator[str]:
    """A scope undoes exactly what began in it and was not undone, in reverse order of first beginning (7.2)."""
    mended = _mended(history)
    for entry, queue, rivers in _scopes(history):
        begun: dict[str, int] = {}
        for river in rivers:
            call = (river.address, _run_before(history, river.address, entry))
            has = isinstance(river.place, RiverPlace) and "undo" in river.place.bodies
            first = _first_begun(history, call, entry)
            if has and first and not _was_undone(history, call, entry):
                begun[river.address] = first
        expected = sorted(begun, key=begun.__getitem__, reverse=True)
        if not _is_mended(mended, rivers) and list(queue) != expected:
            yield f"{entry} undoes {queue}, but what began is {expected}"


def _mended(history: History) -> set[str]:
    return {entry.address for entry in history.of("skipped", "completed") if entry.who}


def _is_mended(mended: set[str], rivers: list[Node]) -> bool:
    """Say whether somebody said of something in or around a scope that it is done, so that it does not count."""
    return any(each.address in mended for river in rivers for each in (river, *river.around()))


def undo_follows_its_queue(history: History) -> Iterator[str]:
    """What stands in a queue is undone in its order, one after the other, each to its end."""
    for entry, queue, _ in _scopes(history):
        ends = [
            each.address
            for each in history.entries
            if each.number > entry.number and each.kind in _UNDONE and each.address in queue
        ]
        if tuple(ends[: len(queue)]) != queue:
            yield f"{entry}: its queue is {queue}, but what ended is {ends[: len(queue)]}"


def only_what_is_queued_is_undone(history: History) -> Iterator[str]:
    """No undo is called but of what stands in a scope that was begun before; nor before its turn came."""
    scopes = list(_scopes(history))
    for effect in history.effects:
        if effect.body != "undo":
            continue
        own = [(entry, queue) for entry, queue, _ in scopes if effect.address in queue and entry.order < effect.order]
        if not own:
            yield f"undo of {effect.address} was called, but stands in no scope"
            continue
        entry, queue = own[-1]
        ahead = queue[: queue.index(effect.address)]
        done = {e.address for e in history.of(*_UNDONE) if entry.number < e.number and e.order < effect.order}
        if missing := [address for address in ahead if address not in done]:
            yield f"undo of {effect.address} was called before those of {missing}"


def what_ended_badly_is_undone(history: History) -> Iterator[str]:
    """When a flow has failed, every run of a river whose `flow` was called has been undone, if it has an `undo`."""
    if history.row.state == "success" or not history.of("outcome"):
        return
    mended = _mended(history)
    outcome = history.of("outcome")[-1]
    if isinstance(outcome.what, Outcome) and outcome.what.outcome == "success":
        return
    for call in history.rivers():
        node = history.nodes[call[0]]
        if "undo" not in history.river(call[0]).bodies or _is_mended(mended, [node]):
            continue
        ended = any(each.kind in _UNDONE for each in history.calls.get(call, ()))
        if history.bodies(call, "flow") and not ended:
            yield f"{call} did something and was never undone, in a flow that ended as {history.row.state}"


def losers_are_undone(history: History) -> Iterator[str]:
    """When a parallel river has passed, what was done in branches that are not merged has been undone (6.1)."""
    mended = _mended(history)
    for entry in history.of("joined"):
        node = history.nodes[entry.address]
        merged = getattr(entry.what, "branches", ())
        if not isinstance(node.place, ParallelPlace):
            continue
        for number, branch in enumerate(node.inside):
            rivers = [river for each in branch for river in each.rivers()]
            undone = [river.address for river in rivers if _left_over(history, river, entry)]
            if number not in merged and undone and not _is_mended(mended, rivers):
                yield f"{entry} passed, but {undone} in branch {number} was not undone"


def _left_over(history: History, river: Node, entry: Entry) -> bool:
    call = (river.address, _run_before(history, river.address, entry))
    if "undo" not in history.river(river.address).bodies or _was_undone(history, call, entry):
        return False
    return any(effect.order < entry.order for effect in history.bodies(call, "flow"))


UNDOS = (
    undo_covers_what_began,
    undo_follows_its_queue,
    only_what_is_queued_is_undone,
    what_ended_badly_is_undone,
    losers_are_undone,
)
