"""Does everything happen once?

Invariants on outcomes, ends of bodies, joins, the Atlantic, signals and keys.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from vastflow.course.facts import Begun, Cycled, Failed, Flowed, Joined, Outcome, Polled, Saved, Won
from vastflow.drawing.chart import EachPlace, ParallelPlace
from vastflow.testing.simulation.effects import Effect
from vastflow.testing.simulation.history import FORWARD, Entry, History

__all__ = ["ONCE"]

_ENDS = frozenset({"failed", "cancelled", "skipped", "completed"})
_JOINED = frozenset({"joined", "conflicted", "failed", "cancelled", "left"})
_SAYS_SO = {
    "flowed": ("flow", "reconcile"),
    "cycled": ("cycle",),
    "chosen": ("when",),
    "undone": ("undo",),
}


def numbers_have_no_gaps(history: History) -> Iterator[str]:
    """The journal counts from 1 without gaps, its times never go back, and every fact was kept by a commit."""
    last = 0
    for expected, entry in enumerate(history.entries, 1):
        if entry.number != expected or entry.at < last or not entry.order:
            yield f"{entry}: expected number {expected}, at or after {last}, and a commit that kept it"
        last = max(last, entry.at)


def a_round_has_one_outcome(history: History) -> Iterator[str]:
    """A round has one outcome, or that of the round before if that was a success, and ends once."""
    outcomes: dict[int, list[Entry]] = defaultdict(list)
    for entry in history.of("outcome"):
        outcomes[entry.round].append(entry)
    ends = Counter(entry.round for entry in history.of("ended"))
    before = ""
    for number in range(1, max(ends, default=1) + 1):
        found = [entry.what.outcome for entry in outcomes[number] if isinstance(entry.what, Outcome)]
        if len(found) > 1 or (not found and before != "success") or ends[number] != 1:
            yield f"round {number} has the outcomes {found} and ended {ends[number]} times"
        before = found[-1] if found else before


def a_recorded_end_is_the_last(history: History) -> Iterator[str]:
    """A body whose end is on disk is never called again in that run (10.5)."""
    again = [entry.order for entry in history.of("retried")]
    for effect in history.effects:
        for entry in history.calls.get(effect.call, ()):
            if entry.order >= effect.order:
                break
            if entry.gives_up and effect.began <= entry.kept.at:
                continue
            if _closes(entry, effect, history) and not _is_reopened(entry, effect, again):
                yield f"{effect.body} of {effect.address} (attempt {effect.attempt}) was called after {entry}"


def _closes(entry: Entry, effect: Effect, history: History) -> bool:
    if effect.body == "undo":
        return entry.kind in {"undone", "undofailed"}
    if effect.body in {"success", "fail"}:
        return entry.kind == "ended" and entry.round == effect.round
    if entry not in history.forward(effect.call):
        return False
    return entry.kind in _ENDS or _closes_forward(entry, effect)


def _closes_forward(entry: Entry, effect: Effect) -> bool:
    if entry.kind == "retrying":
        return entry.attempt >= effect.attempt
    match effect.body:
        case "when":
            return entry.kind in {"chosen", "flowed"}
        case "cycle":
            return entry.kind == "cycled"
        case _:
            return entry.kind == "cycled" or (entry.kind == "flowed" and entry.attempt >= effect.attempt)


def _is_reopened(entry: Entry, effect: Effect, again: Sequence[int]) -> bool:
    """Say whether a new round let a river poll on that had failed."""
    went_on = isinstance(entry.what, Failed) and entry.what.failure.kind in {"cycles-exhausted", "deadline"}
    return went_on and any(entry.order < order < effect.order for order in again)


def an_attempt_is_called_once_a_life(history: History) -> Iterator[str]:
    """Only the death of its process, or a close, lets one attempt be called twice."""
    seen: dict[tuple[object, ...], Effect] = {}
    for effect in history.effects:
        if effect.body in {"cycle", "reconcile"}:
            continue
        key = (effect.address, effect.run, effect.body, effect.attempt, effect.round, effect.life)
        if key in seen:
            yield f"{effect.body} of {effect.address}, attempt {effect.attempt}, was called twice in one life"
        seen[key] = effect


def an_end_was_said(history: History) -> Iterator[str]:
    """Every end in the journal was said before by a body of that run and attempt."""
    for entry in history.entries:
        bodies = _SAYS_SO.get(entry.kind)
        if bodies is None:
            continue
        said = history.bodies((entry.address, entry.run), *bodies)
        if not any(e.over and e.over < entry.order and e.attempt == entry.attempt for e in said):
            yield f"{entry}: no {' or '.join(bodies)} of attempt {entry.attempt} had ended"


def a_join_is_passed_once(history: History) -> Iterator[str]:
    """A join ends once a run (and round), and nothing in it goes forward afterwards."""
    ends: dict[tuple[str, int, int], list[Entry]] = defaultdict(list)
    for entry in history.entries:
        node = history.nodes.get(entry.address)
        if node is not None and isinstance(node.place, ParallelPlace | EachPlace) and entry.kind in _JOINED:
            ends[entry.address, entry.run, entry.round].append(entry)
    for found in ends.values():
        if len(found) > 1:
            yield f"{found[0]} and {found[1]}: a join ended twice"
        yield from _goes_on_inside(history, found[0])


def _goes_on_inside(history: History, end: Entry) -> Iterator[str]:
    inside = {river.address for river in history.nodes[end.address].rivers()}
    for effect in history.effects:
        later = effect.address in inside and effect.round == end.round and effect.order > end.order
        excused = later and (_was_given_up(history, effect) or _begun_anew(history, end, effect))
        if later and not excused and effect.body in FORWARD:
            yield f"{effect.body} of {effect.address} was called after {end}"


def _was_given_up(history: History, effect: Effect) -> bool:
    """Say whether a body was given up before it had begun, in the same moment."""
    return any(entry.gives_up and effect.began <= entry.kept.at for entry in history.calls.get(effect.call, ()))


def _begun_anew(history: History, end: Entry, effect: Effect) -> bool:
    """Say whether what is around the join was begun anew in between: its basin was tried again."""
    around = {node.address for node in history.nodes[end.address].around()}
    return any(
        end.order < entry.order < effect.order and entry.kind == "entered" and entry.address in around
        for entry in history.entries
    )


def a_race_has_one_winner(history: History) -> Iterator[str]:
    """Of `any` only the winner's delta is merged."""
    winners: dict[tuple[str, int, int], int] = {}
    for entry in history.entries:
        key = (entry.address, entry.run, entry.round)
        if isinstance(entry.what, Won):
            if key in winners:
                yield f"{entry}: there was a winner before"
            winners[key] = entry.what.branch
        elif isinstance(entry.what, Joined) and key in winners and entry.what.branches != (winners[key],):
            yield f"{entry} merged {entry.what.branches}, but {winners[key]} had won"


def the_sea_comes_last(history: History) -> Iterator[str]:
    """The Atlantic's body is called after the outcome and all else, it is the right one, and at least once."""
    outcome = ""
    for number in sorted({entry.round for entry in history.entries}):
        decided = [entry for entry in history.of("outcome") if entry.round == number]
        if decided and isinstance(decided[0].what, Outcome):
            outcome = decided[0].what.outcome
        calls = [e for e in history.effects if e.round == number and e.body in {"success", "fail"}]
        right = "success" if outcome == "success" else "fail"
        if not calls or any(call.body != right for call in calls):
            yield f"round {number} with outcome {outcome} called {[call.body for call in calls]}"
            continue
        if decided and decided[0].order >= calls[0].order:
            yield f"round {number}: {calls[0].body} was called before the outcome was on disk"
        others = (e for e in history.effects if e.round == number and e.address != "~")
        late = [e for e in others if e.order > calls[0].order and not _was_given_up(history, e)]
        yield from (f"{e.body} of {e.address} was called after the Atlantic of round {number}" for e in late)


def a_signal_is_taken_once(history: History) -> Iterator[str]:
    """A signal is taken by one body, after it came; one with an id comes once."""
    came = {entry.number for entry in history.of("signalled")}
    taken: dict[int, Entry] = {}
    for entry in history.entries:
        if not isinstance(entry.what, Flowed | Polled | Cycled | Saved):
            continue
        for number in entry.what.took:
            if number in taken or number not in came or number > entry.number:
                yield f"{entry} took signal {number}; before: {taken.get(number)}"
            taken[number] = entry
    ids = [entry.what.id for entry in history.of("signalled") if getattr(entry.what, "id", None)]  # type: ignore[union-attr]  # of that kind
    if len(ids) != len(set(ids)):
        yield f"signals came twice: {ids}"


def a_run_has_one_key(history: History) -> Iterator[str]:
    """All bodies of a run are given the same key, and no two runs share one."""
    keys: dict[str, object] = {}
    for effect in history.effects:
        if effect.address != "~" and keys.setdefault(effect.key, effect.call) != effect.call:
            yield f"{effect.call} and {keys[effect.key]} have one key"
    for call, effects in history.done.items():
        if call[0] != "~" and len({effect.key for effect in effects}) != 1:
            yield f"{call} has several keys"


def a_begin_is_on_disk_first(history: History) -> Iterator[str]:
    """Of rivers with undo, atomic, at_most_once or reconcile the begin is on disk before the body (10.3)."""
    for effect in history.effects:
        if effect.body not in {"flow", "undo"}:
            continue
        place, anchor = history.river(effect.address), history.anchor(effect.call)
        if not (anchor.atomic or anchor.at_most_once or {"undo", "reconcile"}.intersection(place.bodies)):
            continue
        begins = (
            entry
            for entry in history.calls.get(effect.call, ())
            if isinstance(entry.what, Begun) and entry.what.body == effect.body and entry.order < effect.order
        )
        if next(begins, None) is None:
            yield f"{effect.body} of {effect.address} was called before its begin was on disk"


ONCE = (
    numbers_have_no_gaps,
    a_round_has_one_outcome,
    a_recorded_end_is_the_last,
    an_attempt_is_called_once_a_life,
    an_end_was_said,
    a_join_is_passed_once,
    a_race_has_one_winner,
    the_sea_comes_last,
    a_signal_is_taken_once,
    a_run_has_one_key,
    a_begin_is_on_disk_first,
)
