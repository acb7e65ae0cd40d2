"""How is a drawing laid flat for one flow?

What does not depend on the water is worked out once and kept with the Andes until it changes: its plan. What is left
for each flow is its starting water, and `update` where a river has one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from vastflow.drawing.andes import Andes
from vastflow.drawing.attributes import Attributes, anchor_of, clashes
from vastflow.drawing.bound import Bound, bind
from vastflow.drawing.chart import Anchor, Cargo, Chart
from vastflow.drawing.declaration import attributes_of, shape_of
from vastflow.drawing.fitting import faults_of_keys, faults_of_signals, faults_of_view
from vastflow.drawing.flattening import Flattening
from vastflow.drawing.headwaters import Headwaters, declared
from vastflow.drawing.registry import name_of
from vastflow.drawing.river import River
from vastflow.errors import DrawingError, WaterError

__all__ = ["Bound", "Laid", "bind", "lay"]


@dataclass(frozen=True, slots=True)
class Laid:
    """A drawing laid flat for one flow.

    Attributes:
        chart: its flat form, the same for all flows drawn alike.
        digest: the chart's hash.
        stored: the chart's bytes.
        cargo: what this flow brings.
        bound: the chart with its classes.
    """

    chart: Chart
    digest: str
    stored: bytes
    cargo: Cargo
    bound: Bound


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of a drawing is the same for all its flows."""

    chart: Chart
    digest: str
    stored: bytes
    parameters: dict[str, dict[str, msgspec.Raw]]
    bound: Bound
    hooked: tuple[tuple[str, River], ...]
    needed: tuple[str, ...]
    faults: tuple[str, ...]


def lay(andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any]) -> Laid:
    """Lay a drawing flat for one flow.

    Args:
        andes: the drawing.
        water: what the flow begins with, over what was drawn with `draw_headwaters`.
        values: single keys over that.

    Raises:
        DrawingError: the drawing or the water is wrong; all faults at once.
        AttributeFault: an `update` set what is not possible; whatever else it raises comes through as well.
    """
    plan: _Plan = andes.plan or _laid_flat(andes)
    faults = list(plan.faults)
    start = _starting(andes, water, values, faults)
    if missing := [key for key in plan.needed if key not in start]:
        faults += [_missing(andes, key) for key in missing if not _is_given(key, water, values, andes.headwaters)]
    if faults:
        raise DrawingError(andes.name, tuple(faults))
    andes.plan = plan
    encoded = {key: msgspec.Raw(value) for key, value in start.encoded().items()}
    anchors = _updated(plan, encoded) if plan.hooked else {}
    return Laid(plan.chart, plan.digest, plan.stored, Cargo(encoded, plan.parameters, anchors), plan.bound)


def _laid_flat(andes: Andes[Any]) -> _Plan:
    try:
        return _planned(andes)
    except RecursionError:
        fault = (
            f"{andes!r}: it nests too deep to be laid flat: draw fewer basins and parallel rivers inside one another"
        )
        raise DrawingError(andes.name, (fault,)) from None


def _planned(andes: Andes[Any]) -> _Plan:
    flat = Flattening(repr(andes))
    chart = Chart(andes.name, name_of(andes.water), flat.streams(andes.streams), flat.mouth(andes.atlantic))
    stored, digest = chart.to_bytes(), chart.digest()
    bound = Bound(chart, digest, andes.water, {address: type(stream) for address, stream in flat.drawn.items()})
    keys = declared(andes.water)
    faults = [*flat.faults, *(one.fault for one in keys.values() if one.fault)]
    faults += faults_of_keys(chart, andes.water)
    faults += faults_of_signals(chart.streams)
    faults += _faults_of_views(flat, bound)
    hooked = tuple((at, it) for at, it in flat.drawn.items() if isinstance(it, River) and _has_update(it))
    needed = tuple(key for key, one in keys.items() if one.required)
    return _Plan(chart, digest, stored, flat.parameters, bound, hooked, needed, tuple(faults))


def _has_update(river: River) -> bool:
    return "update" in shape_of(type(river)).bodies


def _faults_of_views(flat: Flattening, bound: Bound) -> Iterator[str]:
    """Say which views do not fit, each once, however often its class is drawn."""
    seen: set[tuple[type, frozenset[str]]] = set()
    for address, stream in flat.drawn.items():
        cls, extras = type(stream), bound.extras(address)
        if (cls, extras) not in seen:
            seen.add((cls, extras))
            for name, body in shape_of(cls).bodies.items():
                yield from faults_of_view(f"{address}.{name}", body, bound.water, extras)


def _starting(
    andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any], faults: list[str]
) -> Headwaters:
    """Return the starting water; what cannot be in it is added to the faults."""
    if type(water) is andes.water and not values and not andes.headwaters:
        return cast("Headwaters", water)  # the common case: nothing to put together
    made: Headwaters
    if not (water is None or isinstance(water, (dict, Mapping))):
        faults.append(f"{andes!r}: {water!r} is no water: write start({andes.water.__qualname__}(...)), or key=value")
        made = andes.water()
        return made
    told = {**andes.headwaters, **(water or {}), **values}
    try:
        made = andes.water(told)
    except WaterError:
        made = _put_singly(andes, told, faults)
    return made


def _put_singly(andes: Andes[Any], told: Mapping[str, Any], faults: list[str]) -> Headwaters:
    made: Headwaters = andes.water()
    for key, value in told.items():
        try:
            made[key] = value
        except WaterError as error:
            faults.append(f"{andes!r}: in the starting water, {error}")
    return made


def _is_given(key: str, *waters: Mapping[str, Any] | None) -> bool:
    """Say whether a key was given; that its value could not be taken is a fault already."""
    return any(isinstance(water, Mapping) and key in water for water in waters)


def _missing(andes: Andes[Any], key: str) -> str:
    water = andes.water.__qualname__
    return f"{andes!r}: {water} needs {key!r} at start: write start({key}=...), or declare `{key}: ... = later()`"


def _updated(plan: _Plan, encoded: Mapping[str, msgspec.Raw]) -> dict[str, Anchor]:
    """Let every `update` see the starting water, and return the attributes they changed."""
    changed: dict[str, Anchor] = {}
    faults: list[str] = []
    for address, river in plan.hooked:
        where = f"{address} ({type(river).__qualname__})"
        drawn = attributes_of(river)
        attributes = Attributes(where, {**drawn, "retry_on": river.retry_on, "fail_on": river.fail_on})
        view = plan.bound.view(address, "update")
        river.update(attributes, view.open(encoded, place=address, read_only=True, extra=plan.bound.extras(address)))
        told = attributes.values()
        faults += [f"{where}: after update(), {clash}" for clash in clashes(told, shape_of(type(river)).bodies)]
        if (anchor := anchor_of(told)) != anchor_of(drawn):
            changed[address] = anchor
    if faults:
        raise DrawingError(plan.chart.name, tuple(faults))
    return changed
