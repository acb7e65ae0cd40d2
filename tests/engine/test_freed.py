"""Is nothing of a closed engine kept in memory?"""

import asyncio
import gc
import weakref
from typing import Any

import pytest

from tests.engine.scenes import drawn, nothing, river
from vastflow import Engine
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated


async def _nap(_self: Any, _water: Any) -> None:
    await asyncio.sleep(3600)


@pytest.mark.promise("11.4")
def test_an_engine_that_is_closed_with_work_under_way_is_freed() -> None:
    runtime = Simulated(0)
    engine = Engine(store=MemoryStore(), runtime=runtime)
    engine.start(drawn(river("naps", _nap, timeout=60, deadline=7200)))
    engine.start(drawn(river("polls", nothing, nothing, cycle_interval=3600, cycle_times=9)))
    runtime.advance(1)
    kept = [weakref.ref(each) for each in (engine, runtime)]
    engine.close(drain=0)

    del engine, runtime
    gc.collect()

    assert [each() for each in kept] == [None, None]
