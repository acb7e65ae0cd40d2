"""What is known of one flow when all is over?

Its journal as the store has it, each fact with the moment at which it was kept, the effects of its bodies, and where
everything stands.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vastflow.course.facts import Begun, Expanded, Retried, What
from vastflow.drawing.addresses import prefix_inside, template_of
from vastflow.drawing.chart import Anchor, Chain, Chart, EachPlace, ParallelPlace, Place, RiverPlace
from vastflow.ledger.codec import decode_fact
from vastflow.ledger.contract import FlowRow, Reader
from vastflow.ledger.reading import find, read_chart, read_progress
from vastflow.testing.simulation.effects import Effect, EffectLog, Kept

__all__ = ["FORWARD", "SECOND", "Entry", "History", "Node", "read_history"]

FORWARD = frozenset({"when", "flow", "cycle", "reconcile"})
SECOND = 1_000_000

_NEVER_KEPT = Kept(0, 0, 0)
Call = tuple[str, int]


class Entry(NamedTuple):
    """A fact of the journal, and when it was kept."""

    number: int
    kept: Kept
    round: int
    at: int
    address: str
    run: int
    attempt: int
    kind: str
    what: What
    who: str

    @property
    def order(self) -> int:
        """Its place among all that happened."""
        return self.kept.order

    @property
    def gives_up(self) -> bool:
        """Whether a body that was out may have been given up by it, so that it still runs, or even begins."""
        failure = getattr(self.what, "failure", None)
        if failure is not None and failure.kind == "cycles-exhausted":
            failure = failure.cause  # of the last poll, if that did not just say not yet
        overdue = failure is not None and failure.kind in {"timeout", "deadline", "in-doubt"}
        return overdue or getattr(self.what, "abandoned", False)

    def __str__(self) -> str:
        """Say which it is."""
        return f"fact {self.number} ({self.kind} of {self.address!r}, run {self.run})"


@dataclass(slots=True, eq=False)
class Node:
    """Where one stream stands: `branch` of what `above` holds, after `before`."""

    address: str
    place: Place
    above: "Node | None"
    branch: int
    before: "Node | None"
    inside: "list[list[Node]]" = field(default_factory=list)

    def rivers(self) -> "Iterator[Node]":
        """Return all rivers in it, itself included."""
        if isinstance(self.place, RiverPlace):
            yield self
        for branch in self.inside:
            for node in branch:
                yield from node.rivers()

    def around(self) -> "Iterator[Node]":
        """Return all that it stands in, the nearest first."""
        node = self.above
        while node is not None:
            yield node
            node = node.above


@dataclass(slots=True)
class History:
    """One flow.

    Attributes:
        nodes: everything drawn, by address; as many branches of an `each` as there ever were.
        kinds: facts by kind; `calls`: by stream and run; `done`: effects of the same.
        lives: how often the process was started.
        final: the water a reader finds in the end, encoded values by key.
    """

    row: FlowRow
    chart: Chart
    entries: list[Entry]
    effects: list[Effect]
    root: list[Node]
    nodes: Mapping[str, Node]
    kinds: Mapping[str, list[Entry]]
    calls: Mapping[Call, list[Entry]]
    done: Mapping[Call, list[Effect]]
    log: EffectLog
    lives: int
    final: Mapping[str, bytes]
    _anchors: dict[tuple[Call, int], Anchor] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[Entry]:
        """Return the facts of these kinds, in order."""
        if len(kinds) == 1:
            return self.kinds.get(kinds[0], [])
        return sorted((entry for kind in kinds for entry in self.kinds.get(kind, ())), key=_number)

    def river(self, address: str) -> RiverPlace:
        """Return the place of a river."""
        place = self.nodes[address].place
        if not isinstance(place, RiverPlace):
            raise TypeError(address)
        return place

    def anchor(self, call: Call, number: int = 0) -> Anchor:
        """Return the attributes which a run of a river began with, or which it had in the round of this number."""
        known = self._anchors.get((call, number))
        if known is None:
            known = self._anchors[call, number] = self._find_anchor(call, number)
        return known

    def _find_anchor(self, call: Call, number: int) -> Anchor:
        first = [each.round for each in (*self.calls.get(call, ())[:1], *self.done.get(call, ())[:1])]
        found, template = self.river(call[0]).anchor, template_of(call[0])
        for entry in self.of("retried"):
            if isinstance(entry.what, Retried) and entry.round <= (number or min(first, default=1)):
                found = entry.what.anchors.get(template, found)
        return found

    def is_changed(self, call: Call) -> bool:
        """Say whether the attributes of a run changed under way, by a retry with those of its class."""
        return any(self.anchor(call, entry.round) != self.anchor(call) for entry in self.calls.get(call, ()))

    def rivers(self) -> list[Call]:
        """Return each run of each river that a fact or an effect speaks of."""
        known = dict.fromkeys((*self.calls, *self.done))
        return [call for call in known if call[0] in self.nodes and isinstance(self.nodes[call[0]].place, RiverPlace)]

    def forward(self, call: Call) -> list[Entry]:
        """Return the facts of a river's run before its undo began."""
        found: list[Entry] = []
        for entry in self.calls.get(call, ()):
            if isinstance(entry.what, Begun) and entry.what.body == "undo":
                break
            found.append(entry)
        return found

    def bodies(self, call: Call, *names: str) -> list[Effect]:
        """Return the effects of these bodies of a run."""
        return [effect for effect in self.done.get(call, ()) if effect.body in names]


def read_history(reader: Reader, flow_id: str, log: EffectLog, lives: int) -> History:
    """Return what is known of a flow."""
    row = find(reader, flow_id)
    chart = read_chart(reader, row)
    entries = list(_entries(reader, flow_id, log))
    counts: dict[str, int] = defaultdict(int)
    for entry in entries:
        if isinstance(entry.what, Expanded):
            counts[entry.address] = max(counts[entry.address], entry.what.count)
    root = _chain(chart.streams, "", "", None, 0, counts)
    calls: dict[Call, list[Entry]] = defaultdict(list)
    kinds: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        calls[entry.address, entry.run].append(entry)
        kinds[entry.kind].append(entry)
    effects = [effect for effect in log.effects if effect.flow == flow_id]
    done: dict[Call, list[Effect]] = defaultdict(list)
    for effect in effects:
        done[effect.call].append(effect)
    nodes = {node.address: node for node in _all(root)}
    final = {key: bytes(raw) for key, raw in read_progress(reader, row).water.flat().items()}
    return History(row, chart, entries, effects, root, nodes, kinds, calls, done, log, lives, final)


def _number(entry: Entry) -> int:
    return entry.number


def _entries(reader: Reader, flow_id: str, log: EffectLog) -> Iterator[Entry]:
    for row in reader.facts(flow_id):
        kept = log.kept.get((flow_id, row.number), _NEVER_KEPT)
        what = decode_fact(row).what
        yield Entry(row.number, kept, row.round, row.at, row.address, row.run, row.attempt, row.kind, what, row.who)


def _all(chain: list[Node]) -> Iterator[Node]:
    for node in chain:
        yield node
        for branch in node.inside:
            yield from _all(branch)


def _chain(
    chain: Chain, prefix: str, suffix: str, above: Node | None, branch: int, counts: Mapping[str, int]
) -> list[Node]:
    found: list[Node] = []
    for place in chain:
        node = Node(prefix + place.name + suffix, place, above, branch, found[-1] if found else None)
        node.inside = _inside(node, prefix, suffix, counts)
        found.append(node)
    return found


def _inside(node: Node, prefix: str, suffix: str, counts: Mapping[str, int]) -> list[list[Node]]:
    place, address = node.place, node.address
    if isinstance(place, RiverPlace):
        return []
    if isinstance(place, ParallelPlace):
        return [_chain(chain, prefix, "", node, number, counts) for number, chain in enumerate(place.branches)]
    if isinstance(place, EachPlace):
        alone = prefix_inside(place, prefix) == prefix
        spots = [
            (prefix, f"{suffix}[{number}]") if alone else (f"{address}[{number}]/", "")
            for number in range(counts.get(address, 0))
        ]
        return [_chain(place.streams, *spot, node, number, counts) for number, spot in enumerate(spots)]
    return [_chain(place.streams, f"{address}/", "", node, 0, counts)]
