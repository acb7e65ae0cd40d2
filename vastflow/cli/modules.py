"""Where do the drawings stand that a verb is to run?

Modules are named as in `import`, or as files; the current folder is searched first.
"""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from vastflow.drawing import Andes

__all__ = ["andes_of", "import_modules"]


def import_modules(given: Iterable[str]) -> list[ModuleType]:
    """Import modules by dotted name, or by file, and return them.

    Raises:
        click.UsageError: there is no such module.
    """
    sys.path.insert(0, str(Path.cwd()))
    return [_import(each) for each in given]


def andes_of(given: str) -> Andes[Any]:
    """Return the drawing that `MODULE:ANDES` names.

    Raises:
        click.UsageError: there is no such module, or no such drawing in it.
    """
    module_name, _, name = given.rpartition(":")
    if not module_name:
        raise click.UsageError(
            f"{given!r} names no drawing: write MODULE:ANDES, such as app.py:order or shop.flows:order"
        )
    (module,) = import_modules([module_name])
    found = getattr(module, name, None)
    if isinstance(found, Andes):
        return found
    known = sorted(key for key, value in vars(module).items() if isinstance(value, Andes))
    told = f"it has {', '.join(known)}" if known else "it has none at all"
    raise click.UsageError(f"{module_name} has no drawing called {name!r}: {told}")


def _import(given: str) -> ModuleType:
    name = _name_of(given)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        message = f"there is no module {given!r} ({error}): name it as in `import`, or as a file, seen from here"
        raise click.UsageError(message) from None


def _name_of(given: str) -> str:
    """Return the dotted name of a module; of a file its folder comes to the path, or that of its whole package."""
    if not given.endswith(".py"):
        return given
    file = Path(given).resolve()
    parts, folder = [] if file.stem == "__init__" else [file.stem], file.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    sys.path.insert(0, str(folder))
    return ".".join(parts)
