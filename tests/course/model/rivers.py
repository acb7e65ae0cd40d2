"""How does a river live and how is it undone (4, 7.2, 7.3, 9)?"""

import math
from collections import Counter
from dataclasses import replace
from itertools import accumulate, count, pairwise
from typing import TYPE_CHECKING, Any

from tests.course.model.clockwork import Clockwork, Due, Process, Tie, micro, when
from tests.course.model.reckoning import Water, changed, hands_over, verdict, wait, written
from tests.course.model.records import UNDONE, WELL, End, Part, Run, Where
from vastflow.drawing.chart import RiverPlace, Waits

if TYPE_CHECKING:
    from tests.course.scripts import Call, Case, Outside

__all__ = ["Rivers"]

Step = tuple[str, float] | str  # the next body and when it is due; or how the run ended: how well, or of what kind
ASKS = 10  # times that `reconcile` is asked (4.8)


class Rivers(Clockwork):
    """Runs rivers."""

    def __init__(self, case: "Case") -> None:
        super().__init__()
        self.case = case
        self.paused = False
        self.resumed = -1
        self.failures: dict[str, str] = {}
        self.runs: dict[str, Run] = {}
        self.calls: Counter[tuple[str, str]] = Counter()
        self.numbers = count(1)
        self.signals: list[Outside] = []
        self.undos: list[tuple[int, str, str | None]] = []

    def held(self, moment: float) -> float:
        """Return when something that is due at this moment may be done: not in a pause (7.5)."""
        return math.inf if self.paused else moment

    def failed(self, kind: str, address: str) -> tuple[int, str, str]:
        """Note a failure, and return it."""
        self.failures[address] = kind
        return self.now, kind, address

    def river(self, place: RiverPlace, where: Where, water: Water, past: End | None) -> Process[End]:
        """Run a river; one that failed while it was polling goes on there (4, 8.4)."""
        address, anchor = where.address(place), place.anchor
        deadline = math.inf if anchor.deadline is None else self.now + micro(anchor.deadline)
        run = Run(place, address, where, water, deadline)
        run.out = self.runs[address].out if address in self.runs else 0
        step: Step = (place.bodies[0], self.now)
        polled = past and past.failure and past.failure[1] in {"cycles-exhausted", "deadline"} and past.runs[0].polling
        if past and polled and past.runs[0].state not in UNDONE:
            run = replace(past.runs[0], where=where, deadline=deadline, state="running", tries=1, seen=[])
            step = self.flowed(run)
            self.begun(run, self.now)
        self.runs[address] = run
        step = yield from self.live(run, step)
        for part in where.part.up():
            part.atomic.discard(address)
        run.state = step if step in {*WELL, "cancelled"} else "fail"
        return End(run.state, run.delta, self.failed(step, address) if run.state == "fail" else None, [run])

    def undo(self, runs: list[Run]) -> Process[None]:
        """Undo one after another what began, the last first (7.2)."""
        begun = [run for run in runs if "flow" in run.began and "undo" in run.place.bodies and run.state not in UNDONE]
        begun.sort(key=lambda run: run.number, reverse=True)
        if any(
            one.began["flow"] == two.began["flow"] and one.place_in_line() != two.place_in_line()
            for one, two in pairwise(begun)
        ):
            raise Tie(begun)  # a pause, a border or a begin that must be on disk held one up: who is first?
        for run in begun:
            where = Where(Part(), undos=run.where.undos)
            seen = written(written(run.water, run.delta), where.undos)
            undo = Run(run.place, run.address, where, seen, self.now + micro(run.place.anchor.undo_deadline))
            step = yield from self.live(undo, ("undo", max(self.now, run.out)))
            run.out = max(run.out, undo.out)
            where.undos.update(undo.delta)
            run.state = "undone" if step == "success" else "undo-failed"
            self.undos.append((undo.began.get("undo", self.now), run.address, None if step == "success" else step))

    def live(self, run: Run, step: Step) -> Process[str]:
        """Call one body after another; return success, skipped, cancelled or the kind of the failure."""
        while not isinstance(step, str):
            body, _ = step
            answer = yield from self.body(run, *step)
            step = self.follows(run, body, answer)
        return step if step in WELL or not run.stopped() else "cancelled"

    def body(self, run: Run, body: str, due: float) -> "Process[Call | str]":
        """Call a body when it is due; return what it did, or why it was not called or not waited for (4.5, 7.4)."""
        why = yield from self.first(
            stopped=lambda: when(run.stopped()),
            deadline=run.deadline,
            due=lambda: self.held(due),
            signal=lambda: self.held(self.signalled(run) if body == "cycle" else math.inf),
        )
        free = not self.paused and max(due, self.resumed) == self.now
        if why == "stopped" and free and any(part.since == self.now for part in run.where.part.up()):
            raise Tie(run.address)  # did the cancel come first, or the body?
        if why not in {"due", "signal"}:
            return why
        run.by_signal, run.next_due = why == "signal", due
        if body == "cycle" and why == "due" and self.signalled(run) <= self.now:
            raise Tie(run.address)  # a pause held both up: does the signal spare the budget?
        if body == "flow":
            self.begun(run, due)
        call = self.begins(run, body)
        return (yield from self.running(run, body, call))

    def begins(self, run: Run, body: str) -> "Call":
        """Note that a body begins, and return what it does."""
        number = self.calls[run.address, body]
        self.calls[run.address, body] += 1
        run.last = self.now
        run.began.setdefault(body, self.now)
        run.visible = [signal for signal in self.signals if signal.name in run.place.anchor.signals]
        return self.case.call(run.address, body, number)

    def begun(self, run: Run, due: float) -> None:
        """Note that a river has begun; what is atomic goes on from here (4.7)."""
        if not run.number:
            run.number, run.due = next(self.numbers), due
        if run.place.anchor.atomic:
            for part in run.where.part.up():
                part.atomic.add(run.address)

    def running(self, run: Run, body: str, call: "Call") -> "Process[Call | str]":
        """Wait for a body's save and its end; keep what it hands over then (5.5)."""
        taken = next((signal for signal in run.visible if signal.name == call.takes), None)
        puts: dict[str, Any] = {call.into: taken.value} if taken else {}
        saves = [] if call.save_at is None else [(call.save_at, call.saves, ())]
        limit, end = run.place.anchor.timeout, self.now + call.duration
        late: dict[str, float | Due] = {
            "over": lambda: when(any(part.over for part in run.where.part.up())),
            "deadline": run.deadline,
            "timeout": math.inf if limit is None else self.now + micro(limit),
        }
        for after, more, drops in [*saves, (call.duration, call.puts, call.drops)]:
            why = yield from self.first(**late, ended=end - call.duration + after)
            if why != "ended":
                run.out = max(run.out, end)
                return why
            puts |= more
            if after < call.duration or hands_over(body, call):
                run.delta |= changed(written(run.water, run.delta), puts, drops)
                self.signals = [signal for signal in self.signals if signal is not taken]
        return call

    def follows(  # noqa: C901, PLR0911, PLR0912 - it is one table, a line for each thing that may follow
        self, run: Run, body: str, answer: "Call | str"
    ) -> Step:
        """Say what follows from an answer (4.1, 4.2, 4.8, 7.3)."""
        anchor, told = run.place.anchor, verdict(run.place.anchor, answer)
        after = None if isinstance(answer, str) else answer.after
        match body, told:
            case _, "stopped" | "over":
                return "cancelled"
            case _, "deadline":
                return "in-doubt" if run.doubt else "deadline"
            case "when", "true":
                run.told = True
                return "flow", self.now
            case "when", "false":
                return "skipped"
            case "flow" | "reconcile", "none":
                return self.flowed(run)
            case "cycle" | "undo" | "success" | "fail", "none":
                return "success"
            case "flow", "again" | "timeout" if anchor.at_most_once or "reconcile" in run.place.bodies:
                run.doubt, run.asks = True, 0
                return ("reconcile", self.now) if "reconcile" in run.place.bodies else "in-doubt"
            case "reconcile", "continue" | "again" | "unlisted" | "timeout":
                return self.asked_again(run, after)
            case "cycle", "continue" | "again" | "timeout":
                return self.not_yet(run, told, after)
            case (_, "retry" | "again" | "timeout") | ("undo", "continue" | "unlisted"):
                return self.retried(run, body, told, after)
            case _, "fail" | "unlisted":
                return "error"
            case _:
                return "bad-return"

    def retried(self, run: Run, body: str, told: str, after: int | None) -> Step:
        """Try again, if a retry is left (4.1, 7.3)."""
        anchor, undo = run.place.anchor, body == "undo"
        waits = Waits(anchor.undo_times, anchor.undo_interval, 1.0, None) if undo else anchor.retry
        if run.tries > waits.times:
            exhausted = run.tries > 1 and (undo or told != "timeout")
            return "retries-exhausted" if exhausted else "timeout" if told == "timeout" else "error"
        run.tries, run.doubt, run.polling = run.tries + 1, False, False
        due = self.now + (wait(waits, run.tries - 2) if after is None else after)
        return ("undo", max(due, run.out)) if undo else ("flow" if run.told else run.place.bodies[0], due)

    def asked_again(self, run: Run, after: int | None) -> Step:
        """Ask `reconcile` again, ten times in all (4.8)."""
        run.asks += 1
        due = self.now + (wait(run.place.anchor.retry, run.asks - 1) if after is None else after)
        return "in-doubt" if run.asks == ASKS else ("reconcile", due)

    def flowed(self, run: Run) -> Step:
        """Go on to the polls, if there are any (4.2)."""
        if "cycle" not in run.place.bodies:
            return "success"
        run.doubt, run.polling, run.polls_from, run.polls, run.in_a_row, run.tried = False, True, self.now, 0, 0, []
        return "cycle", self.position(run)

    def not_yet(self, run: Run, told: str, after: int | None) -> Step:
        """Say what follows from a poll that said "not yet" or failed (4.2, 9.2)."""
        anchor, run.polls = run.place.anchor, run.polls + (not run.by_signal)
        if told == "continue":
            run.seen, run.in_a_row = run.visible, 0
        else:
            run.tried, run.tried_at, run.in_a_row = run.visible, self.now, run.in_a_row + 1
        if run.in_a_row > anchor.cycle_errors:
            return "timeout" if told == "timeout" else "error"
        if run.polls == anchor.cycle_times and not run.by_signal:
            return "cycles-exhausted"
        spared = run.next_due if run.by_signal and run.next_due > self.now else self.position(run)
        return "cycle", spared if after is None else self.now + after

    def position(self, run: Run) -> float:
        """Return the next position of the polls' schedule (4.2, 10.4)."""
        anchor = run.place.anchor
        if anchor.cycle_interval is None:
            return math.inf
        waits = Waits(0, anchor.cycle_interval, anchor.cycle_backoff, anchor.cycle_max_interval)
        positions = accumulate((wait(waits, number) for number in count()), initial=run.polls_from)
        return next(position for position in positions if position > self.now)

    def signalled(self, run: Run) -> float:
        """Return when a poll is due because of a signal that no completed poll could see (9.2)."""
        anchor = run.place.anchor
        unseen = [signal for signal in self.signals if signal.name in anchor.signals and signal not in run.seen]
        again = run.tried_at + wait(anchor.retry, 0) if all(each in run.tried for each in unseen) else -1
        return again if unseen else math.inf
