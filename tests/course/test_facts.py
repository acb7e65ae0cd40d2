"""What can happen to a flow?"""

from pathlib import Path

import msgspec
import pytest

from tests.course.deaths import drawn_deaths
from tests.course.driver import Run
from tests.course.flows import drawn, river
from tests.course.scripts import Call, case
from vastflow.course import commands
from vastflow.course.apply import _APPLY
from vastflow.course.facts import KINDS, NOTHING, Delta, Fact, Flowed, Poisoned, What
from vastflow.drawing.chart import Waits

FORMAT = Path(__file__).parents[2] / "docs" / "format.md"


def test_every_kind_of_fact_can_be_stored_and_applied() -> None:
    assert set(KINDS.values()) == set(What.__args__) == set(_APPLY)


@pytest.mark.timeout(300)
@pytest.mark.promise("10.1")
def test_every_kind_of_fact_happens_to_some_flow() -> None:
    value = Delta({"x": msgspec.Raw(b"1")})
    asked: list[commands.Command] = [commands.Pause(), commands.Set(value), commands.Complete("a", value)]
    told = list(enumerate(asked, 5))
    mended = drawn(river("a", retry=Waits(1)), a=(Call(1, answer="retry"),))
    atomic = drawn(river("a", atomic=True), a=(Call(500),))
    runs = [
        Run(mended, told=[*told, (90, commands.Resume())]),
        Run(atomic, dict.fromkeys((2, 4, 6, 8), 5), orderly=True, crash_limit=1),
        *(Run(case(seed), drawn_deaths(seed, 40), check=False) for seed in range(100)),
    ]

    assert set(KINDS.values()) - {type(fact.what) for run in runs for fact in run.facts} == {Poisoned}


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
