"""Is a river what its class says?"""

from typing import Any, ClassVar

import pytest

from tests.drawing.streams import Create
from vastflow.drawing import River
from vastflow.errors import AttributeFault


@pytest.mark.promise("2.1", "2.4")
def test_a_drawn_river_is_frozen() -> None:
    river = Create("vm")

    with pytest.raises(AttributeFault, match=r"self\.size of Create cannot be set"):
        river.size = 3  # type: ignore[misc]  # wrong on purpose
    assert river.size == 1


@pytest.mark.promise("2.4")
def test_a_river_has_no_bodies_of_its_own() -> None:
    assert not any(hasattr(River, body) for body in ("when", "flow", "cycle", "undo", "reconcile", "update"))


@pytest.mark.promise("2.4")
def test_a_user_may_take_words_in_making_a_class() -> None:
    class Kinded(River):
        kind: str = "?"
        made_as: ClassVar[str] = ""

        def __init_subclass__(cls, kind: str = "", **words: Any) -> None:
            cls.made_as = kind
            super().__init_subclass__(**words)

        def flow(self, water: Any) -> None:
            """Do nothing."""

    class Disk(Kinded, kind="disk"):
        pass

    assert Disk.made_as == "disk"
    assert Disk("x").kind == "x"
