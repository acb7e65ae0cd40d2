"""How does another process ask for flows that have ended to be removed?

By a letter that says in which states, and before when, they ended; its answer says how many they were.
"""

from typing import Literal

import msgspec

from vastflow.actors.letters import Said
from vastflow.errors import StoreUnreadable
from vastflow.ledger.inbox import Letter

__all__ = ["GC", "Removal", "count_of", "read_removal", "said_of", "write_removal"]

GC = "gc"
"""The kind of such a letter."""


class Removal(msgspec.Struct, frozen=True):
    """Which flows are to be removed: those that ended in these states before then (microseconds)."""

    states: tuple[Literal["success", "fail", "cancelled"], ...]
    before: int


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Removal).decode


def write_removal(removal: Removal) -> bytes:
    """Return what such a letter says."""
    return _ENCODE(removal)


def read_removal(letter: Letter) -> Removal:
    """Return what such a letter asks for.

    Raises:
        StoreUnreadable: that cannot be read.
    """
    try:
        return _DECODE(letter.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"letter {letter.no} of the inbox cannot be read ({error}): ask again"
        raise StoreUnreadable(message) from error


def said_of(removed: int) -> Said:
    """Return the answer when so many flows were removed."""
    return Said("done", str(removed))


def count_of(said: Said) -> int:
    """Return how many flows were removed, as an answer says."""
    return int(said.reason) if said.reason.isdecimal() else 0
