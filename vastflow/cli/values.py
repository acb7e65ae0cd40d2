"""How does a stored value look to people?

As JSON; but what JSON does not have, and is stored under a tag (docs/format.md), as one would write it: a Decimal as
19.90, a time as 2026-11-23T16:24:01+00:00. No class of the user's is needed for it.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from vastflow.log import MASK

__all__ = ["legible"]


def legible(value: Any) -> str:
    """Return a stored value, decoded from JSON, as people write it."""
    try:
        return _legible(value)
    except RecursionError:  # ours are never so deep
        return "(nested too deep to be shown)"


def _legible(value: Any) -> str:
    match value:
        case list():
            return f"[{_listed(value)}]"
        case dict() if len(value) == 1:
            ((tag, inner),) = value.items()
            return _untagged(tag, inner)
        case dict():
            return _mapped(value)
        case _:
            return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(_legible, values))


def _mapped(value: Mapping[str, Any]) -> str:
    return f"{{{', '.join(f'{_json(key)}: {_legible(each)}' for key, each in value.items())}}}"


def _untagged(tag: str, inner: Any) -> str:
    try:
        return _WAYS[tag](inner)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # no such tag, or masked inside
        return _mapped({tag: inner})


def _text(inner: Any) -> str:
    if not isinstance(inner, str):
        raise TypeError
    return inner


def _moment(inner: Any) -> str:
    if isinstance(inner, str):
        return inner
    return " ".join(filter(None, (_text(inner["at"]), inner.get("zone"), inner.get("name"))))


def _member(inner: Any) -> str:
    name, member = inner
    return f"{_last(name)}.{member if isinstance(member, str) else '|'.join(member)}"


def _fields(inner: Any) -> str:
    name, fields = inner
    return f"{_last(name)}({', '.join(f'{key}={_legible(each)}' for key, each in fields.items())})"


def _last(name: str) -> str:
    return name.rpartition(".")[2]


_WAYS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "$int": lambda inner: str(int(inner, 16)),
        "$decimal": _text,
        "$date": _text,
        "$uuid": _text,
        "$datetime": _moment,
        "$time": _moment,
        "$timedelta": lambda inner: str(timedelta(*inner)),
        "$tuple": lambda inner: f"({_listed(inner)})",
        "$set": lambda inner: f"{{{_listed(inner)}}}",
        "$frozenset": lambda inner: f"{{{_listed(inner)}}}",
        "$dict": _mapped,
        "$enum": _member,
        "$dataclass": _fields,
        "$secret": lambda _: MASK,
    }
)
