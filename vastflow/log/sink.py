"""How do log lines get out of here, to be kept?

The door through which a later floor may take the lines of a flow and keep them in the store. While nobody has filled
`sinks` it costs the look at an empty list.
"""

from collections.abc import MutableSequence
from contextlib import suppress
from typing import Protocol

import msgspec
from structlog.typing import EventDict, WrappedLogger

from vastflow.clock import Clock, SystemClock
from vastflow.log.fields import BodyFields

__all__ = ["Line", "LineSink", "keep_lines", "sinks"]

_CLOCK: Clock = SystemClock()


class Line(msgspec.Struct, frozen=True):
    """One log line of one flow.

    Attributes:
        at: microseconds since 1970 UTC.
        level: debug, info, warning, error or critical.
        event: what happened.
        fields: whom it is about.
        values: everything else the line says, masked and escaped if those processors stand before this one.
    """

    at: int
    level: str
    event: str
    fields: BodyFields
    values: dict[str, object]


class LineSink(Protocol):
    """Takes lines and keeps them."""

    def keep(self, line: Line) -> None:
        """Take a line, at once: the body that wrote it is waiting. What it raises is swallowed."""


sinks: MutableSequence[LineSink] = []
"""Whoever wants the lines appends itself here, and removes itself when it closes."""


def keep_lines(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Hand an event that says which flow it is about to all sinks; stands last before the renderer."""
    if sinks and "flow" in event:
        _hand(Line(_CLOCK.now(), str(event.get("level", method)), str(event.get("event", "")), *_parts(event)))
    return event


def _parts(event: EventDict) -> tuple[BodyFields, dict[str, object]]:
    told: dict[str, object] = dict(event)
    for known in ("event", "level", "timestamp"):
        told.pop(known, None)
    attempt = told.pop("attempt", 0)
    flow, river, color, actor = (str(told.pop(name, "")) for name in ("flow", "river", "color", "actor"))
    return BodyFields(flow, river, attempt if isinstance(attempt, int) else 0, color, actor), told


def _hand(line: Line) -> None:
    for sink in tuple(sinks):
        with suppress(Exception):  # a line that cannot be kept must not hurt the body that wrote it
            sink.keep(line)
