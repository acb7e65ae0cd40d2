"""What is the water that flows through the rivers?

A mapping of text keys to storable values, with the keys that a subclass declares as typed entries: `water.vm` and
`water["vm"]` are the same. It is made for a start from values, or opened for a body on encoded bytes, and then tells
what was changed.
"""

from collections.abc import Collection, Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

import msgspec

from vastflow.drawing import keys
from vastflow.drawing.annotations import asks_secret, shown
from vastflow.drawing.contents import Contents
from vastflow.drawing.keys import Declared, declared, fits, later
from vastflow.drawing.refusals import glimpse
from vastflow.drawing.values import DEFAULT, Limits, allow
from vastflow.errors import (
    AttributeFault,
    StoreUnreadable,
    UndeclaredKey,
    WaterError,
    WaterKeyError,
    WaterTypeError,
)

__all__ = ["Declared", "Headwaters", "declared", "fits", "later", "limits_of", "rebase"]

_SHOWN = 6


class _Entry:
    """A declared key as an attribute."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key

    def __get__(self, water: "Headwaters | None", owner: type) -> Any:
        return self if water is None else water[self.key]

    def __set__(self, water: "Headwaters", value: object) -> None:
        water[self.key] = value

    def __delete__(self, water: "Headwaters") -> None:
        del water[self.key]


@dataclass_transform(kw_only_default=True)
class Headwaters(MutableMapping[str, Any]):
    """The water: what the bodies of one flow read and write.

    A subclass declares keys by annotations; one marked with `later()` is not needed at start. What is put is stored
    by value: a water made here keeps a copy, a body's water takes the object as it is when the body ends.

    How large it may become, in bytes, is said where the class is made: `class Water(Headwaters, value_limit=4 << 20,
    water_limit=64 << 20)`; that of the flow's own water class counts in all its bodies.
    """

    __slots__ = ("_contents", "_extra", "_place")

    _contents: Contents
    _extra: Collection[str]
    _place: str
    _limits: ClassVar[Limits] = DEFAULT
    _own_keys: ClassVar[Mapping[str, keys.Declaration]] = MappingProxyType({})
    _keys: ClassVar[Mapping[str, keys.Declaration]] = MappingProxyType({})  # those of the bases as well
    _table: ClassVar[Mapping[str, Declared] | None] = MappingProxyType(
        {}
    )  # what `declared` has found, once there is no fault

    def __init__(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Make a water from values, for a start.

        Raises:
            WaterTypeError: the values are no mapping, or one of them is not of its declared type.
            UndeclaredKey: the class declares no such key.
            UnstorableValue: a value cannot be stored.
        """
        _set_up(self, Contents(limits=self._limits), frozenset(), "")
        if values is not None and not isinstance(values, Mapping):
            name = type(self).__qualname__
            message = (
                f"{name}({glimpse(values)}): a water is made of its keys or of a mapping: "
                f"write {name}(image='debian') or {name}({{'image': 'debian'}})"
            )
            raise WaterTypeError(message)
        given = {**(values or {}), **more}
        in_order = {key: given.get(key, one.default) for key, one in declared(type(self)).items()}
        self.update({key: value for key, value in in_order.items() if not isinstance(value, keys.Mark)} | given)

    def __init_subclass__(
        cls, *, value_limit: int | None = None, water_limit: int | None = None, **options: Any
    ) -> None:
        """Read the keys that the class declares.

        Args:
            value_limit: bytes of one encoded value; None for that of the class it derives from, at last 1 MiB.
            water_limit: bytes of all keys and encoded values; None for that of the class it derives from, at last
                16 MiB.
            **options: for classes beside this one.

        Raises:
            AttributeFault: a key or a limit is not possible.
        """
        super().__init_subclass__(**options)
        cls._limits = allow(cls._limits, cls.__qualname__, value_limit=value_limit, water_limit=water_limit)
        cls._table = None
        inherited = keys.declarations_of(cls)
        cls._own_keys = own = keys.declare(cls, dir(Headwaters))
        cls._keys = keys.declarations_of(cls)
        if hidden := sorted((inherited.keys() & vars(cls).keys()) - own.keys()):
            message = (
                f"{cls.__qualname__}.{hidden[0]}: this is a key of a class it derives from: "
                f"write its type as well, or give it another name"
            )
            raise AttributeFault(message)
        for key in own:
            setattr(cls, key, _Entry(key))

    @classmethod
    def open(
        cls,
        encoded: Mapping[str, bytes | msgspec.Raw],
        *,
        place: str = "",
        read_only: bool = False,
        extra: Collection[str] = frozenset(),
        limits: Limits | None = None,
    ) -> Self:
        """Open a water on stored values; none is decoded before it is asked for.

        Args:
            encoded: the stored values by key; never changed here.
            place: the address of the stream whose body it is for, for messages.
            read_only: refuse to write.
            extra: keys which are allowed here though the class does not declare them.
            limits: how large it may become; None: as this class says. A body's view is opened with those of the
                flow's own water class (`limits_of`).
        """
        water = cls.__new__(cls)
        _set_up(water, Contents(encoded, limits or cls._limits, read_only=read_only), extra, place)
        return water

    def __getitem__(self, key: str) -> Any:
        """Return the value of a key.

        Raises:
            WaterKeyError: there is none (yet).
            UndeclaredKey: the class declares no such key.
            WaterTypeError: what is stored is not of the declared type.
        """
        contents = self._contents
        if key in contents.live:
            return contents.live[key]
        if not self._allows(key):
            raise self._undeclared(key)
        if key not in contents:
            raise self._missing(key)
        value = contents.load(key)
        self._check(key, value)
        contents.keep(key, value)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        """Put a value.

        Raises:
            UnstorableValue: it cannot be stored.
            UndeclaredKey: the class declares no such key.
            WaterTypeError: it is not of the declared type.
        """
        self._check_writable(key)
        if not self._allows(key):
            raise self._undeclared(key)
        self._check(key, value)
        self._contents.put(key, value)

    def __delitem__(self, key: str) -> None:
        """Delete a key."""
        self._check_writable(key)
        if not self._allows(key):
            raise self._undeclared(key)
        if key not in self._contents:
            raise self._missing(key)
        self._contents.delete(key)

    def __contains__(self, key: object) -> bool:
        """Say whether the key has a value; nothing is decoded for it."""
        return key in self._contents and self._allows(key)

    def __iter__(self) -> Iterator[str]:
        """Go through the keys that have a value, in the order they came."""
        return iter([key for key in self._contents if self._allows(key)])

    def __len__(self) -> int:
        """Return how many keys have a value."""
        return sum(map(self._allows, self._contents))

    def __repr__(self) -> str:
        """Show the class and the first entries, shortened."""
        shown_keys = list(self)[:_SHOWN]
        parts = [f"{key}={self._glimpse(key)}" for key in shown_keys]
        return f"{type(self).__qualname__}({', '.join([*parts, '...'] if len(self) > _SHOWN else parts)})"

    def __copy__(self) -> Self:
        """Return a water with the same entries that shares no object with this one."""
        return self.open(
            self.encoded(),
            place=self._place,
            read_only=self._contents.read_only,
            extra=self._extra,
            limits=self._contents.limits,
        )

    def __deepcopy__(self, _memo: object) -> Self:
        """Return a water with the same entries that shares no object with this one."""
        return self.__copy__()

    def put(self, key: str, value: Any) -> Self:
        """Put a value and return this water, so that calls can be chained."""
        self[key] = value
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, which is put first if there is none; go on with what this returns."""
        if key not in self:
            self[key] = default
        return self[key]

    def changes(self) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """Return what was put or changed since it was opened, encoded, and which keys were deleted.

        Raises:
            UnstorableValue: something that was changed in place cannot be stored any more.
            WaterTypeError: or is not of its declared type any more.
        """
        self._contents.renew(self._check)
        return self._contents.changes()

    def encoded(self) -> dict[str, bytes]:
        """Return all that is in it, encoded; also what the class does not declare."""
        self._contents.renew(self._check)
        return self._contents.encoded()

    def missing(self) -> list[str]:
        """Return the keys that are needed at start and have no value."""
        return [key for key, one in declared(type(self)).items() if one.required and key not in self]

    def _allows(self, key: object) -> bool:
        known = self._keys
        return not known or key in known or key in self._extra

    def _check(self, key: str, value: Any) -> None:
        """Refuse a value that is not of the type its key was declared with."""
        table = self._table if self._table is not None else declared(type(self))
        one = table.get(key)
        if one is None or one.check is None or type(value) in one.passes:
            return
        if (misfit := one.check(value)) is not None:
            inside = f", so this should be {misfit.wanted}" if misfit.path else ""
            seen = "*****" if asks_secret(one.annotation) else glimpse(misfit.value)
            message = (
                f"{key}{misfit.path}: {type(self).__qualname__} declares {key} as {shown(one.annotation)}{inside}, "
                f"but it is {seen} ({type(misfit.value).__qualname__}): "
                f"put what is declared, or declare what is put"
            )
            raise WaterTypeError(message)

    def _check_writable(self, key: str) -> None:
        if self._contents.read_only:
            message = (
                f"{key}: this water is read-only, since its flow has ended or it is not a body's to write: "
                f"copy what you need with dict(water)"
            )
            raise WaterError(message)

    def _missing(self, key: str) -> WaterKeyError:
        where = f"the water at {self._place!r}" if self._place else "this water"
        message = (
            f"{where} has no {key!r} (yet): let a stream before this one write it, or give it at start; "
            f"to ask whether it is there write `{key!r} in water`"
        )
        return WaterKeyError(message, key)

    def _undeclared(self, key: str) -> UndeclaredKey:
        name = type(self).__qualname__
        if not self._keys:
            message = f"{name} declares no keys, so {key!r} is no attribute: write water[{key!r}], or declare it"
            return UndeclaredKey(message, key)
        where = f" (at {self._place!r})" if self._place else ""
        near = keys.meant(str(key), [*self._keys, *self._extra])
        message = f"{name}{where} declares no key {key!r}{near}: declare it there, as in `{key}: str = later()`"
        return UndeclaredKey(message, key)

    def _glimpse(self, key: str) -> str:
        contents = self._contents
        try:
            return glimpse(contents.live[key] if key in contents.live else contents.load(key))
        except StoreUnreadable:
            return "<unreadable>"

    if not TYPE_CHECKING:  # pragma: no branch  # a type checker shall know the declared attributes only

        def __getattr__(self, name: str) -> Any:
            """Refuse an attribute that is not declared; of a declared one, its entry raised."""
            if name.startswith("_"):
                message = f"{type(self).__qualname__!r} object has no attribute {name!r}"
                raise AttributeError(message)
            raise self._missing(name) if name in self._keys else self._undeclared(name)

        def __setattr__(self, name: str, value: Any) -> None:
            """Put a declared key; refuse any other attribute."""
            if not hasattr(getattr(type(self), name, None), "__set__"):
                raise self._undeclared(name)
            object.__setattr__(self, name, value)


def limits_of(cls: type[Headwaters]) -> Limits:
    """Return how large waters of this class may become."""
    return cls._limits


def rebase(water: Headwaters, put: Mapping[str, bytes | msgspec.Raw], drop: Collection[str] = ()) -> None:
    """Count these changes of a body's water as saved: `changes()` tells from now on what differs from them.

    What the body has written since they were taken stays as it is, and is told by the next `changes()`; so is a key
    that got back the value it had before the save.

    Args:
        water: of the body that saved.
        put: what `changes()` gave for the save.
        drop: which keys it named as deleted.
    """
    water._contents.rebase(put, drop)  # noqa: SLF001  # its own page


def _set_up(water: Headwaters, contents: Contents, extra: Collection[str], place: str) -> None:
    """Fill the slots of a new water, past its own way of setting attributes."""
    put = object.__setattr__
    put(water, "_contents", contents)
    put(water, "_extra", extra)
    put(water, "_place", place)
