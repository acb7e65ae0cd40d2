"""Can a flow be found again, and does its handle say what a reader must know?"""

import subprocess
import sys
import threading

import pytest

from tests.engine.scenes import LONG, drawn, puts, raises, river
from vastflow import Basin, Engine, FlowFailed, Headwaters, later
from vastflow.ledger.memory import MemoryStore


class Parcel(Headwaters):
    weight: int
    tracking: str = later()


@pytest.mark.promise("2.10")
def test_a_flow_that_is_found_again_has_the_water_it_is_asked_to_have() -> None:
    with Engine("memory:") as engine:
        engine.start(drawn(river("ship", puts(tracking="t-1"))), weight=3, id="one").result(LONG)

        assert engine.flow("one", Parcel).result(LONG).tracking == "t-1"


@pytest.mark.promise("2.11")
def test_a_flow_that_failed_long_ago_says_so_to_whoever_starts_it_again() -> None:
    andes = drawn(river("ship", raises(OSError("no lorry"))))
    store = MemoryStore()
    with Engine(store=store) as engine, pytest.raises(FlowFailed) as first:
        engine.start(andes, id="one").result(LONG)
    with Engine(store=store) as engine, pytest.raises(FlowFailed) as second:
        engine.start(andes, id="one").result(LONG)

    assert "a new id starts another flow" not in str(first.value)
    assert "it ended 20" in str(second.value)
    assert str(second.value).endswith(" UTC; a new id starts another flow)")


def test_a_state_no_flow_can_have_is_refused_and_not_answered_with_nothing() -> None:
    with Engine("memory:") as engine, pytest.raises(ValueError, match="'sucess': the states are init, running"):
        engine.flows(state="sucess")


@pytest.mark.promise("5.9")
def test_a_failure_inside_a_basin_tells_its_cause_in_the_same_line() -> None:
    with Engine("memory:") as engine, pytest.raises(FlowFailed) as failed:
        engine.start(drawn(Basin("east", river("ship", raises(OSError("no lorry")))))).result(LONG)

    assert "east: error: basin east failed (caused by east/ship: error: builtins.OSError: no lorry)" in str(
        failed.value
    )


@pytest.mark.promise("11.4")
def test_who_closes_second_waits_until_the_store_can_be_opened_again() -> None:
    store, began, go = MemoryStore(), threading.Event(), threading.Event()

    def holds(_self: object, _water: object) -> None:
        began.set()
        assert go.wait(LONG)

    engine = Engine(store=store)
    engine.start(drawn(river("ship", holds)), id="one")
    assert began.wait(LONG)
    first = threading.Thread(target=engine.close, args=(LONG,))
    first.start()
    while not engine.closed:
        threading.Event().wait(0.001)
    second = threading.Thread(target=lambda: Engine(store=store).close() if engine.close() else None)
    second.start()
    go.set()
    first.join(LONG)
    second.join(LONG)

    assert not first.is_alive()
    assert not second.is_alive()
    with Engine(store=store) as next_engine:
        assert next_engine.flow("one").result(LONG) == {}


def test_the_log_can_be_set_up_by_who_has_imported_vastflow_alone() -> None:
    command = [sys.executable, "-c", "import vastflow; vastflow.log.setup('info'); print(vastflow.errors.__name__)"]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "vastflow.errors\n"


@pytest.mark.promise("12.2", "12.5")
def test_the_journal_that_is_handed_out_tells_no_secret() -> None:
    with Engine("memory:") as engine:
        flow = engine.start(drawn(river("log-in", puts(api_token="hunter2", user="ada"))))  # noqa: S106 - a secret of nobody
        flow.wait(LONG)

        flowed = next(event for event in flow.events() if event.kind == "flowed")
    assert flowed.details["delta"]["put"] == {"api_token": "***", "user": "ada"}
