"""Are state and water one?

Invariants on what bodies saw and wrote, what is recorded of it, and what a reader sees in the end.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from vastflow.course.facts import (
    Chosen,
    Completed,
    Cycled,
    Delta,
    Ended,
    Entered,
    Flowed,
    Joined,
    Left,
    Polled,
    Saved,
    Set,
    Skipped,
    Undone,
)
from vastflow.drawing.chart import BasinPlace, EachPlace, ParallelPlace
from vastflow.ledger.reading import read_cargo
from vastflow.testing.simulation.effects import Effect
from vastflow.testing.simulation.history import Entry, History, Node

__all__ = ["WATERS"]

Water = Mapping[str, object]
_WRITTEN = (Chosen, Skipped, Flowed, Polled, Cycled, Saved, Undone, Ended, Completed, Set)
_ANSWERS = {
    Flowed: ({"flow", "reconcile"}, {"done"}),
    Polled: ({"cycle"}, {"continue"}),
    Cycled: ({"cycle"}, {"done"}),
    Undone: ({"undo"}, {"done"}),
    Ended: ({"success", "fail"}, {"done"}),
    Chosen: ({"when"}, {"yes"}),
    Skipped: ({"when"}, {"no"}),
}
_VALUE = re.compile(r"^v\d+\.\d+$")


def _values(delta: Delta) -> list[str]:
    found = (msgspec.json.decode(bytes(raw)) for raw in delta.put.values())
    return [value for value in found if isinstance(value, str) and _VALUE.match(value)]


def deltas_are_those_of_ended_bodies(history: History) -> Iterator[str]:
    """What stands in a fact was written by a body of that run which had ended so, or had saved; and all it wrote."""
    writers = {value: effect for effect in history.effects for value in effect.wrote.values()}
    for entry in history.entries:
        if not isinstance(entry.what, _WRITTEN) or entry.who:
            continue
        values = _values(entry.what.delta)
        for value in values:
            effect = writers.get(value)
            if effect is None or effect.address != entry.address or (effect.run != entry.run and effect.address != "~"):
                yield f"{entry} holds {value}, which was written by {effect}"
            elif (wrong := _said_otherwise(entry, effect, values)) is not None:
                yield wrong


def _said_otherwise(entry: Entry, effect: Effect, values: list[str]) -> str | None:
    if isinstance(entry.what, Saved):
        return None if effect.order < entry.order else f"{entry} was kept before {effect} wrote it"
    bodies, answers = _ANSWERS[type(entry.what)]
    if effect.body not in bodies or effect.answer not in answers or not 0 < effect.over < entry.order:
        return f"{entry} holds what {effect.body} wrote, which answered {effect.answer!r}: {effect}"
    missing = {value for value in effect.wrote.values() if value not in effect.saved and value not in values}
    return f"{entry} has lost {missing} of what {effect} wrote" if missing else None


def bodies_see_what_is_on_disk(history: History) -> Iterator[str]:
    """A body sees nothing that is not in the journal (10.2), unless a river need not be durable (4.9)."""
    if any(not history.anchor(call).durable for call in history.rivers()):
        return
    places = {value: entry for entry in history.entries for value in _written_in(entry)}
    for effect in history.effects:
        for value in _seen(effect.saw.values()):
            entry = places.get(value)
            if entry is None or entry.order >= effect.order:
                yield f"{effect.body} of {effect.address} saw {value}, which came with {entry}"


def _written_in(entry: Entry) -> list[str]:
    return _values(entry.what.delta) if isinstance(entry.what, _WRITTEN) else []


def _seen(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, list):
            yield from _seen(value)
        elif isinstance(value, str) and _VALUE.match(value):
            yield value


def the_water_follows_from_the_journal(history: History) -> Iterator[str]:
    """The final water of a flow that ended well is what its recorded deltas say, one after another."""
    if history.row.state != "success" or history.of("retried", "skipped", "completed", "set") != _own_skips(history):
        return
    start = {key: bytes(raw) for key, raw in read_cargo(history.row).water.items()}
    expected = _through(history, history.root, start)
    for entry in history.entries:
        if entry.address == "~" and isinstance(entry.what, Ended | Saved):
            expected = _laid(expected, entry.what.delta)
    if expected != dict(history.final):
        yield f"the final water is {history.final}, but the journal says {expected}"


def _own_skips(history: History) -> list[Entry]:
    return [entry for entry in history.of("skipped") if not entry.who]


def _laid(water: Mapping[str, bytes], delta: Delta) -> dict[str, bytes]:
    kept = {key: value for key, value in water.items() if key not in delta.drop}
    return {**kept, **{key: bytes(raw) for key, raw in delta.put.items()}}


def _through(history: History, chain: list[Node], water: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the water below a chain, given that above it."""
    flowing = dict(water)
    for node in chain:
        flowing = _below(history, node, flowing)
    return flowing


def _below(history: History, node: Node, water: dict[str, bytes]) -> dict[str, bytes]:
    last = max((e.run for e in history.entries if e.address == node.address), default=0)
    facts = [e for e in history.entries if e.address == node.address and e.run == last]
    if isinstance(node.place, ParallelPlace):
        joined = [e.what for e in facts if isinstance(e.what, Joined)]
        return _merged(history, node, water, joined[-1].branches) if joined else water
    if isinstance(node.place, BasinPlace | EachPlace):
        left = [e.what for e in facts if isinstance(e.what, Left)]
        return _laid(water, left[-1].delta) if left else water
    for entry in history.forward((node.address, last)):
        if isinstance(entry.what, Chosen | Skipped | Flowed | Polled | Cycled | Saved):
            water = _laid(water, entry.what.delta)
    return water


def _merged(history: History, node: Node, water: dict[str, bytes], branches: tuple[int, ...]) -> dict[str, bytes]:
    """Return what the merged branches changed, laid on the water of the fork, later drawn ones last."""
    merged = dict(water)
    for number in branches:
        below = _through(history, node.inside[number], water)
        merged = {key: value for key, value in merged.items() if key in below or key not in water}
        merged |= {key: value for key, value in below.items() if water.get(key) != value}
    return merged


def basins_keep_their_water(history: History) -> Iterator[str]:
    """What a basin lets out is what its own water says, from what flowed in last (5.7)."""
    if history.of("retried", "skipped", "completed", "set") != _own_skips(history):
        return
    flowed_in: dict[str, Entered] = {}
    for entry in history.of("entered", "left"):
        node = history.nodes[entry.address]
        if isinstance(entry.what, Entered):
            flowed_in[entry.address] = entry.what
        elif isinstance(entry.what, Left) and isinstance(node.place, BasinPlace):
            start = {key: bytes(raw) for key, raw in flowed_in[entry.address].water.items()}
            inside = _through(history, node.inside[0], start)
            let_out = {outer: inside.get(inner) for inner, outer in node.place.outputs.items()}
            wrong = {key: raw for key, raw in entry.what.delta.put.items() if bytes(raw) != let_out.get(key)}
            if wrong and _is_last_run(history, entry):
                yield f"{entry} lets {wrong} out, but inside is {let_out}"


def _is_last_run(history: History, entry: Entry) -> bool:
    """Say whether no basin was begun anew since, so that what it holds is in its last run."""
    again = (e for e in history.of("retrying") if e.number > entry.number and e.address in history.nodes)
    return not any(isinstance(history.nodes[e.address].place, BasinPlace) for e in again)


WATERS = (
    deltas_are_those_of_ended_bodies,
    bodies_see_what_is_on_disk,
    the_water_follows_from_the_journal,
    basins_keep_their_water,
)
