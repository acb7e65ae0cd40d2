"""Does the whole engine do what the semantics say, with any drawing, in any order, and the same for the same seed?"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from tests.course.agreement import disagreements
from tests.course.model import expect
from tests.course.scripts import case
from tests.engine.plays import MICRO, Play, Played, begin, playing, tell
from tests.engine.scenes import drawn, nothing, river, simulated
from tests.runtime.players import printed_under_other_hash_seeds
from vastflow import ParallelRiver
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated
from vastflow.testing.simulation.remains import remains

SHARE = 25  # cases of one test
CASES = 100_000  # the cases of a seed are this far apart


@contextmanager
def plays(seed: int, flows: int, runtime: Simulated) -> Iterator[dict[str, Play]]:
    """Let these flows play the cases of a seed."""
    cast = {f"flow-{number}": Play(case(seed + number * CASES), runtime) for number in range(flows)}
    playing.update(cast)
    yield cast
    for name in cast:
        del playing[name]


def played(seed: int, flows: int) -> tuple[MemoryStore, dict[str, Play]]:
    """Play the cases of a seed to their ends, and see that nothing is left."""
    store, runtime = MemoryStore(), Simulated(seed)
    with plays(seed, flows, runtime) as cast:
        grace = cast["flow-0"].case.cancel_grace / MICRO
        with simulated(store, runtime, cancel_grace=grace) as engine:
            for name, play in cast.items():
                begin(engine, name, play)
            tell(engine, cast)
            runtime.run_until_idle()
            assert remains(engine, runtime) == [], seed
    return store, cast


def journal(seed: int, flows: int) -> bytes:
    """Return all facts of all flows of a seed, byte for byte as they are stored, and their rows."""
    store, cast = played(seed, flows)
    facts = [fact for name in cast for fact in store.facts(name)]
    return repr((facts, [store.flow(name) for name in cast])).encode()


def agree_with_the_model(seeds: Iterable[int]) -> None:
    for seed in seeds:
        store, cast = played(seed, 1)
        run = Played(cast["flow-0"], store, "flow-0")
        found = disagreements(run, expect(run.case))
        assert found == {}, seed


@pytest.mark.promise("4.1", "4.2", "4.5", "4.7", "4.8", "5.5", "5.6", "5.7", "5.9", "6.1", "6.2", "6.3")
@pytest.mark.promise("7.1", "7.2", "7.3", "7.4", "7.5", "8.1", "8.2", "8.4", "9.1", "9.2")
@pytest.mark.parametrize("first", range(0, 200, SHARE))
def test_the_engine_ends_any_flow_as_the_model_says(first: int) -> None:
    agree_with_the_model(range(first, first + SHARE))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(200, 3_000, SHARE))
def test_the_engine_ends_any_of_three_thousand_flows_as_the_model_says(first: int) -> None:
    agree_with_the_model(range(first, first + SHARE))


@pytest.mark.parametrize("seed", range(0, 500, 20))
def test_the_same_seed_gives_the_same_journal_byte_for_byte(seed: int) -> None:
    assert journal(seed, 3) == journal(seed, 3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(500))
def test_the_same_seed_gives_the_same_journal_byte_for_byte_for_five_hundred_seeds(seed: int) -> None:
    assert journal(seed, 3) == journal(seed, 3)


def test_the_same_seed_gives_the_same_journal_in_other_processes_whatever_their_hash_seeds() -> None:
    program = (
        "import hashlib; from tests.engine.test_simulated import journal\n"
        "print([hashlib.sha256(journal(seed, 2)).hexdigest() for seed in range(8)])"
    )

    runs = printed_under_other_hash_seeds(program)

    assert runs == {f"{[hashlib.sha256(journal(seed, 2)).hexdigest() for seed in range(8)]}\n"}


def test_other_seeds_give_other_orders_of_what_happens_at_once() -> None:
    orders = set()
    for seed in range(20):
        engine = simulated(runtime=Simulated(seed))
        branches = ParallelRiver(*(river(f"r{number}", nothing) for number in range(4)))
        flow = engine.start(drawn(branches))
        flow.result()
        orders.add(tuple(event.address for event in flow.events()))

    assert len(orders) > 10
