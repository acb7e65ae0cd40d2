"""What must never be read in a log, a failure or a map?

Values under telling keys and every `Secret` (also as it is stored) are replaced by a mask, however deep they lie, and
where such a value stands in free text of the same event it is replaced there too. Objects of other kinds than mappings,
lists, tuples and sets are left as they are; dataclasses are looked into where secrets are collected for a text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from fnmatch import translate
from functools import lru_cache
from typing import cast
from urllib.parse import quote

from structlog.typing import EventDict, WrappedLogger

from vastflow.log.fields import BodyFields
from vastflow.secret import TAG, Secret, revealed

__all__ = ["MASK", "PATTERNS", "Masker", "mask_secrets"]

MASK = "***"
"""What is shown instead of a secret."""

PATTERNS = ("*password*", "*token*", "*secret*", "*api_key*", "*private_key*")
"""The keys whose values are secrets, unless a `Masker` is given others."""

_OURS = frozenset(("level", "timestamp", *BodyFields.__struct_fields__))  # lines are sorted and found by these
_SHORTEST = 4
_DEPTH = 8
_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[-. ]")


class Masker:
    """Knows secrets by their keys, and takes them out of mappings, events and texts. A structlog processor as it is.

    Args:
        patterns: which keys hold secrets, with `*` and `?`, whatever their case; a pattern with `_` also finds the
            key written with `-` or in camel case (`api_key`: `API-Key`, `apiKey`).
    """

    def __init__(self, patterns: Iterable[str] = PATTERNS) -> None:
        """Keep the patterns."""
        self.patterns = tuple(patterns)
        self._pattern = re.compile("|".join(translate(pattern.lower()) for pattern in self.patterns) or r"(?!)")
        self._known = lru_cache(maxsize=4096)(self._judge)  # the same few keys come with every line

    def matches(self, key: str) -> bool:
        """Say whether what stands under this key is a secret."""
        return self._known(key)

    def mask(self, value: object) -> object:
        """Return `value` with all secrets in it masked: what it holds them in is copied, None stays."""
        return _masked(self, value, (), _DEPTH)

    def secrets(self, value: object) -> frozenset[str]:
        """Return all that is secret in `value`, to be handed to `text`.

        Those are the texts and numbers (as text) under secret keys, which may be fields of dataclasses, and the
        texts of all `Secret`s, wherever they lie.
        """
        return frozenset(_secrets(self, value, objects=True))

    def text(self, text: str, secrets: Iterable[str]) -> str:
        """Return `text` with every occurrence of a known secret masked, also as Python or a URL would spell it.

        Known are those handed over, and what the running body has revealed of `Secret`s. Secrets shorter than 4
        characters are left alone: a value such as "1" or "no" stands in any text by chance, so masking it would spoil
        the text and, by where the masks fall, tell the value.
        """
        for known in _spellings({*secrets, *revealed()}):
            text = text.replace(known, MASK)
        return text

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Mask a structlog event: values under secret keys, and the same values in the texts beside them.

        So is what the running body has revealed of `Secret`s.
        """
        secrets = _spellings({*_secrets(self, event, objects=False), *revealed()})
        return {key: _entry(self, key, value, () if key in _OURS else secrets, _DEPTH) for key, value in event.items()}

    def _judge(self, key: str) -> bool:
        return any(self._pattern.match(way) for way in (key.lower(), _SEAM.sub("_", key).lower()))


mask_secrets = Masker()
"""The masker with the usual patterns, ready to stand in a structlog chain."""


def _spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return how the secrets may be written in a text, longest first, so that none hides in another."""
    long = [secret for secret in secrets if len(secret) >= _SHORTEST]
    ways = {way for secret in long for way in (secret, repr(secret)[1:-1], quote(secret, safe="", errors="replace"))}
    return tuple(sorted(ways, key=len, reverse=True))


def _masked(masker: Masker, value: object, secrets: tuple[str, ...], depth: int) -> object:
    match value:
        case Secret():
            return MASK
        case str():
            for known in secrets:
                value = value.replace(known, MASK)
            return value
        case Mapping() | list() | tuple() | set() | frozenset() if not depth:
            return MASK  # too deep to be looked through, so not shown
        case Mapping():
            return MASK if _is_stored_secret(value) else _masked_pairs(masker, value, secrets, depth)
        case list() | tuple() | set() | frozenset():
            items = (_masked(masker, item, secrets, depth - 1) for item in _items(value))
            return next(kind for kind in _COPIES if isinstance(value, kind))(items)
        case _:
            return value


_COPIES: tuple[type[list[object]] | type[tuple[object, ...]] | type[set[object]] | type[frozenset[object]], ...] = (
    list,
    tuple,
    set,
    frozenset,
)
_HOLDERS = (Mapping, *_COPIES)


def _masked_pairs(masker: Masker, value: object, secrets: tuple[str, ...], depth: int) -> object:
    return {key: _entry(masker, key, item, secrets, depth - 1) for key, item in _pairs(value)}


def _entry(masker: Masker, key: object, value: object, secrets: tuple[str, ...], depth: int) -> object:
    hidden = value is not None and masker.matches(_name(key))
    return MASK if hidden else _masked(masker, value, secrets, depth)


def _name(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _is_stored_secret(value: object) -> bool:
    """Say whether this is a Secret as it is stored (docs/format.md), decoded from JSON."""
    return isinstance(value, dict) and len(value) == 1 and TAG in value


def _secrets(masker: Masker, value: object, *, objects: bool) -> Iterator[str]:
    """Go through the secrets in a value, however deep: without recursion, and looking at no object twice.

    Args:
        masker: knows the keys.
        value: where they may be.
        objects: look into dataclasses. Not in events: an application may log objects that hold all it has.
    """
    waiting: list[tuple[object, bool]] = [(value, False)]
    seen: dict[tuple[int, bool], object] = {}  # holds on to the objects, so that no id is used again
    while waiting:
        one, hidden = waiting.pop()
        if isinstance(one, Secret):
            yield one.reveal()
        elif isinstance(one, _HOLDERS) or (objects and is_dataclass(one)):
            if (id(one), hidden) not in seen:
                seen[id(one), hidden] = one
                waiting += [(item, hidden or telling) for item, telling in _inside(masker, one)]
        elif hidden:
            yield from _told(one)


def _inside(masker: Masker, holder: object) -> Iterator[tuple[object, bool]]:
    """Go through what something holds, each with whether its key says that it is secret."""
    if isinstance(holder, Mapping):
        stored = _is_stored_secret(holder)
        yield from ((item, stored or masker.matches(_name(key))) for key, item in _pairs(holder))
    elif isinstance(holder, _HOLDERS):
        yield from ((item, False) for item in _items(holder))
    elif is_dataclass(holder) and not isinstance(holder, type):
        yield from ((_field(holder, field.name), masker.matches(field.name)) for field in fields(holder))


def _field(holder: object, name: str) -> object:
    try:
        return getattr(holder, name)
    except Exception:  # noqa: BLE001  # an attribute of the user's own may raise anything
        return None


def _told(value: object) -> Iterator[str]:
    """Return a secret value as it may stand in a text."""
    match value:
        case bool():
            return
        case str() | int():
            yield str(value)
        case bytes():
            yield value.decode(errors="backslashreplace")
        case _:
            return


def _pairs(value: object) -> Iterable[tuple[object, object]]:
    return cast("Mapping[object, object]", value).items()


def _items(value: object) -> Iterable[object]:
    return cast("Iterable[object]", value)
