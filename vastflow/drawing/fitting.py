"""Does all that is drawn fit together?

Keys that basins, `each` and views name, against what the flow's water declares; and signals, against what may run at
once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from vastflow.drawing.addresses import Spot, inside_basin, inside_each, prefix_inside, spots
from vastflow.drawing.bodies import Body, view_of
from vastflow.drawing.chart import BasinPlace, Chain, Chart, EachPlace, ParallelPlace, RiverPlace
from vastflow.drawing.headwaters import Headwaters, declared, fits

__all__ = ["faults_of_keys", "faults_of_signals", "faults_of_view"]


def faults_of_view(where: str, body: Body, water: type[Headwaters], extras: Collection[str]) -> Iterator[str]:
    """Say why a body cannot get the view it asks for; `where` is its address and name."""
    view, fault = view_of(body, water)
    if fault:
        yield f"{where}: {fault}"
    else:
        yield from (f"{where}: {misfit}" for misfit in fits(view, water, extras))


def faults_of_keys(chart: Chart, water: type[Headwaters]) -> Iterator[str]:
    """Say which keys are named in the drawing that the water cannot have, and which are written twice."""
    known = declared(water).keys()
    for spot in spots(chart.streams):
        if known:
            yield from _undeclared(spot, known, water.__qualname__)
        yield from _written_twice(spot)


def _undeclared(spot: Spot, known: Collection[str], water: str) -> Iterator[str]:
    missing = ((what, key) for what, key, extras in _named_keys(spot) if key not in known and key not in extras)
    for what, key in dict.fromkeys(missing):  # a key that keeps its name is named twice
        yield f"{spot.address}: {what} names the key {key!r}, which {water} does not declare: declare it there"


def _named_keys(spot: Spot) -> Iterator[tuple[str, str, Collection[str]]]:
    """Return what names a key, the key, and which undeclared keys are allowed where it is looked for."""
    match spot.place:
        case EachPlace() as each:
            yield "each", each.key, spot.extras
            yield from _both("collect", each.collect, inside_each(each, spot.extras), spot.extras)
        case BasinPlace() as basin:
            inside = inside_basin(basin, spot.extras)
            yield from _both("inputs", basin.inputs or {}, spot.extras, inside)
            yield from _both("outputs", basin.outputs, inside, spot.extras)
        case RiverPlace() | ParallelPlace():  # pragma: no branch  # there are no other places
            pass


def _both(
    what: str, names: Mapping[str, str], there: Collection[str], here: Collection[str]
) -> Iterator[tuple[str, str, Collection[str]]]:
    yield from ((what, key, there) for key in names)
    yield from ((what, key, here) for key in names.values())


def _written_twice(spot: Spot) -> Iterator[str]:
    match spot.place:
        case EachPlace(collect=names):
            yield from (f"{spot.address}: collect {fault}" for fault in _twice(names))
        case BasinPlace(inputs=inputs, outputs=names):
            yield from (f"{spot.address}: inputs {fault}" for fault in _twice(inputs or {}))
            yield from (f"{spot.address}: outputs {fault}" for fault in _twice(names))
        case RiverPlace() | ParallelPlace():  # pragma: no branch  # there are no other places
            pass


def _twice(names: Mapping[str, str]) -> Iterator[str]:
    sources: dict[str, list[str]] = {}
    for source, target in names.items():
        sources.setdefault(target, []).append(source)
    for target, told in sources.items():
        if len(told) > 1:
            yield f"writes {target!r} from {' and '.join(map(repr, told))}: give each a key of its own"


def faults_of_signals(streams: Chain, prefix: str = "") -> Iterator[str]:
    """Say which rivers may run at once and want one signal."""
    for place in streams:
        match place:
            case RiverPlace():
                pass
            case ParallelPlace(branches=branches):
                yield from _shared(prefix, place.name, branches)
                for branch in branches:
                    yield from faults_of_signals(branch, prefix)
            case EachPlace(streams=inner):
                yield from _multiplied(prefix, place)
                yield from faults_of_signals(inner, prefix_inside(place, prefix))
            case BasinPlace(streams=inner):  # pragma: no branch  # there are no other places
                yield from faults_of_signals(inner, f"{prefix}{place.name}/")


def _shared(prefix: str, name: str, branches: Iterable[Chain]) -> Iterator[str]:
    wanted: dict[str, str] = {}
    for branch in branches:
        mine = _signals(branch, prefix)
        for signal, river in mine.items():
            if signal in wanted:
                yield (
                    f"{prefix}{name}: {wanted[signal]} and {river} may run at once and both want the signal "
                    f"{signal!r}, which only one could take: give them different names"
                )
        wanted = {**mine, **wanted}


def _multiplied(prefix: str, each: EachPlace) -> Iterator[str]:
    wanted = _signals(each.streams, prefix_inside(each, prefix))
    for signal, river in wanted.items() if each.limit != 1 else ():
        yield (
            f"{prefix}{each.name}: the branches of {river} may run at once and all want the signal {signal!r}, "
            f"which only one could take: write limit=1, or wait for it before or after"
        )


def _signals(streams: Chain, prefix: str) -> dict[str, str]:
    """Return the signals wanted anywhere in these streams, and a river that wants each."""
    return {
        signal: spot.address
        for spot in spots(streams, prefix)
        if isinstance(spot.place, RiverPlace)
        for signal in spot.place.anchor.signals
    }
