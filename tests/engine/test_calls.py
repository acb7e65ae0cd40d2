"""Does every body know its call, and every end what had gone wrong?"""

from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes, Script, naps
from tests.engine.scenes import Body, drawn, nothing, puts, raises, river, sea
from vastflow import Basin, Continue, Fail, Failure, ParallelRiver, Retry


class PaymentDeclined(RuntimeError):
    """What a body of these tests raises."""


class Told:
    """Bodies that keep what they were told of their call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def body(self, word: str, then: Body = nothing) -> Body:
        def keeps(called: Any, water: Any) -> Any:
            self.calls.append((word, called))
            return then(called, water)

        return keeps


def yes(_self: Any, _water: Any) -> bool:
    return True


@pytest.mark.promise("5.2", "5.1")
def test_the_key_is_one_for_all_bodies_of_a_run_and_another_in_the_next_one(scenes: Scenes) -> None:
    scene, told = scenes(), Told()
    flow = Script().body(OSError("?"), nothing, OSError("?"))
    one = river(
        "a",
        told.body("flow", flow),
        told.body("cycle"),
        when=told.body("when", yes),
        reconcile=told.body("reconcile", Script().body(Retry("no"), None)),
        undo=told.body("undo"),
        cycle_times=3,
        retry_times=2,
    )
    last = river("z", Script().body(Fail("z"), None))
    started = scene.engine.start(drawn(one, last), id="one")
    assert started.wait().outcome == "fail"

    started.retry()

    assert started.wait().outcome == "success"
    keys = [(called.run, called.key, called.key_for("refund")) for _, called in told.calls]
    assert {run for run, _, _ in keys} == {1, 2}
    assert len(set(keys)) == 2
    assert len({key for _, *both in keys for key in both}) == 4
    assert {len(key) for _, key, _ in keys} == {36}
    assert {word for word, _ in told.calls} == {"when", "flow", "reconcile", "cycle", "undo"}


@pytest.mark.promise("5.1", "8.4")
def test_a_body_knows_its_attempt_its_run_and_its_round(scene: Scene) -> None:
    told = Told()
    flow = Script().body(Retry("no"), Fail("no"), None)
    started = scene.engine.start(drawn(river("a", told.body("flow", flow), retry_times=1)), id="one")
    assert started.wait().outcome == "fail"

    started.retry()
    started.result()

    assert [(called.attempt, called.run, called.round) for _, called in told.calls] == [(1, 1, 1), (2, 1, 1), (1, 2, 2)]
    assert {(called.flow_id, called.address) for _, called in told.calls} == {("one", "a")}


@pytest.mark.promise("5.1", "7.4")
def test_a_body_that_checks_whether_it_is_cancelled_ends_at_once_if_it_is(scene: Scene) -> None:
    looks: list[bool] = []

    def polls(called: Any, _water: Any) -> None:
        called.check_cancelled()
        looks.append(called.cancelled)
        scene.engine.flow("one").cancel()
        scene.runtime.advance(1)
        called.check_cancelled()
        looks.append(called.cancelled)

    started = scene.engine.start(drawn(river("a", polls, retry_times=5)), id="one")
    status = started.wait()

    assert (status.outcome, looks) == ("cancelled", [False])


@pytest.mark.promise("5.9", "7.3")
def test_undo_and_fail_know_the_failure_of_what_they_end(scene: Scene) -> None:
    undo, fail = Script(scene), Script(scene)
    streams = river("a", nothing, undo=undo.body()), river("b", raises(PaymentDeclined("no money")))

    scene.engine.start(drawn(*streams, end=sea(fail=fail.body())), id="one").wait()

    failures = [call.failure for call in (*undo.calls, *fail.calls)]
    assert [(failure.address, failure.attempt, failure.message) for failure in failures] == [("b", 1, "no money")] * 2
    assert all(failure.matches(PaymentDeclined) and failure.matches(RuntimeError) for failure in failures)
    assert not any(failure.matches(KeyError) for failure in failures)
    assert all("raises" in failure.traceback or "PaymentDeclined" in failure.traceback for failure in failures)


@pytest.mark.promise("5.9")
@pytest.mark.parametrize("body", ["when", "flow", "cycle", "reconcile", "success"])
def test_elsewhere_asking_for_the_failure_is_an_error_and_failures_are_everywhere(scene: Scene, body: str) -> None:
    seen: list[Any] = []

    def asks(called: Any, _water: Any) -> bool | None:
        seen.append(dict(called.failures))
        with pytest.raises(Exception, match="failure"):
            _ = called.failure
        return True if body == "when" else None

    before = Basin("east", river("x", raises(Fail("x"))), continue_on_failure=True)
    rivers = {
        "when": river("a", nothing, when=asks),
        "flow": river("a", asks),
        "cycle": river("a", nothing, asks, cycle_times=2),
        "reconcile": river("a", raises(OSError("?")), reconcile=asks),
    }
    end = sea(success=asks) if body == "success" else None

    scene.engine.start(drawn(before, rivers.get(body, river("a", nothing)), end=end), id="one").result()

    assert len(seen) == 1
    assert seen[0]["east"].cause.address == "east/x"


def declined(called: Any, _water: Any) -> None:
    raise PaymentDeclined(called.address)


KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "error": (river("a", declined), {}),
    "retries-exhausted": (river("a", declined, retry_times=1), {}),
    "cycles-exhausted": (river("a", nothing, raises(Continue), cycle_times=1), {}),
    "timeout": (river("a", naps(10), timeout=1), {}),
    "deadline": (river("a", naps(10), deadline=1), {}),
    "in-doubt": (river("a", declined, at_most_once=True), {}),
    "bad-return": (river("a", lambda _self, _water: 1), {}),
    "conflict": (river("b", puts(key=1)) | river("c", puts(key=2)), {}),
    "atlantic": (river("a", nothing), {"end": sea(success=declined)}),
}


@pytest.mark.promise("5.9")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_failure_is_called_by_its_name(scene: Scene, kind: str) -> None:
    stream, more = KINDS[kind]

    status = scene.engine.start(drawn(stream, **more), id="one").wait()

    assert status.failure is not None
    assert status.failure.kind == kind


@pytest.mark.promise("5.9", "6.3")
def test_a_failed_basin_stands_under_its_own_address_with_the_rivers_failure_as_cause(scene: Scene) -> None:
    fail = Script(scene)
    basin = Basin("east", ParallelRiver(river("a", declined), river("b", naps(100))))

    status = scene.engine.start(drawn(basin, end=sea(fail=fail.body())), id="one").wait()

    chain: list[str] = []
    failure: Failure | None = status.failure
    while failure is not None:
        chain.append(failure.address)
        failure = failure.cause
    assert chain[0] == "east"
    assert chain[-1] == "east/a"


@pytest.mark.promise("10.5", "8.2")
@pytest.mark.parametrize("seed", range(3))
def test_the_atlantic_is_told_twice_only_if_a_crash_fell_between_its_begin_and_its_recorded_end(
    scenes: Scenes, seed: int
) -> None:
    moves, ended = 0, False
    while not ended:
        scene, told = scenes(seed), Script()
        scene.engine.start(drawn(river("a", nothing), river("b", nothing), end=sea(success=told.body())), id="one")
        for _ in range(moves):
            scene.runtime.pump()
        ended = scene.has("ended")
        moves += 1
        in_between = bool(told.calls) and not ended

        scene.crash()
        scene.engine.flow("one").wait()

        assert len(told) == 1 + in_between
        assert scene.kinds().count("outcome") == scene.kinds().count("ended") == 1


@pytest.mark.promise("10.10", "10.4")
def test_after_a_long_absence_polls_are_made_within_one_interval_and_go_on_at_their_pace(scenes: Scenes) -> None:
    scene = scenes(seed=1)
    cycles = {name: Script(scene) for name in ("one", "two", "three")}
    for name, cycle in cycles.items():
        polled = river("a", nothing, cycle.body(Continue("no")), cycle_interval=60, cycle_times=99)
        scene.engine.start(drawn(polled), id=name)
        scene.runtime.advance(20)

    scene.crash(away=100_000)
    back = scene.now()
    scene.runtime.advance(130)

    for cycle in cycles.values():
        after = [at - back for at in cycle.times if at >= back]
        assert after[0] <= 60
        assert round(after[1] - after[0], 3) == 60
