r"""How is text shown without letting it steer the terminal or the eye?

Names and logged values come from outside. A control character in them can clear a screen, forge a line or turn the
direction of reading, so each is shown as the escape Python would write for it: `\x1b`, `\n`, `\u202e`.
"""

import math
import re
from collections.abc import Mapping
from typing import cast

from structlog.typing import EventDict, WrappedLogger

__all__ = ["escape", "escape_controls"]

# C0, DEL and C1; direction marks, embeddings, overrides and isolates; line and paragraph separators; halves of pairs.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
_LINES = frozenset(("exception", "stack"))  # texts of many lines; renderers print them below the line
_OBJECTS = frozenset(("exc_info", "_record"))  # for the processors behind this one, not for reading
_DEPTH = 8
_Nested = Mapping[object, object] | list[object] | tuple[object, ...]
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    """Return `text` with control characters, direction overrides and lone surrogates written as escapes.

    A backslash stays as it is: the result is for reading, not for turning back. Escaping twice changes nothing more.
    """
    return text if text.isprintable() else _UNSAFE.sub(_spell, text)


def escape_controls(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape the keys and values of a structlog event, nested ones too, and leave numbers and harmless objects alone.

    The lines of `exception` and `stack` stay lines. What comes out can always be written as JSON whose keys are text.
    """
    return {_key(key): _entry(key, value) for key, value in event.items()}


def _spell(found: re.Match[str]) -> str:
    letter = found[0]
    code = ord(letter)
    return _SHORT.get(letter) or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}")  # noqa: PLR2004  # one byte


def _entry(key: object, value: object) -> object:
    if key in _OBJECTS:
        return value
    if key in _LINES and isinstance(value, str):
        return "\n".join(map(escape, value.split("\n")))
    return _safe(value, _DEPTH)


def _key(key: object) -> str:
    return escape(key if type(key) is str else str(key))


def _safe(value: object, depth: int) -> object:
    match value:
        case str():
            return escape(str.__str__(value))
        case float() if not math.isfinite(value):
            return repr(value)  # JSON has no word for it
        case None | int() | float():
            return value
        case Mapping() | list() | tuple() if depth:
            return _inside(cast("_Nested", value), depth - 1)
        case _:
            return _object(value)


def _inside(value: _Nested, depth: int) -> object:
    if isinstance(value, Mapping):
        return {_key(key): _safe(item, depth) for key, item in value.items()}
    items = [_safe(item, depth) for item in value]
    return items if isinstance(value, list) else tuple(items)


def _object(value: object) -> object:
    """Leave an object to the renderer, unless what it says of itself is unsafe."""
    try:
        told = repr(value)
    except Exception:  # noqa: BLE001  # a log line must not fail for an object that cannot describe itself
        return f"<{type(value).__qualname__}: its repr failed>"
    safe = escape(told)
    return value if safe == told else safe
