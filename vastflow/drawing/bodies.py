"""Which bodies has a class, and what does each ask for?

A body is a user's method that takes one water; the annotation of that argument says which view of it.
"""

import inspect
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, get_origin

from vastflow.drawing.headwaters import Headwaters
from vastflow.drawing.scopes import Scope, resolve, scope_of
from vastflow.errors import AttributeFault

__all__ = ["Body", "bodies_of", "view_of"]

_DESCRIPTORS = (staticmethod, classmethod, property)


@dataclass(frozen=True, slots=True)
class Body:
    """One method of a class that the engine calls.

    Attributes:
        annotation: of its water, as it was written; None if there is none.
        is_async: it is `async def`.
        scope: where the annotation was written.
    """

    annotation: object
    is_async: bool
    scope: Scope


def bodies_of(cls: type, names: Iterable[str]) -> dict[str, Body]:
    """Return the bodies of a class that is being made, by name.

    Raises:
        AttributeFault: one of them cannot be called as a body.
    """
    return {name: _body(cls, name, inspect.getattr_static(cls, name)) for name in names}


def _body(cls: type, name: str, made: Any) -> Body:
    for base in cls.__mro__[1:]:
        known: Mapping[str, Body] = getattr(base.__dict__.get("_shape"), "bodies", {})
        if name in known and inspect.getattr_static(base, name) is made:
            return known[name]  # resolved where that class was made
    _refuse(cls.__qualname__, name, made)
    function = inspect.unwrap(made)
    annotation = _annotation(function, name)
    seen = scope_of(cls, [annotation])
    return Body(annotation, inspect.iscoroutinefunction(made), Scope(getattr(function, "__module__", ""), seen.names))


def _refuse(where: str, name: str, made: Any) -> None:
    takes = "self, attr, water" if name == "update" else "self, water"
    if isinstance(made, _DESCRIPTORS) or not callable(made):
        raise AttributeFault(f"{where}: {name} is no method: write `def {name}({takes})`")
    if inspect.isgeneratorfunction(made) or inspect.isasyncgenfunction(made):
        raise AttributeFault(f"{where}: {name} yields, which nobody takes: write `def {name}({takes})` to return")
    if name == "update" and inspect.iscoroutinefunction(made):
        raise AttributeFault(f"{where}: update is called inside start(), never awaited: write `def update({takes})`")
    try:
        inspect.signature(made).bind(*takes.split(", "))
    except TypeError:
        raise AttributeFault(f"{where}: {name} cannot be called with ({takes}): write `def {name}({takes})`") from None


def _annotation(function: Any, name: str) -> object:
    place = 2 if name == "update" else 1
    arguments = list(inspect.signature(function).parameters.values())
    if place >= len(arguments) or arguments[place].annotation is inspect.Parameter.empty:
        return None
    told: object = arguments[place].annotation
    return told


def view_of(body: Body, water: type[Headwaters]) -> tuple[type[Headwaters], str]:
    """Return the view a body asks for and no fault, or the flow's own water class and the fault.

    Names are looked up in the module, then in what the class statement saw, then the flow's water class is tried.
    """
    if body.annotation is None:
        return water, ""
    view, fault = resolve(body.annotation, [body.scope, Scope(water.__module__, {water.__name__: water})])
    if fault:
        return water, fault
    if view in (Any, object, Headwaters) or (get_origin(view) or view) in (Mapping, MutableMapping):
        return water, ""
    if isinstance(view, type) and issubclass(view, Headwaters):
        return view, ""
    return water, f"its water is annotated with {view!r}: write Headwaters or a class derived from it"
