"""Who is a flow?

Its id is the user's or a time-ordered random one; its uid is random and never shown to the outside.
"""

import uuid
from collections.abc import Callable, Mapping

import msgspec

from vastflow.course.delta import same
from vastflow.errors import FlowConflict
from vastflow.ledger.contract import FlowRow
from vastflow.ledger.reading import read_cargo

__all__ = ["check_same", "new_id", "new_uid"]

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


def new_id(now: int, entropy: Callable[[int], bytes]) -> str:
    """Return a UUIDv7 as text: its first 48 bits are milliseconds, so that ids sort by time (RFC 9562, 5.7)."""
    chance = int.from_bytes(entropy(10))
    high = ((now // 1000) & (1 << 48) - 1) << 80
    return str(uuid.UUID(int=high | _VERSION_7 | (chance >> 68 & 0xFFF) << 64 | _VARIANT | chance & (1 << 62) - 1))


def new_uid(entropy: Callable[[int], bytes]) -> str:
    """Return a random UUID as text."""
    return str(uuid.UUID(bytes=entropy(16), version=4))


def check_same(row: FlowRow, name: str, water: Mapping[str, msgspec.Raw]) -> None:
    """Check that a flow which has this id already was started in the same way.

    Raises:
        FlowConflict: it was not.
    """
    if row.name != name:
        message = f"flow {row.id!r} was started as {row.name!r}, not as {name!r}: give this one another id"
        raise FlowConflict(message, row.id)
    stored = read_cargo(row).water
    differing = sorted(key for key in stored.keys() | water.keys() if not same(stored.get(key), water.get(key)))
    if differing:
        named = ", ".join(repr(key) for key in differing)
        message = f"flow {row.id!r} was started with other water (it differs in {named}): give this one another id"
        raise FlowConflict(message, row.id)
