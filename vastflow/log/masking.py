"""What must never be read in a log, a failure or a map?

Values under telling keys are replaced by a mask, however deep they lie, and where such a value stands in free text
of the same event it is replaced there too. Values in objects that are no mappings are not looked into.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import cast
from urllib.parse import quote

from structlog.typing import EventDict, WrappedLogger

from vastflow.log.fields import BodyFields

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
        """Return `value` with all secrets in it masked: mappings, lists and tuples in it are copied, None stays."""
        return _masked(self, value, (), _DEPTH)

    def secrets(self, value: object) -> frozenset[str]:
        """Return the texts and numbers (as text) that stand under secret keys in `value`, to be handed to `text`."""
        return frozenset(_secrets(self, value, _DEPTH))

    def text(self, text: str, secrets: Iterable[str]) -> str:
        """Return `text` with every occurrence of a known secret masked, also as Python or a URL would spell it.

        Secrets shorter than 4 characters are left alone: a value such as "1" or "no" stands in any text by chance,
        so masking it would spoil the text and, by where the masks fall, tell the value.
        """
        for known in _spellings(secrets):
            text = text.replace(known, MASK)
        return text

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Mask a structlog event: values under secret keys, and the same values in the texts beside them."""
        secrets = _spellings(self.secrets(event))
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
        case str():
            for known in secrets:
                value = value.replace(known, MASK)
            return value
        case Mapping() | list() | tuple() if not depth:
            return MASK  # too deep to be looked through, so not shown
        case Mapping():
            return {key: _entry(masker, key, item, secrets, depth - 1) for key, item in _pairs(value)}
        case list() | tuple():
            items = [_masked(masker, item, secrets, depth - 1) for item in _items(value)]
            return items if isinstance(value, list) else tuple(items)
        case _:
            return value


def _entry(masker: Masker, key: object, value: object, secrets: tuple[str, ...], depth: int) -> object:
    hidden = value is not None and masker.matches(_name(key))
    return MASK if hidden else _masked(masker, value, secrets, depth)


def _name(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _secrets(masker: Masker, value: object, depth: int) -> Iterator[str]:
    match value:
        case Mapping() if depth:
            for key, item in _pairs(value):
                yield from _leaves(item, depth - 1) if masker.matches(_name(key)) else _secrets(masker, item, depth - 1)
        case list() | tuple() if depth:
            for item in _items(value):
                yield from _secrets(masker, item, depth - 1)
        case _:
            return


def _leaves(value: object, depth: int) -> Iterator[str]:
    match value:
        case bool() | None:
            return
        case str() | int():
            yield str(value)
        case bytes():
            yield value.decode(errors="backslashreplace")
        case Mapping() | list() | tuple() if depth:
            for item in _items(value.values() if isinstance(value, Mapping) else value):
                yield from _leaves(item, depth - 1)
        case _:
            return


def _pairs(value: object) -> Iterable[tuple[object, object]]:
    return cast("Mapping[object, object]", value).items()


def _items(value: object) -> Iterable[object]:
    return cast("Iterable[object]", value)
