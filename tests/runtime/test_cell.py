"""Does an actor live on when its Pykka actor does not?"""

import threading
from collections.abc import Iterator
from functools import partial

import pykka
import pytest

from tests.runtime.players import LONG, Doer, Recorder
from vastflow.runtime.cell import Cell


@pytest.fixture
def cells() -> Iterator[list[Cell]]:
    """Return a list whose cells are stopped in the end."""
    made: list[Cell] = []
    yield made
    for cell in made:
        cell.stop()
    for cell in made:
        assert cell.join(LONG)


def pykka_actors(cell: Cell) -> list[pykka.ActorRef[pykka.Actor]]:
    """Return the Pykka actors that read a cell's inbox at present."""
    return [ref for ref in pykka.ActorRegistry.get_all() if ref.actor_inbox is cell.inbox]


def test_an_actor_is_one_pykka_actor_on_a_daemon_thread_of_its_name(cells: list[Cell]) -> None:
    cells.append(Cell(Recorder(name="create-vm")))

    thread = cells[0].thread

    assert thread is not None
    assert (thread.name, thread.daemon) == ("create-vm", True)
    assert len(pykka_actors(cells[0])) == 1


class Senders:
    """Threads that tell a cell numbers; half-way they wait until all are there."""

    def __init__(self, cell: Cell, count: int, total: int) -> None:
        self._cell = cell
        self._total = total
        self._halfway = threading.Barrier(count + 1)
        self._threads = [threading.Thread(target=self._send, args=(sender,)) for sender in range(count)]
        for thread in self._threads:
            thread.start()
        self._halfway.wait(LONG)

    def _send(self, sender: int) -> None:
        for number in range(self._total):
            if number == self._total // 2:
                self._halfway.wait(LONG)
            self._cell.ref.tell((sender, number))

    def join(self) -> None:
        for thread in self._threads:
            thread.join(LONG)


@pytest.mark.promise("7.6")
def test_an_actor_stopped_from_outside_is_replaced_and_nothing_told_is_lost_doubled_or_reordered(
    cells: list[Cell],
) -> None:
    actor = Recorder(expected=4 * 1_000)
    cell = Cell(actor)
    cells.append(cell)

    senders = Senders(cell, 4, 1_000)
    while not actor.full.done():
        for ref in pykka_actors(cell):
            ref.stop(block=True, timeout=LONG)
    senders.join()

    heard = actor.full.result(LONG)
    assert len(heard) == 4 * 1_000
    assert sorted(heard) == sorted(heard, key=lambda told: told[0])


@pytest.mark.promise("7.6")
def test_a_stopped_actor_s_successor_reads_what_was_told_before_the_stop(cells: list[Cell]) -> None:
    actor = Doer(expected=102)
    cell = Cell(actor)
    cells.append(cell)
    hold, held = threading.Event(), threading.Event()
    first = pykka_actors(cell)[0]

    cell.ref.tell(held.set)
    cell.ref.tell(partial(hold.wait, LONG))
    held.wait(LONG)
    stopped = first.stop(block=False)
    for number in range(100):
        cell.ref.tell(number)
    hold.set()

    assert actor.full.result(LONG)[2:] == list(range(100))
    assert stopped.get(timeout=LONG)
    assert not first.is_alive()
    assert len(pykka_actors(cell)) == 1


@pytest.mark.promise("7.6")
def test_an_actor_killed_by_a_stranger_s_call_is_replaced(cells: list[Cell]) -> None:
    actor = Recorder()
    cell = Cell(actor)
    cells.append(cell)
    first = pykka_actors(cell)[0]

    first.tell(pykka.messages.ProxyCall(attr_path=("no_such_method",), args=(), kwargs={}))
    cell.ref.tell("after")

    assert actor.full.result(LONG) == ["after"]
    assert not first.is_alive()


def test_a_stopped_cell_handles_what_it_was_told_and_ends_for_good(cells: list[Cell]) -> None:
    actor = Recorder()
    cell = Cell(actor)
    cells.append(cell)

    for number in range(100):
        cell.ref.tell(number)
    cell.stop()
    cell.stop()
    cell.ref.tell("too late, or just in time")

    assert cell.join(LONG)
    assert not cell.alive
    assert actor.heard[:100] == list(range(100))
    assert pykka_actors(cell) == []


def test_a_sign_is_set_when_all_that_was_told_before_is_handled(cells: list[Cell]) -> None:
    actor = Recorder()
    cell = Cell(actor)
    cells.append(cell)

    for number in range(1_000):
        cell.ref.tell(number)

    assert cell.sound().wait(LONG)
    assert cell.taken == len(actor.heard) == 1_000


def test_a_stranger_who_asks_a_cell_that_ends_is_told_so(cells: list[Cell]) -> None:
    actor = Doer()
    cell = Cell(actor)
    cells.append(cell)
    hold = threading.Event()
    cell.ref.tell(partial(hold.wait, LONG))
    first = pykka_actors(cell)[0]

    cell.stop()
    first.stop(block=False)
    answer = first.ask("anybody there?", block=False)
    hold.set()

    with pytest.raises(pykka.ActorDeadError):
        answer.get(timeout=LONG)
