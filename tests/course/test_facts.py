"""What can happen to a flow?"""

from pathlib import Path

import msgspec
import pytest

from tests.course.driver import Run
from tests.course.scripts import case
from vastflow.course.apply import _APPLY
from vastflow.course.facts import KINDS, NOTHING, Delta, Fact, Flowed, What

FORMAT = Path(__file__).parents[2] / "docs" / "format.md"


def test_every_kind_of_fact_can_be_stored_and_applied() -> None:
    assert set(KINDS.values()) == set(What.__args__) == set(_APPLY)


@pytest.mark.promise("10.1")
def test_every_kind_of_fact_happens_to_some_flow() -> None:
    seen = {type(fact.what) for seed in range(200) for fact in Run(case(seed), check=False).facts}

    assert seen == set(KINDS.values())


@pytest.mark.parametrize("name", KINDS)
def test_a_fact_never_changes_and_says_what_it_is(name: str) -> None:
    kind = KINDS[name]

    assert kind.__name__.lower() == name
    assert kind.__struct_config__.frozen
    assert kind.__doc__


def test_the_format_page_tells_of_every_kind_and_every_field() -> None:
    told = FORMAT.read_text(encoding="utf-8").partition("\n## Facts\n")[2].partition("\n## ")[0]

    missing = [
        (name, field.encode_name)
        for name, kind in KINDS.items()
        for field in msgspec.structs.fields(kind)
        if f"`{field.encode_name}`" not in told
    ]
    assert missing == []
    assert [name for name in KINDS if f"\n| `{name}` |" not in told] == []


def test_a_delta_that_changes_nothing_is_false() -> None:
    assert not NOTHING
    assert Delta({"x": msgspec.Raw(b"1")})
    assert Delta(drop=("x",))


def test_a_fact_stands_where_and_when_it_happened() -> None:
    fact = Fact(5, "east/a", 1, 2, Flowed())

    assert (fact.at, fact.address, fact.run, fact.attempt) == (5, "east/a", 1, 2)
