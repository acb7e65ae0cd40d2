"""Does the whole engine do what the semantics say, with any drawing, in any order, and the same for the same seed?"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engine.model import Expected, expect
from tests.engine.plays import Play, drawing, playing
from tests.engine.scenes import PATIENT, drawn, nothing, river, simulated
from tests.engine.scripts import case
from tests.runtime.players import printed_under_other_hash_seeds
from vastflow import Engine, FlowStatus, ParallelRiver
from vastflow.actors.andes import AndesActor
from vastflow.actors.river import RiverActor
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

QUICK = range(100)
ALL = range(500)
LAST = {"failed", "cancelled", "cycled", "joined", "conflicted", "left"}  # after these a stream has no other fact
CASES = 100_000  # the cases of a seed are this far apart


@contextmanager
def plays(seed: int, flows: int, *, obeys: bool = False) -> Iterator[dict[str, Play]]:
    """Let these flows play the cases of a seed."""
    cast = {f"flow-{number}": Play(case(seed + number * CASES), obeys) for number in range(flows)}
    playing.update(cast)
    yield cast
    for name in cast:
        del playing[name]


def begin(engine: Engine, cast: dict[str, Play]) -> None:
    for name, play in cast.items():
        engine.start(drawing(play.case), dict(play.case.water), id=name)


def journal(store: MemoryStore, cast: dict[str, Play]) -> bytes:
    """Return all facts of all flows, byte for byte as they are stored, and their rows."""
    facts = [fact for name in cast for fact in store.facts(name)]
    return repr((facts, [store.flow(name) for name in cast])).encode()


def assert_nothing_is_left(engine: Engine, runtime: Simulated) -> None:
    runtime.run_until_idle()
    stats = runtime.stats()
    assert (stats.timers, stats.queued, stats.tasks) == (1, 0, 0)  # one timer: the beat
    assert len(engine._waiting) == 0  # noqa: SLF001  # that nothing is kept is what is asked
    for inbox in runtime._world.inboxes:  # noqa: SLF001  # the same
        assert not inbox._messages  # noqa: SLF001  # the same
        match inbox._actor:  # noqa: SLF001  # the same
            case AndesActor() as supervisor:
                assert not supervisor._all.flows  # noqa: SLF001  # the same
            case RiverActor() as actor:
                assert not actor._running  # noqa: SLF001  # the same
            case _:
                pass


def played(seed: int, flows: int) -> bytes:
    """Play the cases of a seed to their ends and return the journal."""
    store, runtime = MemoryStore(), Simulated(seed)
    with simulated(store, runtime, cancel_grace=1e6) as engine, plays(seed, flows) as cast:
        begin(engine, cast)
        for name in cast:
            engine.flow(name).wait()
        assert_nothing_is_left(engine, runtime)
        return journal(store, cast)


def seen(status: FlowStatus, play: Play) -> Expected:
    """Return how the flow ended, in the words of the model; its water and its moment apart."""
    rivers = {}
    for address in play.case.scripts:
        calls = play.calls[address, "flow"], play.calls[address, "cycle"]
        state = status.stream(address).state
        # One that was reached and cancelled before its body was called is, to the model, one that was never reached.
        rivers[address] = ("init" if state == "cancelled" and not any(calls) else state, *calls)
    failed = status.failure
    failure = None if failed is None else (failed.kind, failed.address.replace("~", "sea"))
    return Expected(status.outcome, failure, status.state, {}, {}, rivers, play.atlantic, 0)


def agree_with_the_model(seed: int) -> None:
    store, runtime = MemoryStore(), Simulated(seed)
    with simulated(store, runtime, cancel_grace=1e6) as engine, plays(seed, 1) as cast:
        begin(engine, cast)
        flow, play = engine.flow("flow-0"), cast["flow-0"]
        status = flow.wait()
        told, expected = seen(status, play), expect(play.case)
        assert told.rivers == expected.rivers
        assert (told.outcome, told.state, told.failure) == (expected.outcome, expected.state, expected.failure)
        assert told.atlantic == expected.atlantic
        if status.state == "success":
            assert flow.result() == expected.water
        assert_nothing_is_left(engine, runtime)


def survive_crashes(seed: int) -> None:
    """Die at moments drawn by the seed; bodies that are interrupted go on in their scripts, so only sense is asked."""
    store, runtime, chance = MemoryStore(), Simulated(seed), random.Random(seed)  # noqa: S311 - chance, not secrecy
    grace = chance.choice((0.0, 0.1, 1e6))
    with plays(seed, 2, obeys=chance.random() < 0.5) as cast:
        engine = simulated(store, runtime, cancel_grace=grace, crash_limit=PATIENT)
        begin(engine, cast)
        for _ in range(3):
            for _ in range(chance.randrange(150)):
                runtime.pump()
            runtime.crash()
            engine = simulated(store, runtime, cancel_grace=grace, crash_limit=PATIENT)
        for name, play in cast.items():
            status = engine.flow(name).wait()
            kinds = [fact.kind for fact in store.facts(name)]
            assert status.stranded == ""
            assert (kinds.count("outcome"), kinds.count("ended"), kinds[-1]) == (1, 1, "ended")
            assert set(play.atlantic) == {status.outcome}
            ends = [fact.address for fact in store.facts(name) if fact.kind in LAST]
            assert len(ends) == len(set(ends))
        assert_nothing_is_left(engine, runtime)
    engine.close()


@pytest.mark.promise("4.1", "4.2", "5.6", "5.7", "6.1", "6.3", "7.1", "8.1", "8.2")
@pytest.mark.parametrize("seed", QUICK)
def test_the_engine_ends_any_flow_as_the_model_says(seed: int) -> None:
    agree_with_the_model(seed)


@pytest.mark.slow
@pytest.mark.promise("4.1", "4.2", "5.6", "5.7", "6.1", "6.3", "7.1", "8.1", "8.2")
@pytest.mark.parametrize("seed", ALL)
def test_the_engine_ends_any_of_five_hundred_flows_as_the_model_says(seed: int) -> None:
    agree_with_the_model(seed)


@pytest.mark.parametrize("seed", range(0, 500, 10))
def test_the_same_seed_gives_the_same_journal_byte_for_byte(seed: int) -> None:
    assert played(seed, 3) == played(seed, 3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ALL)
def test_the_same_seed_gives_the_same_journal_byte_for_byte_for_five_hundred_seeds(seed: int) -> None:
    assert played(seed, 3) == played(seed, 3)


def test_the_same_seed_gives_the_same_journal_in_other_processes_whatever_their_hash_seeds() -> None:
    program = (
        "import hashlib; from tests.engine.test_simulated import played\n"
        "print([hashlib.sha256(played(seed, 2)).hexdigest() for seed in range(8)])"
    )

    runs = printed_under_other_hash_seeds(program)

    assert runs == {f"{[hashlib.sha256(played(seed, 2)).hexdigest() for seed in range(8)]}\n"}


def test_other_seeds_give_other_orders_of_what_happens_at_once() -> None:
    orders = set()
    for seed in range(20):
        engine = simulated(runtime=Simulated(seed))
        branches = ParallelRiver(*(river(f"r{number}", nothing) for number in range(4)))
        flow = engine.start(drawn(branches))
        flow.result()
        orders.add(tuple(event.address for event in flow.events()))

    assert len(orders) > 10


@pytest.mark.promise("10.1", "10.5", "10.10")
@pytest.mark.parametrize("seed", QUICK)
def test_a_flow_ends_once_wherever_its_process_dies_three_times(seed: int) -> None:
    survive_crashes(seed)


@pytest.mark.slow
@pytest.mark.promise("10.1", "10.5", "10.10")
@pytest.mark.parametrize("seed", ALL)
def test_each_of_a_thousand_flows_ends_once_wherever_its_process_dies_three_times(seed: int) -> None:
    survive_crashes(seed)
