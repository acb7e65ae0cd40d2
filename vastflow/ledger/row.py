"""Is a stored row what it should be?

A store is a file that anybody may have written to. So each row's types are looked at before it is believed, and one
that is not what it should be costs its own flow, never the list it stands in.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from vastflow.errors import StoreUnreadable
from vastflow.ledger.contract import FactRow, FlowRow

__all__ = ["FLOW_COLUMNS", "decoded", "fact_of", "flow_of", "flow_or_stranded", "values_of"]

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
_FLOW_TYPES = tuple(_FLOW.values())
_FACT_TYPES = tuple(_FACT.values())
_EMPTY: dict[type, Any] = {str: "", int: 0, bytes: b""}

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
        StoreUnreadable: a column is not of its type.
    """
    if tuple(map(type, row)) != _FLOW_TYPES:
        raise StoreUnreadable(_complaint(f"the row of flow {row[0]!r}", _FLOW, row))
    return FlowRow(**dict(zip(FLOW_COLUMNS, row, strict=True)))


def flow_or_stranded(row: Sequence[Any]) -> FlowRow:
    """Return a stored flow; if it cannot be read, what can be read of it, stranded with the reason."""
    try:
        return flow_of(row)
    except StoreUnreadable as error:
        return FlowRow(**{**_legible(row), "stranded": str(error)})


def fact_of(row: Sequence[Any]) -> FactRow:
    """Return a stored fact.

    Raises:
        StoreUnreadable: a column is not of its type.
    """
    if tuple(map(type, row)) != _FACT_TYPES:
        raise StoreUnreadable(_complaint(f"fact {row[1]!r} of flow {row[0]!r}", _FACT, row))
    return FactRow._make(row)


def _legible(row: Sequence[Any]) -> dict[str, Any]:
    found = {
        column: value if type(value) is wanted else _EMPTY[wanted]
        for (column, wanted), value in zip(_FLOW.items(), row, strict=True)
    }
    return {**found, "id": found["id"] or str(row[0])}


def _complaint(what: str, columns: dict[str, type], row: Sequence[Any]) -> str:
    faults = ", ".join(
        f"{column} is {type(value).__name__} instead of {wanted.__name__}"
        for (column, wanted), value in zip(columns.items(), row, strict=True)
        if type(value) is not wanted
    )
    return f"{what} cannot be read: {faults}; something else has written to this store: restore it from a copy"
