"""Do as many bodies of a class run as may, first come first served?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastflow.actors.slots import Slots


@pytest.mark.promise("6.4")
def test_whoever_finds_no_slot_waits_and_is_let_in_when_one_is_given_back() -> None:
    slots = Slots()

    entered = [slots.enter(ticket, 2) for ticket in range(4)]

    assert entered == [True, True, False, False]
    assert [list(slots.leave(ticket)) for ticket in (1, 0, 2, 3)] == [[2], [3], [], []]


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("limit", [0, -1, -(1 << 63)])
def test_a_limit_that_no_drawing_has_lets_one_run_and_holds_nobody_up_for_ever(limit: int) -> None:
    slots = Slots()

    entered = [slots.enter(1, limit), slots.enter(2, None), slots.enter(3, limit)]

    assert entered == [True, True, False]
    assert [list(slots.leave(ticket)) for ticket in (1, 2, 3)] == [[], [3], []]


@pytest.mark.promise("6.4")
def test_whoever_has_no_limit_waits_behind_those_who_have_one() -> None:
    slots = Slots()
    entered = [slots.enter(1, 1), slots.enter(2, 1), slots.enter(3, None), slots.enter(4, 5)]

    let_in = [list(slots.leave(1)), list(slots.leave(2))]

    assert entered == [True, False, False, False]
    assert let_in == [[2, 3, 4], []]


@pytest.mark.promise("6.4")
def test_the_first_in_line_waits_until_fewer_than_its_own_limit_are_inside() -> None:
    slots = Slots()
    entered = [slots.enter(ticket, 3) for ticket in (1, 2, 3)] + [slots.enter(4, 1), slots.enter(5, 3)]

    let_in = [list(slots.leave(ticket)) for ticket in (1, 2, 3, 4)]

    assert entered == [True, True, True, False, False]
    assert let_in == [[], [], [4, 5], []]


@pytest.mark.promise("6.4")
def test_whoever_leaves_the_head_of_the_line_lets_those_behind_go_on() -> None:
    slots = Slots()
    for ticket, most in ((1, 2), (2, 1), (3, 2)):
        slots.enter(ticket, most)

    assert list(slots.leave(2)) == [3]


def test_leaving_without_having_come_changes_nothing() -> None:
    slots = Slots()
    slots.enter(1, 1)

    assert list(slots.leave(7)) == []
    assert not slots.enter(2, 1)


@pytest.mark.promise("6.4")
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.one_of(st.none(), st.integers(1, 3))), max_size=60))
def test_nobody_overtakes_nobody_is_too_many_and_nobody_waits_for_ever(
    steps: list[tuple[bool, int, int | None]],
) -> None:
    slots, limits, inside, line = Slots(), dict[int, int | None](), list[int](), list[int]()
    for number, (comes, which, most) in enumerate(steps):
        known = inside + line
        if comes or not known:
            limits[number] = most
            (inside if slots.enter(number, most) else line).append(number)
        else:
            leaver = known[which % len(known)]
            (inside if leaver in inside else line).remove(leaver)
            let_in = list(slots.leave(leaver))
            assert let_in == line[: len(let_in)]
            del line[: len(let_in)]
            inside += let_in
        latest = limits[inside[-1]] if inside else None
        assert not line or not _fits(limits[line[0]], inside)
        assert latest is None or comes is False or inside[-1] != number or len(inside) <= latest


def _fits(most: int | None, inside: list[int]) -> bool:
    return most is None or len(inside) < most
