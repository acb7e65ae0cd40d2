"""Which attributes has a stream, what may stand in them, and what may not stand together?

Each attribute has a reader, which returns the value as it is stored or says what to write instead.
"""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from vastflow.drawing.chart import Anchor, Waits
from vastflow.drawing.durations import seconds
from vastflow.drawing.keys import meant
from vastflow.errors import AttributeFault

__all__ = ["BASIN", "MOUTH", "RIVER", "Attributes", "anchor_of", "clashes", "idle", "read", "told_by", "waits_of"]

Reader = Callable[[object], Any]

_NEAR = 0.7  # how alike (0.0 to 1.0) an attribute is that may have been meant


def _count(least: int) -> Reader:
    def reader(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"write a whole number, {least} or more")
        return value

    return reader


def _factor(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError("write a number above 0")
    return float(value)


def _growth(value: object) -> float:
    factor = _factor(value)
    if factor < 1:
        raise ValueError("write a number, 1 or more: polls that come ever closer would never rest")
    return factor


def _wait(value: object) -> float:
    told = seconds(value)
    if told < 0:
        raise ValueError("write a duration of 0 or more")
    return told


def _limit(value: object) -> float:
    told = seconds(value)
    if told <= 0:
        raise ValueError("write a duration above 0")
    return told


def _flag(value: object) -> bool:
    if value is True or value is False:
        return value
    raise ValueError("write True or False")


def _maybe(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("write a text that is not empty")
    return value


def _texts(value: object) -> tuple[str, ...]:
    texts = value if isinstance(value, tuple) else ()
    if texts is not value or not all(type(text) is str and text for text in texts):
        raise ValueError('write a tuple of texts, such as ("paid",)')
    return texts


def _exceptions(value: object) -> tuple[str, ...]:
    kinds = value if isinstance(value, tuple) else ()
    if kinds is not value or not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        raise ValueError("write a tuple of exception classes, such as (ConnectionError,)")
    return tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)


_WAITS: dict[str, Reader] = {
    "retry_times": _count(0),
    "retry_interval": _wait,
    "retry_backoff": _factor,
    "retry_max_interval": _maybe(_limit),
}
_ANSWERS: dict[str, Reader] = {"retry_on": _exceptions, "fail_on": _exceptions}
_CLASS: dict[str, Reader] = {"registered_as": _maybe(_text), "renamed_from": _texts, "name": _maybe(_text)}

MOUTH: Mapping[str, Reader] = {**_WAITS, **_ANSWERS, **_CLASS}
BASIN: Mapping[str, Reader] = {**_WAITS, "continue_on_failure": _flag, "color": _maybe(_text)}
RIVER: Mapping[str, Reader] = {
    **MOUTH,
    "cycle_interval": _maybe(_wait),
    "cycle_backoff": _growth,
    "cycle_max_interval": _maybe(_limit),
    "cycle_times": _maybe(_count(1)),
    "cycle_errors": _count(0),
    "deadline": _maybe(_limit),
    "timeout": _maybe(_limit),
    "atomic": _flag,
    "durable": _flag,
    "at_most_once": _flag,
    "undo_times": _count(0),
    "undo_interval": _wait,
    "undo_deadline": _limit,
    "signals": _texts,
    "max_running": _maybe(_count(1)),
    "color": _maybe(_text),
}
_POLLING: Mapping[str, str] = {
    "cycle_times": "counts polls",
    "cycle_interval": "spaces polls",
    "cycle_backoff": "spaces polls",
    "cycle_max_interval": "spaces polls",
    "cycle_errors": "counts failed polls",
}
_SHAPE = ("registered_as", "renamed_from", "name", "color", "continue_on_failure")


def read(table: Mapping[str, Reader], where: str, name: str, value: object) -> Any:
    """Return an attribute's value as it is stored; `where` names the class or stream for the error.

    Raises:
        AttributeFault: it may not stand there, or there is no such attribute.
    """
    if name not in table:
        near = meant(name, table, _NEAR)
        raise AttributeFault(f"{where} has no attribute {name!r}{near}: write one of {', '.join(sorted(table))}")
    try:
        return table[name](value)
    except ValueError as fault:
        raise AttributeFault(f"{where}: {name} = {value!r} is not possible: {fault}") from None


def waits_of(values: Mapping[str, Any]) -> Waits:
    """Return how something is tried again, from its `retry_*` as they were read."""
    return Waits(*(values[name] for name in _WAITS))


def anchor_of(values: Mapping[str, Any]) -> Anchor:
    """Return a river's anchor from its attributes as they were read."""
    rest = {name: value for name, value in values.items() if name not in _WAITS and name not in _SHAPE}
    return Anchor(retry=waits_of(values), **rest)


def told_by(anchor: Anchor) -> dict[str, Any]:
    """Return the attributes a stored anchor holds, by name; but for exceptions, of which it has names only."""
    told = {name: getattr(anchor, name) for name in RIVER if name not in (*_WAITS, *_SHAPE, *_ANSWERS)}
    return {**told, **dict(zip(_WAITS, msgspec.structs.astuple(anchor.retry), strict=True))}


def clashes(values: Mapping[str, Any], bodies: Collection[str]) -> Iterator[str]:
    """Say which of a river's attributes and bodies may not stand together, and what to write."""
    yield from _cycle_clashes(values, "cycle" in bodies)
    if values["atomic"] and values["deadline"] is None:
        yield "atomic = True lets nothing stop it: write a `deadline` too"
    if not values["durable"]:
        yield from _lasting_clashes(values, bodies)


def idle(values: Mapping[str, Any], written: Collection[str], methods: Collection[str]) -> Iterator[str]:
    """Say which attributes were written for the polls of a river that has no `cycle`.

    Args:
        values: its attributes as they were read.
        written: the names of those that stand in the class itself; what it inherits may be meant for others.
        methods: the names of its methods, one of which may be a `cycle` misspelt.
    """
    for name, does in _POLLING.items():
        if name in written and values[name] is not None:
            near = difflib.get_close_matches("cycle", methods, n=1)
            hint = f" (it has a `{near[0]}`: did you mean cycle()?)" if near else ""
            yield f"{name} {does}, but there are none: write a `cycle`, or take it out{hint}"


def _cycle_clashes(values: Mapping[str, Any], cycles: bool) -> Iterator[str]:  # noqa: FBT001  # private, one caller
    bounded = values["cycle_times"] is not None or values["deadline"] is not None
    if cycles and not bounded and not values["signals"]:
        yield "its `cycle` might poll for ever: write `cycle_times`, `deadline` or `signals`"
    if values["cycle_times"] is not None and not cycles:
        yield "cycle_times counts polls, but there are none: write a `cycle`, or take it out"
    if values["signals"] and not cycles:
        yield "signals wake a `cycle`, but there is none: write a `cycle`, or take `signals` out"
    if values["cycle_interval"] is None and not values["signals"]:
        yield "cycle_interval = None means that only signals wake it: write `signals`, or an interval"


def _lasting_clashes(values: Mapping[str, Any], bodies: Collection[str]) -> Iterator[str]:
    for name in ("atomic", "at_most_once"):
        if values[name]:
            yield f"durable = False may lose its end in a crash, and {name} = True forbids that: write one of them"
    for body in ("cycle", "undo", "reconcile"):
        if body in bodies:
            yield f"durable = False may lose its end in a crash, and `{body}` forbids that: take one of them out"


class Attributes:
    """The attributes of one drawn river, in the hands of its `update`: read them (durations in seconds), set them."""

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        """Hold the values as they were drawn; `where` names the stream for errors."""
        self.__dict__.update(values, _where=where)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute.

        Raises:
            AttributeFault: there is no such attribute, its value is not possible, or it is part of the chart.
        """
        if name in _SHAPE:
            raise AttributeFault(
                f"{self._where}: update() may not change {name}, it is part of the drawing: write options({name}=...)"
            )
        told = read(RIVER, self._where, name, value)
        self.__dict__[name] = value if name in _ANSWERS else told

    def __getattr__(self, name: str) -> Any:
        """Refuse what is no attribute."""
        near = meant(name, RIVER, _NEAR)
        raise AttributeFault(f"{self._where} has no attribute {name!r}{near}: write one of {', '.join(sorted(RIVER))}")

    def values(self) -> dict[str, Any]:
        """Return them all, as they are stored."""
        return {name: read(RIVER, self._where, name, self.__dict__[name]) for name in RIVER if name not in _SHAPE}
