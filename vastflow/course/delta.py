"""What is in the water, and who wrote it?

A sheet is one delta laid on the sheet below it, immutable and shared, so a fork costs nothing. A branch's delta is
what lies between its tip and the fork; a join lays one merged sheet on the fork's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from vastflow.course.facts import Delta
from vastflow.drawing.values import canonical

__all__ = ["Clash", "Sheet", "Writing", "lay", "merged", "over", "same", "spring"]


class Sheet:
    """One delta on top of another.

    Attributes:
        by: the address that wrote it.
        forked: branches begin on it, so that its flat form is worth keeping.
    """

    __slots__ = ("_flat", "below", "by", "delta", "forked")

    def __init__(self, below: "Sheet | None", delta: Delta, by: str) -> None:
        """Lay a delta on `below`."""
        self.below = below
        self.delta = delta
        self.by = by
        self.forked = False
        self._flat: dict[str, msgspec.Raw] | None = None

    def flat(self) -> Mapping[str, msgspec.Raw]:
        """Return all there is, encoded values by key; not to be changed."""
        flat = self._flat  # read once: a worker thread may ask while the supervisor lays the next sheet
        if flat is None:
            flat = self._flat = self._flatten()
        return flat

    def _flatten(self) -> dict[str, msgspec.Raw]:
        """Take the nearest flat form below over: one of a chain is kept, not one for each of its sheets."""
        above: list[Sheet] = [self]
        sheet, known = self.below, None
        while sheet is not None and (known := sheet._flat) is None:  # noqa: SLF001  # its own class
            above.append(sheet)
            sheet = sheet.below
        if sheet is not None and not sheet.forked:
            sheet._flat = None  # noqa: SLF001  # the same
        flat = dict(known or {})
        for each in reversed(above):
            flat.update(each.delta.put)
            for key in each.delta.drop:
                flat.pop(key, None)
        return flat


class Writing(NamedTuple):
    """The last thing a branch said of a key: its encoded value, or None if it deleted it; and who."""

    value: msgspec.Raw | None
    by: str


class Clash(NamedTuple):
    """Two branches wrote one key differently."""

    key: str
    first: Writing
    second: Writing


def spring(water: Mapping[str, msgspec.Raw], by: str = "") -> Sheet:
    """Return the sheet a flow or a basin begins with."""
    return Sheet(None, Delta(put=dict(water)), by)


def lay(below: Sheet, delta: Delta, by: str) -> Sheet:
    """Return `delta` laid on `below`; an empty one costs nothing, and polls that write share one sheet."""
    if not (delta.put or delta.drop):  # said here, since asking a delta for its truth costs a call
        return below
    if below.by == by and below.below is not None:
        return Sheet(below.below, over(below.delta, delta), by)
    return Sheet(below, delta, by)


def over(earlier: Delta, later: Delta) -> Delta:
    """Return what two deltas of one writer say together."""
    put = {key: value for key, value in earlier.put.items() if key not in later.drop}
    drop = (key for key in earlier.drop if key not in later.put)
    return Delta({**put, **later.put}, tuple(dict.fromkeys((*drop, *later.drop))))


_Written = tuple[msgspec.Raw | None, str]  # a Writing, before anybody is shown it: a plain tuple is made much faster


def between(tip: Sheet, fork: Sheet) -> dict[str, _Written]:
    """Return what was written above `fork` up to `tip`, the last writing of each key."""
    written: dict[str, _Written] = {}
    sheet: Sheet | None = tip
    while sheet is not None and sheet is not fork:
        for key, value in sheet.delta.put.items():
            written.setdefault(key, (value, sheet.by))
        for key in sheet.delta.drop:
            written.setdefault(key, (None, sheet.by))
        sheet = sheet.below
    return written


def merged(tips: Sequence[Sheet], fork: Sheet) -> tuple[Delta, tuple[Clash, ...]]:
    """Return the branches' deltas as one, later branches winning, and where two of them differ."""
    total: dict[str, _Written] = {}
    clashes: list[Clash] = []
    for tip in tips:
        for key, writing in between(tip, fork).items():
            earlier = total.get(key)
            if earlier is not None and not same(earlier[0], writing[0]):
                clashes.append(Clash(key, Writing(*earlier), Writing(*writing)))
            total[key] = writing
    return _as_delta(total.items()), tuple(clashes)


def same(one: msgspec.Raw | None, other: msgspec.Raw | None) -> bool:
    """Say whether two encoded values (None: no value) are equal, order of mappings apart."""
    if one is None or other is None:
        return one is other
    return bytes(one) == bytes(other) or canonical(bytes(one)) == canonical(bytes(other))


def _as_delta(written: Iterable[tuple[str, _Written]]) -> Delta:
    put = {}
    drop = []
    for key, (value, _) in written:
        if value is None:
            drop.append(key)
        else:
            put[key] = value
    return Delta(put=put, drop=tuple(drop))
