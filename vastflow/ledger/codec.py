"""How is a fact stored?

Its kind is a column, what the kind carries is JSON; read back strictly, so that a broken record is found here and
strands its own flow only.
"""

from collections.abc import Iterable

import msgspec

from vastflow.course.facts import KINDS, Fact, What
from vastflow.errors import StoreTooNew, StoreUnreadable
from vastflow.ledger.contract import FactRow

__all__ = ["FACT_VERSION", "decode_fact", "decode_facts", "encode_what", "kind_of"]

FACT_VERSION = 1
_NO_TIME = 1 << 62  # microseconds; a wait without end ends before

_ENCODER = msgspec.json.Encoder()
_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_NAMES = {kind: name for name, kind in KINDS.items()}


def kind_of(what: What) -> str:
    """Return the name under which this kind of fact is stored."""
    return _NAMES[type(what)]


def encode_what(what: What) -> bytes:
    """Return what a fact carries as JSON."""
    return _ENCODER.encode(what)


def decode_facts(rows: Iterable[FactRow]) -> list[Fact]:
    """Return stored facts, in order.

    Raises:
        StoreUnreadable: one cannot be read, or one is missing.
        StoreTooNew: one was written by a newer release.
    """
    facts = []
    for number, row in enumerate(rows, 1):
        if row.number != number:
            message = f"flow {row.flow!r}: fact {number} is missing from its journal: restore the store from a backup"
            raise StoreUnreadable(message)
        facts.append(decode_fact(row))
    return facts


def decode_fact(row: FactRow) -> Fact:
    """Return one stored fact.

    Raises:
        StoreUnreadable: it cannot be read.
        StoreTooNew: it was written by a newer release.
    """
    where = f"flow {row.flow!r}, fact {row.number}"
    if row.version > FACT_VERSION:
        message = (
            f"{where}: has version {row.version}, this release reads up to {FACT_VERSION}: install a newer vastflow"
        )
        raise StoreTooNew(message)
    decoder = _DECODERS.get(row.kind)
    if decoder is None:
        message = f"{where}: the kind {row.kind!r} is unknown: install the release that wrote it, or restore a backup"
        raise StoreUnreadable(message)
    try:
        what = decoder.decode(row.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"{where}: its record cannot be read ({error}): restore the store from a backup"
        raise StoreUnreadable(message) from error
    due: int = getattr(what, "due", 0)
    if not 0 <= due < _NO_TIME:
        raise StoreUnreadable(f"{where}: nothing can be due at {due}: restore the store from a backup")
    return Fact(row.at, row.address, row.run, row.attempt, what, row.who)
