"""Is what a package promises exactly what it has?"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, label, parsed, public_packages

PACKAGES = public_packages()


def module_name(page: Path) -> str:
    return ".".join(page.parent.relative_to(ROOT).parts)


def bound(statements: list[ast.stmt]) -> Iterator[str]:
    """Yield the names of ours that a package's opening page binds, also for type checkers only."""
    for node in statements:
        match node:
            case ast.ImportFrom(module=str(source), names=names) if source.startswith("vastflow"):
                yield from (alias.asname or alias.name for alias in names)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.If(body=body):
                yield from bound(body)
            case _:
                pass


def promised(page: Path) -> list[str]:
    for node in parsed(page).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names = ast.literal_eval(value)
                return list(names)
            case _:
                pass
    return []


def silent(name: str, thing: object) -> bool:
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return False
    # A dataclass without a docstring is given its signature as one; that says nothing.
    return not thing.__doc__ or thing.__doc__.startswith(f"{name}(")


@pytest.mark.parametrize("page", PACKAGES, ids=label)
def test_a_package_promises_all_its_public_names_and_no_other(page: Path) -> None:
    public = {name for name in bound(parsed(page).body) if not name.startswith("_")}

    assert set(promised(page)) - {"__version__"} == public


@pytest.mark.parametrize("page", PACKAGES, ids=label)
def test_no_name_is_promised_twice(page: Path) -> None:
    names = promised(page)

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("page", PACKAGES, ids=label)
def test_every_promised_name_is_there_and_says_what_it_is(page: Path) -> None:
    module = importlib.import_module(module_name(page))

    things = {name: getattr(module, name) for name in promised(page)}

    assert [name for name, thing in things.items() if silent(name, thing)] == []


def test_all_that_vastflow_has_can_be_listed_without_loading_it() -> None:
    vastflow = importlib.import_module("vastflow")

    assert dir(vastflow) == sorted(vastflow.__all__)


def test_a_name_vastflow_does_not_have_is_refused_with_the_place_to_look() -> None:
    vastflow = importlib.import_module("vastflow")

    with pytest.raises(AttributeError, match=r"no attribute 'Rivr'.*vastflow\.__all__"):
        _ = vastflow.Rivr
