"""How does the real course run a scripted case? In virtual time, with no actor, disk or clock."""

import heapq
import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from tests.course.scripts import Call, Case
from vastflow.course import Fact, Progress, Rules, events, fold, step
from vastflow.course.crossing import flow_in, flow_out
from vastflow.course.delta import Sheet, same, spring
from vastflow.course.facts import Delta
from vastflow.course.orders import Cross, Do, Order, Stop, Wait
from vastflow.course.progress import ATLANTIC, BasinRecord, Branch, JoinRecord, MouthRecord, RiverRecord
from vastflow.course.states import ENDED
from vastflow.drawing.values import canonical, encode
from vastflow.errors import Failure

UID = "5a3f0f0e-6a7d-4c52-9d4e-3f1f0f0e6a7d"
MICRO = 1_000_000
ENDLESS = 20_000  # steps: no case needs a tenth of them


class Called(NamedTuple):
    """A body was called when so many facts were on disk."""

    facts: int
    address: str
    body: str
    attempt: int


@dataclass
class Run:
    """One running of a case.

    Attributes:
        deaths: the process dies after this step (counted from 1), when so many of the step's facts are on disk.
        away: microseconds until it comes back.
        check: whether the live progress is compared with the folded one after every step.
        calls: whose end was recorded or is still open, by address and body; each of them has one script.
        called: all calls, those which a death interrupted included.
    """

    case: Case
    deaths: Mapping[int, int] = field(default_factory=dict)
    away: int = 0
    jitter: float = 0.0
    check: bool = True
    facts: list[Fact] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    called: list[Called] = field(default_factory=list)
    steps: int = 0
    died: int = 0

    def __post_init__(self) -> None:
        """Run to the end."""
        self.rules = Rules(itertools.count(1).__next__, jitter=self.jitter, cancel_grace=1e6)
        self.order = itertools.count()
        self.heap: list[tuple[int, int, events.Event, int]] = []
        self.out: dict[int, tuple[str, str]] = {}
        self.now = 0
        self.served = [(0, 0)]
        self.progress = self.fresh()
        self.take(events.Begun(0))
        while self.heap and self.progress.state not in ENDED:
            self.now, _, event, ticket = heapq.heappop(self.heap)
            if self.is_current(event, ticket):
                self.take(event, ticket)

    def fresh(self) -> Progress:
        return Progress(self.case.chart, UID, spring(encoded(self.case.water)))

    def is_current(self, event: events.Event, ticket: int) -> bool:
        address = event.address  # type: ignore[union-attr]  # only events about a stream are put on the heap
        record = self.progress.mouth if address == ATLANTIC else self.progress.records[address]
        return not isinstance(record, JoinRecord) and record.now.ticket == ticket

    def take(self, event: events.Event, ticket: int = 0) -> None:
        self.steps += 1
        assert self.steps < ENDLESS, "the flow never ends"
        before = len(self.facts)
        facts, orders = step(self.progress, event, self.rules)
        self.facts += facts
        if self.check:
            self.compare_with_folded()
        if self.steps in self.deaths:
            self.die(before + self.deaths[self.steps], ticket if self.deaths[self.steps] else 0)
        else:
            self.out.pop(ticket, None)
            self.give(orders)

    def die(self, cut: int, recorded: int) -> None:
        """Die with so many facts on disk, and come back; of the bodies that were out, one's end may be recorded."""
        self.died += 1
        self.out.pop(recorded, None)
        self.calls.subtract(self.out.values())
        self.out.clear()
        self.heap.clear()
        del self.facts[cut:]
        self.served[-1] = (self.served[-1][0], self.now)
        self.now += self.away
        self.progress = fold(self.fresh(), self.facts)
        self.served.append((self.now, self.now))
        if self.facts:
            self.take(events.Resumed(self.now, self.served[:-1]))
        else:
            self.take(events.Begun(self.now))  # a flow is on disk with its first fact, or not at all

    def compare_with_folded(self) -> None:
        folded = fold(self.fresh(), self.facts)
        assert snapshot(self.progress) == snapshot(folded)

    def give(self, orders: list[Order]) -> None:
        for order in orders:
            match order:
                case Do():
                    self.call(order)
                case Wait(record=record, due=due, ticket=ticket):
                    self.push(due, events.Due(due, record.address), ticket)
                case Stop(record=record, due=due, ticket=ticket):
                    self.push(due, events.GraceOver(due, record.address), ticket)
                case Cross():
                    self.push(self.now, self.crossed(order), order.ticket)

    def push(self, at: int, event: events.Event, ticket: int) -> None:
        heapq.heappush(self.heap, (at, next(self.order), event, ticket))

    def call(self, order: Do) -> None:
        record = order.record
        self.out[order.ticket] = record.address, order.body
        self.calls[record.address, order.body] += 1
        self.called.append(Called(len(self.facts), record.address, order.body, record.attempt))
        sheet = record.branch.tip if isinstance(record, RiverRecord) else self.progress.root.tip
        script = self.script(order)
        at = self.now + script.duration
        answer = answer_of(script, sheet, record.address, record.attempt)
        self.push(at, events.Answered(at, record.address, answer), order.ticket)

    def script(self, order: Do) -> Call:
        address, body = order.record.address, order.body
        if isinstance(order.record, MouthRecord):
            calls = self.case.atlantic[body]
        else:
            calls = self.case.scripts[address][0 if body == "flow" else 1]
        number = self.calls[address, body] - 1
        return calls[number] if number < len(calls) else self.case.silent

    def crossed(self, order: Cross) -> events.Crossed:
        """Cross at once: it takes no virtual time."""
        basin = order.record
        outside = basin.branch.tip.flat()
        if order.way == "in":
            added = encoded(self.case.added.get(basin.address, {}))
            inside = flow_in(basin.place, basin.address, outside, added)
            if not isinstance(inside, Failure):
                return events.Crossed(self.now, basin.address, water=inside)
            return events.Crossed(self.now, basin.address, failure=inside)
        within = self.progress.inside[basin.address][0].tip.flat()
        left = flow_out(basin.place, basin.address, within, outside)
        if not isinstance(left, Failure):
            return events.Crossed(self.now, basin.address, delta=left)
        return events.Crossed(self.now, basin.address, failure=left)

    def river_states(self) -> dict[str, tuple[str, int, int]]:
        states: dict[str, tuple[str, int, int]] = {}
        for address in self.case.scripts:
            record = self.progress.records.get(address)
            state = record.state if record is not None else "init"
            states[address] = (state, self.calls[address, "flow"], self.calls[address, "cycle"])
        return states

    def atlantic(self) -> list[str]:
        return [called.body for called in self.called if called.address == ATLANTIC]

    def water(self) -> dict[str, Any]:
        return {key: json.loads(bytes(value)) for key, value in self.progress.root.tip.flat().items()}


def encoded(water: Mapping[str, Any]) -> dict[str, msgspec.Raw]:
    return {key: msgspec.Raw(encode(value, key)) for key, value in water.items()}


def answer_of(script: Call, sheet: Sheet, address: str, attempt: int) -> events.Answer:
    after = None if script.after is None else script.after / MICRO
    match script.answer:
        case "none":
            return events.Done(delta_of(script, sheet))
        case "retry":
            return events.Again(Failure("error", "again", address, attempt), after)
        case "continue":
            return events.NotYet("building", None, after, delta_of(script, sheet))
        case "fail":
            return events.Broken(Failure("error", "fail", address, attempt))
        case "bad":
            return events.Broken(Failure("bad-return", "returned an int", address, attempt))
        case "raise":
            failure = Failure("error", "raised", address, attempt, exception=script.types[0], types=script.types)
            return events.Raised(failure)


def delta_of(script: Call, sheet: Sheet) -> Delta:
    water = sheet.flat()
    put = {key: value for key, value in encoded(script.puts).items() if key not in script.drops}
    return Delta(
        {key: value for key, value in put.items() if not same(value, water.get(key))},
        tuple(key for key in script.drops if key in water),
    )


def snapshot(progress: Progress) -> dict[str, Any]:
    """Return all of a progress that is told by facts."""
    return {
        "flow": (progress.state, progress.outcome, progress.failure, progress.number, progress.last),
        "failures": dict(progress.failures),
        "mouth": (progress.mouth.attempt, progress.mouth.due),
        "root": branch_snapshot(progress.root),
        "inside": {key: [branch_snapshot(each) for each in inside] for key, inside in progress.inside.items()},
        "records": {address: record_snapshot(record) for address, record in progress.records.items()},
    }


def branch_snapshot(branch: Branch) -> tuple[Any, ...]:
    water = {key: canonical(bytes(value)) for key, value in branch.tip.flat().items()}
    where = (branch.number, branch.prefix, branch.cursor, branch.state)
    return (*where, branch.cancelled, branch.failure, branch.cause, water)


def record_snapshot(record: RiverRecord | JoinRecord | BasinRecord) -> tuple[Any, ...]:
    match record:
        case RiverRecord():
            waits = (record.due, record.first, record.since, record.failed_polls)
            return (record.state, record.run, record.attempt, record.polls, record.failure, waits)
        case JoinRecord():
            return (record.state, record.run, record.open, record.failed, record.first, record.cause, record.failing)
        case BasinRecord():
            return (record.state, record.run, record.entered)
