"""How are the single values written that JSON does not have?

Each as a mapping of one tag to a text (or to a small mapping or list of parts), so that it comes back exactly: offsets
and zones, fold, every digit.
"""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from vastflow.drawing.refusals import text_of
from vastflow.errors import UnstorableValue
from vastflow.secret import TAG, Secret

__all__ = ["READERS", "WRITERS"]

M = TypeVar("M", datetime, time)
_TINY = re.compile(r"([+-])00:00:00\.(\d{6})$")  # an offset below a second, which fromisoformat takes for UTC


def _write_int(value: int) -> object:
    """Return an integer that 64 bits may not hold; in hex, which has no limit of digits."""
    return {"$int": format(value, "x")}


def _write_float(value: float) -> object:
    if not isfinite(value):
        message = f"the float {value} cannot be stored, JSON has no such number: store None, or a text"
        raise UnstorableValue(message)
    return value


def _write_decimal(value: Decimal) -> object:
    if not value.is_finite():
        message = f"the Decimal {value} cannot be stored, as only finite numbers can: store None, or a text"
        raise UnstorableValue(message)
    return {"$decimal": str(value)}


def _write_secret(value: Secret) -> object:
    text = value.reveal()
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "the text of this Secret holds a lone surrogate, which no file can keep: replace it"
        raise UnstorableValue(message) from None
    return {TAG: text}


def _write_datetime(value: datetime) -> object:
    return {"$datetime": _write_moment(value)}


def _write_time(value: time) -> object:
    return {"$time": _write_moment(value)}


def _write_moment(value: datetime | time) -> object:
    """Return the ISO text; with a zone, a zone's own name or a fold, a mapping of the parts."""
    zone = value.tzinfo
    parts: dict[str, object] = {}
    if type(zone) is ZoneInfo and zone.key:
        # Without the offset: it would change with the zone's rules, and the value would seem to have changed.
        parts = {"at": value.replace(tzinfo=None).isoformat(), "zone": zone.key}
    elif type(zone) is timezone:
        name = zone.tzname(None)
        parts = {} if name == timezone(zone.utcoffset(None)).tzname(None) else {"name": text_of(name)}
    elif zone is not None:
        raise _zone_refused(value, zone)
    if value.fold:
        parts["fold"] = 1
    return {"at": value.isoformat(), **parts} if parts else value.isoformat()


def _zone_refused(value: datetime | time, zone: tzinfo) -> UnstorableValue:
    kind = f"{type(zone).__module__}.{type(zone).__qualname__}"
    message = (
        f"a {type(value).__name__} with the time zone {zone!r} ({kind}) cannot be stored: "
        f"use a datetime.timezone, or a zoneinfo.ZoneInfo that was made from a key"
    )
    return UnstorableValue(message)


def _read_moment(kind: type[M], stored: str | Mapping[str, Any]) -> M:
    if isinstance(stored, str):
        return _parsed(kind, stored)
    moment = _parsed(kind, stored["at"])
    zone = moment.tzinfo
    if "zone" in stored:
        zone = ZoneInfo(stored["zone"])
    elif "name" in stored and zone is not None and (offset := zone.utcoffset(None)) is not None:
        zone = timezone(offset, stored["name"])
    return moment.replace(tzinfo=zone, fold=stored.get("fold", 0))


def _parsed(kind: type[M], text: str) -> M:
    moment = kind.fromisoformat(text)
    if (found := _TINY.search(text)) is None:
        return moment
    return moment.replace(tzinfo=timezone(timedelta(microseconds=int(found[1] + found[2]))))


WRITERS: Mapping[type, Callable[[Any], object]] = MappingProxyType(
    {
        int: _write_int,
        float: _write_float,
        Decimal: _write_decimal,
        datetime: _write_datetime,
        time: _write_time,
        date: lambda value: {"$date": value.isoformat()},
        timedelta: lambda value: {"$timedelta": [value.days, value.seconds, value.microseconds]},
        UUID: lambda value: {"$uuid": str(value)},
        bytes: lambda value: {"$bytes": base64.b64encode(value).decode("ascii")},
        Secret: _write_secret,
    }
)

READERS: Mapping[str, Callable[[Any], object]] = MappingProxyType(
    {
        "$int": lambda stored: int(stored, 16),
        "$decimal": Decimal,
        "$datetime": lambda stored: _read_moment(datetime, stored),
        "$time": lambda stored: _read_moment(time, stored),
        "$date": date.fromisoformat,
        "$timedelta": lambda stored: timedelta(*stored),
        "$uuid": UUID,
        "$bytes": lambda stored: base64.b64decode(stored, validate=True),
        TAG: Secret,
    }
)
