"""How does the real course run a scripted case? In virtual time, with no actor, disk or clock.

It plays the part of the actors: bodies last as long as scripted, timers ring, what was let go of comes back late.
"""

import heapq
import itertools
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import msgspec

from tests.course.scripts import Call, Case, Outside
from tests.course.snapshots import snapshot
from vastflow.course import Fact, Progress, Rules, commands, events, facts, fold, step
from vastflow.course.command import judge
from vastflow.course.crossing import flow_in, flow_out
from vastflow.course.delta import Sheet, same, spring
from vastflow.course.facts import Delta, UndoFailed, Undone
from vastflow.course.orders import Alarm, Cross, Do, Go, Order, Recall, Stop, Wait
from vastflow.course.records import ATLANTIC, BasinRecord, JoinRecord, MouthRecord, RiverRecord
from vastflow.course.schedule import after_seconds
from vastflow.course.states import ENDED, LIVE
from vastflow.course.undo import scope_of
from vastflow.drawing.values import encode
from vastflow.errors import Failure

UID = "5a3f0f0e-6a7d-4c52-9d4e-3f1f0f0e6a7d"
MICRO = 1_000_000
ENDLESS = 20_000  # steps: no case needs a tenth of them
FORGIVING = 1_000_000  # no body is taken for poison
COMMANDS: Mapping[str, commands.Command] = {
    "cancel": commands.Cancel(),
    "pause": commands.Pause(),
    "resume": commands.Resume(),
    "retry": commands.Retry(),
}


class Called(NamedTuple):
    """A body was called when so many facts were on disk."""

    facts: int
    address: str
    body: str
    attempt: int
    run: int
    at: int


class Round(NamedTuple):
    """How a round ended."""

    outcome: str
    state: str
    failure: Failure | None
    ended_at: int


@dataclass
class Body:
    """A body that is out: what it has seen and written."""

    order: Do
    script: Call
    known: dict[str, msgspec.Raw]
    began: int
    water: dict[str, msgspec.Raw] = field(default_factory=dict)
    took: tuple[int, ...] = ()

    def write(self, puts: Mapping[str, Any], drops: Sequence[str] = ()) -> None:
        self.water |= encoded(puts)
        for key in drops:
            self.water.pop(key, None)

    def delta(self) -> Delta:
        """Return what it changed since it began or saved."""
        put = {key: value for key, value in self.water.items() if not same(value, self.known.get(key))}
        return Delta(put, tuple(key for key in self.known if key not in self.water))

    def keep(self) -> tuple[Delta, tuple[int, ...]]:
        """Hand over what it changed and took."""
        delta, took = self.delta(), self.took
        self.known, self.took = dict(self.water), ()
        return delta, took


@dataclass
class Run:
    """One running of a case.

    Attributes:
        deaths: the process dies after this step (counted from 1), when so many of the step's facts are on disk.
        away: microseconds until it comes back.
        orderly: it closes in order before it dies.
        told: commands that a case cannot name, and their moments.
        not_before: when it begins, microseconds.
        check: whether the live progress is compared with the folded one after every step.
        calls: whose end was recorded or is still open, by address and body; each of them has one script.
        called: all calls, those which a death interrupted included.
        answers: to what came from outside.
        cut: how many facts there were when the process died, each time.
    """

    case: Case
    deaths: Mapping[int, int] = field(default_factory=dict)
    away: int = 0
    jitter: float = 0.0
    check: bool = True
    orderly: bool = False
    crash_limit: int = FORGIVING
    told: Sequence[tuple[int, commands.Command]] = ()
    not_before: int = 0
    facts: list[Fact] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    called: list[Called] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        """Run to the end."""
        grace = self.case.cancel_grace / MICRO
        tickets = itertools.count(1).__next__
        self.rules = Rules(tickets, jitter=self.jitter, cancel_grace=grace, crash_limit=self.crash_limit)
        self.order = itertools.count()
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.next: deque[Callable[[], None]] = deque()
        self.waiting: dict[int, Do] = {}
        self.out: dict[int, Body] = {}
        self.let_go_of: dict[int, Body] = {}
        self.graced: set[int] = set()
        self.now = 0
        self.served = [(0, 0)]
        told = [*((each.at, command_of(each)) for each in self.case.outside), *self.told]
        self.asked = deque(sorted(told, key=lambda each: each[0]))
        self.progress = self.fresh()
        self.begin()
        while not self.over() and (self.next or self.heap):
            if self.next:
                self.next.popleft()()
            else:
                self.now, _, do = heapq.heappop(self.heap)
                do()

    @property
    def died(self) -> int:
        return len(self.cut)

    def over(self) -> bool:
        return self.progress.state in ENDED and not self.asked

    def fresh(self) -> Progress:
        span = self.case.deadline or 0
        return Progress(self.case.chart, UID, spring(encoded(self.case.water)), deadline=span, span=span)

    def begin(self) -> None:
        """Begin, or go on after a death."""
        self.watch_flow()
        self.ask_next()
        if not self.facts and self.now < self.not_before:
            self.push(self.not_before, partial(self.take, events.Begun(self.not_before)))
        else:
            self.take(events.Recovered(self.now, self.served[:-1]) if self.facts else events.Begun(self.now))

    # One step, and death

    def take(self, event: events.Event, ticket: int = 0) -> None:
        """Take one step; `ticket` is that of the body whose end this is."""
        self.steps += 1
        assert self.steps < ENDLESS, "the flow never ends"
        before = len(self.facts)
        found, orders = step(self.progress, event, self.rules)
        self.facts += found
        if self.check:
            self.compare_with_folded()
        if (kept := self.deaths.get(self.steps)) is not None:
            self.die(before, kept, event, ticket)
            return
        self.out.pop(ticket, None)
        for order in orders:
            self.give(order)

    def die(self, before: int, kept: int, event: events.Event, ticket: int) -> None:
        """Die with so many facts of a step on disk, and come back; of the bodies out one's end may be recorded."""
        said = self.facts[before : before + kept]
        if kept and [type(fact.what) for fact in said] != [facts.Saved]:  # what it wrote is no end of a body
            self.out.pop(ticket, None)
        if self.orderly and kept >= len(self.facts) - before:
            self.facts += step(self.progress, events.Closing(self.now), self.rules)[0]
        else:
            del self.facts[before + kept :]
        if isinstance(event, events.Commanded) and not kept:
            self.asked.appendleft(self.asked_last)
            self.answers.pop()
        self.cut.append(len(self.facts))
        self.calls.subtract((body.order.record.address, body.order.body) for body in self.out.values())
        for known in (self.out, self.let_go_of, self.waiting, self.heap, self.next, self.graced):
            known.clear()
        self.served[-1] = (self.served[-1][0], self.now)
        self.now += self.away
        self.progress = fold(self.fresh(), self.facts)
        self.served.append((self.now, self.now))
        self.begin()

    def compare_with_folded(self) -> None:
        folded = fold(self.fresh(), self.facts)
        assert snapshot(self.progress) == snapshot(folded)

    # What comes from outside

    def ask_next(self) -> None:
        if self.asked:
            self.push(max(self.now, self.asked[0][0]), self.ask)

    def ask(self) -> None:
        died, self.asked_last = self.died, self.asked.popleft()
        told = self.asked_last[1]
        ruling = judge(self.progress, told)
        self.answers.append(ruling.what)
        if ruling.what == "done":
            self.take(events.Commanded(self.now, told, "me"))
        if died == self.died:
            self.ask_next()
            if isinstance(told, commands.Retry):
                self.watch_flow()

    def watch_flow(self) -> None:
        deadline = self.progress.deadline

        def over() -> None:
            if self.progress.deadline == deadline:
                self.take(events.FlowDeadlineOver(self.now))

        if deadline:
            self.push(max(self.now, deadline), over)

    # Orders

    def push(self, at: int, do: Callable[[], None]) -> None:
        heapq.heappush(self.heap, (at, next(self.order), do))

    def seat(self, address: str) -> RiverRecord | BasinRecord | MouthRecord:
        record = self.progress.mouth if address == ATLANTIC else self.progress.records[address]
        assert not isinstance(record, JoinRecord)
        return record

    def give(self, order: Order) -> None:
        """Carry an order out, unless it counts no longer."""
        address, ticket = order.record.address, order.ticket
        if isinstance(order, Alarm):
            if order.record.now.alarm == ticket:
                self.push(order.due, partial(self.alarm, address, ticket))
        elif order.record.now.ticket == ticket:
            self.give_current(order, address, ticket)

    def give_current(  # noqa: C901, PLR0912  # one line for each order
        self, order: Order, address: str, ticket: int
    ) -> None:
        match order:
            case Do(gated=True):
                self.waiting[ticket] = order
                self.next.append(partial(self.current, ticket, events.Ready(self.now, address)))
            case Do():
                self.call(order)
            case Go():
                if (waiting := self.waiting.pop(ticket, None)) is not None:
                    self.call(waiting)
            case Recall():
                self.take_back(address, ticket)
            case Wait(due=due):
                self.push(due, partial(self.current, ticket, events.Due(due, address)))
            case Stop(due=due):
                self.take_back(address, ticket)
                if due and ticket not in self.graced:
                    self.graced.add(ticket)
                    self.push(due, partial(self.given_up, ticket, events.GraceOver(due, address)))
            case Cross():
                self.next.append(partial(self.current, ticket, self.crossed(order)))
            case Alarm():
                pass

    def current(self, ticket: int, event: Any) -> None:
        """Tell something of what is out, if it counts."""
        if self.seat(event.address).now.ticket == ticket:
            self.take(event)

    def take_back(self, address: str, ticket: int) -> None:
        """Take a body back that has not begun."""
        if self.waiting.pop(ticket, None) is not None:
            self.next.append(partial(self.current, ticket, events.Withdrawn(self.now, address)))

    def given_up(self, ticket: int, event: Any) -> None:
        """Let go of a body, since its time is over."""
        if self.seat(event.address).now.ticket == ticket:
            self.let_go(event.address, ticket)
            self.take(event)

    def let_go(self, address: str, ticket: int) -> None:
        if self.waiting.pop(ticket, None) is not None:
            self.next.append(partial(self.take, events.Returned(self.now, address, ticket)))
        else:
            self.let_go_of[ticket] = self.out.pop(ticket)

    def alarm(self, address: str, ticket: int) -> None:
        record = self.progress.records[address]
        if not isinstance(record, RiverRecord) or record.now.alarm != ticket:
            return
        if record.state != "undoing" and record.state not in LIVE:
            return
        if record.now.doing == "body":
            self.let_go(address, record.now.ticket)
        self.take(events.DeadlineOver(self.now, address))

    # Bodies

    def call(self, order: Do) -> None:
        """Let a body begin."""
        record, ticket = order.record, order.ticket
        key = record.address, order.body
        script = self.case.call(*key, self.calls[key])
        self.calls[key] += 1
        self.called.append(Called(len(self.facts), *key, attempt_of(order), record.run, self.now))
        known = dict(self.sheet(order).flat())
        body = self.out[ticket] = Body(order, script, known, self.now, dict(known))
        self.take_signal(body)
        if script.save_at is not None:
            self.push(self.now + script.save_at, partial(self.save, ticket))
        if isinstance(record, RiverRecord) and record.anchor.timeout is not None:
            due = self.now + after_seconds(record.anchor.timeout)
            self.push(due, partial(self.given_up, ticket, events.TimedOut(due, record.address)))
        self.push(self.now + script.duration, partial(self.end, ticket))

    def sheet(self, order: Do) -> Sheet:
        """Return the water that a body sees."""
        river = order.record
        if isinstance(river, MouthRecord):
            return self.progress.water
        if order.body != "undo":
            return river.branch.tip
        left = river.left if river.left is not None else river.branch.tip
        return Sheet(left, river.branch.ebb, river.address) if river.branch.ebb else left

    def take_signal(self, body: Body) -> None:
        record, name = body.order.record, body.script.takes
        if name and isinstance(record, RiverRecord) and name in record.anchor.signals:
            for signal in self.progress.signals.waiting.get(name, [])[:1]:
                body.took = (signal.number,)
                body.water[body.script.into] = signal.value

    def save(self, ticket: int) -> None:
        """Let a body save; what a call does that counts no longer is refused."""
        body = self.out.get(ticket)
        if body is None:
            return
        body.write(body.script.saves)
        self.take(events.Saved(self.now, body.order.record.address, *body.keep()))

    def end(self, ticket: int) -> None:
        """Let a body answer, in time or too late."""
        if (body := self.let_go_of.pop(ticket, None)) is not None:
            address = body.order.record.address
            if ticket in self.seat(address).now.abandoned:
                self.take(events.Returned(self.now, address, ticket, body.script.answer))
            return
        body = self.out[ticket]
        body.write(body.script.puts, body.script.drops)
        self.take(events.Answered(self.now, body.order.record.address, answer_of(body), body.began), ticket)

    def crossed(self, order: Cross) -> events.Crossed:
        """Cross at once: it takes no virtual time."""
        basin = order.record
        outside = basin.branch.tip.flat()
        if order.way == "in":
            added = encoded(self.case.adds(basin.address))
            inside = flow_in(basin.place, basin.address, outside, added)
            if not isinstance(inside, Failure):
                return events.Crossed(self.now, basin.address, water=inside)
            return events.Crossed(self.now, basin.address, failure=inside)
        within = self.progress.inside[basin.address][0].tip.flat()
        left = flow_out(basin.place, basin.address, within, outside)
        if not isinstance(left, Failure):
            return events.Crossed(self.now, basin.address, delta=left)
        return events.Crossed(self.now, basin.address, failure=left)

    # What has become of it

    def river_states(self) -> dict[str, tuple[str, dict[str, int]]]:
        """Return the state of each river that was reached, and how often each of its bodies was called."""
        states: dict[str, tuple[str, dict[str, int]]] = {}
        for address, record in self.progress.records.items():
            if isinstance(record, RiverRecord):
                calls = {body: self.calls[address, body] for body in record.place.bodies}
                states[address] = record.state, {body: count for body, count in calls.items() if count}
        return states

    def atlantic(self) -> list[str]:
        return [called.body for called in self.called if called.address == ATLANTIC]

    def undos(self) -> list[tuple[int, str, str | None]]:
        """Return when each undo was first called (or failed without a call), and its failure's kind."""
        first: dict[tuple[str, int], int] = {}
        for called in self.called:
            if called.body == "undo":
                first.setdefault((called.address, called.run), called.at)
        return sorted(
            (first.get((fact.address, fact.run), fact.at), fact.address, failed_kind(fact.what))
            for fact in self.facts
            if isinstance(fact.what, Undone | UndoFailed)
        )

    @property
    def rounds(self) -> list[Round]:
        """How each round ended."""
        found, told = list[Round](), facts.Outcome("success")
        for fact in self.facts:
            match fact.what:
                case facts.Retried():
                    told = facts.Outcome(told.outcome if told.outcome == "success" else "fail")
                case facts.Outcome() as told:
                    pass
                case facts.Ended(failure=failure):
                    state = "fail" if failure else told.outcome
                    found.append(Round(told.outcome, state, failure or told.failure, fact.at))
                case _:
                    pass
        return found

    def water(self) -> dict[str, Any]:
        return {key: json.loads(bytes(value)) for key, value in self.progress.water.flat().items()}

    def signals(self) -> list[tuple[str, Any]]:
        """Return what nobody took, oldest first."""
        left = [
            (each.number, name, each.value) for name, all_ in self.progress.signals.waiting.items() for each in all_
        ]
        return [(name, json.loads(bytes(value))) for _, name, value in sorted(left, key=lambda each: each[0])]


def failed_kind(what: object) -> str | None:
    return what.failure.kind if isinstance(what, UndoFailed) else None


def attempt_of(order: Do) -> int:
    if order.body == "undo" and isinstance(order.record, RiverRecord):
        return scope_of(order.record).attempt
    return order.record.attempt


def command_of(event: Outside) -> commands.Command:
    if event.command == "signal":
        return commands.Signal(event.name, msgspec.Raw(encode(event.value, event.name)))
    return COMMANDS[event.command]


def encoded(water: Mapping[str, Any]) -> dict[str, msgspec.Raw]:
    return {key: msgspec.Raw(encode(value, key)) for key, value in water.items()}


def answer_of(body: Body) -> events.Answer:  # noqa: C901, PLR0911  # one line for each answer
    script, address, attempt = body.script, body.order.record.address, attempt_of(body.order)
    after = None if script.after is None else script.after / MICRO
    match script.answer:
        case "none" if body.order.body != "when":
            return events.Done(*body.keep())
        case "true" | "false" if body.order.body == "when":
            return events.Chose(script.answer == "true", body.delta())
        case "retry":
            return events.Again(Failure("error", "again", address, attempt), after)
        case "continue":
            return events.NotYet("building", None, after, *body.keep())
        case "fail":
            return events.Broken(Failure("error", "fail", address, attempt))
        case "raise":
            failure = Failure("error", "raised", address, attempt, exception=script.types[0], types=script.types)
            return events.Raised(failure)
        case "bad" | "none" | "true" | "false":
            return events.Broken(Failure("bad-return", "returned an int", address, attempt))
