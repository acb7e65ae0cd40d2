"""How is a flow led by hand, event by event?"""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.course.driver import UID, encoded
from tests.course.flows import drawn
from vastflow.course import Fact, Progress, Rules, commands, events, fold, step
from vastflow.course.delta import spring
from vastflow.course.orders import Order
from vastflow.course.records import RiverRecord
from vastflow.drawing.chart import Place


class Live:
    """One flow; each event comes ten microseconds after the one before."""

    def __init__(self, *streams: Place, water: Mapping[str, Any] | None = None, **rules: Any) -> None:
        self.chart, self.spring = drawn(*streams).chart, encoded(water or {})
        self.rules = Rules(iter(range(1, 1_000)).__next__, jitter=0.0, **rules)
        self.progress = self.fresh()
        self.facts: list[Fact] = []
        self.orders: Sequence[Order] = ()
        self.now = 0

    def fresh(self) -> Progress:
        return Progress(self.chart, UID, spring(self.spring))

    def take(self, event: events.Event) -> list[str]:
        """Take an event, and return the kinds of the facts that follow."""
        facts, self.orders = step(self.progress, event, self.rules)
        self.facts += facts
        return [type(fact.what).__name__ for fact in facts]

    def at(self, later: int = 10) -> int:
        self.now += later
        return self.now

    def begin(self) -> list[str]:
        return self.take(events.Begun(self.now))

    def answer(self, address: str, answer: events.Answer) -> list[str]:
        return self.take(events.Answered(self.at(), address, answer))

    def tell(self, command: commands.Command) -> list[str]:
        return self.take(events.Commanded(self.at(), command, "me"))

    def die(self) -> list[str]:
        """Be folded from the facts, and go on."""
        self.progress = fold(self.fresh(), self.facts)
        return self.take(events.Recovered(self.at()))

    def river(self, address: str) -> RiverRecord:
        record = self.progress.records[address]
        assert isinstance(record, RiverRecord)
        return record

    def told(self) -> list[tuple[str, str]]:
        """Return the orders of the last step: their kinds and for whom they are."""
        return [(type(order).__name__, order.record.address) for order in self.orders]
