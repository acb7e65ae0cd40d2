"""Which classes of the user's own may be stored?

Dataclasses and Enums that carry `@storable`. They are stored by registered name and made again from the registry only:
nothing is ever imported because a store names it.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, Flag
from functools import reduce
from operator import or_
from typing import Any, TypeVar, overload
from weakref import WeakKeyDictionary

from vastflow.drawing import registry
from vastflow.errors import StoreUnreadable, UnstorableValue

__all__ = ["Form", "form_of", "member_of", "read_member", "rebuild", "storable"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Form:
    """How members or instances of one class are stored.

    Attributes:
        name: the registered name.
        fields: of a dataclass; None for an Enum.
        taken: those of the fields which its constructor takes.
    """

    name: str
    fields: tuple[str, ...] | None = None
    taken: frozenset[str] = frozenset()


# Weak, since a class that was made anew (a notebook's cell, a reload) shall not stay for ever.
_forms: WeakKeyDictionary[type, Form] = WeakKeyDictionary()


@overload
def storable(cls: type[T], /) -> type[T]: ...


@overload
def storable(
    *, registered_as: str | None = None, renamed_from: tuple[str, ...] = ()
) -> Callable[[type[T]], type[T]]: ...


def storable(
    cls: type[T] | None = None, /, *, registered_as: str | None = None, renamed_from: tuple[str, ...] = ()
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a dataclass or an Enum storable; write it above `@dataclass`.

    Args:
        cls: the class.
        registered_as: the name it is stored under, instead of `module.QualifiedName`.
        renamed_from: names it had earlier, so that what was stored under them can be read.

    Raises:
        UnstorableValue: it is neither, or its constructor does not take its fields.
        RegistryError: another class pins one of the names.
    """

    def admit(admitted: type[T]) -> type[T]:
        form = _form(admitted)
        if registered_as:
            setattr(admitted, "registered_as", registered_as)  # noqa: B010  # mypy knows no such attribute
        if renamed_from:
            setattr(admitted, "renamed_from", renamed_from)  # noqa: B010  # mypy knows no such attribute
        registry.register(admitted)
        _forms[admitted] = dataclasses.replace(form, name=registry.name_of(admitted))
        return admitted

    return admit if cls is None else admit(cls)


def form_of(cls: type) -> Form | None:
    """Return how this class is stored; None if it is not storable. A subclass of a storable class is not."""
    return _forms.get(cls)


def _form(cls: Any) -> Form:
    if issubclass(cls, Enum):
        return Form("")
    if "__dataclass_fields__" not in vars(cls):
        message = f"{cls.__qualname__} is neither a dataclass nor an Enum: put @storable above @dataclass"
        raise UnstorableValue(message)
    fields = dataclasses.fields(cls)
    taken = frozenset(field.name for field in fields if field.init)
    _check_constructor(cls, taken)
    return Form("", tuple(field.name for field in fields), taken)


def _check_constructor(cls: type, taken: frozenset[str]) -> None:
    """Refuse a class that cannot be made again from its fields."""
    parameters = inspect.signature(cls).parameters
    asked = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
    wrong = sorted((asked - taken) | (taken - parameters.keys()))
    if wrong:
        message = (
            f"{cls.__qualname__} cannot be made again from its fields ({', '.join(wrong)}): "
            f"let @dataclass write its __init__, and give every InitVar a default"
        )
        raise UnstorableValue(message)


def member_of(value: Enum) -> str | list[str]:
    """Return a member's name; of flags without a name of their own, the names of their parts.

    Raises:
        UnstorableValue: it has bits that no member names.
    """
    if value.name in type(value).__members__:
        return value.name
    parts = [part.name for part in value] if isinstance(value, Flag) else []
    if not all(parts) or _united(type(value), parts) != value:
        message = f"{value!r} has bits that no member of {type(value).__qualname__} names: give them a name"
        raise UnstorableValue(message)
    return [part for part in parts if part]


def _united(cls: Any, parts: list[Any]) -> Any:
    return reduce(or_, (cls[part] for part in parts), cls(0))


def read_member(name: str, member: str | list[str]) -> Any:
    """Return the member that was stored under these names."""
    cls: Any = _known(name)
    missing = [part for part in ([member] if isinstance(member, str) else member) if part not in cls.__members__]
    if missing:
        message = f"{name} has no member {missing[0]!r} any more: give it back, for as long as it is stored"
        raise StoreUnreadable(message)
    return cls[member] if isinstance(member, str) else _united(cls, member)


def rebuild(name: str, values: Mapping[str, Any]) -> Any:
    """Return the dataclass that was stored with these fields; fields it has got since take their defaults."""
    cls = _known(name)
    form = _forms[cls]
    if gone := sorted(values.keys() - set(form.fields or ())):
        message = f"{name} has no field {gone[0]!r} any more: give it back, for as long as it is stored"
        raise StoreUnreadable(message)
    made = cls(**{field: value for field, value in values.items() if field in form.taken})
    for field, value in values.items():
        if getattr(made, field, _NOTHING) is not value:
            object.__setattr__(made, field, value)  # past `frozen` and past what __post_init__ made of it
    return made


_NOTHING = object()


def _known(name: str) -> type:
    """Return the storable class of this name; a river of the same registry is none."""
    cls = registry.find(name)
    if cls is None or cls not in _forms:
        message = (
            f"the class {name} is not known here: import the module that defines it, and see that it carries @storable"
        )
        raise StoreUnreadable(message)
    return cls
