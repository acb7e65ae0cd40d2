"""Where does everything in a chart stand?

The address is the path through basins, `east/create-vm`; chains and ParallelRivers add nothing to it. What is inside
an `each` stands at its template address here, `convert/resize`; its branches are `convert[0]/resize` and so on.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from vastflow.drawing.chart import BasinPlace, Chain, EachPlace, ParallelPlace, Place, RiverPlace

__all__ = ["SEA", "Spot", "inside_basin", "inside_each", "prefix_inside", "spots", "template_of"]

SEA = "~"
"""Where the Atlantic stands."""


_NUMBERS = re.compile(r"\[\d+\]")


class Spot(NamedTuple):
    """One place and where it stands.

    Attributes:
        address: its (template) address.
        place: what stands there.
        extras: undeclared keys which a typed water is allowed there.
    """

    address: str
    place: Place
    extras: frozenset[str]


def spots(streams: Chain, prefix: str = "", extras: frozenset[str] = frozenset()) -> Iterator[Spot]:
    """Return everything in a chain and in what stands in it, in drawing order."""
    for place in streams:
        address = prefix + place.name
        yield Spot(address, place, extras)
        match place:
            case RiverPlace():
                pass
            case ParallelPlace():
                for branch in place.branches:
                    yield from spots(branch, prefix, extras)
            case EachPlace():
                yield from spots(place.streams, prefix_inside(place, prefix), inside_each(place, extras))
            case BasinPlace():  # pragma: no branch  # there are no other places
                yield from spots(place.streams, f"{address}/", inside_basin(place, extras))


def template_of(address: str) -> str:
    """Return where the chart has what stands at an address: without the numbers of branches."""
    return _NUMBERS.sub("", address) if "[" in address else address


def prefix_inside(place: EachPlace, prefix: str) -> str:
    """Return the prefix inside an `each`: one stream stands at the branch's own address, a chain below it."""
    alone = len(place.streams) == 1 and not isinstance(place.streams[0], ParallelPlace)
    return prefix if alone else f"{prefix}{place.name}/"


def inside_each(place: EachPlace, extras: frozenset[str]) -> frozenset[str]:
    """Return the undeclared keys that are allowed inside an `each`, given those around it."""
    return extras | {place.item}


def inside_basin(place: BasinPlace, extras: frozenset[str]) -> frozenset[str]:
    """Return the undeclared keys that are allowed inside a basin, given those around it."""
    let_in = extras if place.inputs is None else {place.inputs[key] for key in extras & place.inputs.keys()}
    return frozenset(let_in) | set(place.added)
