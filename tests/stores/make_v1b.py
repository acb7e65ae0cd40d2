"""How was `v1b.db` made? By this script, once; the file is never made anew, since old files must open for ever.

It holds flows in which everything happens that can happen: each kind of fact stands in some journal.
"""

import asyncio
import sys
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.engine.scenes import drawn, nothing, puts, raises, river, simulated
from vastflow import Basin, Continue, Engine, Fail, Headwaters, ParallelRiver, River
from vastflow.ledger.contract import Batch, FlowQuery, Owner
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.runtime import Simulated


class Waits(River):
    """A river that is still waiting in the file; whoever opens it can let it go on."""

    registered_as = "tests.stores.waits"
    cycle_interval = None
    signals = ("paid",)

    def flow(self, water: Headwaters) -> None:
        """Do nothing but begin."""

    def cycle(self, water: Headwaters) -> None:
        """Wait for a signal."""
        if (paid := self.signal("paid")) is None:
            raise Continue("not paid")
        water["paid"] = paid

    def undo(self, water: Headwaters) -> None:
        """Have an undo, so that a begin is on disk."""


class Kills(River):
    """A river that never ends: its process was killed while it ran, again and again."""

    registered_as = "tests.stores.kills"

    async def flow(self, _water: Headwaters) -> None:
        """Never end."""
        await asyncio.sleep(1e9)


def saves(self: Any, water: Any) -> None:
    """Keep something, then fail once."""
    water["kept"] = self.attempt
    self.save()
    if self.attempt == 1:
        raise RuntimeError("again")


def polls() -> Any:
    """Return a poll that writes, and is done at its third."""
    calls = count(1)

    def cycle(_self: Any, water: Any) -> None:
        water["polls"] = next(calls)
        if water["polls"] < 3:
            raise Continue("building")

    return cycle


async def clings(_self: Any, _water: Any) -> None:
    """Hold on after its time is over, and come back late."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(3600)
    await asyncio.sleep(5)


def asked_twice() -> Any:
    """Return a `reconcile` that can say so only when it is asked a second time."""
    calls = count(1)

    def reconcile(_self: Any, _water: Any) -> None:
        if next(calls) == 1:
            raise Continue("cannot say yet")

    return reconcile


def second_fails(_self: Any, water: Any) -> None:
    """Fail at the second item."""
    if water["item"] == 2:
        raise Fail("no")


def undone(engine: Engine) -> None:
    """Fail, undo, and try again, which fails too."""
    first = river("first", saves, when=lambda _self, _water: True, undo=puts(back=1), retry_times=1)
    stubborn = river("stubborn", nothing, undo=raises(Fail("it stays")))
    polled = river("polled", nothing, polls(), cycle_interval=1, cycle_times=9)
    basin = Basin("east", stubborn, polled, outputs={"polls": "east_polls"})
    flow = engine.start(
        drawn(first, basin, river("breaks", raises(Fail("no", code="quota")))), {"image": "debian"}, id="undone"
    )
    flow.wait()
    flow.retry(who="ann")
    flow.wait()


def spread(engine: Engine) -> None:
    """Let one of many fail, so that the last of them never begin."""
    skipped = river("skipped", nothing, when=lambda _self, _water: False)
    ill = ParallelRiver.each("items", river("breaks", second_fails), item="item", limit=1)
    engine.start(drawn(skipped, ill), {"items": [1, 2, 3, 4]}, id="spread-ill").wait()
    well = ParallelRiver.each("items", river("well", puts(row=1)), item="item", collect=["row"])
    engine.start(drawn(well), {"items": [1, 2]}, id="spread-well").wait()


def joined(engine: Engine) -> None:
    """Let one win, two be in conflict, one be tolerated, one basin be tried again and go on without its failure."""
    slow = river("slow", nothing, polls(), cycle_interval=60, cycle_times=9, undo=nothing)
    engine.start(drawn(ParallelRiver(slow, river("fast", puts(won=1)), join="any")), id="won").wait()
    engine.start(drawn(ParallelRiver(river("a", puts(x=1)), river("b", puts(x=2)))), id="conflicted").wait()
    bad = river("bad", raises(Fail("no")), undo=nothing)
    engine.start(drawn(ParallelRiver(bad, river("good", nothing), max_failures=1)), id="tolerated").wait()
    basin = Basin("east", bad, retry_times=1, continue_on_failure=True)
    engine.start(drawn(basin, river("last", nothing)), id="continued").wait()


def commanded(engine: Engine, runtime: Simulated) -> None:
    """Let somebody pause, mend, go on, and cancel."""
    waits = [river(name, nothing, polls(), cycle_interval=60, cycle_times=9) for name in ("one", "two", "three")]
    flow = engine.start(drawn(*waits), {"size": 10}, id="mended")
    runtime.advance(30)
    flow.pause(who="ann")
    flow.set("size", 20, who="ann")
    flow.complete("one", vm="vm-1", who="ann")
    flow.resume(who="ann")
    runtime.advance(30)
    flow.pause(who="ann")
    flow.skip("two", who="ann")
    flow.resume(who="ann")
    runtime.advance(30)
    flow.cancel(who="ann")
    flow.wait()
    engine.start(drawn(waits[0]), deadline=30, id="late").wait()


def doubted(engine: Engine) -> None:
    """Let nobody know whether something was done, and the answer come late."""
    last = river("last", nothing, nothing, cycle_interval=60, cycle_times=2)  # keeps the flow under way
    engine.start(drawn(river("hangs", clings, timeout=2, reconcile=asked_twice()), last), id="doubted").wait()


def signalled(engine: Engine, runtime: Simulated) -> None:
    """Send a signal to one flow, and leave another waiting for its."""
    flow = engine.start(drawn(Waits()), id="paid")
    runtime.advance(1)
    flow.signal("paid", {"by": "ann"}, id="hook-17", who="bank")
    flow.wait()
    waiting = engine.start(drawn(Waits()), {"image": "debian"}, id="waiting", tags={"team": "storage"}, deadline="999d")
    runtime.advance(1)
    waiting.pause(who="ann")


def poisoned(store: MemoryStore, runtime: Simulated) -> None:
    """Let a body be interrupted until its flow is stranded, once by an orderly close, which is no interruption."""
    engine = simulated(store, runtime)
    engine.start(drawn(Kills()), id="poisoned")
    for life in range(5):
        runtime.advance(1)
        if life == 1:
            engine.close()
            runtime = Simulated(start=runtime.clock.now())
        else:
            runtime.crash()
        engine = simulated(store, runtime)
    runtime.advance(1)
    engine.close()


def play(store: MemoryStore) -> None:
    """Play all of it."""
    runtime = Simulated()
    engine = simulated(store, runtime)
    undone(engine)
    spread(engine)
    joined(engine)
    commanded(engine, runtime)
    doubted(engine)
    signalled(engine, runtime)
    runtime.crash()
    poisoned(store, runtime)


def copy(store: MemoryStore, target: SQLiteStore) -> None:
    """Write all that happened in one store into another."""
    rows = store.flows(FlowQuery(limit=1000))[::-1]
    owner: Owner = target.take("engine", min(row.started for row in rows))
    charts = {row.chart: store.chart(row.chart) or b"" for row in rows}
    flows = [replace(row, epoch=owner.epoch, owner=owner.name) for row in rows]
    here = f"{Path(__file__).parents[2]}/".encode()  # stands in tracebacks
    facts = [
        fact._replace(epoch=owner.epoch, payload=fact.payload.replace(here, b""))
        for row in rows
        for fact in store.facts(row.id)
    ]
    target.commit(Batch(owner.epoch, 1, charts, flows, facts))


def main(path: Path) -> None:
    """Make the store."""
    store = MemoryStore()
    play(store)
    with closing(SQLiteStore(path)) as target:
        copy(store, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
