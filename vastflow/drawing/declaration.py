"""What does a user's class declare, and is it right?

The shape of a River or an Atlantic (parameters, attributes, bodies) is read once, when the class is made; what is
wrong with it is an error there.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from inspect import get_annotations, getattr_static
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from vastflow.drawing import registry
from vastflow.drawing.attributes import RIVER, Reader, clashes, idle, read
from vastflow.drawing.bodies import Body, bodies_of
from vastflow.drawing.names import faults_of_template
from vastflow.drawing.parameters import collect, fill_in, is_fixed
from vastflow.errors import AttributeFault

__all__ = [
    "Declared",
    "Kind",
    "Shape",
    "attributes_of",
    "is_named",
    "is_plain",
    "own_attributes",
    "parameters_of",
    "revive",
    "shape_of",
]

_OF_THE_CLASS = ("registered_as", "renamed_from")
_MISSPELT = 0.85  # so alike (0.0 to 1.0) is a name that can only be meant for an attribute


@dataclass(frozen=True, slots=True)
class Kind:
    """What may stand in a class of one kind.

    Attributes:
        word: River or Atlantic.
        table: its attributes.
        bodies: the names of its bodies, in the order of the chart.
        needed: a class without this body is abstract; None: none is.
    """

    word: str
    table: Mapping[str, Reader]
    bodies: tuple[str, ...]
    needed: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What one class declares.

    Attributes:
        kind: what it is.
        parameters: their defaults by name; `parameters.REQUIRED` where there is none.
        bodies: its own and inherited ones, `update` included.
    """

    kind: Kind
    parameters: Mapping[str, Any]
    bodies: Mapping[str, Body]

    @property
    def is_abstract(self) -> bool:
        """Whether it has nothing to call yet."""
        return self.kind.needed is not None and self.kind.needed not in self.bodies

    @property
    def called(self) -> tuple[str, ...]:
        """The bodies the engine calls, in the order of the chart."""
        return tuple(name for name in self.kind.bodies if name in self.bodies)


@dataclass_transform(frozen_default=True, eq_default=False)
class Declared:
    """A frozen value whose annotated names are its parameters."""

    _kind: ClassVar[Kind]
    _shape: ClassVar[Shape]
    _changing: ClassVar[tuple[str, ...]] = ()  # in an instance: parameters whose values could be changed in place
    _options: ClassVar[tuple[str, ...]] = ()  # in an instance: attributes that are its own, not its class's

    def __init_subclass__(cls, **words: Any) -> None:
        """Read the class's shape and register it, unless it is abstract.

        Raises:
            AttributeFault: something in it is wrong.
            RegistryError: another class has its name.
        """
        super().__init_subclass__(**words)
        kind = getattr(cls, "_kind", None)
        if kind is not None:
            cls._shape = _shape(cls, kind)

    def __init__(self, *args: Any, **named: Any) -> None:
        """Make an instance with these parameters."""
        values = fill_in(type(self).__qualname__, self._shape.parameters, args, named)
        self.__dict__.update(values)
        if changing := tuple(name for name, value in values.items() if not is_fixed(value)):
            self.__dict__["_changing"] = changing

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: what was drawn does not change."""
        raise AttributeFault(
            f"self.{name} of {type(self).__qualname__} cannot be set, a drawn stream is frozen: "
            f"write what a body finds into the water, water[{name!r}] = ..."
        )

    def __delattr__(self, name: str) -> None:
        """Refuse: what was drawn does not change."""
        raise AttributeFault(
            f"self.{name} of {type(self).__qualname__} cannot be deleted, a drawn stream is frozen: draw another one"
        )

    def __repr__(self) -> str:
        """Return the call that makes it."""
        told = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._shape.parameters)
        return f"{type(self).__qualname__}({told})"

    def options(self, **attributes: Any) -> Self:
        """Return a copy with other attributes, such as `options(name="east", retry_times=5)`.

        Raises:
            AttributeFault: there is no such attribute, its value is not possible, or it clashes with another.
        """
        where = type(self).__qualname__
        for name, value in attributes.items():
            if name in _OF_THE_CLASS:
                raise AttributeFault(f"{where}: {name} belongs to the class: write it there, not into options()")
            read(self._kind.table, f"{where}.options()", name, value)
        copy = self._copy()
        copy.__dict__.update(attributes, _options=tuple({*self._options, *attributes}))
        _refuse_template(f"{where}.options()", attributes.get("name"), self._shape.parameters)
        _refuse_clashes(f"{where}.options()", attributes_of(copy), self._shape, attributes)
        return copy

    def _copy(self) -> Self:
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy


_D = TypeVar("_D", bound=Declared)


def shape_of(cls: type[Declared]) -> Shape:
    """Return what a class declares."""
    return cls._shape


def parameters_of(self: Declared) -> dict[str, Any]:
    """Return the values of an instance's parameters by name."""
    return {name: self.__dict__[name] for name in self._shape.parameters}


def attributes_of(self: Declared) -> dict[str, Any]:
    """Return all attributes of an instance as they are stored: its own, else its class's.

    Raises:
        AttributeFault: one of them has been made wrong after the class was checked.
    """
    return _values(self, type(self).__qualname__, self._kind.table)


def own_attributes(cls: type[Declared]) -> dict[str, Any]:
    """Return all attributes of a class as they are stored."""
    return _values(cls, cls.__qualname__, cls._kind.table)


def is_plain(self: Declared) -> bool:
    """Say whether all its attributes are those of its class."""
    return not self._options


def is_named(self: Declared) -> bool:
    """Say whether the instance was given a name of its own with `options(name=...)`."""
    return "name" in self._options


def revive(cls: type[_D], values: Mapping[str, Any], attributes: Mapping[str, Any]) -> _D:
    """Return an instance with these parameters and attributes, which have been checked before they were stored.

    Raises:
        AttributeFault: the class has other parameters by now.
    """
    made = object.__new__(cls)
    Declared.__init__(made, **values)
    made.__dict__.update(attributes, _options=tuple(attributes))
    return made


def _shape(cls: type[Declared], kind: Kind) -> Shape:
    where = cls.__qualname__
    inherited: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited.update(base.__dict__["_shape"].parameters if "_shape" in base.__dict__ else {})
    _refuse_own_making(cls)
    taken = _meanings(cls, kind)
    parameters = collect(cls, inherited, kind.table, taken)
    _refuse_shadows(cls, taken - {*kind.table, *kind.bodies, "update"})
    _refuse_strangers(cls, kind)
    _refuse_near_misses(cls, kind, {*parameters, *taken})
    values = _values(cls, where, kind.table)
    _refuse_template(where, values["name"], parameters)
    shape = Shape(kind, parameters, bodies_of(cls, _own_bodies(cls, kind)))
    if not shape.is_abstract:
        _refuse_clashes(where, values, shape, vars(cls), _methods(cls))
        registry.register(cls)
    return shape


def _root(cls: type[Declared]) -> type:
    return next(base for base in reversed(cls.__mro__) if "_kind" in base.__dict__)


def _meanings(cls: type[Declared], kind: Kind) -> set[str]:
    """Return the names that mean something on `self` already."""
    return {name for name in dir(_root(cls)) if not name.startswith("_")} | {*kind.bodies, "update"}


def _values(owner: object, where: str, table: Mapping[str, Reader]) -> dict[str, Any]:
    return {name: read(table, where, name, getattr(owner, name)) for name in table}


def _own_bodies(cls: type[Declared], kind: Kind) -> Iterator[str]:
    """Name the bodies that a user has written; what River or Atlantic itself holds is none."""
    for name in (*kind.bodies, "update"):
        if getattr_static(cls, name, None) is not getattr_static(_root(cls), name, None):
            yield name


def _refuse_own_making(cls: type[Declared]) -> None:
    for name, ours in (("__init__", Declared.__init__), ("__new__", object.__new__), ("__post_init__", None)):
        if getattr(cls, name, None) is not ours:
            raise AttributeFault(
                f"{cls.__qualname__} has its own {name}, but it is made anew for every call, after a crash too: "
                f"write its parameters as annotated names, `kind: str`, and the rest into its bodies"
            )


def _refuse_shadows(cls: type[Declared], names: Collection[str]) -> None:
    for name in names:
        if getattr_static(cls, name) is not getattr_static(_root(cls), name):
            raise AttributeFault(
                f"{cls.__qualname__}: {name} hides self.{name}, which means something already: rename it"
            )


def _refuse_strangers(cls: type[Declared], kind: Kind) -> None:
    for name in RIVER.keys() - kind.table.keys():
        if name in cls.__dict__ and name not in get_annotations(cls):
            raise AttributeFault(
                f"{cls.__qualname__}: {name} is an attribute of rivers, an {kind.word} has none: "
                f"take it out, or write one of {', '.join(sorted(kind.table))}"
            )


def _refuse_near_misses(cls: type[Declared], kind: Kind, known: Collection[str]) -> None:
    """Refuse a misspelt attribute, which would be ignored; judged is only what stands in the class itself."""
    for name, value in vars(cls).items():
        own = name.startswith("_") or name in known or name in get_annotations(cls)
        if own or name in kind.table or callable(value) or hasattr(type(value), "__get__"):
            continue
        if near := difflib.get_close_matches(name, kind.table, n=1, cutoff=_MISSPELT):
            raise AttributeFault(
                f"{cls.__qualname__}: {name} is no attribute: did you mean {near[0]!r}? "
                f"A constant of your own begins with an underscore, _{name}, or has another name"
            )


def _methods(cls: type[Declared]) -> list[str]:
    """Name the methods a user has written."""
    return [name for name in dir(cls) if not hasattr(_root(cls), name) and callable(getattr_static(cls, name))]


def _refuse_template(where: str, template: str | None, parameters: Collection[str]) -> None:
    if template and (faults := list(faults_of_template(where, template, parameters))):
        raise AttributeFault(faults[0])


def _refuse_clashes(
    where: str, values: Mapping[str, Any], shape: Shape, written: Collection[str], methods: Collection[str] = ()
) -> None:
    if shape.kind.table is RIVER:
        useless = () if "cycle" in shape.bodies else idle(values, written, methods)
        for clash in (*useless, *clashes(values, shape.bodies)):
            raise AttributeFault(f"{where}: {clash}")
