"""Are annotated names the parameters of a class, as in a frozen dataclass?"""

import uuid
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from vastflow.drawing import Atlantic, River
from vastflow.drawing.declaration import parameters_of
from vastflow.drawing.parameters import detached, is_fixed
from vastflow.errors import AttributeFault


class Mixin:
    helper: str = "not a parameter"


class Create(Mixin, River):
    kind: str
    size: int = 1
    KINDS: ClassVar[tuple[str, ...]] = ("vm",)
    SHAPES: "ClassVar[int]" = 4
    BARE: ClassVar = 5

    def flow(self, water: Any) -> None:
        """Create."""


class Larger(Create):
    factor: float = 2.0
    size = 8


class Told(Atlantic):
    whom: str


@pytest.mark.promise("2.4")
def test_parameters_are_given_by_position_or_name_and_have_defaults() -> None:
    assert parameters_of(Create("vm")) == {"kind": "vm", "size": 1}
    assert parameters_of(Create("vm", 3)) == {"kind": "vm", "size": 3}
    assert parameters_of(Create(size=2, kind="vm")) == {"kind": "vm", "size": 2}
    assert parameters_of(Told("me")) == {"whom": "me"}
    assert Create("vm").kind == "vm"


@pytest.mark.promise("2.4")
def test_a_river_inherits_parameters_from_rivers_and_not_from_plain_mixins() -> None:
    assert parameters_of(Larger("vm")) == {"kind": "vm", "size": 8, "factor": 2.0}
    assert Larger("vm").helper == "not a parameter"


@pytest.mark.promise("2.4")
def test_a_river_is_shown_as_the_call_that_makes_it() -> None:
    assert repr(Larger("vm")) == "Larger(kind='vm', size=8, factor=2.0)"


@pytest.mark.promise("2.1", "2.4")
def test_a_drawn_river_keeps_its_parameters_when_what_was_given_changes() -> None:
    class Listed(River):
        names: list[str]

        def flow(self, water: Any) -> None:
            """Do nothing."""

    names = ["a"]
    river = Listed(names)

    names.append("b")

    assert river.names == ["a"]


@pytest.mark.promise("2.4")
def test_a_parameter_that_hides_a_method_of_its_own_class_is_no_trouble_but_one_of_self_is() -> None:
    with pytest.raises(AttributeFault, match=r"self\.progress means something already"):

        class Bad(River):
            progress: float  # type: ignore[assignment]  # wrong on purpose

    with pytest.raises(AttributeFault, match=r"self\.cycle means something already"):

        class Worse(River):
            cycle: int  # type: ignore[assignment]  # wrong on purpose


def test_what_cannot_change_is_shared_and_what_can_is_copied() -> None:
    class Stubborn:
        def __deepcopy__(self, memo: object) -> "Stubborn":
            raise RuntimeError("never")

    stubborn = Stubborn()

    assert all(map(is_fixed, (None, 1, "a", (1, ("b", Decimal(1))), frozenset({uuid.UUID(int=1)}))))
    assert not any(map(is_fixed, ([], {}, ([],), stubborn)))
    assert detached(stubborn) is stubborn
