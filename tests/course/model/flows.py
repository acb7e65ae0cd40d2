"""How does a whole flow go, what comes from outside, and how does it end (7.4, 7.5, 8)?"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.course.model.clockwork import Process, Tie, when
from tests.course.model.reckoning import Water, encoded, written
from tests.course.model.records import SEA, WELL, End, Part, Run, Where, undos
from tests.course.model.streams import Streams
from vastflow.drawing.chart import Anchor, RiverPlace

if TYPE_CHECKING:
    from tests.course.scripts import Case, Outside

__all__ = ["Expected", "Round", "expect"]

SITUATIONS = ("running", "cancelling", "paused", "ending", "held", "success", "fail", "cancelled")
ANSWERS: Mapping[str, str] = {
    "cancel": "done     already    done     refused  refused  refused  refused  already",
    "pause": " done     refused    already  done     already  refused  refused  refused",
    "resume": "already  already    done     already  done     refused  refused  refused",
    "retry": " refused  refused    refused  refused  refused  done     done     done",
    "signal": "done     done       done     done     done     refused  refused  refused",
}


@dataclass(frozen=True)
class Round:
    """How one round ended.

    Attributes:
        state: of the flow: success, fail, cancelled.
        failure: kind and address of the flow's own failure; of a cancel and of the flow's deadline the address is "".
    """

    outcome: str
    state: str
    failure: tuple[str, str] | None
    ended_at: int


@dataclass(frozen=True)
class Expected:
    """How the whole flow must end.

    Attributes:
        water: at the very end.
        failures: the kind of every stream that failed in the last round, by address; failed undos are not among them.
        rivers: final state (success, skipped, fail, cancelled, undone, undo-failed) and calls of each body in total of
            every river whose turn ever came, by full address; one that was stopped before its first call may as well be
            missing. What a later attempt or round did not reach has the state it had.
        undos: moment of its first call (or, if it was never called, of its failure), address and kind of its failure
            for each undo, in the order of these moments, then of addresses.
        atlantic: the body that was called, once for each attempt.
        signals: name and value of what nobody took, in the order of arrival.
        answers: "done", "already" or "refused", one for each thing from outside.
    """

    rounds: tuple[Round, ...]
    water: dict[str, Any]
    failures: dict[str, str]
    rivers: dict[str, tuple[str, dict[str, int]]]
    undos: list[tuple[int, str, str | None]]
    atlantic: list[str]
    signals: list[tuple[str, Any]]
    answers: list[str]


def expect(case: "Case") -> Expected:
    """Return how the case must end; raise `Tie` if it leaves open what comes first."""
    flow = Flow(case)
    flow.run(flow.life())
    rivers: dict[str, tuple[str, dict[str, int]]] = {address: (run.state, {}) for address, run in flow.runs.items()}
    for address, body in flow.calls:
        if address != SEA:
            rivers[address][1][body] = flow.calls[address, body]
    atlantic = [body for address, body in flow.calls.elements() if address == SEA]
    water = {key: json.loads(value) for key, value in flow.water.items()}
    left = [(signal.name, signal.value) for signal in flow.signals]
    return Expected(tuple(flow.rounds), water, flow.failures, rivers, sorted(flow.undos), atlantic, left, flow.answers)


class Flow(Streams):
    """One flow, from its begin to the last thing from outside."""

    def __init__(self, case: "Case") -> None:
        super().__init__(case)
        self.state = "running"
        self.part = Part()
        self.stopped_by = ""
        self.water = encoded(case.water)
        self.rounds: list[Round] = []
        self.answers: list[str] = []
        self.spawn(self.outside())

    def life(self) -> Process[None]:
        """Flow, undo and end, once for each round (8.1, 8.2, 8.4)."""
        end, spring = End("never", {}), self.water
        why = "retried"
        while why == "retried":
            self.state, self.part, self.failures = "running", Part(), {}
            self.spawn(self.deadline(self.part))
            if end.result not in WELL:
                end = yield from self.chain(self.case.chart.streams, Where(self.part), spring, end)
            self.part.ended = True
            outcome, failure = self.outcome(end)
            self.state = "undoing"
            if outcome != "success":
                yield from self.undo(end.runs)
            self.state = "ending"
            failed = yield from self.ending(outcome, written(spring, end.delta | undos(end)))
            self.state, self.paused = ("fail", False) if failed else (outcome, False)
            failure = ("atlantic", self.case.chart.mouth.name) if failed else failure
            self.rounds.append(Round(outcome, self.state, failure, self.now))
            why = yield from self.first(
                retried=lambda: when(self.state == "retried"),
                over=lambda: when(len(self.answers) == len(self.case.outside)),
            )

    def outcome(self, end: End) -> tuple[str, tuple[str, str] | None]:
        """Say how the round ends, and of which failure (7.4, 8.1)."""
        if end.result in WELL:
            return "success", None
        if self.part.cancelled:
            return ("cancelled" if self.stopped_by == "cancelled" else "fail"), (self.stopped_by, "")
        return "fail", end.failure and end.failure[1:]

    def ending(self, outcome: str, water: Water) -> Process[bool]:
        """Call the Atlantic, and say whether it failed for good (8.2)."""
        mouth, body = self.case.chart.mouth, "success" if outcome == "success" else "fail"
        anchor = Anchor(mouth.retry, retry_on=mouth.retry_on, fail_on=mouth.fail_on)
        run = Run(RiverPlace(mouth.name, mouth.atlantic, (body,), anchor), SEA, Where(Part()), water)
        step = yield from self.live(run, (body, self.now))
        self.water = written(water, run.delta)
        return step != "success"

    def deadline(self, part: Part) -> Process[None]:
        """End the round as a cancel does, if it lasts too long (2.11)."""
        due = math.inf if self.case.deadline is None else self.now + self.case.deadline
        over = lambda: when(self.part is not part or self.state != "running")  # noqa: E731 - a moment as any other
        if (yield from self.first(over=over, due=due)) == "due" and not part.cancelled:
            self.stopped_by = "deadline"
            self.cancel(part)

    def outside(self) -> Process[None]:
        """Take what comes from outside."""
        for event in self.case.outside:
            yield from self.first(due=event.at)
            self.answers.append(self.command(event))

    def command(self, event: "Outside") -> str:
        """Do what is told, if it may be done now, and answer."""
        answer = ANSWERS[event.command].split()[SITUATIONS.index(self.situation())]
        if self.state == "running" and self.paused and self.part.cancelled and event.command in {"cancel", "pause"}:
            raise Tie(event)  # its deadline was over in a pause: two columns hold
        match event.command if answer == "done" else "":
            case "cancel":
                self.stopped_by, self.paused = "cancelled", False
                self.cancel(self.part)
            case "pause" | "resume" as command:
                self.paused, self.resumed = command == "pause", self.now
            case "retry":
                self.state = "retried"
            case "signal":
                self.signals.append(event)
            case _:
                pass
        return answer

    def situation(self) -> str:
        """Say which column of `ANSWERS` holds now."""
        if self.state == "running":
            return "paused" if self.paused else "cancelling" if self.part.cancelled else "running"
        return "held" if self.paused else "ending" if self.state == "undoing" else self.state
