"""Which flow, which river is a log line about?

Whoever runs a body says so with `in_body` and takes it back with `leave`; between the two every line written in
that thread or task is known to be the body's. One context variable holds it, so entering costs a fraction of a
microsecond whether or not anything is logged.
"""

import logging
from contextvars import ContextVar, Token

import msgspec
from structlog.typing import EventDict, WrappedLogger

from vastflow.secret import forget, remember

__all__ = ["CALL_FIELDS", "BodyFields", "StdlibFields", "add_call_fields", "in_body", "leave"]


class BodyFields(msgspec.Struct, frozen=True, gc=False):
    """What every line of one body carries.

    A msgspec struct and not a dataclass: one is made for each body, and a frozen dataclass takes five times as long.

    Attributes:
        flow: the user's id of the flow.
        river: the address of the stream, such as `east/create-vm`.
        attempt: which attempt, from 1; 0 where there is none.
        color: the label of the basin it stands in; empty without one.
        actor: the actor that does it.
    """

    flow: str
    river: str = ""
    attempt: int = 0
    color: str = ""
    actor: str = ""


_NAMES = BodyFields.__struct_fields__
_NOWHERE = BodyFields(flow="")

CALL_FIELDS: ContextVar[BodyFields | None] = ContextVar("vastflow_call_fields", default=None)
"""The fields of the body that runs in this thread or task; None outside of one."""


def in_body(fields: BodyFields) -> Token[BodyFields | None]:
    """Say that a body with these fields begins here; give the answer to `leave`."""
    remember()
    return CALL_FIELDS.set(fields)


def leave(token: Token[BodyFields | None]) -> None:
    """Say that the body has ended; to be called in the thread or task that called `in_body`."""
    CALL_FIELDS.reset(token)
    forget()


def add_call_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the running body's fields to a structlog event; what the line says itself is left as it is."""
    fields = CALL_FIELDS.get()
    if fields is not None:
        for name in _NAMES:
            if value := getattr(fields, name):
                event.setdefault(name, value)
    return event


class StdlibFields(logging.Filter):
    """The same fields on the standard library's records; added to a handler, it lets every record pass.

    Each record gets all the names, empty outside a body, so that a format such as `%(flow)s` always works.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields and let the record pass."""
        fields = CALL_FIELDS.get() or _NOWHERE
        for name in _NAMES:
            if not hasattr(record, name):
                setattr(record, name, getattr(fields, name))
        return True
