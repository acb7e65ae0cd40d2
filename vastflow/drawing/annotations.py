"""Does a value have the type it was declared with?

An annotation is made into a check once; the check goes as deep as the annotation and tells where the value does not
fit. What a type checker accepts passes (an int for a float, a bool for an int).
"""

import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from vastflow.drawing.storables import form_of
from vastflow.secret import Secret

__all__ = ["Check", "Misfit", "asks_secret", "check_of", "passes", "same", "shown"]


class Misfit(NamedTuple):
    """Where a value does not fit, what was wanted there, and what is there."""

    path: str
    wanted: str
    value: object


Check = Callable[[Any], Misfit | None]

_SCALARS = (bool, int, float, str, bytes, datetime, date, time, timedelta, UUID, Decimal, Secret, type(None))
_LISTS = (
    list,
    set,
    frozenset,
    abc.Sequence,
    abc.MutableSequence,
    abc.Set,
    abc.MutableSet,
    abc.Collection,
    abc.Iterable,
)
_DICTS = (dict, abc.Mapping, abc.MutableMapping)
_WIDER: Mapping[type, tuple[type, ...]] = {float: (float, int, bool), int: (int, bool)}
_making: dict[Any, dict[str, Check]] = {}  # TypedDicts whose checks are being made


def check_of(annotation: Any) -> Check:
    """Return the check for a resolved annotation.

    Raises:
        TypeError: no storable value has this type, or it cannot be checked.
    """
    annotation = bare(annotation)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (Any, object):
        return _anything
    if origin in (typing.Union, types.UnionType):
        return _union(annotation, args)
    if origin is typing.Literal:
        return _literal(annotation, args)
    if typing.is_typeddict(origin or annotation):
        return _record(origin or annotation)
    if isinstance(origin or annotation, type):
        return _of_class(annotation, origin or annotation, args)
    message = f"{shown(annotation)} cannot be checked: write a class, a union of classes, or Any"
    raise TypeError(message)


def bare(annotation: Any) -> Any:
    """Return an annotation without what says nothing of the type: Annotated, Required, NewType, alias names."""
    while True:
        if typing.get_origin(annotation) in (typing.Annotated, typing.Required, typing.NotRequired):
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":  # only there since 3.12
            annotation = annotation.__value__
        else:
            return type(None) if annotation is None else annotation


def passes(annotation: Any) -> frozenset[type]:
    """Return the exact types whose values need no further check."""
    annotation = bare(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return frozenset[type]().union(*map(passes, typing.get_args(annotation)))
    return frozenset(_WIDER.get(annotation, (annotation,))) if annotation in _SCALARS else frozenset()


def same(one: Any, other: Any) -> bool:
    """Say whether two annotations mean one type; Any is the same as everything."""
    one, other = bare(one), bare(other)
    if one == other or one is Any or other is Any:
        return True
    args, others = typing.get_args(one), typing.get_args(other)
    if _family(one) != _family(other) or len(args) != len(others) or _family(one) is typing.Literal:
        return False
    if _family(one) is typing.Union:
        return all(any(same(arg, twin) for twin in others) for arg in args)
    return all(map(same, args, others))


def asks_secret(annotation: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Say whether a Secret is wanted somewhere in it, so that what was given instead is not to be shown either."""
    annotation = bare(annotation)
    record = typing.get_origin(annotation) or annotation
    if typing.is_typeddict(record) and record not in seen:
        inside = tuple(typing.get_type_hints(record).values())
        return any(asks_secret(one, seen | {record}) for one in inside)
    return annotation is Secret or any(asks_secret(one, seen) for one in typing.get_args(annotation))


def shown(annotation: Any) -> str:
    """Return an annotation as people write it."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return "None" if annotation is type(None) else annotation.__qualname__
    return repr(annotation).replace("typing.", "").replace("NoneType", "None")


def _family(annotation: Any) -> Any:
    origin = typing.get_origin(annotation) or annotation
    return typing.Union if origin is types.UnionType else origin


def _anything(_value: object) -> Misfit | None:
    return None


def _union(annotation: Any, args: Iterable[Any]) -> Check:
    checks = [check_of(arg) for arg in args]
    name = shown(annotation)

    def check(value: object) -> Misfit | None:
        deepest = Misfit("", name, value)
        for one in checks:
            if (misfit := one(value)) is None:
                return None
            deepest = misfit if len(misfit.path) > len(deepest.path) else deepest
        return deepest

    return check


def _literal(annotation: Any, args: Iterable[Any]) -> Check:
    allowed = {(type(arg), arg) for arg in args}
    name = shown(annotation)

    def check(value: Any) -> Misfit | None:
        fits = value.__hash__ is not None and (type(value), value) in allowed
        return None if fits else Misfit("", name, value)

    return check


def _of_class(annotation: Any, cls: type, args: tuple[Any, ...]) -> Check:
    if cls is tuple and args:
        return _tuple(annotation, args)
    if cls in _LISTS:
        return _each(cls, check_of(args[0])) if args else _instance(cls)
    if cls in _DICTS:
        return _mapping(cls, check_of(args[0]), check_of(args[1])) if args else _instance(cls)
    if cls in _SCALARS or cls is tuple or is_storable(cls):
        return _instance(cls)
    message = (
        f"no value of type {shown(annotation)} can be stored: put @storable above that class, "
        f"or store what it can be made from"
    )
    raise TypeError(message)


def is_storable(cls: type) -> bool:
    """Say whether the class, or one derived from it, carries `@storable`."""
    return form_of(cls) is not None or any(map(is_storable, type.__subclasses__(cls)))


def _instance(cls: type) -> Check:
    wanted = _WIDER.get(cls, (cls,))

    def check(value: object) -> Misfit | None:
        return None if isinstance(value, wanted) else Misfit("", shown(cls), value)

    return check


def _each(cls: type, inner: Check) -> Check:
    """Return the check of a class whose values hold elements of one type."""
    outer = _instance(cls)

    def check(value: Any) -> Misfit | None:
        return outer(value) or _first((f"[{index}]", inner, item) for index, item in enumerate(value))

    return check


def _tuple(annotation: Any, args: tuple[Any, ...]) -> Check:
    if args[-1] is Ellipsis:
        return _each(tuple, check_of(args[0]))
    inner = [check_of(arg) for arg in args if arg != ()]

    def check(value: Any) -> Misfit | None:
        if not isinstance(value, tuple) or len(value) != len(inner):
            return Misfit("", shown(annotation), value)
        return _first((f"[{index}]", one, item) for index, (one, item) in enumerate(zip(inner, value, strict=True)))

    return check


def _mapping(cls: type, of_keys: Check, of_items: Check) -> Check:
    outer = _instance(cls)

    def check(value: Any) -> Misfit | None:
        return (
            outer(value)
            or _first(("", of_keys, key) for key in value)
            or _first((f'["{key}"]', of_items, item) for key, item in value.items())
        )

    return check


def _record(cls: Any) -> Check:
    """Return the check of a TypedDict, which may hold itself."""
    if (fields := _making.get(cls)) is None:
        _making[cls] = fields = {}
        try:
            fields.update({key: check_of(hint) for key, hint in typing.get_type_hints(cls).items()})
        finally:
            del _making[cls]
    outer = _instance(dict)

    def check(value: Any) -> Misfit | None:
        if misfit := outer(value):
            return misfit
        if lost := sorted(cls.__required_keys__ - value.keys()) or sorted(value.keys() - fields.keys()):
            return Misfit(f'["{lost[0]}"]', f"{cls.__qualname__} with the keys {', '.join(fields)}", value)
        return _first((f'["{key}"]', fields[key], item) for key, item in value.items())

    return check


def _first(parts: Iterable[tuple[str, Check, Any]]) -> Misfit | None:
    """Return the first of the parts that does not fit, with the way to it."""
    for path, check, item in parts:
        if (misfit := check(item)) is not None:
            return misfit._replace(path=path + misfit.path)
    return None
