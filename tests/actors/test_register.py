"""Is it known which bodies are out, and is nobody kept who is not?"""

from contextlib import suppress
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, nothing, river
from tests.engine.standing import until
from vastflow import CommandRefused, Engine, ParallelRiver
from vastflow.ledger.memory import MemoryStore


def register(engine: Engine) -> Any:
    return engine._works.directory._around.register  # noqa: SLF001  # that nothing is kept can be seen nowhere else


@pytest.mark.promise("12.3")
def test_no_body_that_has_ended_is_kept_whatever_became_of_it() -> None:
    async def flow(_self: Any, _water: Any) -> None:
        return

    fan = ParallelRiver(*(river(f"a{number}", nothing) for number in range(8)), river("b", flow, timeout=5.0))
    with Engine(store=MemoryStore()) as engine:
        flows = [engine.start(drawn(fan)) for _ in range(20)]
        for begun in flows[::2]:
            with suppress(CommandRefused):  # it was faster
                begun.cancel()
        for begun in flows:
            begun.wait(LONG)

        until(lambda: register(engine).entries == {})
