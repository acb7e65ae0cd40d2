"""How does a drawing become flat?

Each stream gets its name and address, its attributes are read, its parameters encoded; every fault is noted on the way
and none stops it, so that all are told at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vastflow.drawing import registry
from vastflow.drawing.addresses import SEA
from vastflow.drawing.atlantic import Atlantic
from vastflow.drawing.attributes import anchor_of, waits_of
from vastflow.drawing.basin import Basin
from vastflow.drawing.chart import Anchor, BasinPlace, Chain, EachPlace, Mouth, ParallelPlace, Place, RiverPlace
from vastflow.drawing.declaration import Declared, attributes_of, is_named, is_plain, parameters_of, shape_of
from vastflow.drawing.names import Wanted, faults_of_name, filled, given_out, kebab
from vastflow.drawing.parallel_river import Chained, Each, ParallelRiver, Stream, links
from vastflow.drawing.river import River
from vastflow.drawing.values import encode
from vastflow.errors import AttributeFault, UnstorableValue

__all__ = ["Flattening"]


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where names are unique: a flow, a basin or an `each`."""

    names: Iterator[str]
    prefix: str = ""
    color: str | None = None


@dataclass(slots=True)
class Flattening:
    """One drawing on its way to its flat form.

    Attributes:
        title: what the drawing is called in messages.
        faults: all that is wrong with it.
        drawn: each river by its (template) address, and the Atlantic.
        parameters: encoded parameters by address, and basins' added water.
    """

    title: str
    faults: list[str] = field(default_factory=list[str])
    drawn: dict[str, River | Atlantic] = field(default_factory=dict[str, River | Atlantic])
    parameters: dict[str, dict[str, msgspec.Raw]] = field(default_factory=dict[str, dict[str, msgspec.Raw]])
    _classes: dict[str, type] = field(default_factory=dict[str, type])
    _anchors: dict[type, Anchor] = field(default_factory=dict[type, Anchor])

    def streams(self, streams: Iterable[Stream]) -> Chain:
        """Return the whole drawing's chain."""
        streams = tuple(streams)
        if not streams:
            self.faults.append(f"{self.title}: no stream is drawn: write `Andes(...) >> YourRiver() >> ...`")
        return self._chain(streams, self._scope(self.title, streams))

    def mouth(self, atlantic: Atlantic | None) -> Mouth:
        """Return where it ends."""
        if atlantic is None:
            self.faults.append(f"{self.title}: it has no Atlantic, nobody would learn how it ended: add `>> YourEnd()`")
            return Mouth("", "")
        self._note(SEA, atlantic)
        values = self._attributes(SEA, atlantic)
        cls = type(atlantic)
        name = _wanted_by(atlantic).name
        self.faults += faults_of_name(f"{cls.__qualname__} (at the end)", name)
        if not values:
            return Mouth(name, registry.name_of(cls))
        return Mouth(name, registry.name_of(cls), waits_of(values), values["retry_on"], values["fail_on"])

    def _scope(self, where: str, streams: Iterable[Stream], prefix: str = "", color: str | None = None) -> _Scope:
        wanted = [self._wanted(stream) for stream in _named(streams)]
        for name in dict.fromkeys(one.name for one in wanted):
            self.faults += faults_of_name(where, name)
        return _Scope(given_out(where, wanted, self.faults), prefix, color)

    def _wanted(self, stream: Stream) -> Wanted:
        try:
            return _wanted(stream)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            self.faults.append(
                f"{stream!r}: its name cannot be made from its parameters ({error}): write a simpler template"
            )
            return Wanted("unnamed", given=False)

    def _chain(self, streams: Iterable[Stream], scope: _Scope) -> Chain:
        return tuple(self._place(link, scope) for stream in streams for link in links(stream))

    def _place(self, stream: Stream, scope: _Scope) -> Place:
        name = next(scope.names)
        match stream:
            case River():
                return self._river(stream, name, scope)
            case ParallelRiver():
                return self._parallel(stream, name, scope)
            case Each():
                return self._each(stream, name, scope)
            case Basin():
                return self._basin(stream, name, scope)
            case _:  # whoever derives from Stream on their own
                raise TypeError(f"{name}: {stream!r} is a Stream of your own: derive its class from River")

    def _river(self, river: River, name: str, scope: _Scope) -> RiverPlace:
        address = scope.prefix + name
        self._note(address, river)
        cls = type(river)
        bodies = shape_of(cls).called
        return RiverPlace(name, registry.name_of(cls), bodies, self._anchor(address, river), river.color or scope.color)

    def _parallel(self, parallel: ParallelRiver, name: str, scope: _Scope) -> ParallelPlace:
        if not parallel.streams:
            self.faults.append(f"{scope.prefix}{name}: this ParallelRiver is empty: give it streams, or leave it out")
        branches = tuple(self._chain((stream,), scope) for stream in parallel.streams)
        return ParallelPlace(name, branches, parallel.join, parallel.max_failures, parallel.on_conflict)

    def _each(self, each: Each, name: str, scope: _Scope) -> EachPlace:
        address = scope.prefix + name
        if isinstance(each.stream, Chained) and each.name is None:
            self.faults.append(f"{address}: an `each` over a chain has no name: write each(..., name='convert')")
        if isinstance(each.stream, Chained | ParallelRiver):
            inner = self._scope(address, (each.stream,), f"{address}/", scope.color)
        else:
            inner = _Scope(iter([name]), scope.prefix, scope.color)
        streams = self._chain((each.stream,), inner)
        return EachPlace(name, each.key, each.item, streams, each.limit, dict(each.collect), each.max_failures)

    def _basin(self, basin: Basin, name: str, scope: _Scope) -> BasinPlace:
        address = scope.prefix + name
        if not basin.streams:
            self.faults.append(f"{address}: this Basin is empty: give it streams, or leave it out")
        self._encode(address, basin.water)
        color = basin.color or scope.color
        return BasinPlace(
            name,
            self._chain(basin.streams, self._scope(address, basin.streams, f"{address}/", color)),
            inputs=None if basin.inputs is None else dict(basin.inputs),
            outputs=dict(basin.outputs),
            added=tuple(basin.water),
            continue_on_failure=basin.continue_on_failure,
            retry=basin.retry,
            color=color,
        )

    def _note(self, address: str, stream: River | Atlantic) -> None:
        """Keep an instance under its address, with its parameters."""
        cls = type(stream)
        shape = shape_of(cls)
        if shape.is_abstract:
            name = f"`def {shape.kind.needed}(self, water)`"
            self.faults.append(f"{address}: the class {cls.__qualname__} has nothing to call: write {name}")
        if self._classes.setdefault(registry.name_of(cls), cls) is not cls:
            self.faults.append(
                f"{address}: there are two classes called {registry.name_of(cls)} in this drawing: "
                f"draw both from one definition, or give one of them `registered_as`"
            )
        self.drawn[address] = stream
        self._encode(address, parameters_of(stream))

    def _encode(self, address: str, values: Mapping[str, Any]) -> None:
        encoded: dict[str, msgspec.Raw] = {}
        for name, value in values.items():
            try:
                encoded[name] = msgspec.Raw(encode(value, name))
            except UnstorableValue as error:
                self.faults.append(f"{address}: {error}")
        if encoded:
            self.parameters[address] = encoded

    def _anchor(self, address: str, river: River) -> Anchor:
        """Return a river's attributes; those of a class are read once."""
        cls = type(river)
        if is_plain(river) and cls in self._anchors:
            return self._anchors[cls]
        values = self._attributes(address, river)
        anchor = anchor_of(values) if values else Anchor()
        if is_plain(river):
            self._anchors[cls] = anchor
        return anchor

    def _attributes(self, address: str, stream: Declared) -> dict[str, Any]:
        try:
            return attributes_of(stream)
        except AttributeFault as error:
            self.faults.append(f"{address}: {error}")
            return {}


def _named(streams: Iterable[Stream]) -> Iterator[Stream]:
    """Return all that gets a name in one scope, in drawing order."""
    for stream in streams:
        for link in links(stream):
            yield link
            if isinstance(link, ParallelRiver):
                yield from _named(link.streams)


def _wanted(stream: Stream) -> Wanted:
    """Return the name a stream asks for."""
    match stream:
        case River():
            return _wanted_by(stream)
        case ParallelRiver() | Basin():
            return Wanted(stream.name or kebab(type(stream).__name__), given=stream.name is not None)
        case Each():
            return Wanted(stream.name, given=True) if stream.name else _wanted(stream.stream)
        case _:  # a chain, whose `each` has to be named
            return Wanted("each", given=False)


def _wanted_by(declared: River | Atlantic) -> Wanted:
    if declared.name is None:
        return Wanted(kebab(type(declared).__name__), given=False)
    return Wanted(filled(declared.name, parameters_of(declared)), given=is_named(declared))
