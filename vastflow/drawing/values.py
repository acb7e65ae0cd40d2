"""What can be stored, and as which bytes?

Compact JSON. What JSON does not have is a mapping with one key that begins with `$`, the tag; a mapping of the user's
that looks so is wrapped in `$dict`. Exact types are asked first, since msgspec would quietly turn a tuple into a list
and NaN into null. docs/format.md describes every form.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from vastflow.drawing import scalars, storables
from vastflow.drawing.refusals import refusal, text_of
from vastflow.errors import AttributeFault, StoreUnreadable, UnstorableValue
from vastflow.secret import TAG

__all__ = ["DEFAULT", "Limits", "allow", "canonical", "check_size", "decode", "encode", "is_secret"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large values may be.

    Attributes:
        depth: of values inside values.
        value: bytes of one encoded value.
        water: bytes of all keys and encoded values of one water.
    """

    depth: int = 100
    value: int = 1 << 20
    water: int = 16 << 20


DEFAULT = Limits()


def allow(limits: Limits, where: str, *, value_limit: int | None, water_limit: int | None) -> Limits:
    """Return the limits with those changed that are not None; `where` names the class that asks for it.

    Raises:
        AttributeFault: a limit is no number of bytes.
    """
    for name, told in (("value_limit", value_limit), ("water_limit", water_limit)):
        if told is not None and (type(told) is not int or told < 1):
            message = f"{where}: {name}={told!r} is not possible: write a number of bytes, such as {name}=4 << 20"
            raise AttributeFault(message)
    return replace(limits, value=value_limit or limits.value, water=water_limit or limits.water)


_MAX = (1 << 63) - 1
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()
_SORTER = msgspec.json.Encoder(order="sorted")
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading a value raises that something else has written to."""
_MEND = "mend the class it is of, or restore the store from a backup"


def encode(value: object, where: str = "", limits: Limits = DEFAULT, hint: str = "") -> bytes:
    """Return the stored form of a value.

    Args:
        value: what is to be stored.
        where: its key, for messages.
        limits: how large it may be.
        hint: what else can be done if it is too large.

    Raises:
        UnstorableValue: it cannot be stored, or something inside it cannot.
    """
    try:
        stored = _ENCODER.encode(_lower(value, limits.depth))
    except UnstorableValue as refused:
        raise refused.inside(where) from None
    except RecursionError:
        message = f"it is nested deeper than {limits.depth} levels (or holds itself): store a flatter value"
        raise UnstorableValue(message, where) from None
    except RuntimeError as error:
        message = f"it was changed while it was being stored ({error}): hand over a copy"
        raise UnstorableValue(message, where) from error
    check_size(stored, where, limits, type(value).__qualname__, hint)
    return stored


def check_size(
    stored: bytes | msgspec.Raw, where: str = "", limits: Limits = DEFAULT, kind: str = "value", hint: str = ""
) -> None:
    """Check that one encoded value is not too large.

    Args:
        stored: its encoded form.
        where: its key, for messages.
        limits: how large it may be.
        kind: what it is, for messages.
        hint: what else can be done.

    Raises:
        UnstorableValue: it is too large.
    """
    if len(stored) > limits.value:
        message = (
            f"this {kind} takes {len(stored)} bytes, {limits.value} are allowed: "
            f"keep large data elsewhere and store where it is{hint}"
        )
        raise UnstorableValue(message, where)


def decode(stored: bytes, where: str = "") -> Any:
    """Return the value that was stored as these bytes; `where` is its key, for messages.

    Raises:
        StoreUnreadable: they are broken, or of a class or a form that is not known here.
    """
    try:
        node = _DECODER.decode(stored)
        return _restore(node) if b'"$' in stored else node
    except StoreUnreadable as error:
        message = f"{where}: {error}" if where else str(error)
        raise StoreUnreadable(message) from error.__cause__
    except _BROKEN as error:
        message = f"{where or 'a stored value'} is damaged ({error}): restore the store from a backup"
        raise StoreUnreadable(message) from error


def is_secret(stored: bytes | msgspec.Raw) -> bool:
    """Say whether an encoded value is a Secret or holds one; also if it is damaged, so that it is not shown then."""
    told = bytes(stored)
    if b'"$secret"' not in told:
        return False
    try:
        return _holds_secret(_DECODER.decode(told))
    except _BROKEN:
        return True


def _holds_secret(node: Any) -> bool:
    """Say whether there is a Secret in a decoded JSON node."""
    match node:
        case {"$dict": dict() as inner} if len(node) == 1:
            return any(map(_holds_secret, inner.values()))
        case dict():
            return (len(node) == 1 and TAG in node) or any(map(_holds_secret, node.values()))
        case list():
            return any(map(_holds_secret, node))
        case _:
            return False


def canonical(stored: bytes) -> bytes:
    """Return the bytes with the order of all mappings taken away: equal for equal values, different for others."""
    if b"{" not in stored:
        return stored
    try:
        return _SORTER.encode(_DECODER.decode(stored))
    except _BROKEN as error:
        message = f"a stored value is damaged ({error}): restore the store from a backup"
        raise StoreUnreadable(message) from error


def _lower(value: Any, depth: int) -> Any:
    """Return the value in what JSON has; `depth` levels more are allowed."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else text_of(value)
    if kind is bool or value is None or (kind is int and -_MAX <= value <= _MAX):
        return value
    if (write := scalars.WRITERS.get(kind)) is not None:
        return write(value)
    if (unfold := _UNFOLDERS.get(kind)) is not None:
        if depth < 1:
            raise RecursionError
        return unfold(value, depth - 1)
    return _lower_storable(value, depth)


def _lower_storable(value: Any, depth: int) -> Any:
    form = storables.form_of(type(value))
    if form is None:
        raise refusal(value)
    if form.fields is None:
        return {"$enum": [form.name, storables.member_of(value)]}
    if depth < 1:
        raise RecursionError
    name, lowered = "", {}
    try:
        for name in form.fields:
            lowered[name] = _lower(getattr(value, name), depth - 1)
    except UnstorableValue as refused:
        raise refused.inside(f".{name}") from None
    return {"$dataclass": [form.name, lowered]}


def _lower_list(value: Iterable[Any], depth: int) -> list[Any]:
    lowered: list[Any] = []
    try:
        for item in value:
            lowered.append(_lower(item, depth))  # noqa: PERF401  # so that the length says which item was refused
    except UnstorableValue as refused:
        raise refused.inside(f"[{len(lowered)}]") from None
    return lowered


def _lower_dict(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    lowered: dict[str, Any] = {}
    for key, item in value.items():
        text = key if type(key) is str and key.isascii() else text_of(key)
        try:
            lowered[text] = _lower(item, depth)
        except UnstorableValue as refused:
            raise refused.inside(f'["{text}"]') from None
    return {"$dict": lowered} if len(lowered) == 1 and next(iter(lowered)).startswith("$") else lowered


def _lower_set(value: Iterable[Any], depth: int) -> list[Any]:
    """Return the elements in an order that does not depend on hashes."""
    try:
        return sorted((_lower(item, depth) for item in value), key=_SORTER.encode)
    except UnstorableValue as refused:
        raise refused.inside("{...}") from None


_UNFOLDERS: dict[type, Callable[[Any, int], Any]] = {
    list: _lower_list,
    dict: _lower_dict,
    tuple: lambda value, depth: {"$tuple": _lower_list(value, depth)},
    set: lambda value, depth: {"$set": _lower_set(value, depth)},
    frozenset: lambda value, depth: {"$frozenset": _lower_set(value, depth)},
}


def _restore(node: Any) -> Any:
    """Return the value that a decoded JSON node stands for."""
    if type(node) is list:
        return [_restore(item) for item in node]
    if type(node) is not dict:
        return node
    if len(node) == 1:
        ((tag, inner),) = node.items()
        if tag.startswith("$"):
            return _restore_tagged(tag, inner)
    return _restore_dict(node)


def _restore_dict(node: dict[str, Any]) -> dict[str, Any]:
    return {key: _restore(item) for key, item in node.items()}


def _restore_tagged(tag: str, inner: Any) -> Any:
    if (read := _READERS.get(tag)) is None:
        message = f"it has the form {tag!r}, which this release does not know: install the vastflow that wrote it"
        raise StoreUnreadable(message)
    try:
        return read(inner)
    except StoreUnreadable:
        raise
    except Exception as error:  # whatever a constructor of the user raises
        if tag == TAG or _holds_secret(inner):
            told = f"{type(error).__qualname__}; more is not shown, as it holds a Secret"
            raise StoreUnreadable(f"its form {tag!r} cannot be read ({told}): {_MEND}") from None
        told = f"{type(error).__qualname__}: {error}: {inner!r:.100}"
        message = f"its form {tag!r} cannot be read ({told}): {_MEND}"
        raise StoreUnreadable(message) from error


def _items(inner: Any) -> list[Any]:
    if type(inner) is not list:
        message = "a list is wanted"
        raise TypeError(message)
    return [_restore(item) for item in inner]


def _restore_elsewhere(inner: Any) -> Any:
    message = f"it is stored elsewhere ({inner!r:.200}), where this release cannot read it: install a newer vastflow"
    raise StoreUnreadable(message)


_READERS: dict[str, Callable[[Any], Any]] = {
    **scalars.READERS,
    "$dict": _restore_dict,
    "$tuple": lambda inner: tuple(_items(inner)),
    "$set": lambda inner: set(_items(inner)),
    "$frozenset": lambda inner: frozenset(_items(inner)),
    "$enum": lambda inner: storables.read_member(*inner),
    "$dataclass": lambda inner: storables.rebuild(inner[0], _restore_dict(inner[1])),
    "$elsewhere": _restore_elsewhere,
}
