"""Who is a flow?

Its id is the user's or a time-ordered random one; its uid is random and never shown to the outside.
"""

import getpass
from collections.abc import Callable, Iterator, Mapping

from vastflow.course.states import FLOW_STATES
from vastflow.drawing.durations import moment_of
from vastflow.drawing.launcher import Terms
from vastflow.drawing.values import check_size
from vastflow.errors import DrawingError, UnstorableValue

__all__ = ["check_states", "check_terms", "login", "new_id", "new_uid", "refusal_of"]

_VERSION_7 = 0x7 << 76
_VERSION_4 = 0x4 << 76
_RANDOM = (1 << 128) - 1 & ~(0xF << 76 | 0x3 << 62)
_VARIANT = 0x2 << 62


def new_id(now: int, entropy: Callable[[int], bytes]) -> str:
    """Return a UUIDv7 as text: its first 48 bits are milliseconds, so that ids sort by time (RFC 9562, 5.7)."""
    chance = int.from_bytes(entropy(10))
    high = ((now // 1000) & (1 << 48) - 1) << 80
    return _text(high | _VERSION_7 | (chance >> 68 & 0xFFF) << 64 | _VARIANT | chance & (1 << 62) - 1)


def new_uid(entropy: Callable[[int], bytes]) -> str:
    """Return a random UUID as text."""
    return _text(int.from_bytes(entropy(16)) & _RANDOM | _VERSION_4 | _VARIANT)


def _text(number: int) -> str:
    """Write a UUID as `str(uuid.UUID(int=number))` does, in a fraction of its time."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def check_states(states: tuple[str, ...]) -> tuple[str, ...]:
    """Return the states, if flows can be in them.

    Raises:
        ValueError: no flow ever is in one of them.
    """
    unknown = [state for state in states if state not in FLOW_STATES]
    if unknown:
        message = f"no flow is ever in state {unknown[0]!r}: the states are {', '.join(FLOW_STATES)}"
        raise ValueError(message)
    return states


def check_terms(name: str, terms: Terms, now: int) -> None:
    """Check what a flow is started with, beside its water; `now` is microseconds.

    Raises:
        DrawingError: an id or tags of another kind than text, or no moment where one is asked for; all faults are
            named.
    """
    faults = [*_of_id(terms.id), *_of_tags(terms.tags)] if terms.id is not None or terms.tags != {} else []
    if terms.not_before is not None or terms.deadline is not None:
        faults += [*_of_moment("not_before", terms.not_before, now), *_of_moment("deadline", terms.deadline, now)]
    if faults:
        raise DrawingError(name, tuple(faults))


def _of_id(told: object) -> Iterator[str]:
    if told is not None and not (told and _is_text(told)):
        yield f"start(id={told!r}): an id is a text of at least one character: write something like id='order-17'"


def _of_tags(told: object) -> Iterator[str]:
    if not isinstance(told, Mapping):
        yield f"start(tags={told!r}): tags are texts by text: write something like tags={{'team': 'storage'}}"
        return
    for key, value in told.items():
        if not (_is_text(key) and _is_text(value)):
            wrong = f"tags are texts by text, but {key!r}: {value!r} is not"
            yield f"start(tags=...): {wrong}: write something like 'team': 'storage'"


def _of_moment(name: str, told: object, now: int) -> Iterator[str]:
    if told is None:
        return
    try:
        moment_of(told, now, f"start({name}=...)")
    except ValueError as error:
        yield str(error)


def _is_text(told: object) -> bool:
    """Say whether this is a text which can be written down: half of a surrogate pair cannot."""
    return isinstance(told, str) and told.encode(errors="replace").decode() == told


def login() -> str:
    """Return the name this process's user logged in with; empty if the machine does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def refusal_of(stored: bytes) -> str:
    """Return why an encoded value is too large to be stored; empty if it is not."""
    try:
        check_size(stored)
    except UnstorableValue as refused:
        return str(refused)
    return ""
