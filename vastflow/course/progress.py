"""How far has a flow come?

One progress per flow, owned by one supervisor and changed in place, by facts only.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Literal

from vastflow.course.delta import Sheet
from vastflow.course.facts import Delta
from vastflow.course.records import BasinRecord, Branch, JoinRecord, MouthRecord, Record, RiverRecord
from vastflow.course.signals import Signals
from vastflow.course.states import FlowState
from vastflow.drawing.chart import Anchor, Chart
from vastflow.errors import Failure

__all__ = ["Progress"]


class Progress:
    """How far one flow has come.

    Attributes:
        chart: its drawing.
        anchors: attributes that differ from the chart's, by address.
        uid: what keys are derived from.
        deadline: of the flow, microseconds; 0 for none. `span`: how long a round may take, where it was given so.
        number: of the last fact.
        last: when that was, microseconds.
        cancelling: why the flow is being cancelled; empty if it is not.
        paused: since when, microseconds; 0 if it is not. `pauses` are those which are over.
        poison: which failure strands it.
        records: what was reached, by address.
        inside: the branches of each parallel river and basin, by its address.
        signals: those that came, and who wants them.
        atomics: rivers that run on when all around them is cancelled.
        mended: what somebody skipped (None) or completed (what it wrote) after the flow had ended, for the next round.
        sea: the water that the Atlantic sees, once the flow has come there.
        ends, begins: the agenda: what must be considered next.
    """

    __slots__ = (
        "_signals",
        "anchors",
        "atomics",
        "begins",
        "cancelling",
        "chart",
        "deadline",
        "ends",
        "failure",
        "failures",
        "inside",
        "last",
        "mended",
        "mouth",
        "number",
        "outcome",
        "paused",
        "pauses",
        "poison",
        "records",
        "root",
        "round",
        "sea",
        "span",
        "state",
        "uid",
    )

    def __init__(
        self,
        chart: Chart,
        uid: str,
        spring: Sheet,
        anchors: Mapping[str, Anchor] | None = None,
        deadline: int = 0,
        span: int = 0,
    ) -> None:
        """Stand before the first fact."""
        self.chart = chart
        self.uid = uid
        self.anchors: Mapping[str, Anchor] = anchors or {}
        self.deadline, self.span = deadline, span
        self.state: FlowState = "init"
        self.outcome: Literal["", "success", "fail", "cancelled"] = ""
        self.failure: Failure | None = None
        self.failures: dict[str, Failure] = {}
        self.cancelling: Literal["", "cancelled", "deadline"] = ""
        self.paused = 0
        self.pauses: tuple[tuple[int, int], ...] = ()
        self.poison: Failure | None = None
        self.round = 1
        self.number = self.last = 0
        self.root = Branch(chart.streams, None, 0, "", spring)
        self.records: dict[str, Record] = {}
        self.inside: dict[str, list[Branch]] = {}
        self._signals: Signals | None = None
        self.mended: dict[str, Delta | None] = {}
        self.atomics: dict[RiverRecord, None] = {}
        self.mouth = MouthRecord(chart.mouth)
        self.sea: Sheet | None = None
        self.ends: list[Branch | JoinRecord | BasinRecord] = []
        self.begins: deque[Record | MouthRecord] = deque()

    @property
    def signals(self) -> Signals:
        """The flow's signals; made when first asked for, since most flows have none."""
        if self._signals is None:
            self._signals = Signals()
        return self._signals

    @property
    def held(self) -> bool:
        """Say whether no body may begin now."""
        return self.paused > 0 or self.poison is not None

    def performers(self) -> Iterator[RiverRecord | MouthRecord]:
        """Return all that has bodies and was reached, and the Atlantic."""
        yield self.mouth
        for record in self.records.values():
            if isinstance(record, RiverRecord):
                yield record

    @property
    def water(self) -> Sheet:
        """The water of the flow: as its last stream left it, and once it has come to the sea, as that sees it."""
        return self.sea if self.sea is not None else self.root.tip
