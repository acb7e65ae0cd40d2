"""What does a water hold, and what has been changed in it?

Encoded bytes by key; an object is made when it is first read and kept, so that a list changed in place is found again
by its bytes. A water opened for a body keeps the objects put into it in the same way, as a dict would; a water made for
a start keeps copies.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from vastflow.drawing.refusals import text_of
from vastflow.drawing.values import DEFAULT, Limits, canonical, decode, encode
from vastflow.errors import UnstorableValue
from vastflow.secret import Secret

__all__ = ["Contents"]

_IMMUTABLE = frozenset(
    {str, int, bool, float, type(None), bytes, datetime, date, time, timedelta, UUID, Decimal, Secret}
)

_LARGER = ", or declare a larger limit with the flow's water, class Water(Headwaters, value_limit=...)"


class Contents:
    """The entries of one water.

    Attributes:
        limits: how large they may be.
        read_only: whether the water refuses to write.
        live: the objects read or put so far, by key.
    """

    __slots__ = ("_base", "_deleted", "_keeps", "_mutable", "_own", "_size", "limits", "live", "read_only")

    def __init__(
        self,
        base: Mapping[str, bytes | msgspec.Raw] | None = None,
        limits: Limits = DEFAULT,
        *,
        read_only: bool = False,
    ) -> None:
        """Hold encoded values; with a base to compare with, keep the objects that are put."""
        self._keeps = base is not None
        self._base = base or {}
        self._own: dict[str, bytes] = {}
        self._deleted: set[str] = set()
        self._mutable: set[str] = set()
        self._size: int | None = None
        self.live: dict[str, Any] = {}
        self.limits = limits
        self.read_only = read_only

    def __contains__(self, key: object) -> bool:
        """Say whether there is a value for the key."""
        return key in self._own or (key in self._base and key not in self._deleted)

    def __iter__(self) -> Iterator[str]:
        """Go through the keys, those from the beginning first."""
        yield from [key for key in self._base if key not in self._deleted]
        yield from [key for key in self._own if key not in self._base]

    def stored(self, key: str) -> bytes:
        """Return the bytes of one entry, as they were read or put."""
        own = self._own.get(key)
        return bytes(self._base[key]) if own is None else own

    def load(self, key: str) -> Any:
        """Return a new object of one entry."""
        return decode(self.stored(key), key)

    def keep(self, key: str, value: Any) -> None:
        """Keep the object of one entry, since it was handed out."""
        self.live[key] = value
        if type(value) not in _IMMUTABLE:
            self._mutable.add(key)

    def put(self, key: str, value: object) -> None:
        """Hold a value.

        Raises:
            UnstorableValue: it cannot be stored, or the water grows too large.
        """
        text_of(key)
        stored = encode(value, key, self.limits, _LARGER)
        self._grow(key, len(stored))
        self._own[key] = stored
        self._deleted.discard(key)
        self._mutable.discard(key)
        if self._keeps or type(value) in _IMMUTABLE or self.live.get(key) is value:
            self.keep(key, value)
        else:
            self.live.pop(key, None)

    def delete(self, key: str) -> None:
        """Let go of one entry."""
        if self._size is not None:
            self._size -= len(key) + len(self.stored(key))
        self.live.pop(key, None)
        self._mutable.discard(key)
        self._own.pop(key, None)
        if key in self._base:
            self._deleted.add(key)

    def renew(self, check: Callable[[str, Any], None]) -> None:
        """Hold what was changed in place since it was read or put.

        Args:
            check: is called with each key and object that was changed so.

        Raises:
            UnstorableValue: it cannot be stored any more.
        """
        for key in [key for key in self.live if key in self._mutable]:
            new = encode(self.live[key], key, self.limits, _LARGER)
            if new != self.stored(key):
                check(key, self.live[key])
                self._grow(key, len(new))
                self._own[key] = new

    def changes(self) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """Return what was put or changed, and which keys were deleted."""
        put = {key: new for key, new in self._own.items() if not self._is_old(key, new)}
        return put, tuple(key for key in self._base if key in self._deleted) if self._deleted else ()

    def rebase(self, put: Mapping[str, bytes | msgspec.Raw], drop: Collection[str]) -> None:
        """Count these changes as made before: `changes` tells from now on what differs from them."""
        present = set(self)
        self._base = {key: old for key, old in {**self._base, **put}.items() if key not in drop}
        self._deleted = self._base.keys() - present

    def encoded(self) -> dict[str, bytes]:
        """Return all entries."""
        return {key: self.stored(key) for key in self}

    def _is_old(self, key: str, new: bytes) -> bool:
        old = self._base.get(key)
        return old is not None and (bytes(old) == new or canonical(bytes(old)) == canonical(new))

    def _grow(self, key: str, length: int) -> None:
        """Count the bytes of an entry that is to be held."""
        if self._size is None:
            self._size = sum(map(len, self._base)) + sum(map(len, self._base.values()))
        old = len(key) + len(self.stored(key)) if key in self else 0
        size = self._size + len(key) + length - old
        if size > self.limits.water:
            message = (
                f"with it the water takes {size} bytes, {self.limits.water} are allowed: "
                f"delete keys that nobody reads any more, keep large data elsewhere and store where it is, or "
                f"declare a larger limit with the flow's water, class Water(Headwaters, water_limit=...)"
            )
            raise UnstorableValue(message, key)
        self._size = size
