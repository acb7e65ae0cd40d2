"""Is what was promised true, of a store whose processes were killed? The notes are held against the store.

What holds of every flow are the invariants of `vastflow.testing.simulation`; here stands what they need to know, and
what is asked of the whole.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.crash.notes import Line, read
from vastflow.course.facts import UndoFailed
from vastflow.ledger.contract import FactRow, FlowQuery
from vastflow.ledger.sqlite_reader import SQLiteReader
from vastflow.testing.simulation.budgets import BUDGETS
from vastflow.testing.simulation.effects import Effect, EffectLog, Kept
from vastflow.testing.simulation.history import SECOND, History, read_history
from vastflow.testing.simulation.invariants import INVARIANTS, Invariant

__all__ = ["Findings", "examine"]

_LATE = 500_000  # microseconds by which a body's begin may be noted after it was handed to its thread
_AGAIN = frozenset({"cycle", "reconcile"})  # bodies that are called again in the normal course of things
_ASKED = {
    "cancel": "cancelling",
    "pause": "paused",
    "retry": "retried",
    "skip": "skipped",
    "complete": "completed",
    "set": "set",
    "signal": "signalled",
}
# What is said to the millisecond, of a clock that stands still while something is done.
_TIMED = frozenset({"a_cancel_ends", "polls_are_as_many_as_allowed", *(each.__name__ for each in BUDGETS[-2:])})


def no_undo_is_left_out(history: History) -> Iterator[str]:
    """An undo is left out because a body of its river still runs only if one really does (7.3)."""
    for entry in history.of("undofailed"):
        hung = isinstance(entry.what, UndoFailed) and "still runs" in entry.what.failure.message
        bodies = history.done.get((entry.address, entry.run), ())
        if hung and all(0 < effect.ended < entry.at for effect in bodies if effect.life == entry.kept.life):
            yield f"{entry}: no body of the river ran"


_HELD: tuple[Invariant, ...] = (
    *(each for each in INVARIANTS if each.__name__ not in _TIMED),
    no_undo_is_left_out,
)


class Findings:
    """What is known of one store and its notes.

    Attributes:
        wrongs: what is not as it was promised.
        figures: what there was.
        gaps: seconds between the last note of a server and the moment at which the next one had taken over.
    """

    def __init__(self, store: Path, notes: Path) -> None:
        """Read both."""
        self.lines = list(read(notes)) if notes.exists() else []
        self.wrongs: list[str] = [str(line.told[0]) for line in self.lines if line.what == "wrong"]
        self.figures: Counter[str] = Counter()
        reader = SQLiteReader(store)
        with closing(reader):
            self.rows = reader.flows(FlowQuery(limit=10_000))
            self._facts = {row.id: reader.facts(row.id) for row in self.rows}
            self._log = self._logged()
            self._look_at_flows(reader)
        self.gaps = list(_gaps(self.lines))
        self.wrongs += [*_damages(store), *_two_servers(self.lines), *self._broken_words()]

    def _look_at_flows(self, reader: SQLiteReader) -> None:
        lives = max((line.epoch for line in self.lines), default=1)
        for row in self.rows:
            history = read_history(reader, row.id, self._log, lives)
            _allow_for_timeouts(history)
            found = [f"{row.id}: {each.__name__}: {wrong}" for each in _HELD for wrong in each(history)]
            self.wrongs += found
            self.figures += _figures(history)
        self.figures += Counter(flows=len(self.rows))

    def _logged(self) -> EffectLog:
        """Return the notes as the simulation's invariants read them."""
        log = EffectLog()
        effects: dict[int, Effect] = {}
        for line in self.lines:
            if line.what == "took":
                log.starts[line.epoch] = line.at
            elif line.what == "kept":
                kept = Kept(2 * line.order, line.at + _LATE, line.epoch)
                log.kept |= dict.fromkeys(((flow, number) for flow, number in line.told[0]), kept)
            else:
                _note(effects, line)
        log.effects = list(effects.values())
        self._keep_untold(log)
        return log

    def _keep_untold(self, log: EffectLog) -> None:
        """Place facts whose commit was not noted: it was the last deed of that life, since the note follows at once."""
        last: dict[int, int] = {line.epoch: line.order for line in self.lines}
        for fact in (fact for facts in self._facts.values() for fact in facts):
            if (fact.flow, fact.number) not in log.kept:
                self.figures["facts of a commit that nobody was told of"] += 1
                order = 2 * last.get(fact.epoch, 0) + 1
                log.kept[fact.flow, fact.number] = Kept(order, fact.at + _LATE, fact.epoch)

    def _broken_words(self) -> Iterator[str]:
        """Return what was answered and is not so: starts, and commands; and commands that were done twice."""
        known = {row.id for row in self.rows}
        for line in self.lines:
            if line.what == "started" and line.told[0] not in known:
                yield f"start() of {line.told[0]} had returned, and there is no such flow"
        asked = Counter(tuple(line.told[:2]) for line in self.lines if line.what == "asked")
        answers = [line.told for line in self.lines if line.what == "answered"]
        answered = Counter((flow, name) for flow, name, said in answers if said != "pending")
        done = Counter((flow, name) for flow, name, said in answers if said == "done")
        for (flow, name), times in asked.items():
            if (kind := _ASKED.get(name)) is not None:
                facts = sum(_is_of(fact, kind) for fact in self._facts.get(flow, ()))
                most = done[flow, name] + times - answered[flow, name]
                if not done[flow, name] <= facts <= most:
                    yield f"{name} of {flow} was done {done[flow, name]} to {most} times, and there are {facts} facts"


def _allow_for_timeouts(history: History) -> None:
    """Take bodies that may have run out of time for cut off: whether they came in time, nobody outside can tell."""
    for call in history.rivers():
        if history.anchor(call).timeout is not None:
            for effect in history.done.get(call, ()):
                effect.cut = True


def _is_of(fact: FactRow, kind: str) -> bool:
    return fact.kind == kind and (bool(fact.who) or kind == "signalled")


def _note(effects: dict[int, Effect], line: Line) -> None:
    match line.what:
        case "begin":
            effects[line.told[0]] = _effect(line)
        case "end":
            _end(effects[line.told[0]], line)
        case "wrote":
            effects[line.told[0]].wrote[line.told[1]] = line.told[2]
        case "saved":
            effects[line.told[0]].saved += line.told[1]
        case _:
            pass


def _effect(line: Line) -> Effect:
    flow, address, body, run, attempt, of_round, key, saw = line.told[1:]
    return Effect(flow, address, body, run, attempt, of_round, key, 2 * line.order, line.epoch, line.at, saw=saw)


def _end(effect: Effect, line: Line) -> None:
    _, effect.answer, effect.cut, effect.wrote, effect.took = line.told
    effect.ended, effect.over = line.at, 2 * line.order


def _damages(store: Path) -> Iterator[str]:
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as link:
        said = [row[0] for row in link.execute("PRAGMA integrity_check")]
    if said != ["ok"]:
        yield f"the store is damaged: {said}"


def _two_servers(lines: list[Line]) -> Iterator[str]:
    """Return where somebody still acted as the server when there was another one."""
    latest = 0
    for line in lines:
        if line.epoch < latest and line.epoch:
            yield f"the server of epoch {line.epoch} noted {line.what} {line.told[:4]} in epoch {latest}"
        latest = max(latest, line.epoch)


def _gaps(lines: list[Line]) -> Iterator[float]:
    last: Line | None = None
    for line in lines:
        if last is not None and line.epoch > last.epoch:
            yield (line.at - last.at) / SECOND
        last = line if line.epoch else last


def _figures(history: History) -> Counter[str]:
    calls: dict[tuple[object, ...], set[int]] = {}
    for effect in history.effects:
        key = (effect.address, effect.run, effect.body, effect.attempt, effect.round)
        calls.setdefault(key, set()).add(effect.life)
    again = [key for key, lives in calls.items() if len(lives) > 1 and key[2] not in _AGAIN]
    undone = history.of("undone")
    return Counter(
        {
            "bodies": len(history.effects),
            "bodies interrupted": sum(not effect.over for effect in history.effects),
            "bodies run twice": len(again),
            "Atlantics run twice": sum(key[0] == "~" for key in again),
            "undone": len(undone),
            "facts": len(history.entries),
            "poisoned": len(history.of("poisoned")),
            history.row.state: 1,
        }
    )


def examine(store: Path, notes: Path) -> Findings:
    """Return what is to be said about a store whose flows have all ended."""
    return Findings(store, notes)
