"""What if a commit takes long, and a time is over while what was decided is still on its way to the disk?"""

from collections import Counter
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, river
from tests.faults.real import Signs, signs
from vastflow import Engine, FlowFailed
from vastflow.ledger.contract import Batch
from vastflow.ledger.memory import MemoryStore

__all__ = ["signs"]


class Slow(MemoryStore):
    """A store in which it takes until the river has failed to write that it was chosen."""

    def __init__(self, signs: Signs) -> None:
        super().__init__()
        self._signs = signs

    def commit(self, batch: Batch) -> frozenset[str]:
        if any(fact.kind == "chosen" for fact in batch.facts):
            self._signs.wait_for("failed")
        return super().commit(batch)


@pytest.mark.promise("7.2", "7.3")
def test_a_river_whose_deadline_was_over_before_its_begin_was_on_disk_is_undone_at_once(signs: Signs) -> None:
    calls = Counter[str]()

    def body(name: str) -> Any:
        def called(_self: Any, _water: Any) -> bool | None:
            calls[name] += 1
            return True if name == "when" else None

        return called

    late = river("late", body("flow"), when=body("when"), undo=body("undo"), deadline=0.3, undo_deadline=1000)
    with Engine(store=Slow(signs)) as engine:
        flow = engine.start(drawn(late))
        with pytest.raises(FlowFailed) as failed:
            flow.result(LONG)

    assert failed.value.failure is not None
    assert failed.value.failure.kind == "deadline"
    assert calls == {"when": 1, "undo": 1}
