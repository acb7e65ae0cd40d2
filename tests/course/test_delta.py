"""What is in the water, and who wrote it?"""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.course.driver import encoded
from vastflow.course.delta import Clash, Sheet, Writing, between, lay, merged, same, spring
from vastflow.course.facts import NOTHING, Delta

KEYS = st.sampled_from("abc")
deltas = st.builds(
    lambda put, drop: Delta(encoded(put), tuple(sorted(drop - put.keys()))),
    st.dictionaries(KEYS, st.integers(0, 3), max_size=3),
    st.sets(KEYS),
)


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def plain(sheet: Sheet) -> dict[str, Any]:
    return {key: msgspec.json.decode(value) for key, value in sheet.flat().items()}


@given(st.lists(deltas, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_sheets_laid_on_one_another_read_as_one_mapping(laid: list[Delta], looked: list[bool]) -> None:
    sheet, water = spring({}), dict[str, msgspec.Raw]()

    for number, delta in enumerate(laid):
        sheet = lay(sheet, delta, f"r{number}")
        water = {key: value for key, value in {**water, **delta.put}.items() if key not in delta.drop}
        if looked[number]:
            sheet.flat()  # what was read once is kept, and changes nothing

    assert sheet.flat() == water


def test_an_empty_delta_costs_nothing() -> None:
    fork = spring(encoded({"x": 1}))

    assert lay(fork, NOTHING, "a") is fork
    assert not NOTHING
    assert Delta(drop=("x",))


@pytest.mark.promise("5.6")
def test_a_branchs_last_writing_counts_with_who_wrote_it() -> None:
    fork = spring(encoded({"x": 0, "y": 0}))
    tip = lay(lay(fork, Delta(encoded({"x": 1, "y": 1})), "a"), Delta(encoded({"x": 2}), ("y",)), "b")

    assert between(tip, fork) == {"x": Writing(raw("2"), "b"), "y": Writing(None, "b")}


@pytest.mark.promise("5.6")
def test_branches_are_merged_in_drawing_order_and_clashes_named() -> None:
    fork = spring(encoded({"x": 0}))
    tips = [lay(fork, Delta(encoded({"x": 1, "y": 1})), "a"), lay(fork, Delta(encoded({"y": 1}), ("x",)), "b")]

    delta, clashes = merged(tips, fork)

    assert delta == Delta(encoded({"y": 1}), ("x",))
    assert clashes == (Clash("x", Writing(raw("1"), "a"), Writing(None, "b")),)


@given(st.lists(deltas, min_size=1, max_size=4))
def test_a_merged_delta_is_each_laid_on_the_one_before(laid: list[Delta]) -> None:
    fork = spring(encoded({"a": 9}))
    apart = [lay(fork, delta, str(number)) for number, delta in enumerate(laid)]
    total = fork
    for delta in laid:
        total = lay(total, delta, "")

    delta, _ = merged(apart, fork)

    assert lay(fork, delta, "").flat() == total.flat()


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1}', True),
        ("1", "1.0", False),
        ("[1,2]", "[2,1]", False),
        ("null", None, False),
        (None, None, True),
    ],
)
@pytest.mark.promise("5.6")
def test_values_are_the_same_if_their_canonical_bytes_are(one: str | None, other: str | None, *, equal: bool) -> None:
    first, second = (None if text is None else raw(text) for text in (one, other))

    assert same(first, second) is equal
    assert same(second, first) is equal


def test_a_fork_costs_nothing_branches_share_its_sheet() -> None:
    fork = spring(encoded({"x": 1}))
    one, other = (lay(fork, Delta(encoded({"y": number})), str(number)) for number in (1, 2))

    assert one.below is other.below is fork
    assert (plain(one), plain(other), plain(fork)) == ({"x": 1, "y": 1}, {"x": 1, "y": 2}, {"x": 1})


@pytest.mark.promise("5.4")
def test_of_a_chain_of_sheets_one_flat_form_is_kept_and_the_forks() -> None:
    fork = lay(spring({}), Delta(encoded({"a": 1})), "r1")
    fork.forked = True
    fork.flat()
    tips = [lay(fork, Delta(encoded({"b": number})), f"r{number}") for number in range(2, 4)]

    for tip in tips:
        assert set(tip.flat()) == {"a", "b"}
    above = lay(tips[0], Delta(encoded({"c": 1})), "r9")
    assert set(above.flat()) == {"a", "b", "c"}

    kept = [sheet._flat is not None for sheet in (fork, *tips, above)]  # noqa: SLF001 - what is kept, nobody else sees
    assert kept == [True, False, True, True]
