"""Can a program on asyncio do all that others can, and does nothing of it hold the event loop?"""

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river
from tests.engine.standing import Crew, until
from vastflow import CommandRefused, Continue, Engine, FlowConflict, FlowFailed, FlowNotFound, Headwaters
from vastflow.engine.twins import AsyncEngine, AsyncFlow
from vastflow.errors import EngineBusy, EngineClosed, FlowCancelled, StoreServed

ANDES = drawn(river("a", puts(a=1)), name="quick")
BROKEN = drawn(river("x", raises(RuntimeError("no"))), name="broken")

pytestmark = pytest.mark.promise("11.3")


def never() -> Any:
    """Return a drawing of a flow that waits until it is told something."""
    slow = river("slow", nothing, raises(lambda: Continue("not yet")), cycle_interval="1h", deadline="9h")
    return drawn(slow, name="never")


def threads() -> list[str]:
    """Return the names of the threads of twins."""
    return [each.name for each in threading.enumerate() if each.name.startswith("vastflow-async")]


async def test_flows_are_started_looked_at_and_awaited() -> None:
    async with AsyncEngine("memory:") as engine:
        flow = await engine.start(ANDES, {"x": 1}, id="one", tags={"team": "storage"})
        many = await engine.start_many(ANDES, ({"n": n} for n in range(3)))

        assert (flow.id, repr(flow)) == ("one", "<AsyncFlow one>")
        assert await flow == await flow.result(LONG) == {"x": 1, "a": 1}
        assert [(await each.result(LONG))["n"] for each in many] == [0, 1, 2]
        assert [event.kind for event in await flow.events()] == ["started", "flowed", "outcome", "ended"]
        assert (await flow.status()).tags == {"team": "storage"}
        assert await (await engine.flow("one", Headwaters)).result(LONG) == {"x": 1, "a": 1}
        listed = await engine.flows(state="success", name="quick", limit=2)
        assert [each.id for each in listed] == [many[2].id, many[1].id]
        assert [each.id for each in await engine.flows(tags={"team": "storage"})] == ["one"]
        assert engine.serves
        assert engine.trouble is None


async def test_commands_are_given_and_refused() -> None:
    andes = drawn(river("paid", nothing, _take, signals=("paid",), cycle_interval=None))
    async with AsyncEngine("memory:") as engine:
        flow = await engine.start(andes)
        assert await flow.pause(who="me") is True
        assert await flow.pause() is False
        assert await flow.set("size", 3) is True
        assert await flow.resume() is True
        assert await flow.signal("paid", 17, id="payment-1") is True
        assert await flow.result(LONG) == {"size": 3, "amount": 17}
        with pytest.raises(CommandRefused):
            await flow.cancel()

        held = await engine.start(never())
        await held.cancel()
        with pytest.raises(FlowCancelled):
            await held
        assert await held.skip("slow") is True
        assert await held.retry() is True
        assert (await held.wait(LONG)).state == "success"
        other = await engine.start(never())
        await other.cancel()
        assert (await other.wait(LONG)).state == "cancelled"
        assert await other.complete("slow", more=1) is True
        assert await other.retry() is True
        assert await other.result(LONG) == {"more": 1}


def _take(body: Any, water: Any) -> None:
    amount = body.signal("paid")
    if amount is None:
        raise Continue("not paid")
    water["amount"] = amount


async def test_what_a_flow_ended_with_is_raised_and_waiting_for_it_is_not_failing() -> None:
    async with AsyncEngine("memory:") as engine:
        flow = await engine.start(BROKEN, id="one")

        assert (await flow.wait(LONG)).state == "fail"
        for ask in (flow.result, flow.__await__):
            with pytest.raises(FlowFailed, match="no"):
                await _awaited(ask())
        with pytest.raises(FlowConflict):
            await engine.start(ANDES, id="one")
        with pytest.raises(FlowNotFound):
            await engine.flow("two")


async def _awaited(what: Any) -> Any:
    return await what if asyncio.iscoroutine(what) else await _Once(what)


class _Once:
    """Awaits what an `__await__` returned."""

    def __init__(self, steps: Any) -> None:
        self._steps = steps

    def __await__(self) -> Any:
        return self._steps


async def test_who_waits_gives_up_in_time_and_is_not_kept() -> None:
    with Engine("memory:") as blocking:
        engine = AsyncEngine.of(blocking)
        flow = await engine.start(never(), id="one")
        kept = len(blocking._waiting)  # noqa: SLF001  # what is kept can be seen nowhere else
        for limit in (0.0, 0.01):
            for ask in (flow.result, flow.wait):
                with pytest.raises(TimeoutError, match=rf"'one' has not ended within {limit} seconds; it goes on"):
                    await ask(limit)
        waiting = asyncio.ensure_future(flow.result())
        await asyncio.to_thread(until, lambda: len(blocking._waiting) == kept + 1)  # noqa: SLF001  # as above
        waiting.cancel()
        await asyncio.wait([waiting])

        await asyncio.to_thread(until, lambda: len(blocking._waiting) == kept)  # noqa: SLF001  # as above
        assert waiting.cancelled()
        await engine.close()


async def test_to_wait_for_many_flows_holds_no_threads() -> None:
    async with AsyncEngine("memory:") as engine:
        flows = await engine.start_many(never(), [{}] * 100)
        waiting = [asyncio.ensure_future(flow.wait()) for flow in flows]
        for flow in flows:
            await flow.cancel()

        assert {(await each).state for each in waiting} == {"cancelled"}
        assert len(threads()) <= 32


@pytest.mark.promise("11.4")
async def test_starts_over_the_bound_hold_neither_the_event_loop_nor_what_would_make_them_a_place() -> None:
    async with AsyncEngine("memory:", max_flows=1) as engine:
        first = await engine.start(never())
        waiting = [asyncio.ensure_future(engine.start(ANDES, n=number)) for number in range(40)]
        async with AsyncEngine.of(engine._blocking()) as other:  # noqa: SLF001  # to have threads of its own
            with pytest.raises(EngineBusy):
                await _while_the_loop_turns(other.start(ANDES, wait=0.2))

        assert (await asyncio.wait_for(first.status(), LONG)).state == "running"
        assert await asyncio.wait_for(first.cancel(), LONG) is True
        flows = await asyncio.wait_for(asyncio.gather(*waiting), LONG)
        waters = await asyncio.gather(*(flow.result(LONG) for flow in flows))
        assert [water["n"] for water in waters] == list(range(40))


async def _while_the_loop_turns(start: Any) -> AsyncFlow[Any]:
    turns = 0
    task = asyncio.ensure_future(start)
    while not task.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns >= 10
    found: AsyncFlow[Any] = await task
    return found


@pytest.mark.promise("11.4")
async def test_closing_lets_go_of_the_store_of_whoever_waits_and_of_the_threads(crew: Crew) -> None:
    async with AsyncEngine(crew.url, max_flows=1) as engine:
        flow = await engine.start(never(), id="one")
        waiting = [asyncio.ensure_future(each) for each in (flow.result(), engine.start(ANDES), engine.start(ANDES))]
        await flow.status()
        closed = await engine.close(0.0)

    assert closed
    ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), LONG)
    assert [type(each) for each in ended] == [EngineClosed] * 3
    await asyncio.to_thread(until, lambda: not threads())
    for ask in (flow.status, flow.result, engine.flows, engine.open, lambda: engine.start(ANDES)):
        with pytest.raises(EngineClosed, match="was closed"):
            await ask()
    assert await engine.close()
    assert not engine.serves
    async with AsyncEngine(crew.url, serve=True) as second:
        assert (await (await second.flow("one")).status()).state == "running"


async def test_an_engine_that_was_lent_stays_open_and_keeps_no_threads() -> None:
    with Engine("memory:") as blocking:
        async with AsyncEngine.of(blocking) as engine:
            assert await (await engine.start(ANDES, id="one")) == {"a": 1}

        await asyncio.to_thread(until, lambda: not threads())
        assert blocking.flow("one").status().state == "success"
        with pytest.raises(EngineClosed):
            await engine.flows()


async def test_before_it_is_open_it_says_how_to_open_it() -> None:
    engine = AsyncEngine("memory:")

    for ask in (engine.flows, lambda: engine.start(ANDES), lambda: engine.flow("one")):
        with pytest.raises(EngineClosed, match=r"not open yet: write `async with AsyncEngine"):
            await ask()
    assert (engine.serves, engine.trouble) == (False, None)
    assert await engine.close()
    with pytest.raises(EngineClosed):
        await engine.open()


async def test_opened_by_many_at_once_it_is_one_engine(crew: Crew) -> None:
    engine = AsyncEngine(crew.url, serve=True)

    assert await asyncio.gather(*(engine.open() for _ in range(8))) == [engine] * 8
    assert await (await engine.start(ANDES)) == {"a": 1}
    await engine.close()


async def test_what_cannot_be_opened_keeps_no_threads_and_whoever_gives_up_keeps_no_store(crew: Crew) -> None:
    server = crew.engine(serve=True)
    with pytest.raises(StoreServed):
        await AsyncEngine(crew.url, serve=True).__aenter__()
    server.close()

    for turns in range(4):
        opening = asyncio.ensure_future(AsyncEngine(crew.url, serve=True).__aenter__())
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        assert opening.cancelled()

    assert crew.engine(serve=True).serves
    await asyncio.to_thread(until, lambda: not threads())


@pytest.mark.promise("11.2")
async def test_standing_by_it_asks_whoever_serves_and_a_conflict_found_later_is_raised(crew: Crew) -> None:
    async with AsyncEngine(crew.url, serve=False) as engine, AsyncEngine(crew.url, serve=False) as other:
        flow, late = await engine.start(ANDES, id="one"), await other.start(BROKEN, id="one")
        waiting = [asyncio.ensure_future(each) for each in (late.result(LONG), late.wait(LONG))]
        assert not engine.serves
        crew.engine(serve=True)

        assert await flow.result(LONG) == {"a": 1}
        for each in waiting:
            with pytest.raises(FlowConflict, match="was started as 'quick'"):
                await each


async def test_a_call_has_the_context_of_whoever_awaits_it() -> None:
    request = contextvars.ContextVar("request", default="none")
    request.set("17")
    seen: list[str] = []

    def waters() -> Any:
        seen.append(request.get())
        yield {}

    async with AsyncEngine("memory:") as engine:
        await engine.start_many(ANDES, waters())

    assert seen == ["17"]
