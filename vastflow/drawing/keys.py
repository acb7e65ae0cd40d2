"""Which keys does a water declare, of which types?

A class is read when it is made; what its annotations mean is asked later, since they may name what comes after it.
"""

import difflib
import inspect
import re
import typing
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from vastflow.drawing.annotations import Check, check_of, passes, same, shown
from vastflow.drawing.scopes import Scope, resolve, scope_of
from vastflow.errors import AttributeFault

__all__ = ["Declaration", "Declared", "Mark", "declare", "declared", "fits", "later", "meant"]

_CLASS_VAR = re.compile(r"\s*(\w+\s*\.\s*)*ClassVar\b")


class Mark(Enum):
    """What stands in the place of a default where there is none."""

    LATER = "later()"
    NOTHING = "nothing"


def later() -> Any:
    """Mark a key that is not needed at start, since some river writes it."""
    return Mark.LATER


@dataclass(frozen=True, slots=True)
class Declaration:
    """One key as a class declares it.

    Attributes:
        key: the key.
        annotation: as it was written.
        default: the value, or a mark.
        scope: where the annotation was written.
    """

    key: str
    annotation: object
    default: object
    scope: Scope


@dataclass(frozen=True, slots=True)
class Declared:
    """One key as a water class declares it, its annotation resolved.

    Attributes:
        key: the key.
        annotation: what its type is; None if there is a fault.
        required: whether it is needed at start.
        fault: why the annotation cannot be used; empty if it can.
        default: the value at start, or a mark if there is none.
        check: tells where a value does not fit; None if everything does.
        passes: exact types whose values always fit.
    """

    key: str
    annotation: Any
    required: bool
    fault: str = ""
    default: object = Mark.NOTHING
    check: Check | None = None
    passes: frozenset[type] = frozenset()


def declare(cls: type, taken: Collection[str]) -> dict[str, Declaration]:
    """Return the keys that a class being made declares itself; take their defaults out of it.

    Args:
        cls: the class.
        taken: names that no key may have.

    Raises:
        AttributeFault: a key has such a name.
    """
    written = inspect.get_annotations(cls)
    keys = {key: annotation for key, annotation in written.items() if not _is_class_var(annotation)}
    scope = scope_of(cls, keys.values())
    declarations = {}
    for key, annotation in keys.items():
        _check_name(cls, key, taken)
        declarations[key] = Declaration(key, annotation, vars(cls).get(key, Mark.NOTHING), scope)
    return declarations


def _is_class_var(annotation: object) -> bool:
    if isinstance(annotation, str):
        return _CLASS_VAR.match(annotation) is not None
    return annotation is typing.ClassVar or typing.get_origin(annotation) is typing.ClassVar


def _check_name(cls: type, key: str, taken: Collection[str]) -> None:
    if key.startswith("_"):
        message = f"{cls.__qualname__}.{key}: a key of a typed water begins with a letter: leave the underscore out"
        raise AttributeFault(message)
    if key in taken:
        message = (
            f"{cls.__qualname__}.{key}: every water has a method of this name, so water.{key} could not be the entry: "
            f"give the key another name, such as {key}_"
        )
        raise AttributeFault(message)


def declared(cls: Any, beyond: type | None = None) -> Mapping[str, Declared]:
    """Return the keys a water class declares, in the order they were declared, bases first.

    Args:
        cls: a Headwaters class.
        beyond: the flow's water class, where names are looked up last.
    """
    known: Mapping[str, Declared] | None = cls._table  # each class has its own
    if known is not None:
        return known
    last = _scopes(beyond) if beyond else []
    found = {key: _resolved(cls, one, [one.scope, *last]) for key, one in declarations_of(cls).items()}
    if not any(one.fault for one in found.values()):
        cls._table = found
    return found


def declarations_of(cls: type) -> dict[str, Declaration]:
    """Return the declarations of a class and its bases."""
    found: dict[str, Declaration] = {}
    for base in reversed(cls.__mro__):
        found |= vars(base).get("_own_keys", {})
    return found


def _scopes(cls: type) -> list[Scope]:
    scopes = {id(one.scope): one.scope for one in declarations_of(cls).values()}
    inside = {name: value for name, value in vars(cls).items() if isinstance(value, type)}
    return [*scopes.values(), Scope(cls.__module__, {**inside, cls.__name__: cls})]


def _resolved(cls: type, one: Declaration, scopes: Iterable[Scope]) -> Declared:
    required = one.default is Mark.NOTHING
    annotation, fault = resolve(one.annotation, scopes)
    if not fault:
        try:
            check = None if annotation in (Any, object) else check_of(annotation)
        except (TypeError, NameError) as error:
            fault = str(error)
    if fault:
        return Declared(one.key, None, required, f"{cls.__qualname__}.{one.key}: {fault}", one.default)
    return Declared(one.key, annotation, required, "", one.default, check, passes(annotation))


def fits(view: type, water: type, extra: Collection[str] = ()) -> list[str]:
    """Return why a body's view does not fit the flow's water; nothing if it does.

    Args:
        view: the class its body asks for.
        water: the class the flow has.
        extra: undeclared keys that are allowed there as well.
    """
    asked, there = declared(view, water), declared(water)
    faults = [one.fault for one in asked.values() if one.fault]
    if asked and there and view is not water:
        for key, one in asked.items():
            if not one.fault and key not in extra:
                faults += _misfits(view, water, one, there)
    return faults


def _misfits(view: type, water: type, one: Declared, there: Mapping[str, Declared]) -> list[str]:
    name = f"{view.__qualname__}.{one.key}"
    if (other := there.get(one.key)) is None:
        near = meant(one.key, there)
        return [f"{name}: the flow's water {water.__qualname__} has no such key{near}: declare it there"]
    if other.fault or same(one.annotation, other.annotation):
        return []
    message = (
        f"{name} is declared as {shown(one.annotation)}, in the flow's water {water.__qualname__} "
        f"as {shown(other.annotation)}: declare the same type in both"
    )
    return [message]


def meant(key: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """Return ` (did you mean ...?)` if a known key is near, else nothing."""
    near = difflib.get_close_matches(key, known, n=3, cutoff=cutoff)
    return f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
