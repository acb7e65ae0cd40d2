"""How does the real course run a scripted case? In virtual time, with no actor, disk or clock."""

import heapq
import itertools
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.course.scripts import Call, Case
from vastflow.course import Fact, Progress, Rules, events, fold, step
from vastflow.course.crossing import flow_in, flow_out
from vastflow.course.delta import Sheet, same, spring
from vastflow.course.facts import Delta
from vastflow.course.orders import Cross, Do, Order, Stop, Wait
from vastflow.course.progress import ATLANTIC, BasinRecord, Branch, JoinRecord, MouthRecord, RiverRecord
from vastflow.drawing.values import canonical, encode
from vastflow.errors import Failure

UID = "5a3f0f0e-6a7d-4c52-9d4e-3f1f0f0e6a7d"
MICRO = 1_000_000


@dataclass
class Run:
    """One running of a case; `cuts` are the numbers of facts after which the process dies."""

    case: Case
    cuts: set[int] = field(default_factory=set)
    check: bool = True
    facts: list[Fact] = field(default_factory=list)
    flow_calls: dict[str, int] = field(default_factory=dict)
    cycle_calls: dict[str, int] = field(default_factory=dict)
    atlantic: list[str] = field(default_factory=list)
    crashes: int = 0

    def __post_init__(self) -> None:
        self.rules = Rules(itertools.count(1).__next__, jitter=0.0, cancel_grace=1e6)
        self.order = itertools.count()
        self.heap: list[tuple[int, int, events.Event, int]] = []
        self.now = 0
        self.served = [(0, 0)]
        self.progress = self.fresh()
        self.take(events.Begun(0))
        while self.heap and self.progress.state not in {"success", "fail", "cancelled"}:
            self.now, _, event, ticket = heapq.heappop(self.heap)
            if self.is_current(event, ticket):
                self.take(event)

    def fresh(self) -> Progress:
        return Progress(self.case.chart, UID, spring(encoded(self.case.water)))

    def is_current(self, event: events.Event, ticket: int) -> bool:
        address = event.address  # type: ignore[union-attr]  # only events about a stream are put on the heap
        record = self.progress.mouth if address == ATLANTIC else self.progress.records[address]
        return not isinstance(record, JoinRecord) and record.now.ticket == ticket

    def take(self, event: events.Event) -> None:
        before = len(self.facts)
        facts, orders = step(self.progress, event, self.rules)
        self.facts += facts
        if self.check:
            self.compare_with_folded()
        if cut := self.cut_within(before, len(self.facts)):
            self.crash(cut)
        else:
            self.give(orders)

    def cut_within(self, before: int, after: int) -> int:
        return next((cut for cut in sorted(self.cuts) if before < cut <= after), 0)

    def crash(self, cut: int) -> None:
        """Die when fact number `cut` is the last on disk, and go on at once."""
        self.cuts.discard(cut)
        self.crashes += 1
        del self.facts[cut:]
        self.heap.clear()
        self.served[-1] = (self.served[-1][0], self.now)
        self.progress = fold(self.fresh(), self.facts)
        facts, orders = step(self.progress, events.Resumed(self.now, self.served), self.rules)
        self.facts += facts
        self.served.append((self.now, self.now))
        self.give(orders)

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
                    self.cross(order)

    def push(self, at: int, event: events.Event, ticket: int) -> None:
        heapq.heappush(self.heap, (at, next(self.order), event, ticket))

    def call(self, order: Do) -> None:
        record = order.record
        sheet = record.branch.tip if isinstance(record, RiverRecord) else self.progress.root.tip
        script = self.script(order)
        at = self.now + script.duration
        answer = answer_of(script, sheet, record.address, record.attempt)
        self.push(at, events.Answered(at, record.address, answer), order.ticket)

    def script(self, order: Do) -> Call:
        address = order.record.address
        if isinstance(order.record, MouthRecord):
            self.atlantic.append(order.body)
            calls, made = self.case.atlantic[order.body], len(self.atlantic)
        else:
            counts = self.flow_calls if order.body == "flow" else self.cycle_calls
            counts[address] = made = counts.get(address, 0) + 1
            calls = self.case.scripts[address][0 if order.body == "flow" else 1]
        return calls[made - 1] if made <= len(calls) else self.case.silent

    def cross(self, order: Cross) -> None:
        """Cross at once: it takes no virtual time."""
        basin = order.record
        outside = basin.branch.tip.flat()
        if order.way == "in":
            added = encoded(self.case.added.get(basin.address, {}))
            inside = flow_in(basin.place, basin.address, outside, added)
            crossed = events.Crossed(self.now, basin.address, water=None if isinstance(inside, Failure) else inside)
            failed = inside if isinstance(inside, Failure) else None
        else:
            left = flow_out(
                basin.place, basin.address, self.progress.inside[basin.address][0].tip.flat(), outside
            )
            crossed = events.Crossed(self.now, basin.address, delta=None if isinstance(left, Failure) else left)
            failed = left if isinstance(left, Failure) else None
        if failed is not None:
            crossed = events.Crossed(self.now, basin.address, failure=failed)
        if basin.now.ticket == order.ticket:
            self.take(crossed)

    def river_states(self) -> dict[str, tuple[str, int, int]]:
        states = {}
        for address in self.case.scripts:
            record = self.progress.records.get(address)
            state = record.state if record is not None else "init"
            states[address] = (state, self.flow_calls.get(address, 0), self.cycle_calls.get(address, 0))
        return states

    def water(self) -> dict[str, Any]:
        return {key: json.loads(bytes(value)) for key, value in self.progress.root.tip.flat().items()}


def encoded(water: Mapping[str, Any]) -> dict[str, msgspec.Raw]:
    return {key: msgspec.Raw(encode(value, key)) for key, value in water.items()}


def answer_of(script: Call, sheet: Sheet, address: str, attempt: int) -> events.Answer:
    match script.answer:
        case "none":
            return events.Done(delta_of(script, sheet))
        case "retry":
            after = None if script.after is None else script.after / MICRO
            return events.Again(Failure("error", "again", address, attempt), after)
        case "continue":
            after = None if script.after is None else script.after / MICRO
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
    return (branch.number, branch.prefix, branch.cursor, branch.state, branch.cancelled, branch.failure, water)


def record_snapshot(record: RiverRecord | JoinRecord | BasinRecord) -> tuple[Any, ...]:
    match record:
        case RiverRecord():
            waits = (record.due, record.first, record.since, record.failed_polls)
            return (record.state, record.run, record.attempt, record.polls, record.failure, waits)
        case JoinRecord():
            return (record.state, record.run, record.open, record.failed, record.first, record.failing)
        case BasinRecord():
            return (record.state, record.run, record.entered)
