"""What can be drawn, but not yet run?

A drawing that uses something of a later release is refused by `start()`, so that nothing half-works.
"""

from collections.abc import Iterator

from vastflow.drawing.chart import Anchor, BasinPlace, Chain, EachPlace, ParallelPlace, Place, RiverPlace
from vastflow.drawing.launcher import Terms
from vastflow.drawing.laying import Laid
from vastflow.errors import NotYetBuilt

__all__ = ["Refusal"]

_REMEMBERED = 1_000  # drawings; one drawn anew for each flow must not fill the memory


class Refusal:
    """Checks each drawing once."""

    def __init__(self) -> None:
        """Know no drawing yet."""
        self._known: set[str] = set()

    def check(self, laid: Laid, terms: Terms) -> None:
        """Check that this release can run a drawing on these terms.

        Raises:
            NotYetBuilt: it cannot; all reasons are named.
        """
        plain = not laid.cargo.anchors and terms.not_before is None and terms.deadline is None
        if plain and laid.digest in self._known:
            return
        faults = [*_of_terms(terms), *_of_chain(laid.chart.streams, "", laid.cargo.anchors)]
        if faults:
            raise NotYetBuilt(laid.chart.name, tuple(faults))
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.add(laid.digest)


def _of_terms(terms: Terms) -> Iterator[str]:
    for name in ("not_before", "deadline"):
        if getattr(terms, name) is not None:
            yield f"start({name}=...) is not in this release yet: leave it out"


def _of_chain(chain: Chain, prefix: str, anchors: dict[str, Anchor]) -> Iterator[str]:
    for place in chain:
        yield from _of_place(place, prefix, anchors)


def _of_place(place: Place, prefix: str, anchors: dict[str, Anchor]) -> Iterator[str]:
    address = prefix + place.name
    match place:
        case RiverPlace():
            yield from _of_river(place, address, anchors.get(address, place.anchor))
        case ParallelPlace():
            if place.join != "all":
                yield f'{address}: join="{place.join}" is not in this release yet: use join="all"'
            for branch in place.branches:
                yield from _of_chain(branch, prefix, anchors)
        case EachPlace():
            yield f"{address}: ParallelRiver.each is not in this release yet: draw the branches one by one"
        case BasinPlace():
            yield from _of_basin(place, address)
            yield from _of_chain(place.streams, f"{address}/", anchors)


def _of_river(place: RiverPlace, address: str, anchor: Anchor) -> Iterator[str]:
    for body in ("when", "undo", "reconcile"):
        if body in place.bodies:
            yield f"{address}: {body}() is not in this release yet: take it out of the class"
    plain = Anchor()
    for name in ("deadline", "timeout", "atomic", "durable", "at_most_once", "signals", "max_running"):
        if getattr(anchor, name) != getattr(plain, name):
            yield f"{address}: {name} is not in this release yet: take it out of the class"


def _of_basin(place: BasinPlace, address: str) -> Iterator[str]:
    if place.retry.times:
        yield f"{address}: retry_times of a basin is not in this release yet: put retries on its rivers"
    if place.continue_on_failure:
        yield f"{address}: continue_on_failure is not in this release yet: let the basin fail its flow"
