"""Does the store in memory keep the promises of all stores?"""

from typing import cast

import pytest

from vastflow.ledger.contract import FlowQuery, Store
from vastflow.ledger.memory import MemoryStore
from vastflow.testing.exam import StoreExam
from vastflow.testing.samples import EVENING, MORNING, batch, fact, flow, ids


@pytest.mark.promise("10.2", "10.7", "10.8", "10.11")
class TestMemoryStore(StoreExam):
    def make(self) -> Store:
        return MemoryStore()

    def reopen(self, store: Store) -> Store:
        store.close()
        return store


@pytest.mark.promise("10.8")
def test_after_a_crash_a_second_engine_takes_the_same_object_and_the_first_writes_nothing_more() -> None:
    store = MemoryStore()
    first = store.take("first", MORNING)
    store.commit(batch(first, flows=[flow("a", first)]))
    second = store.take("second", EVENING)
    store.claim(["a"], second)

    lost = store.commit(batch(first, 2, facts=[fact("a", 1, first)]))

    assert lost == {"a"}
    assert store.facts("a") == []
    assert ids(store.flows(FlowQuery())) == ["a"]
    assert cast("Store", store).commit(batch(second, 1, facts=[fact("a", 1, second)])) == frozenset()
