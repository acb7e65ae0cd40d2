"""How does a stored value look to people?

As JSON, but what JSON does not have, which is stored under a tag (docs/format.md), as one would write it: a Decimal as
19.90, a time as 2026-11-23T16:24:01+00:00. No class of the user's is needed for it.
"""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["legible"]

_BARE = ("$decimal", "$date", "$uuid")
_MOMENTS = ("$datetime", "$time")


def legible(value: Any) -> str:
    """Return a stored value, decoded from JSON, as people write it."""
    match value:
        case list():
            return f"[{_listed(value)}]"
        case dict() if len(value) == 1 and next(iter(value)).startswith("$"):
            ((tag, inner),) = value.items()
            return _untagged(tag, inner)
        case dict():
            return _mapped(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(legible, values))


def _mapped(value: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {legible(each)}" for key, each in value.items()) + "}"


def _untagged(tag: str, inner: Any) -> str:  # noqa: PLR0911  # one for each form
    match tag, inner:
        case ("$decimal" | "$date" | "$uuid" | "$datetime" | "$time", str()):
            return inner
        case ("$datetime" | "$time", {"at": str(at)}):
            zone = inner.get("zone") or inner.get("name")
            return f"{at} {zone}" if zone else at
        case "$timedelta", [int(days), int(seconds), int(micros)]:
            return f"{days * 86400 + seconds}.{micros:06} s" if micros else f"{days * 86400 + seconds} s"
        case "$int", str():
            return f"0x{inner}".replace("0x-", "-0x")
        case "$tuple", list():
            return f"({_listed(inner)})"
        case ("$set" | "$frozenset", list()):
            return "{" + _listed(inner) + "}"
        case "$dict", dict():
            return _mapped(inner)
        case "$enum", [str(name), member]:
            return f"{_last(name)}.{'|'.join(member) if isinstance(member, list) else member}"
        case "$dataclass", [str(name), dict(fields)]:
            return f"{_last(name)}({', '.join(f'{key}={legible(each)}' for key, each in fields.items())})"
        case _:
            return _mapped({tag: inner})


def _last(name: str) -> str:
    return name.rpartition(".")[2]
