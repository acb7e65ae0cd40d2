"""Why can a value not be stored, and what can be written instead?"""

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from reprlib import Repr
from typing import Any

from vastflow.errors import UnstorableValue

__all__ = ["glimpse", "refusal", "text_of"]

_short = Repr()
_short.maxother = _short.maxstring = 60


def text_of(text: object) -> str:
    """Return a text (or a mapping's key) that can be stored.

    Raises:
        UnstorableValue: it is no text, or holds what no encoding can write.
    """
    if type(text) is not str:
        kind = type(text).__qualname__
        message = f"the key {glimpse(text)} is a {kind}, but keys are plain text: write str(key), or a list of pairs"
        raise UnstorableValue(message)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = (
            f"the text {glimpse(text)} holds a lone surrogate (character {error.start}), which no file can keep: "
            f"store the bytes it was made from, or replace it"
        )
        raise UnstorableValue(message) from None
    return text


def glimpse(value: object) -> str:
    """Return a value as people read it, shortened."""
    try:
        return _short.repr(value)
    except Exception:  # noqa: BLE001  # a repr may raise anything; of an integer of 5000 digits it does
        return f"<a {type(value).__qualname__}>"


def refusal(value: object) -> UnstorableValue:
    """Return the error for a value of a type that cannot be stored."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    return UnstorableValue(f"a value of type {kind} cannot be stored: {_advice(value)}")


def _advice(value: Any) -> str:
    if _is_open(value):
        return "it is of this process only: open or make it in the body that uses it, and store what it is made from"
    for kinds, advice in _ADVICE:
        if isinstance(value, kinds):
            return advice
    if dataclasses.is_dataclass(value):
        return "put @storable above the @dataclass of its class"
    return (
        "store its data as a dataclass with @storable, or what it can be made from; "
        "a client or a connection is opened in the body that uses it"
    )


def _is_open(value: object) -> bool:
    """Say whether this is an open file, a socket, a lock or their like: by modules, which are not loaded for it."""
    return any(cls.__module__.partition(".")[0] in _OPEN for cls in type(value).__mro__)


_OPEN = frozenset(
    {
        *("_io", "tempfile", "mmap", "socket", "_socket", "ssl", "_ssl", "select", "selectors", "sqlite3"),
        *(
            "threading",
            "_thread",
            "_queue",
            "queue",
            "concurrent",
            "multiprocessing",
            "subprocess",
            "asyncio",
            "_asyncio",
        ),
    }
)

_ADVICE: tuple[tuple[Any, str], ...] = (
    (type, "store its name, and look the class up where it is used"),
    (Enum, "put @storable above its class"),
    ((str, PurePath), "write str(value)"),
    (int, "write int(value)"),
    (float, "write float(value)"),
    ((bytearray, memoryview, bytes), "write bytes(value)"),
    (tuple, "write tuple(value), or make its class a dataclass with @storable"),
    (Mapping, "write dict(value)"),
    (frozenset, "write frozenset(value)"),
    (set, "write set(value)"),
    ((list, range, Iterator), "write list(value)"),
    (BaseException, "write str(value)"),
)
