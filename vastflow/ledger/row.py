"""Is a stored row what it should be?

A store is a file that anybody may have written to. So each row's types and times are looked at before it is believed,
and one that is not what it should be costs its own flow, never the list it stands in.
"""

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from vastflow.clock import LAST
from vastflow.errors import StoreError, StoreUnreadable
from vastflow.ledger.contract import FactRow, FlowRow, Owner, Period

__all__ = [
    "FLOW_COLUMNS",
    "decoded",
    "fact_of",
    "flow_of",
    "flow_or_stranded",
    "owner_of",
    "period_of",
    "time_of",
    "values_of",
]

# The cargo comes last: it is written to a table of its own.
_FLOW: dict[str, type] = {
    "id": str,
    "uid": str,
    "name": str,
    "state": str,
    "outcome": str,
    "stranded": str,
    "flags": bytes,
    "started": int,
    "changed": int,
    "ended": int,
    "tags": bytes,
    "not_before": int,
    "deadline": int,
    "owner": str,
    "epoch": int,
    "chart": str,
    "rules": int,
    "version": int,
    "parent": str,
    "priority": int,
    "labels": bytes,
    "cargo": bytes,
}
_FACT: dict[str, type] = {
    "flow": str,
    "number": int,
    "round": int,
    "address": str,
    "run": int,
    "attempt": int,
    "kind": str,
    "at": int,
    "epoch": int,
    "who": str,
    "version": int,
    "payload": bytes,
}
_PERIOD: dict[str, type] = {"epoch": int, "began": int, "ended": int}
_OWNER: dict[str, type] = {"name": str, "epoch": int, "batch": int, "latest": int}
_FLOW_TYPES = tuple(_FLOW.values())
_FACT_TYPES = tuple(_FACT.values())
_EMPTY: dict[type, Any] = {str: "", int: 0, bytes: b""}
_TIMES = ("started", "changed", "ended", "not_before", "deadline", "at", "began", "latest")
_COUNTS = ("epoch", "batch")
_JSON: dict[str, msgspec.json.Decoder[Any]] = {
    "flags": msgspec.json.Decoder(tuple[str, ...]),
    "tags": msgspec.json.Decoder(dict[str, str]),
}
_MOST = 1 << 62  # of what is counted upward; far beyond all that can be reached, and one more is still a number
_HINT = "something else has written to this store: restore it from a copy"

FLOW_COLUMNS = tuple(_FLOW)
_columns_of = attrgetter(*FLOW_COLUMNS)


def values_of(row: FlowRow) -> tuple[Any, ...]:
    """Return a flow's columns in the order of `FLOW_COLUMNS`, the cargo last."""
    values: tuple[Any, ...] = _columns_of(row)
    return values


def decoded(raw: bytes) -> str | bytes:
    """Return a stored text; bytes, which are then found to be no text, if it is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def flow_of(row: Sequence[Any]) -> FlowRow:
    """Return a stored flow.

    Raises:
        StoreUnreadable: a column is not what it should be.
    """
    found = dict(zip(FLOW_COLUMNS, row, strict=True))
    if tuple(map(type, row)) != _FLOW_TYPES or any(_misfits(found)):
        raise StoreUnreadable(_complaint(f"the row of flow {row[0]!r}", _FLOW, found))
    return FlowRow(**found)


def flow_or_stranded(row: Sequence[Any]) -> FlowRow:
    """Return a stored flow; if it cannot be read, what can be read of it, stranded with the reason."""
    try:
        return flow_of(row)
    except StoreUnreadable as error:
        return FlowRow(**{**_legible(row), "stranded": str(error), "unreadable": str(error)})


def fact_of(row: Sequence[Any]) -> FactRow:
    """Return a stored fact.

    Raises:
        StoreUnreadable: a column is not of its type.
    """
    if tuple(map(type, row)) != _FACT_TYPES or not 0 <= row[7] <= LAST:
        found = dict(zip(_FACT, row, strict=True))
        raise StoreUnreadable(_complaint(f"fact {row[1]!r} of flow {row[0]!r}", _FACT, found))
    return FactRow._make(row)


def period_of(row: Sequence[Any]) -> Period:
    """Return a served period.

    Raises:
        StoreError: it is none.
    """
    found = dict(zip(_PERIOD, row, strict=True))
    if any(_faults(_PERIOD, found)):
        raise StoreError(_complaint("a served period", _PERIOD, found))
    return Period._make(row)


def owner_of(rows: Sequence[Sequence[Any]]) -> Owner:
    """Return the owner as the one row of his table (name, epoch, batch, latest) says it.

    Raises:
        StoreError: it is none, there is not just one, or no epoch could follow.
    """
    if len(rows) != 1:
        raise StoreError(f"the store says {len(rows)} times who its owner is, not once; {_HINT}")
    found = dict(zip(_OWNER, rows[0], strict=True))
    if any(_faults(_OWNER, found)):
        raise StoreError(_complaint("the owner's row", _OWNER, found))
    return Owner(found["name"], found["epoch"], found["batch"])


def time_of(rows: Sequence[Sequence[Any]]) -> int:
    """Return the one time that was asked for, microseconds.

    Raises:
        StoreError: it is none.
    """
    found = rows[0][0] if rows else None
    if type(found) is not int or not 0 <= found <= LAST:
        raise StoreError(f"the latest time the store knows is {found!r:.100}, which is no time; {_HINT}")
    return found


def _legible(row: Sequence[Any]) -> dict[str, Any]:
    found = {
        column: value if type(value) is wanted else _EMPTY[wanted]
        for (column, wanted), value in zip(_FLOW.items(), row, strict=True)
    }
    blank = {column: _EMPTY[_FLOW[column]] for column, _ in _misfits(found)}
    return {**found, **blank, "id": found["id"] or str(row[0])}


def _complaint(what: str, columns: Mapping[str, type], found: Mapping[str, Any]) -> str:
    return f"{what} cannot be read: {', '.join(_faults(columns, found))}; {_HINT}"


def _faults(columns: Mapping[str, type], found: Mapping[str, Any]) -> Iterator[str]:
    wrong = [column for column, wanted in columns.items() if type(found[column]) is not wanted]
    for column in wrong:
        yield f"{column} is {type(found[column]).__name__} instead of {columns[column].__name__}"
    yield from (f"{column} is {told}" for column, told in _misfits(found) if column not in wrong)


def _misfits(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Say which columns are of their type, and yet cannot be."""
    for column in _TIMES:
        if type(value := found.get(column)) is int and not 0 <= value <= LAST:
            yield column, f"{value}, which is no time"
    for column in _COUNTS:
        if type(value := found.get(column)) is int and not 0 <= value < _MOST:
            yield column, f"{value}, which cannot be"
    for column in _JSON:
        if type(value := found.get(column)) is bytes and not _is_json(column, value):
            yield column, "not the JSON that it should be"


def _is_json(column: str, stored: bytes) -> bool:
    try:
        _JSON[column].decode(stored)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
