"""Which classes, instances and views does a chart mean?

A chart only names them; bound, it holds them. What is bound at start has the classes that were drawn; after a restart
it has those of the registry.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from vastflow.drawing import registry
from vastflow.drawing.addresses import SEA, spots
from vastflow.drawing.atlantic import Atlantic
from vastflow.drawing.attributes import RIVER, anchor_of, read, told_by
from vastflow.drawing.bodies import view_of
from vastflow.drawing.chart import Anchor, Cargo, Chart, RiverPlace
from vastflow.drawing.declaration import own_attributes, revive, shape_of
from vastflow.drawing.fitting import faults_of_view
from vastflow.drawing.headwaters import Headwaters
from vastflow.drawing.river import River
from vastflow.drawing.values import decode
from vastflow.errors import AttributeFault, StoreUnreadable

__all__ = ["Bound", "bind"]

_KEPT = 8  # so many sets of parameters are kept decoded; drawings that differ in every flow gain nothing from more
_Parameters = dict[str, dict[str, msgspec.Raw]]
_Streams = dict[str, River | Atlantic]


class Bound:
    """A chart with the class objects it names.

    Attributes:
        chart: the chart.
        digest: its hash.
        water: the class of the flow's water.
    """

    def __init__(
        self, chart: Chart, digest: str, water: type[Headwaters], classes: Mapping[str, type[River | Atlantic]]
    ) -> None:
        """Bind a chart.

        Args:
            chart: the chart.
            digest: its hash.
            water: the class of the flow's water.
            classes: by (template) address, the Atlantic's under `~`.
        """
        self.chart = chart
        self.digest = digest
        self.water = water
        self._classes = classes
        self._rivers = {river.address: river for river in _rivers(chart)}
        self._present: dict[type, dict[str, Any]] = {}
        self._views: dict[tuple[type, str], type[Headwaters]] = {}
        self._decoded: list[tuple[_Parameters, dict[str, Anchor], _Streams]] = []

    def streams(self, cargo: Cargo) -> Mapping[str, River | Atlantic]:
        """Return the streams by (template) address, the Atlantic under `~`, with their parameters.

        Raises:
            StoreUnreadable: a parameter cannot be read, or the class has other parameters by now.
        """
        for parameters, anchors, streams in self._decoded:
            if parameters is cargo.parameters and anchors == cargo.anchors:
                return streams
        for parameters, anchors, streams in self._decoded:
            if parameters == cargo.parameters and anchors == cargo.anchors:
                return streams
        made = {address: self._made(address, cargo) for address in self._classes}
        self._decoded = [(cargo.parameters, cargo.anchors, made), *self._decoded[: _KEPT - 1]]
        return made

    def present(self) -> dict[str, Anchor]:
        """Return the attributes which the classes of all rivers have by now, by (template) address."""
        return {address: anchor_of(own_attributes(self._classes[address])) for address in self._rivers}

    def view(self, address: str, body: str) -> type[Headwaters]:
        """Return the view of the water this body asks for; the flow's water class if it asks for none."""
        cls = self._classes[address]
        if (cls, body) not in self._views:
            asked = shape_of(cls).bodies.get(body)
            self._views[cls, body] = self.water if asked is None else view_of(asked, self.water)[0]
        return self._views[cls, body]

    def extras(self, address: str) -> frozenset[str]:
        """Return the undeclared keys that are allowed there: the item of an `each`, the added water of a basin."""
        return frozenset() if address == SEA else self._rivers[address].extras

    def is_async(self, address: str, body: str) -> bool:
        """Say whether the body is `async def`."""
        asked = shape_of(self._classes[address]).bodies.get(body)
        return asked is not None and asked.is_async

    def _made(self, address: str, cargo: Cargo) -> River | Atlantic:
        cls = self._classes[address]
        stored = cargo.parameters.get(address, {})
        try:
            parameters = {name: decode(bytes(raw), name) for name, raw in stored.items()}
            return revive(cls, parameters, self._own(address, cargo))
        except AttributeFault as error:
            raise StoreUnreadable(
                f"{address}: what is stored of it does not fit its class by now ({error}): "
                f"give new parameters defaults and keep the old ones until the flows begun before have ended"
            ) from error
        except StoreUnreadable as error:
            raise StoreUnreadable(f"{address}: {error}") from error

    def _own(self, address: str, cargo: Cargo) -> dict[str, Any]:
        """Return the attributes that were drawn (or set by `update`) otherwise than the class has them now.

        Raises:
            AttributeFault: one of them cannot have been drawn.
        """
        if address == SEA:
            return {}
        cls = self._classes[address]
        now = self._present[cls] if cls in self._present else self._present.setdefault(cls, own_attributes(cls))
        drawn = told_by(cargo.anchors.get(address, self._rivers[address].place.anchor))
        return {name: read(RIVER, address, name, value) for name, value in drawn.items() if value != now[name]}


class _River(NamedTuple):
    """Where a river of the chart stands, and which undeclared keys are allowed there."""

    address: str
    place: RiverPlace
    extras: frozenset[str]


def _rivers(chart: Chart) -> Iterator[_River]:
    for address, place, extras in spots(chart.streams):
        if isinstance(place, RiverPlace):
            yield _River(address, place, extras)


def bind(chart: Chart, digest: str) -> Bound:
    """Bind a stored chart to the classes of the registry; nothing is imported for it.

    Raises:
        StoreUnreadable: a class is unknown, or is not by now what the chart says; all of it at once, and what to do.
    """
    faults: list[str] = []
    water = _water_called(chart.water)
    if water is None:
        faults.append(f"the water's class {chart.water} is not known here: {_ADVICE}")
    classes: dict[str, type[River | Atlantic]] = {}
    seen: set[_Seat] = set()
    for seat in _seats(chart):
        cls = registry.find(seat.name)
        if (alike := seat._replace(address="")) not in seen:  # in a fan of thousands, once
            seen.add(alike)
            faults += _unfit(seat, cls, water or Headwaters)
        if cls is not None and issubclass(cls, (River, Atlantic)):
            classes[seat.address] = cls
    if faults:
        told = "".join(f"\n  - {fault}" for fault in dict.fromkeys(faults))
        raise StoreUnreadable(f"the drawing {chart.name!r} (chart {digest[:12]}) cannot be run by this process:{told}")
    return Bound(chart, digest, water or Headwaters, classes)


_ADVICE = "import the module that defines it, or name it in the `renamed_from` of the class that took its place"


class _Seat(NamedTuple):
    """Where a class of the chart stands, its stored name, its bodies as they were, and what is allowed there."""

    address: str
    name: str
    bodies: tuple[str, ...]
    extras: frozenset[str]


def _seats(chart: Chart) -> Iterator[_Seat]:
    for address, place, extras in _rivers(chart):
        yield _Seat(address, place.river, place.bodies, extras)
    yield _Seat(SEA, chart.mouth.atlantic, (), frozenset())


def _unfit(seat: _Seat, cls: type | None, water: type[Headwaters]) -> Iterator[str]:
    """Say why a class cannot stand there any more."""
    kind = Atlantic if seat.address == SEA else River
    if cls is None:
        yield f"{seat.address}: the class {seat.name} is not known here: {_ADVICE}"
    elif not issubclass(cls, kind):
        yield f"{seat.address}: {seat.name} is no {kind.__name__} any more: derive it from {kind.__name__} again"
    else:
        known = shape_of(cls).bodies
        for body in seat.bodies:
            if body not in known:
                yield (
                    f"{seat.address}: {seat.name} has no `{body}` any more: "
                    f"keep it until the flows begun before have ended"
                )
        for body, asked in known.items():
            yield from faults_of_view(f"{seat.address}.{body}", asked, water, seat.extras)


def _water_called(name: str) -> type[Headwaters] | None:
    """Return the latest water class of this name; classes of water are known by being made, as rivers are."""
    found: type[Headwaters] | None = None
    waiting: list[type[Headwaters]] = [Headwaters]
    while waiting:
        cls = waiting.pop(0)
        waiting += cls.__subclasses__()
        if registry.name_of(cls) == name and (found is None or not registry.is_main(cls)):
            found = cls
    return found
