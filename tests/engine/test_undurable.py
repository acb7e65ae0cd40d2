"""What is gained and what may be lost by a river whose end need not be on disk?"""

import threading
from typing import Any

import pytest

from tests.engine.acts import Held, Scenes, Script
from tests.engine.scenes import LONG, calling, drawn, nothing, puts, river, sea
from vastflow import DrawingError, Engine, ParallelRiver
from vastflow.errors import StoreError
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore


class Refusing(MemoryStore):
    """A store on a disk that is away for a while."""

    away = False

    def commit(self, batch: Batch) -> frozenset[str]:
        """Write the batch, unless the disk is away."""
        if self.away and batch.facts:
            message = "the disk is away"
            raise StoreError(message)
        return super().commit(batch)


class Signs:
    """Bodies that say that they ran."""

    def __init__(self) -> None:
        self.ran: dict[str, threading.Event] = {}

    def of(self, name: str) -> Any:
        sign = self.ran.setdefault(name, threading.Event())

        def body(_self: Any, water: Any) -> None:
            water[name] = len(water)
            sign.set()

        return body


@pytest.mark.promise("4.9", "10.2")
def test_the_next_bodies_run_before_its_end_is_on_disk() -> None:
    store, signs = Held(), Signs()
    with Engine(store=store, jitter=0.0) as engine:
        gate = threading.Event()

        def first(_self: Any, water: Any) -> None:
            assert gate.wait(LONG)
            water["first"] = True

        streams = (
            river("a", first, durable=False),
            ParallelRiver(river("b", signs.of("b"), durable=False), river("c", signs.of("c"), durable=False)),
            river("d", signs.of("d")),
        )
        flow = engine.start(drawn(*streams), id="one")
        store.go.clear()
        gate.set()
        try:
            assert [name for name, sign in signs.ran.items() if not sign.wait(LONG)] == []
            on_disk = [fact.kind for fact in store.facts("one")]
        finally:
            store.go.set()

        assert flow.result(LONG)["first"] is True
    assert "flowed" not in on_disk


@pytest.mark.promise("4.9", "10.2")
@pytest.mark.parametrize("what", ["behind a durable river", "the end", "a poll", "behind a failure"])
def test_all_else_waits_until_what_was_before_it_is_on_disk(scenes: Scenes, what: str) -> None:
    store, body = Refusing(), Script()
    scene = scenes(store=store)

    def first(_self: Any, _water: Any) -> None:
        store.away = True
        if what == "behind a failure":
            message = "no"
            raise RuntimeError(message)

    drawings = {
        "behind a durable river": drawn(river("a", first), river("b", body.body(), durable=False)),
        "the end": drawn(river("a", first, durable=False), end=sea(success=body.body())),
        "a poll": drawn(river("a", first, body.body(), cycle_times=2, cycle_interval=0)),
        "behind a failure": drawn(river("a", first, durable=False), end=sea(fail=body.body())),
    }
    flow = scene.engine.start(drawings[what], id="one")
    scene.until(lambda: store.away)
    scene.runtime.advance(5)
    early = len(body)

    store.away = False
    flow.wait()

    assert (early, len(body)) == (0, 1)


@pytest.mark.promise("4.9", "10.5")
def test_a_crash_before_its_end_is_on_disk_runs_it_and_what_followed_again(scenes: Scenes) -> None:
    store = Refusing()
    scene = scenes(store=store)
    first, second, third = Script(scene), Script(scene), Script(scene)
    streams = (
        river("a", first.body(puts(a=1)), durable=False),
        river("b", second.body(puts(b=1)), durable=False),
        river("c", third.body(puts(c=1))),
    )
    scene.engine.start(drawn(*streams), id="one")
    store.away = True
    scene.until(lambda: third.calls)

    store.away = False
    scene.crash()

    assert scene.engine.flow("one").result() == {"a": 1, "b": 1, "c": 1}
    assert [len(each) for each in (first, second, third)] == [2, 2, 2]
    assert len({call.key for call in first.calls}) == 1


@pytest.mark.promise("4.9", "10.5")
@pytest.mark.parametrize("seed", range(40))
def test_facts_are_stored_in_order_so_whatever_is_kept_is_a_beginning(scenes: Scenes, seed: int) -> None:
    scene = scenes(seed, crash_limit=99)
    names = [f"r{number}" for number in range(8)]
    streams = [river(name, puts(**{name: 1}), durable=number % 3 == 2) for number, name in enumerate(names)]
    scene.engine.start(drawn(*streams), id="one")
    for _ in range(3 + 2 * seed):
        scene.runtime.pump()

    scene.runtime.crash()
    kept = [fact.address for fact in scene.store.facts("one") if fact.kind == "flowed"]
    scene.open()

    assert kept == names[: len(kept)]
    assert scene.engine.flow("one").result() == dict.fromkeys(names, 1)


@pytest.mark.promise("4.9", "2.3")
@pytest.mark.parametrize(
    "attributes",
    [
        {"cycle": nothing, "cycle_times": 1},
        {"undo": nothing},
        {"reconcile": nothing},
        {"atomic": True, "deadline": 5},
        {"at_most_once": True},
    ],
    ids=["cycle", "undo", "reconcile", "atomic", "at_most_once"],
)
def test_what_relies_on_its_end_cannot_be_drawn_so(attributes: dict[str, Any]) -> None:
    with pytest.raises((DrawingError, TypeError, ValueError), match="durable"):
        river("a", calling(nothing), durable=False, **attributes)
