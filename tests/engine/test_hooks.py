"""Does a program hear what happens to its flows, and can it harm them by what it does then?"""

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, puts, raises, river
from tests.engine.standing import Crew
from vastflow import Engine, Fail
from vastflow.engine.hooks import Notice
from vastflow.errors import EngineClosed

QUICK = drawn(river("a", puts(a=1)), river("b", puts(b=1)), name="quick")


def heard(queue: "SimpleQueue[Notice]", times: int) -> list[tuple[str, str, str]]:
    found = [queue.get(timeout=LONG) for _ in range(times)]
    return [(each.flow, each.event.kind, each.event.address) for each in found]


def test_what_has_happened_is_told_in_order_when_it_is_on_disk(crew: Crew) -> None:
    engine = crew.engine()
    told: SimpleQueue[Notice] = SimpleQueue()
    stored: SimpleQueue[int] = SimpleQueue()
    engine.on("*", told.put)
    engine.on("ended", lambda notice: stored.put(len(engine.reader.facts(notice.flow))))

    engine.start(QUICK, id="one").result(LONG)

    assert heard(told, 5) == [
        ("one", "started", ""),
        ("one", "flowed", "a"),
        ("one", "flowed", "b"),
        ("one", "outcome", ""),
        ("one", "ended", "~"),
    ]
    assert stored.get(timeout=LONG) == 5


def test_only_what_was_asked_for_is_told_until_it_is_asked_for_no_longer(crew: Crew) -> None:
    engine = crew.engine()
    told: SimpleQueue[Notice] = SimpleQueue()
    last: SimpleQueue[Notice] = SimpleQueue()
    off = engine.on("failed", told.put)
    engine.on("ended", last.put)
    broken = drawn(river("a", raises(lambda: Fail("no"))), name="broken")

    engine.start(broken, id="one").wait(LONG)
    first = heard(told, 1)
    off()
    off()
    engine.start(broken, id="two").wait(LONG)
    heard(last, 2)

    assert first == [("one", "failed", "a")]
    assert told.empty()


def test_whatever_a_callback_does_flows_go_on_and_the_others_are_called(crew: Crew) -> None:
    engine = crew.engine()
    told: SimpleQueue[Notice] = SimpleQueue()
    hangs, may_end = threading.Event(), threading.Event()

    def fail(_notice: Notice) -> None:
        message = "this callback is broken"
        raise RuntimeError(message)

    def hang(_notice: Notice) -> None:
        hangs.set()
        may_end.wait(LONG)

    engine.on("started", fail)
    engine.on("started", told.put)
    engine.on("started", hang)
    flows = [engine.start(QUICK) for _ in range(20)]

    assert hangs.wait(LONG)
    assert [flow.result(LONG)["b"] for flow in flows] == [1] * 20
    may_end.set()
    assert len(heard(told, 20)) == 20


@pytest.mark.promise("12.5")
def test_secrets_are_not_told(crew: Crew) -> None:
    engine = crew.engine()
    told: SimpleQueue[Notice] = SimpleQueue()
    engine.on("*", told.put)

    engine.start(drawn(river("a", puts(api_token="sesame"))), {"password": "sesame"}).result(LONG)  # noqa: S106  # a canary

    found = [told.get(timeout=LONG) for _ in range(4)]
    assert "sesame" not in str(found)
    assert found[1].event.details["delta"]["put"].keys() == {"api_token"}


def test_what_happened_before_the_end_is_told_at_close_and_nothing_after(crew: Crew) -> None:
    engine = crew.engine()
    told: list[Notice] = []
    engine.on("ended", told.append)
    for flow in [engine.start(QUICK) for _ in range(50)]:
        flow.result(LONG)

    engine.close()

    assert len(told) == 50
    with pytest.raises(EngineClosed):
        engine.on("ended", told.append)
    assert "vastflow-hooks" not in {thread.name for thread in threading.enumerate()}


def test_what_never_happens_is_an_error_that_names_what_does(crew: Crew) -> None:
    with pytest.raises(ValueError, match=r"nothing called 'finished' ever happens.*ended.*started.*or \* for all"):
        crew.engine().on("finished", print)


def test_after_a_takeover_it_is_told_where_the_flows_run(crew: Crew) -> None:
    first, second = crew.engine(), crew.engine()
    told: SimpleQueue[Notice] = SimpleQueue()
    second.on("ended", told.put)
    first.close()

    second.start(QUICK, id="one").result(LONG)

    assert heard(told, 1) == [("one", "ended", "~")]


def test_hooks_may_come_and_go_while_flows_run(crew: Crew) -> None:
    engine: Engine = crew.engine()
    told: SimpleQueue[Any] = SimpleQueue()

    def come_and_go(_number: int) -> None:
        engine.on("flowed", told.put)()

    with ThreadPoolExecutor(4) as pool:
        flows = [engine.start(QUICK) for _ in range(20)]
        list(pool.map(come_and_go, range(100)))
        assert [flow.result(LONG)["a"] for flow in flows] == [1] * 20
