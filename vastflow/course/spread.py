"""How does an `each` spread over the elements of a list, and what does it collect?

Reads encoded values only: an element is handed on as the bytes it was stored as.
"""

import msgspec

from vastflow.course.delta import same
from vastflow.course.events import Rules
from vastflow.course.facts import Delta, Expanded, Failed, Left, What
from vastflow.course.progress import Progress
from vastflow.course.records import Branch, JoinRecord
from vastflow.drawing.addresses import prefix_inside
from vastflow.drawing.chart import EachPlace
from vastflow.errors import Failure

__all__ = ["collected", "expand", "items_of", "items_under", "leave_each", "read_items", "tolerated"]

_ROUNDING = 1e-9  # 0.29 of 100 branches is 28.999999999999996 as floats go
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_TAGGED = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LISTS = frozenset({"$tuple", "$set", "$frozenset"})
_NULL = msgspec.Raw(b"null")


def tolerated(join: JoinRecord) -> int:
    """Return how many branches may fail; a float is a share of them."""
    most = join.place.max_failures
    return int(most * join.count + _ROUNDING) if isinstance(most, float) else most


def items_under(join: JoinRecord, place: EachPlace, number: int) -> tuple[str, str]:
    """Return what goes before and behind the names in a branch of an `each`."""
    around = join.branch
    if prefix_inside(place, around.prefix) == around.prefix:
        return around.prefix, f"{around.suffix}[{number}]"
    return f"{join.address}[{number}]/", ""


def expand(join: JoinRecord, place: EachPlace) -> What:
    """Return how many branches there are, or why that cannot be said."""
    items = items_of(join, place)
    return Expanded(len(items)) if isinstance(items, list) else Failed(items)


def read_items(join: JoinRecord, place: EachPlace) -> None:
    """Read the elements once; they are those of the water the branches began on."""
    items = items_of(join, place)
    join.items = items if isinstance(items, list) else []


def items_of(join: JoinRecord, place: EachPlace) -> list[msgspec.Raw] | Failure:
    """Return the encoded elements, or the failure that there are none to be had."""
    raw = join.fork.flat().get(place.key)
    if raw is None:
        return _missing(join, place)
    stored = bytes(raw)
    try:
        if stored.startswith(b"{"):
            (tag, inner), *more = _TAGGED.decode(stored).items()
            stored = bytes(inner) if tag in _LISTS and not more else b"null"
        return _LIST.decode(stored)
    except (msgspec.DecodeError, ValueError):
        told = f"{join.address}: water[{place.key!r}] is no list, tuple or set, so there is nothing to spread over"
        return Failure("error", f"{told}: let the river before it write a list", join.address)


def _missing(join: JoinRecord, place: EachPlace) -> Failure:
    told = f"{join.address}: water[{place.key!r}] is not in the water, so there is nothing to spread over"
    return Failure("error", f"{told}: let a river before it write a list", join.address)


def leave_each(progress: Progress, join: JoinRecord, place: EachPlace, rules: Rules) -> What:
    """Return what the `each` lets out, or why that is too much to be stored."""
    delta = collected(progress, join, place)
    for key, value in delta.put.items():
        if refusal := rules.refusal(bytes(value)):
            told = f"what it collects into water[{key!r}] cannot be kept: {refusal}"
            return Failed(Failure("error", f"{join.address}: {told}", join.address))
    outside = join.branch.tip.flat()
    return Left(Delta({key: value for key, value in delta.put.items() if not same(value, outside.get(key))}))


def collected(progress: Progress, join: JoinRecord, place: EachPlace) -> Delta:
    """Return the lists that are collected, in the order of the items; None for what failed or is missing."""
    waters = [_water(branch) for branch in progress.inside.get(join.address, ())]
    left = max(0, join.count) - len(waters)
    put = {}
    for inner, outer in place.collect.items():
        values = [bytes(water.get(inner, _NULL)) for water in waters] + [b"null"] * left
        put[outer] = msgspec.Raw(b"[" + b",".join(values) + b"]")
    return Delta(put)


def _water(branch: Branch) -> dict[str, msgspec.Raw]:
    return dict(branch.tip.flat()) if branch.state == "success" else {}
