"""Is whoever is to run alone alone, and does nobody wait for ever?"""

import threading
from functools import partial
from queue import SimpleQueue
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.players import LONG
from vastflow.actors.turnstile import Turnstile


def unheard() -> None:
    """Be told that a wait is over that never was one."""
    raise AssertionError("somebody was let through who was not held")


@pytest.mark.promise("4.10")
def test_all_go_out_beside_each_other_while_nobody_is_to_be_alone() -> None:
    turnstile = Turnstile()

    assert all(turnstile.enter(ticket, unheard) for ticket in range(100))


@pytest.mark.promise("4.10")
def test_whoever_is_to_be_alone_waits_until_nobody_is_out_and_holds_all_others_in_their_order() -> None:
    turnstile, through = Turnstile(), list[int]()
    out = [turnstile.enter(ticket, unheard) for ticket in (1, 2)]

    held = [turnstile.enter(ticket, partial(through.append, ticket), alone=ticket == 3) for ticket in (3, 4, 5)]
    seen: list[list[int]] = []
    for ticket in (1, 2, 3):
        turnstile.leave(ticket)
        seen.append(list(through))

    assert (out, held) == ([True, True], [False, False, False])
    assert seen == [[], [3], [3, 4, 5]]


@pytest.mark.promise("4.10")
def test_whoever_comes_alone_to_an_empty_engine_goes_out_at_once_and_others_wait() -> None:
    turnstile, through = Turnstile(), list[int]()

    alone = turnstile.enter(1, unheard, alone=True)
    others = [turnstile.enter(ticket, partial(through.append, ticket)) for ticket in (2, 3)]
    before = list(through)
    turnstile.leave(1)

    assert (alone, others, before, through) == (True, [False, False], [], [2, 3])
    assert turnstile.enter(4, unheard)


@pytest.mark.promise("4.10")
def test_of_two_who_are_to_be_alone_the_second_lets_those_before_it_go_first() -> None:
    turnstile, through = Turnstile(), list[int]()
    turnstile.enter(1, unheard, alone=True)
    for ticket in (2, 3, 4):
        turnstile.enter(ticket, partial(through.append, ticket), alone=ticket == 3)

    seen: list[list[int]] = []
    for ticket in (1, 2, 3):
        turnstile.leave(ticket)
        seen.append(list(through))

    assert seen == [[2], [2, 3], [2, 3, 4]]


@pytest.mark.promise("4.10")
def test_whoever_waits_to_be_alone_and_waits_no_longer_lets_those_go_who_were_held_for_it() -> None:
    turnstile, through = Turnstile(), list[int]()
    turnstile.enter(1, unheard)
    for ticket in (2, 3):
        turnstile.enter(ticket, partial(through.append, ticket), alone=ticket == 2)

    turnstile.leave(2)

    assert through == [3]


def test_leaving_twice_or_without_having_come_changes_nothing() -> None:
    turnstile = Turnstile()
    turnstile.enter(1, unheard, alone=True)

    turnstile.leave(2)
    held = turnstile.enter(3, lambda: None)
    turnstile.leave(1)
    turnstile.leave(1)

    assert not held
    assert turnstile.enter(4, unheard)


@pytest.mark.promise("4.10")
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 9)), max_size=60))
def test_whoever_comes_and_goes_alone_is_alone_and_all_get_out_in_the_end(
    steps: list[tuple[bool, bool, int]],
) -> None:
    turnstile, held, out = Turnstile(), dict[int, bool](), dict[int, bool]()

    def let_through(ticket: int) -> None:
        assert ticket == next(iter(held))
        out[ticket] = held.pop(ticket)

    def leave(ticket: int) -> None:
        out.pop(ticket, None)
        held.pop(ticket, None)
        turnstile.leave(ticket)

    for number, (comes, alone, which) in enumerate(steps):
        known = [*out, *held]
        if comes or not known:
            held[number] = alone
            if turnstile.enter(number, partial(let_through, number), alone=alone):
                out[number] = held.pop(number)
        else:
            leave(known[which % len(known)])
        assert not any(out.values()) or len(out) == 1
        assert not held or any(out.values()) or (next(iter(held.values())) and out)
    while out:
        leave(next(iter(out)))

    assert not held
    assert turnstile.enter(-1, unheard, alone=True)


class Walkers:
    """Threads that go out and come back, some alone, and note who is out with whom."""

    def __init__(self, turnstile: Turnstile, seed: int) -> None:
        self.met: list[set[tuple[int, bool]]] = []
        self._turnstile = turnstile
        self._seed = seed
        self._out: set[tuple[int, bool]] = set()
        self._start = threading.Barrier(4)

    def walk(self, who: int, rounds: int) -> None:
        chance, through = Random(self._seed * 10 + who), SimpleQueue[int]()  # noqa: S311  # an order, no secret
        self._start.wait(LONG)
        for number in range(rounds):
            ticket, alone = who * rounds + number, chance.random() < 0.2
            if not self._turnstile.enter(ticket, partial(through.put, ticket), alone=alone):
                if chance.random() < 0.2:
                    self._turnstile.leave(ticket)
                    continue
                while through.get(timeout=LONG) != ticket:
                    pass  # a turn that came when it was not waited for any more
            self._out.add((ticket, alone))
            met = set(self._out)
            self.met.append(met)
            self._out.discard((ticket, alone))
            self._turnstile.leave(ticket)


@pytest.mark.promise("4.10")
def test_on_many_threads_whoever_is_alone_meets_nobody_and_nobody_is_forgotten() -> None:
    turnstile = Turnstile()
    walkers = Walkers(turnstile, 1)
    threads = [threading.Thread(target=walkers.walk, args=(who, 200), daemon=True) for who in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)

    assert not any(thread.is_alive() for thread in threads)
    assert [met for met in walkers.met if len(met) > 1 and any(alone for _, alone in met)] == []
    assert turnstile.enter(-1, unheard, alone=True)
