"""What do the names in an annotation mean?

They are looked up in the module, then in the frame that made the class, then in whatever else is handed in (the flow's
water class). Of the frame only the values of names that the annotations use are kept, never the frame itself.
"""

import inspect
import re
import sys
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import FrameType, MappingProxyType, SimpleNamespace
from typing import Any

__all__ = ["Scope", "resolve", "scope_of"]

_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a class was made.

    Attributes:
        module: the name of its module.
        names: what names it uses meant in the frame that made it.
    """

    module: str
    names: Mapping[str, object] = field(default_factory=dict)

    def namespace(self) -> dict[str, Any]:
        """Return all its names; those of the module win."""
        return {**self.names, **vars(sys.modules.get(self.module, SimpleNamespace()))}


def scope_of(cls: type, annotations: Iterable[object]) -> Scope:
    """Return the scope of a class that is being made, with what its annotations may need of it."""
    maker = _maker()
    made_in = maker.f_locals if maker else {}
    used = {name for annotation in annotations for name in _NAME.findall(_text(annotation))}
    names = {name: made_in[name] for name in used if name in made_in}
    return Scope(cls.__module__, MappingProxyType({**names, **_inside(cls, used)}))


def resolve(annotation: object, scopes: Iterable[Scope]) -> tuple[Any, str]:
    """Return what an annotation means and no fault, or nothing and the fault.

    Args:
        annotation: as it was written; a text, or something that may hold texts.
        scopes: where its names are looked up, the first one first.
    """
    names: dict[str, Any] = {}
    for scope in reversed(list(scopes)):
        names |= scope.namespace()
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, names, {})["it"], ""
    except NameError as error:
        return None, f"the name {error.name!r} in {_text(annotation)} means nothing there: import or define it before"
    except Exception as error:  # noqa: BLE001  # an annotation is an expression and may raise anything
        return None, f"{_text(annotation)} is no type ({type(error).__name__}: {error}): write one"


def _maker() -> FrameType | None:
    """Return the frame of the class statement: the nearest one that is not part of making classes."""
    frame = inspect.currentframe()
    while frame and frame.f_back and _is_machinery(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame


def _is_machinery(module: str) -> bool:
    return module == "abc" or module.startswith("vastflow.drawing.")


def _inside(cls: type, used: set[str]) -> dict[str, object]:
    return {name: value for name, value in vars(cls).items() if name in used and isinstance(value, type)}


def _text(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else repr(annotation)
