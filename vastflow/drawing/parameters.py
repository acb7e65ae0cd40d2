"""What are the parameters of a class, and what do they hold in one instance?

Annotated names of a class are its parameters, as in a frozen dataclass. Those of its bases come first, if they declare
parameters too; what a plain mixin annotates is its own affair.
"""

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from inspect import get_annotations
from typing import Any, ClassVar, Final, get_origin
from uuid import UUID

from vastflow.errors import AttributeFault
from vastflow.secret import Secret

__all__ = ["REQUIRED", "collect", "detached", "fill_in", "is_fixed"]

REQUIRED: Final = object()
"""Stands for the default of a parameter that has none."""

_CLASS_VARIABLE = re.compile(r"\s*(\w+\.)*ClassVar\b")
_FIXED = frozenset({type(None), bool, int, float, str, bytes, datetime, date, time, timedelta, UUID, Decimal, Secret})


def collect(cls: type, inherited: Mapping[str, Any], table: Collection[str], taken: Collection[str]) -> dict[str, Any]:
    """Return the defaults of a class's parameters by name, in order; REQUIRED where there is none.

    Args:
        cls: the class that is being made.
        inherited: the parameters of its bases.
        table: names that are attributes.
        taken: names that mean something on `self` already.

    Raises:
        AttributeFault: an annotated name cannot be a parameter.
    """
    parameters = dict(inherited)
    for name in _annotated(cls):
        _refuse_name(cls.__qualname__, name, table, taken)
        parameters[name] = cls.__dict__.get(name, REQUIRED)
    for name in parameters.keys() & cls.__dict__.keys():
        parameters[name] = cls.__dict__[name]  # a new default without an annotation
    _refuse_order(cls.__qualname__, parameters)
    return parameters


def _annotated(cls: type) -> Iterator[str]:
    for name, annotation in get_annotations(cls).items():
        told = annotation if isinstance(annotation, str) else ""
        if ClassVar not in (annotation, get_origin(annotation)) and not _CLASS_VARIABLE.match(told):
            yield name


def _refuse_name(where: str, name: str, table: Collection[str], taken: Collection[str]) -> None:
    if name in table:
        raise AttributeFault(
            f"{where}: {name} is an attribute, not a parameter: write it without an annotation, `{name} = ...`"
        )
    if name.startswith("_"):
        raise AttributeFault(
            f"{where}: the parameter {name} begins with an underscore: "
            f"write {name.strip('_') or 'another name'}, or ClassVar[...] for what is no parameter"
        )
    if name in taken:
        raise AttributeFault(f"{where}: self.{name} means something already, a parameter cannot: rename it")


def _refuse_order(where: str, parameters: Mapping[str, Any]) -> None:
    optional = ""
    for name, default in parameters.items():
        if default is not REQUIRED:
            optional = name
        elif optional:
            raise AttributeFault(
                f"{where}: the parameter {name} without a default comes after {optional} with one: "
                f"give {name} a default, or write it first"
            )


def fill_in(where: str, parameters: Mapping[str, Any], args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Return the value of each parameter, given what an instance is made with.

    Raises:
        AttributeFault: too many, unknown, given twice or missing.
    """
    known = f"its parameters are {', '.join(parameters)}" if parameters else "it has no parameters"
    if len(args) > len(parameters):
        raise AttributeFault(f"{where}(...) was given {len(args)} values: {known}; take out what is too much")
    given = dict(zip(parameters, args, strict=False))
    for name in named:
        if name not in parameters:
            raise AttributeFault(f"{where}(...) was given {name}: {known}; rename or take out {name}")
        if name in given:
            raise AttributeFault(f"{where}(...) was given {name} twice, by position and by name: write it once")
    values = {**parameters, **given, **named}
    if missing := [name for name, value in values.items() if value is REQUIRED]:
        raise AttributeFault(f"{where}(...) misses {', '.join(missing)}: write {where}({missing[0]}=...)")
    return {name: detached(value) for name, value in values.items()}


def is_fixed(value: Any) -> bool:
    """Say whether a value is one that cannot change, so that it may be shared."""
    return type(value) in _FIXED or (type(value) in (tuple, frozenset) and all(map(is_fixed, value)))


def detached(value: Any) -> Any:
    """Return a copy that shares nothing changeable with the value.

    What cannot be copied cannot be stored either, and is refused when the drawing is laid flat; so it is let through.
    """
    if is_fixed(value):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001  # a user's __deepcopy__ may raise anything
        return value
