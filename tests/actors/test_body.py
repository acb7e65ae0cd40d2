"""Whatever a body does, does it touch its own flow only, and does its answer mean what it says?"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from tests.engine.scenes import LONG, Body, calling, drawn, nothing, puts, raises, river, sea, simulated
from vastflow import Continue, Engine, Fail, Failure, FlowFailed, Retry, River
from vastflow.errors import BodyCancelled
from vastflow.runtime import Simulated

MINUTE = 60_000_000
LATE = "written-late"


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("memory:", jitter=0.0) as engine:
        yield engine


def failure_of(engine: Engine, stream: River, water: dict[str, Any] | None = None) -> Failure:
    with pytest.raises(FlowFailed) as failed:
        engine.start(drawn(stream), water).result(LONG)
    assert failed.value.failure is not None
    return failed.value.failure


def as_async(body: Body) -> Body:
    async def awaited(self: Any, water: Any) -> None:
        await asyncio.sleep(0)
        body(self, water)

    return awaited


class Mute(Exception):
    """An exception that does not say what it is."""

    def __str__(self) -> str:
        raise SystemExit(3)


class Odd(Exception):
    """An exception whose text is none."""

    def __str__(self) -> str:
        return 17  # type: ignore[return-value]  # noqa: PLE0307  # users write such things


RAISED: dict[str, BaseException] = {
    "exit": SystemExit(3),
    "keyboard": KeyboardInterrupt(),
    "generator": GeneratorExit(),
    "cancelled": asyncio.CancelledError("my own"),
    "stop": StopIteration(1),
    "base": BaseException("base"),
    "memory": MemoryError(),
    "group": BaseExceptionGroup("two", [SystemExit(1), ValueError("x")]),
    "mute": Mute(),
    "odd": Odd(),
    "surrogate": RuntimeError("half \ud800 of a pair, NUL \x00 and \x1b[31m red"),
    "huge": RuntimeError("x" * 1_000_000),
}


@pytest.mark.promise("4.1", "4.4", "7.6")
@pytest.mark.parametrize("what", RAISED)
@pytest.mark.parametrize("bodies", ["def", "async def"])
def test_whatever_a_body_raises_only_its_own_flow_is_touched(engine: Engine, what: str, bodies: str) -> None:
    wild = raises(RAISED[what])
    settings: dict[str, Any] = {"retry_on": (BaseException,), "retry_times": 1, "retry_interval": 0.01}
    stream = river("wild", wild if bodies == "def" else as_async(wild), **settings)
    others = engine.start_many(drawn(river("a", puts(a=1)), river("b", as_async(nothing))), [{}] * 5)

    failure = failure_of(engine, stream)
    after = engine.start(drawn(river("a", as_async(puts(a=2))), river("b", nothing)))

    assert failure.address == "wild"
    assert failure.exception
    assert [other.result(LONG) for other in [*others, after]] == [{"a": 1}] * 5 + [{"a": 2}]


@pytest.mark.promise("4.1")
@pytest.mark.parametrize("value", [0, False, "done", [1], {}, iter(()), NotImplemented])
@pytest.mark.parametrize("body", ["flow", "cycle", "success"])
def test_a_return_value_fails_the_river_and_says_what_to_do_instead(engine: Engine, value: object, body: str) -> None:
    def returns(_self: Any, _water: Any) -> object:
        return value

    bodies: dict[str, Callable[[], Any]] = {
        "flow": lambda: drawn(river("a", returns, retry_times=3)),
        "cycle": lambda: drawn(river("a", nothing, returns, cycle_interval=0.01, cycle_times=3)),
        "success": lambda: drawn(river("a", nothing), end=sea(success=returns, retry_times=3)),
    }
    status = engine.start(bodies[body]()).wait(LONG)

    assert status.failure is not None
    assert status.failure.kind == ("atlantic" if body == "success" else "bad-return")
    assert f"{body}() returned a {type(value).__name__}" in status.failure.message
    assert "return None" in status.failure.message


@pytest.mark.promise("4.1")
def test_continue_from_flow_fails_it_and_says_what_to_raise(engine: Engine) -> None:
    failure = failure_of(engine, river("a", raises(Continue("?")), retry_times=3))

    assert (failure.kind, failure.attempt) == ("bad-return", 1)
    assert "raise Retry" in failure.message


@pytest.mark.promise("5.3")
@pytest.mark.parametrize("value", [object(), {1: 2}, float("nan"), "\ud800", threading.Lock()])
def test_what_cannot_be_stored_fails_its_river_naming_the_key_when_it_is_put(engine: Engine, value: object) -> None:
    caught: list[Exception] = []

    def flow(_self: River, water: Any) -> None:
        try:
            water["thing"] = value
        except Exception as error:
            caught.append(error)
            raise

    failure = failure_of(engine, river("a", flow))

    assert len(caught) == 1
    assert failure.exception == "vastflow.errors.UnstorableValue"
    assert "'thing'" in failure.message or "thing" in failure.message


@pytest.mark.promise("5.3", "5.5")
@pytest.mark.parametrize("body", ["flow", "cycle", "continue"])
def test_what_was_made_unstorable_inside_a_list_fails_its_river_naming_the_key(engine: Engine, body: str) -> None:
    def spoils(_self: River, water: Any) -> None:
        water["things"].append(object())
        if body == "continue":
            raise Continue("not yet")

    settings: dict[str, Any] = {"cycle_times": 2, "cycle_interval": 0.01}
    stream = river("a", spoils) if body == "flow" else river("a", nothing, spoils, **settings)

    failure = failure_of(engine, stream, {"things": []})

    root = failure.cause or failure
    assert "things" in root.message
    assert "UnstorableValue" in root.exception


@pytest.mark.promise("5.4")
def test_a_list_that_is_changed_inside_a_body_is_a_change_and_nobody_else_shares_it(engine: Engine) -> None:
    kept: list[Any] = []

    def first(_self: River, water: Any) -> None:
        water["list"].append(2)
        kept.append(water["list"])

    def second(_self: River, water: Any) -> None:
        kept[0].append("too late")
        water["seen"] = list(water["list"])

    assert engine.start(drawn(river("a", first), river("b", second)), {"list": [1]}).result(LONG) == {
        "list": [1, 2],
        "seen": [1, 2],
    }


@pytest.mark.promise("5.5")
@pytest.mark.parametrize(
    ("error", "ends"),
    [(Retry("again"), "a"), (RuntimeError("again"), "a"), (Fail("no"), None)],
    ids=["retry", "exception", "fail"],
)
def test_what_a_body_wrote_before_it_raised_is_dropped(engine: Engine, error: BaseException, ends: str | None) -> None:
    def flow(self: River, water: Any) -> None:
        water["dropped" if self.attempt == 1 else "kept"] = self.attempt
        water["list"].append(self.attempt)
        if self.attempt == 1:
            raise error

    flow_ = engine.start(drawn(river("a", flow, retry_times=1, retry_interval=0.01)), {"list": []})

    if ends is None:
        with pytest.raises(FlowFailed):
            flow_.result(LONG)
    else:
        assert flow_.result(LONG) == {"list": [2], "kept": 2}


@pytest.mark.promise("5.5")
def test_what_a_poll_wrote_that_says_not_yet_is_kept(engine: Engine) -> None:
    def cycle(_self: River, water: Any) -> None:
        water["polls"].append(len(water["polls"]))
        if len(water["polls"]) < 3:
            raise Continue

    stream = river("a", nothing, cycle, cycle_interval=0.01, cycle_times=9)
    flow = engine.start(drawn(stream), {"polls": []})

    assert flow.result(LONG) == {"polls": [0, 1, 2]}
    assert [event.kind for event in flow.events()] == [
        "started", "flowed", "polled", "polled", "cycled", "outcome", "ended",
    ]  # fmt: skip


@pytest.mark.promise("4.1", "4.3")
def test_retry_and_continue_may_name_their_own_wait_and_wait_without_a_thread() -> None:
    runtime = Simulated()
    engine = simulated(runtime=runtime)
    begins: list[int] = []

    def flow(self: River, _water: Any) -> None:
        begins.append(runtime.clock.now())
        if self.attempt == 1:
            raise Retry("later", after=timedelta(minutes=5))

    def cycle(_self: River, _water: Any) -> None:
        begins.append(runtime.clock.now())
        if len(begins) == 3:
            raise Continue("later", after=7 * 60)

    stream = river("a", flow, cycle, retry_times=1, cycle_interval=60, cycle_times=5)
    begun = engine.start(drawn(stream))
    runtime.advance(60)
    threads = runtime.stats().queued, runtime.stats().tasks
    begun.result()

    assert threads == (0, 0)
    assert [moment - begins[0] for moment in begins] == [0, 5 * MINUTE, 6 * MINUTE, 13 * MINUTE]


@pytest.mark.promise("4.1", "4.2")
@pytest.mark.parametrize("told", ["5m", object(), [1]])
def test_a_wait_that_is_none_is_the_bodys_own_error(engine: Engine, told: Any) -> None:
    def flow(_self: River, _water: Any) -> None:
        raise Retry("later", after=told)

    failure = failure_of(engine, river("a", flow))

    assert failure.matches(TypeError)
    assert "after=300" in failure.message


@pytest.mark.promise("4.1", "4.2")
def test_reasons_and_codes_may_be_anything_that_has_a_text(engine: Engine) -> None:
    answers: Iterator[BaseException | None] = iter([Continue(404), Continue(None), Fail(503, code=503)])  # type: ignore[arg-type]  # users write such things

    def cycle(_self: River, _water: Any) -> None:
        if answer := next(answers):
            raise answer

    stream = river("a", nothing, cycle, cycle_interval=0.01, cycle_times=9)
    flow = engine.start(drawn(stream))
    status = flow.wait(LONG)

    assert status.failure is not None
    assert (status.failure.message, status.failure.code) == ("503", "503")


@pytest.mark.promise("4.4")
def test_async_bodies_run_at_the_same_time_on_one_loop(engine: Engine) -> None:
    loops: set[int] = set()
    here = count(1)
    all_here = asyncio.Event()

    async def meets(_self: River, _water: Any) -> None:
        loops.add(id(asyncio.get_running_loop()))
        if next(here) == 300:
            all_here.set()
        await all_here.wait()

    flows = engine.start_many(drawn(river("a", meets)), [{}] * 300)

    assert [flow.result(LONG) for flow in flows] == [{}] * 300
    assert len(loops) == 1


@pytest.mark.promise("4.4")
def test_blocking_bodies_run_at_the_same_time_on_threads_of_their_own(engine: Engine) -> None:
    together = threading.Barrier(8)

    def meets(_self: River, _water: Any) -> None:
        together.wait(LONG)

    flows = engine.start_many(drawn(river("a", meets)), [{}] * 8)

    assert [flow.result(LONG) for flow in flows] == [{}] * 8


@pytest.mark.promise("4.4", "5.1")
def test_self_belongs_to_one_call_alone(engine: Engine) -> None:
    together = threading.Barrier(2)
    seen: dict[str, tuple[str, list[int]]] = {}

    class Adds(River):
        registered_as = "tests.body.adds"
        rows: list[int]

        def flow(self, _water: Any) -> None:
            self.rows.append(len(self.rows))
            together.wait(LONG)
            seen[self.flow_id] = (self.address, self.rows)

    andes = drawn(Adds([7]))
    for flow in [engine.start(andes, id=name) for name in ("x", "y")]:
        flow.result(LONG)

    assert seen == {"x": ("adds", [7, 1]), "y": ("adds", [7, 1])}


@pytest.mark.promise("5.1", "5.2")
def test_self_tells_what_a_body_may_know_of_its_call(engine: Engine) -> None:
    seen: dict[str, Any] = {}

    def flow(self: River, _water: Any) -> None:
        seen[f"{self.flow_id} {self.address}"] = (self.attempt, self.run, self.round, self.cancelled)
        self.check_cancelled()

    engine.start(drawn(river("a", flow), river("b", flow)), id="one").result(LONG)

    assert seen == {"one a": (1, 1, 1, False), "one b": (1, 1, 1, False)}


@pytest.mark.promise("5.2")
def test_the_key_is_the_same_in_every_attempt_and_poll_and_another_in_every_river_and_flow(engine: Engine) -> None:
    keys: dict[tuple[str, str], list[str]] = {}

    def notes(self: River, _water: Any) -> None:
        keys.setdefault((self.flow_id, self.address), []).append(self.key)
        if self.attempt == 1:
            raise Retry

    def cycle(self: River, water: Any) -> None:
        notes(self, water)
        if len(keys[self.flow_id, self.address]) < 5:
            raise Continue

    settings = {"retry_times": 1, "retry_interval": 0.01, "cycle_times": 5, "cycle_interval": 0.01}
    andes = drawn(river("a", notes, cycle, **settings), river("b", notes, cycle, **settings))
    for name in ("x", "y"):
        engine.start(andes, id=name).result(LONG)

    assert {len(each) for each in keys.values()} == {5}
    assert {len(set(each)) for each in keys.values()} == {1}
    assert len({each[0] for each in keys.values()}) == 4
    assert {len(each[0]) for each in keys.values()} == {36}


@pytest.mark.promise("12.5")
@pytest.mark.parametrize("body", ["flow", "cycle", "continue", "fail"])
def test_secrets_are_masked_in_what_a_failure_says(engine: Engine, body: str) -> None:
    class Logs(River):
        registered_as = f"tests.body.logs-{body}"
        api_token: str
        cycle_interval, cycle_times = 0.01, 1

        def flow(self, water: Any) -> None:
            if body == "flow":
                self.speak(water)

        def cycle(self, water: Any) -> None:
            self.speak(water)

        def speak(self, water: Any) -> None:
            water["late_password"] = LATE
            said = f"{water['db']['password']} {self.api_token} {water['pin_secret']} {LATE} plain"
            if body == "fail":
                raise Fail(said)
            raise Continue(said) if body == "continue" else RuntimeError(said)

    flow = engine.start(drawn(Logs("param-token")), {"db": {"password": "in-a-mapping"}, "pin_secret": 123_456})
    status = flow.wait(LONG)

    assert status.failure is not None
    told = f"{status.failure} {status.failure.traceback} {status.failure.cause}"
    assert "*** *** *** *** plain" in told
    for secret in ("in-a-mapping", "param-token", "123456", LATE):
        assert secret not in told


@pytest.mark.promise("12.5")
def test_an_engine_may_be_told_which_keys_hold_secrets() -> None:
    with Engine("memory:", secrets=["*card*"]) as engine:

        def flow(_self: River, water: Any) -> None:
            message = f"{water['card_number']} {water['password']}"
            raise RuntimeError(message)

        failure = failure_of(engine, river("a", flow), {"card_number": "4711-4711", "password": "not hidden"})

    assert failure.message == "*** not hidden"


@pytest.mark.promise("5.1")
@pytest.mark.parametrize("bodies", ["def", "async def"])
def test_a_body_whose_sibling_failed_is_asked_to_stop_and_may_tidy_up(engine: Engine, bodies: str) -> None:
    begun, tidied = threading.Event(), threading.Event()

    def waits(self: River, _water: Any) -> None:
        begun.set()
        while not self.cancelled:
            pass
        with pytest.raises(BodyCancelled, match="is being cancelled"):
            self.check_cancelled()
        tidied.set()
        self.check_cancelled()

    async def waits_async(_self: River, _water: Any) -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            tidied.set()
            raise

    def fails(_self: River, _water: Any) -> None:
        assert begun.wait(LONG)
        raise Fail("no")

    andes = drawn(river("a", waits if bodies == "def" else waits_async) | river("b", fails))
    status = engine.start(andes).wait(LONG)

    assert tidied.is_set()
    assert (status.stream("a").state, status.stream("b").state, status.outcome) == ("cancelled", "fail", "fail")


class Hangs:
    """Bodies that stop for nobody until they are let go, and one that fails when they have begun."""

    def __init__(self) -> None:
        self.begun, self.let_go, self.late = threading.Event(), threading.Event(), threading.Event()

    def body(self, _called: Any, water: Any) -> None:
        self.begun.set()
        assert self.let_go.wait(LONG)
        water["late"] = True
        self.late.set()

    def async_body(self) -> Body:
        async def hangs(called: Any, water: Any) -> None:
            self.begun.set()
            while not self.let_go.is_set():
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.01)
            self.body(called, water)

        return hangs

    def fails(self, _called: Any, _water: Any) -> None:
        assert self.begun.wait(LONG)
        raise Fail("no")


@pytest.mark.promise("4.4", "5.1")
@pytest.mark.parametrize("bodies", ["def", "async def"])
def test_a_body_that_never_stops_is_abandoned_and_its_flow_and_others_go_on(bodies: str) -> None:
    hangs = Hangs()

    with Engine("memory:", cancel_grace=0.05) as engine:
        hung = river("a", calling(hangs.body) if bodies == "def" else hangs.async_body())
        flow = engine.start(drawn(hung | river("b", calling(hangs.fails))))
        status = flow.wait(LONG)
        abandoned = engine.runtime.stats().abandoned
        other = engine.start(drawn(river("c", puts(c=1)))).result(LONG)
        hangs.let_go.set()
        assert hangs.late.wait(LONG)
        events = [(event.address, event.kind, event.details) for event in flow.events() if event.kind == "cancelled"]

    assert (status.outcome, status.stream("a").state) == ("fail", "cancelled")
    assert abandoned == (bodies == "def")
    assert other == {"c": 1}
    assert events == [("a", "cancelled", {"abandoned": True})]


@pytest.mark.promise("5.1")
def test_progress_is_live_and_costs_no_fact(engine: Engine) -> None:
    def flow(self: River, _water: Any) -> None:
        for step in range(100):
            self.progress(step / 100, f"step {step}")

    flow_ = engine.start(drawn(river("a", flow)))
    flow_.result(LONG)

    assert len(flow_.events()) == 4


@pytest.mark.promise("5.5", "5.1")
@pytest.mark.parametrize("saves", ["save", "asave"])
def test_what_a_body_saved_is_on_disk_when_that_returns_and_later_attempts_see_it(engine: Engine, saves: str) -> None:
    seen: list[tuple[int, Any, list[str]]] = []

    def look(self: River, water: Any) -> None:
        seen.append((self.attempt, water.get("kept"), [fact.kind for fact in engine.reader.facts(self.flow_id)]))

    def end(self: River, water: Any) -> None:
        look(self, water)
        water["more"] = self.attempt
        if self.attempt == 1:
            raise RuntimeError("after it was kept")

    def flow(self: River, water: Any) -> None:
        look(self, water)
        water["kept"] = self.attempt
        self.save()
        end(self, water)

    async def async_flow(self: River, water: Any) -> None:
        look(self, water)
        water["kept"] = self.attempt
        await self.asave()
        end(self, water)

    body = flow if saves == "save" else async_flow
    begun = engine.start(drawn(river("a", body, retry_times=1, retry_interval=0.01)))

    assert begun.result(LONG) == {"kept": 2, "more": 2}
    assert [(attempt, kept) for attempt, kept, _ in seen] == [(1, None), (1, 1), (2, 1), (2, 2)]
    assert [kinds.count("saved") for _, _, kinds in seen] == [0, 1, 1, 2]
    wrote = [(event.kind, event.details["delta"]["put"]) for event in begun.events() if "delta" in event.details]
    assert wrote == [("saved", {"kept": 1}), ("saved", {"kept": 2}), ("flowed", {"more": 2})]


@pytest.mark.promise("5.5", "4.4")
def test_an_async_body_that_saves_as_a_thread_would_is_told_what_to_write(engine: Engine) -> None:
    async def flow(self: River, _water: Any) -> None:
        self.save()

    failure = failure_of(engine, river("a", flow))

    assert failure.message == "a: self.save() would block the event loop: write `await self.asave()`"


@pytest.mark.promise("9.2", "5.1")
def test_a_body_takes_the_oldest_signal_of_a_name_or_gets_none(engine: Engine) -> None:
    taken: list[Any] = []
    asked = threading.Event()

    def cycle(self: River, _water: Any) -> None:
        taken.append([self.signal("paid"), self.signal("paid"), self.signal("sent")])
        asked.set()
        if taken[-1][2] is None:
            raise Continue

    waits = river("a", nothing, cycle, cycle_interval=None, signals=("paid", "sent"))
    flow = engine.start(drawn(waits))
    flow.signal("paid", {"by": "ann"})
    assert asked.wait(LONG)
    flow.signal("paid", 2)
    flow.signal("sent", "at last")
    flow.result(LONG)

    got = [value for poll in taken for value in poll if value is not None]
    assert got == [{"by": "ann"}, 2, "at last"]


@pytest.mark.promise("9.2")
def test_a_signal_that_the_class_does_not_list_is_a_fault_that_says_what_to_write(engine: Engine) -> None:
    def flow(self: River, _water: Any) -> None:
        self.signal("x")

    failure = failure_of(engine, river("a", flow))

    assert "lists no such signal: write signals = ('x',) into the class" in failure.message


@pytest.mark.promise("5.8", "5.1")
def test_a_body_gets_the_resources_of_its_engine_and_a_missing_one_is_a_failure_that_names_it() -> None:
    class Client:
        pass

    seen: list[Any] = []
    client = Client()

    def flow(self: River, _water: Any) -> None:
        seen.append(self.resource("cloud"))
        self.resource("mail")

    with Engine("memory:", resources={"cloud": client}) as engine:
        failure = failure_of(engine, river("a", flow))

    assert seen == [client]
    assert failure.exception == "vastflow.errors.ResourceMissing"
    assert "there is no resource 'mail' in this engine" in failure.message
