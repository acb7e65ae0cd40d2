"""What can somebody have done to a store?

Damages as data. One of a cell takes the value that stood there and returns what stands there instead; one of a field
in JSON is what stands there instead, as bytes, whatever the field held.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["ADDRESSES", "CELLS", "FIELDS", "NAMES", "Text", "field_paths", "mutated", "with_field"]

Cell = None | int | float | str | bytes


class Text(NamedTuple):
    """Bytes that are stored as a text, whether they are one or not."""

    raw: bytes


def _raw(value: Cell) -> bytes:
    match value:
        case bytes():
            return value
        case str():
            return value.encode()
        case _:
            return str(value).encode()


def _as(value: Cell, raw: bytes) -> Cell | Text:
    """Return these bytes in the type of the value they take the place of."""
    return Text(raw) if isinstance(value, str) else raw


def _alike(raw: bytes) -> Callable[[Cell], Cell | Text]:
    return lambda value: _as(value, raw)


def _always(value: Cell | Text) -> Callable[[Cell], Cell | Text]:
    return lambda _: value


NAMES = {
    "control characters": "\x1b]0;pwned\x07\x1b[2J\x9b31m\r\n\u202egnp\u2028",
    "quotes": "'\"`'); DROP TABLE flows; --",
    "nul": "a\x00b",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "template": "{0.__class__.__mro__}%s%n${jndi:ldap://x}",
    "path": "../../../../etc/passwd",
    "unknown class": "os.system",
    "empty": "",
}
"""Texts that somebody might hope are taken for more than texts."""

ADDRESSES = ("", "~", "nowhere", "east", "items", "row[7]", "slow", "east/saves")
"""Where a fact may say that it belongs."""

_NUMBERS = {
    "negative": -1,
    "nought": 0,
    "newer": 999,
    "the year 10000": 253_402_300_800_000_000,
    "2**62": 1 << 62,
    "2**63 - 1": (1 << 63) - 1,
    "-2**63": -(1 << 63),
}

_DEEP = 100_000
_HUGE = 50_000

CELLS: dict[str, Callable[[Cell], Cell | Text]] = {
    "absent": _always(None),
    "other type, number": _always(7),
    "other type, fraction": _always(1.5),
    "other type, text": _always("text"),
    "other type, bytes": _always(b"\x00\xff\xfe"),
    "infinite": _always(float("inf")),
    "truncated": lambda value: _as(value, _raw(value)[: len(_raw(value)) // 2]),
    "doubled": lambda value: _as(value, _raw(value) * 2),
    "huge": _alike(b"x" * _HUGE),
    "no utf-8": _alike(b'"\xff\xfe\xed\xa0\x80"'),
    "deep": _alike(b"[" * _DEEP),
    "deep, mappings": _alike(b'{"put":' * _DEEP),
    "deep, in order": _alike(b"[" * 400 + b"]" * 400),
    "json null": _alike(b"null"),
    "json list": _alike(b"[1]"),
    "json mapping": _alike(b"{}"),
    "json, newer": _alike(b'{"version":999}'),
    "json, twice": lambda value: _as(value, _raw(value).replace(b"{", b'{"put":{"put":1},"put":2,', 1)),
    **{name: _always(number) for name, number in _NUMBERS.items()},
    **{name: _alike(text.encode()) for name, text in NAMES.items()},
}
"""What a cell may hold instead, by the name of the damage."""

FIELDS: dict[str, bytes | None] = {
    "absent": None,
    "null": b"null",
    "true": b"true",
    "list": b"[]",
    "list of mappings": b"[{},[],null]",
    "mapping": b"{}",
    "mapping of odd things": b'{"":{"":null},"\\u0000":[1]}',
    "number": b"7",
    "fraction": b"1.5",
    "beyond all numbers": b"1e999",
    "as large as a number can be": b"1.7976931348623157e308",
    "of 400 digits": b"9" * 400,
    "text": b'"text"',
    "huge": b'"' + b"x" * _HUGE + b'"',
    "broken": b'{"a":',
    "no utf-8": b'"\xff\xfe"',
    "deep": b"[" * _DEEP,
    "deep, in order": b"[" * 400 + b"]" * 400,
    "half a pair": b'"\\ud800"',
    "a class to be made": b'{"$dataclass":["os.system",{"command":"true"}]}',
    "a member to be found": b'{"$enum":["builtins.eval","x"]}',
    "a river to be made": b'{"$dataclass":["tests.stores.waits",{}]}',
    "a newer form": b'{"$newer":["x"]}',
    "a list that cannot be hashed": b'{"$set":[[1]]}',
    "a day that never was": b'{"$date":"2026-02-31"}',
    "a number that is none": b'{"$int":"zz"}',
    **{name: str(number).encode() for name, number in _NUMBERS.items()},
    **{name: json.dumps(text).encode() for name, text in NAMES.items()},
}
"""What a field in JSON may hold instead, by the name of the damage; None: the field is not there."""

_HERE = "here, and nowhere else"
Path = tuple[str | int, ...]


def field_paths(stored: bytes) -> Iterator[Path]:
    """Return the way to every field in a JSON record, of lists the first item; the record itself is none."""
    yield from _paths(json.loads(stored), ())


def _paths(node: Any, above: Path) -> Iterator[Path]:
    steps: Any = node.items() if isinstance(node, dict) else enumerate(node[:1]) if isinstance(node, list) else ()
    for step, inner in steps:
        yield (*above, step)
        yield from _paths(inner, (*above, step))


def with_field(stored: bytes, path: Path, raw: bytes | None) -> bytes:
    """Return a JSON record in which something else stands in one field."""
    record = json.loads(stored)
    *above, last = path
    node = record
    for step in above:
        node = node[step]
    if raw is None:
        del node[last]
        return json.dumps(record, separators=(",", ":")).encode()
    node[last] = _HERE
    return json.dumps(record, separators=(",", ":")).encode().replace(json.dumps(_HERE).encode(), raw)


def mutated(value: Cell, chance: random.Random) -> Cell | Text:
    """Return a cell that was damaged by chance: bits turned, bytes lost, doubled or put in, or another value at all."""
    if chance.random() < 0.25:
        return CELLS[chance.choice(list(CELLS))](value)
    if isinstance(value, int | float):
        return _number(value, chance)
    raw = bytearray(_raw(value))
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        _turn(raw, chance)
    return _as(value, bytes(raw))


def _number(value: float, chance: random.Random) -> Cell:
    turned = (int(value) & ((1 << 64) - 1)) ^ (1 << chance.randrange(64))
    return turned - (1 << 64) if turned >> 63 else turned


def _turn(raw: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(raw) + 1)
    match chance.randrange(5):
        case 0 if at < len(raw):
            raw[at] ^= 1 << chance.randrange(8)
        case 1:
            raw[at:at] = chance.randbytes(chance.randrange(1, 9))
        case 2:
            del raw[at : at + chance.randrange(1, 9)]
        case 3:
            raw[at:at] = raw[at : at + chance.randrange(1, 30)]
        case _:
            raw[at : at + 1] = chance.choice((b"0", b"-", b'"', b"}", b"]", b",", b"null", b"\\", b"\x00", b"9e9"))
