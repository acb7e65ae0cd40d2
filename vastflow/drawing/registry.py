"""Which class does a stored name mean?

Every concrete class registers itself when it is made. Nothing is ever imported or made from a name found in a store:
what is not here is unknown.
"""

import sys
import warnings
from functools import cache
from pathlib import Path

from vastflow.errors import RegistryError

__all__ = ["find", "is_main", "name_of", "register"]

_MAINS = ("__main__", "__mp_main__")
_classes: dict[str, type] = {}
_olds: dict[str, type] = {}
_claims: dict[str, tuple[str, ...]] = {}  # what each definition has claimed, so that its next making can let go


def register(cls: type) -> None:
    """Register a class under its name and its former names.

    A class of the same module and qualified name replaces the earlier one. Of a class that is there twice, as
    `__main__` and imported, the imported one wins.

    Raises:
        RegistryError: another class pins one of these names.
    """
    name = name_of(cls)
    if not _is_beaten(cls, name):
        _refuse_theft(cls, name)
        _forget(cls)
        _classes[name] = cls
        _olds.update(dict.fromkeys(_former(cls), cls))
        _claims[_where(cls)] = (name, *_former(cls))


def name_of(cls: type) -> str:
    """Return the name a class is stored under: `registered_as`, else `module.QualifiedName`."""
    pinned: str | None = cls.__dict__.get("registered_as")
    return pinned or f"{_module_of(cls)}.{cls.__qualname__}"


def find(name: str) -> type | None:
    """Return the class with this name, or the one that was renamed from it; None if there is none."""
    return _classes.get(name) or _olds.get(name)


def is_main(cls: type) -> bool:
    """Say whether a class was made by the script that was started, not by importing it."""
    return cls.__module__ in _MAINS


def _former(cls: type) -> tuple[str, ...]:
    former: tuple[str, ...] = cls.__dict__.get("renamed_from", ())
    return former


def _module_of(cls: type) -> str:
    """Return the module's name, of a script the dotted path of its file, so that an importing process knows it."""
    if cls.__module__ not in _MAINS:
        return cls.__module__
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return dotted(file) if file else "__main__"


@cache
def dotted(file: str) -> str:
    """Return the dotted path of a file through the packages (folders with an `__init__.py`) it lies in."""
    parts = [Path(file).stem]
    folder = Path(file).absolute().parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


def _same(one: type, other: type) -> bool:
    """Say whether two class objects are one definition made twice."""
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def _twins(one: type, other: type) -> bool:
    """Say whether two classes are one definition, once as `__main__` and once imported."""
    mains = (one.__module__ in _MAINS) + (other.__module__ in _MAINS)
    return mains == 1 and one.__qualname__ == other.__qualname__ and _module_of(one) == _module_of(other)


def _is_beaten(cls: type, name: str) -> bool:
    """Warn if a class is there as `__main__` and imported; say whether it is the newcomer that loses."""
    there = _classes.get(name)
    if there is None or not _twins(cls, there):
        return False
    message = (
        f"{name} is defined twice, by the script that runs as __main__ and by importing the same file: the imported "
        f"class is used; to have one only, start it with `python -m`, or draw in another module than the script"
    )
    warnings.warn(message, RuntimeWarning, stacklevel=4)
    return cls.__module__ in _MAINS


def _refuse_theft(cls: type, name: str) -> None:
    """Refuse a name that means another class already; a former name gives way to a class that bears it unpinned."""
    taken = [(name, _classes.get(name)), *((former, _olds.get(former)) for former in _former(cls))]
    if _is_pinned(cls):
        taken.append((name, _olds.get(name)))
    taken += [(former, other) for former in _former(cls) if (other := _classes.get(former)) and _is_pinned(other)]
    for pin, other in taken:
        if other is not None and not _same(cls, other) and not _twins(cls, other):
            raise RegistryError(
                f"the name {pin!r} is claimed by two classes, {_where(other)} and {_where(cls)}: "
                f"give one of them another `registered_as`, or take it out of its `renamed_from`"
            )


def _is_pinned(cls: type) -> bool:
    return bool(cls.__dict__.get("registered_as"))


def _where(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _forget(cls: type) -> None:
    """Take out what an earlier class of this definition had claimed."""
    for name in _claims.pop(_where(cls), ()):
        for names in (_classes, _olds):
            if (there := names.get(name)) is not None and _same(cls, there):
                del names[name]
