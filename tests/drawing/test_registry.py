"""Does a stored name find its class, and only what is registered?"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vastflow.drawing import Atlantic, Headwaters, River, registry
from vastflow.errors import RegistryError


def flow(_self: Any, _water: Any) -> None:
    """Do nothing."""


def made(name: str, module: str = "tests.somewhere", **contents: Any) -> Any:
    return type(name, (River,), {"flow": flow, "__module__": module, "__qualname__": name, **contents})


@pytest.mark.promise("2.5")
def test_a_class_registers_itself_when_it_is_made() -> None:
    cls = made("Registered")

    assert registry.name_of(cls) == "tests.somewhere.Registered"
    assert registry.find("tests.somewhere.Registered") is cls


@pytest.mark.promise("2.5")
def test_a_name_that_nobody_registered_is_not_imported() -> None:
    assert registry.find("os.path") is None
    assert registry.find("vastflow.drawing.river.River") is None


@pytest.mark.promise("2.3", "2.5")
def test_a_class_without_flow_is_abstract_and_not_registered() -> None:
    cls: Any = type(
        "Abstract", (River,), {"__module__": "tests.somewhere", "__qualname__": "Abstract", "cycle_times": 3}
    )

    assert registry.find("tests.somewhere.Abstract") is None
    with pytest.raises(TypeError, match="cycle_times counts polls"):
        type("Concrete", (cls,), {"flow": flow})


@pytest.mark.promise("2.5")
def test_every_atlantic_is_registered() -> None:
    class Silent(Atlantic):
        registered_as = "tests.silent"

    assert registry.find("tests.silent") is Silent


@pytest.mark.promise("2.5")
def test_a_class_made_again_replaces_the_earlier_one() -> None:
    made("Again", registered_as="tests.again", renamed_from=("tests.before",))

    cls = made("Again", renamed_from=("tests.long.before",))

    assert registry.find("tests.somewhere.Again") is cls
    assert registry.find("tests.long.before") is cls
    assert registry.find("tests.again") is None
    assert registry.find("tests.before") is None


@pytest.mark.promise("2.5")
def test_a_pinned_name_and_former_names_find_the_class_and_are_not_inherited() -> None:
    cls = made("Pinned", registered_as="tests.pin", renamed_from=("tests.pin.a", "tests.pin.b"))

    heir = type("Heir", (cls,), {"__module__": "tests.somewhere", "__qualname__": "Heir"})

    assert [registry.find(name) for name in ("tests.pin", "tests.pin.a", "tests.pin.b")] == [cls] * 3
    assert registry.find("tests.somewhere.Heir") is heir


@pytest.mark.promise("2.5")
def test_a_former_name_gives_way_to_a_class_that_still_bears_it() -> None:
    old = made("Old")
    new = made("New", renamed_from=("tests.somewhere.Old",))
    assert registry.find("tests.somewhere.Old") is old

    again = made("Old")

    assert registry.find("tests.somewhere.Old") is again
    assert registry.find("tests.somewhere.New") is new


@pytest.mark.promise("2.5")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"registered_as": "tests.x1"}, {"registered_as": "tests.x1"}),
        ({"renamed_from": ("tests.x2",)}, {"renamed_from": ("tests.x2",)}),
        ({"registered_as": "tests.x3"}, {"renamed_from": ("tests.x3",)}),
        ({"renamed_from": ("tests.x4",)}, {"registered_as": "tests.x4"}),
        ({}, {"registered_as": "tests.somewhere.First"}),
    ],
)
def test_two_definitions_that_claim_one_name_are_an_error_naming_both(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    made("First", **first)

    with pytest.raises(RegistryError, match=r"tests\.somewhere\.First and tests\.somewhere\.Second"):
        made("Second", **second)


@pytest.mark.promise("2.5")
def test_a_script_is_known_by_the_dotted_path_of_its_file(tmp_path: Path) -> None:
    package = tmp_path / "shop" / "flows"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()

    assert registry.dotted(str(package / "orders.py")) == "shop.flows.orders"
    assert registry.dotted(str(tmp_path / "script.py")) == "script"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """A script that runs as `__main__`."""
    main = ModuleType("__main__")
    main.__file__ = str(tmp_path / "orders.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    return main


@pytest.mark.promise("2.5")
def test_a_class_of_a_script_is_stored_under_the_path_of_its_file(script: ModuleType) -> None:
    assert registry.name_of(made("InFile", "__main__")) == "orders.InFile"

    script.__file__ = None

    assert registry.name_of(made("NoFile", "__main__")) == "__main__.NoFile"


@pytest.mark.promise("2.5")
@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("order", [("__main__", "orders"), ("orders", "__main__")])
def test_of_a_script_and_its_import_the_imported_class_wins_with_a_warning(order: tuple[str, str]) -> None:
    one = made("Twice", order[0], renamed_from=("tests.once",))

    with pytest.warns(RuntimeWarning, match=r"orders\.Twice is defined twice.*python -m"):
        other = made("Twice", order[1], renamed_from=("tests.once",))

    imported = one if one.__module__ == "orders" else other
    assert registry.find("orders.Twice") is imported
    assert registry.find("tests.once") is imported


def test_the_class_of_a_water_has_a_name_too() -> None:
    assert registry.name_of(Headwaters) == "vastflow.drawing.headwaters.Headwaters"
