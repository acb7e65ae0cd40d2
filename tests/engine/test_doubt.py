"""What if nobody knows whether an attempt was done?"""

from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes, Script, Step, naps
from tests.engine.scenes import Body, drawn, nothing, puts, raises, river
from vastflow import Continue, Fail, FlowStatus, ParallelRiver, Retry
from vastflow.engine.flow import Flow


class Cut(Exception):
    """A connection that is lost: the effect may have happened or not."""


class Refused(Exception):
    """A clear no."""


class Doubtful:
    """A river whose first attempt is in doubt for one of three reasons, and how often its bodies were called."""

    def __init__(self, scene: Scene, source: str) -> None:
        self.scene = scene
        self.source = source
        self.flow, self.reconcile = Script(scene), Script(scene)
        self.attributes: dict[str, Any] = {"timeout": 5} if source == "timeout" else {}

    def first(self) -> Step:
        firsts: dict[str, Step] = {"crash": naps(10_000), "timeout": naps(60), "raised": Cut("cut off")}
        return firsts[self.source]

    def run(self, *asked: Step, then: Step = None, **attributes: Any) -> Flow[Any]:
        """Start it and let its doubt come up; return the flow."""
        told = {"reconcile": self.reconcile.async_body(*asked), **self.attributes, **attributes}
        return self.started(then, told)

    def run_once(self, **attributes: Any) -> Flow[Any]:
        """The same, without anybody to ask."""
        return self.started(None, {"at_most_once": True, **self.attributes, **attributes})

    def started(self, then: Step, told: dict[str, Any]) -> Flow[Any]:
        doubtful = river("a", self.flow.async_body(self.first(), then), **told)
        self.scene.engine.start(drawn(doubtful), id="one")
        if self.source == "crash":
            self.scene.until(lambda: self.flow.calls)
            self.scene.crash()
        return self.scene.engine.flow("one")


SOURCES = pytest.mark.parametrize("source", ["crash", "timeout", "raised"])


def why(status: FlowStatus) -> tuple[str, str]:
    assert status.failure is not None
    return status.failure.kind, status.failure.address


# reconcile


@SOURCES
@pytest.mark.promise("4.8")
def test_an_attempt_that_turns_out_to_have_been_done_is_not_made_again_and_its_delta_counts(
    scene: Scene, source: str
) -> None:
    doubtful = Doubtful(scene, source)

    flow = doubtful.run(puts(found="vm-7"), retry_times=5)

    assert flow.result() == {"found": "vm-7"}
    assert (len(doubtful.flow), len(doubtful.reconcile)) == (1, 1)
    assert [event.details["reason"] for event in flow.events() if event.kind == "doubted"] == [source]


@SOURCES
@pytest.mark.promise("4.8", "4.2", "5.2")
def test_after_a_doubt_that_is_settled_it_goes_on_to_its_polls(scene: Scene, source: str) -> None:
    doubtful, cycle = Doubtful(scene, source), Script(scene)

    cycles: dict[str, Any] = {"cycle": cycle.body(Continue("no"), None), "cycle_interval": 10, "cycle_times": 5}
    flow = doubtful.run(None, **cycles)

    assert flow.result() == {}
    asked = doubtful.reconcile.calls[0]
    assert cycle.times == [asked.at + 10, asked.at + 20]
    assert {call.key for call in (*doubtful.flow.calls, asked, *cycle.calls)} == {asked.key}
    assert asked.attempt == 1


@SOURCES
@pytest.mark.promise("4.8")
def test_it_is_made_again_if_that_is_the_answer_which_costs_a_retry_unless_a_crash_was_the_doubt(
    scene: Scene, source: str
) -> None:
    doubtful = Doubtful(scene, source)

    flow = doubtful.run(Retry("was not done", after=3), then=puts(a=1), retry_times=0)

    if source == "crash":
        assert flow.result() == {"a": 1}
        assert [call.attempt for call in doubtful.flow.calls] == [1, 2]
    else:
        status = flow.wait()
        assert len(doubtful.flow) == 1
        assert status.failure is not None
        assert status.failure.message == "was not done"


@SOURCES
@pytest.mark.promise("4.8")
def test_the_retry_of_an_answer_waits_as_it_says(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)

    flow = doubtful.run(Retry("was not done", after=3), then=puts(a=1), retry_times=1)

    assert flow.result() == {"a": 1}
    assert doubtful.flow.times[1] == doubtful.reconcile.times[0] + 3


@SOURCES
@pytest.mark.promise("4.8")
def test_it_fails_if_that_is_the_answer(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)

    flow = doubtful.run(Fail("half done", code="half"), retry_times=5)
    status = flow.wait()

    assert status.failure is not None
    assert (status.failure.kind, status.failure.message, status.failure.code) == ("error", "half done", "half")
    assert (len(doubtful.flow), len(doubtful.reconcile)) == (1, 1)


@SOURCES
@pytest.mark.promise("4.8")
def test_it_is_asked_again_as_long_as_it_cannot_say_and_shown_in_doubt_meanwhile(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)
    waits: dict[str, Any] = {"retry_interval": 10, "retry_max_interval": 25}

    flow = doubtful.run(Continue("?"), Refused("?"), Continue("soon", after=2), Cut("?"), puts(a=1), **waits)
    scene.until(lambda: doubtful.reconcile.calls)
    scene.runtime.advance(5)
    shown = flow.status().stream("a")

    assert flow.result() == {"a": 1}
    begin = doubtful.reconcile.times[0]
    assert [at - begin for at in doubtful.reconcile.times] == [0.0, 10.0, 30.0, 32.0, 57.0]
    assert (shown.state, shown.doubt, shown.asked) == ("in-doubt", source, 1)
    assert shown.failure is not None
    assert shown.failure.message == "?"
    assert shown.due is not None
    assert len(doubtful.flow) == 1


@SOURCES
@pytest.mark.promise("4.8", "4.5")
def test_one_that_answers_too_late_is_asked_again(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)

    flow = doubtful.run(naps(60, Fail("late")), puts(a=1), timeout=5, retry_interval=10)

    assert flow.result() == {"a": 1}
    assert doubtful.reconcile.times[1] == doubtful.reconcile.times[0] + 15


@SOURCES
@pytest.mark.promise("4.8")
def test_one_that_cannot_say_ten_times_fails_in_doubt(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)

    status = doubtful.run(Continue("who knows"), retry_interval=1, retry_times=99).wait()

    assert len(doubtful.reconcile) == 10
    assert len(doubtful.flow) == 1
    assert why(status) == ("in-doubt", "a")
    assert status.failure is not None
    assert "asked 10 times" in status.failure.message
    assert status.failure.cause is not None
    assert status.failure.cause.message == "who knows"


@SOURCES
@pytest.mark.promise("4.8", "4.1")
def test_one_that_returns_something_fails_at_once_and_says_what_to_do(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)

    status = doubtful.run(lambda _self, _water: True, retry_times=5).wait()

    assert why(status) == ("bad-return", "a")
    assert len(doubtful.reconcile) == 1


@pytest.mark.promise("4.8", "10.5")
def test_how_often_it_was_asked_is_kept_over_crashes(scenes: Scenes) -> None:
    scene = scenes(crash_limit=99)
    doubtful = Doubtful(scene, "raised")
    doubtful.run(Continue("?"), retry_interval=20, retry_backoff=1.0)

    for _ in range(6):
        scene.runtime.advance(30)
        scene.crash()
    status = scene.engine.flow("one").wait()

    assert len(doubtful.reconcile) == 10
    assert why(status) == ("in-doubt", "a")


@pytest.mark.promise("4.8")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [(Retry("again"), "retrying"), (Fail("no"), "failed"), (Refused("no"), "failed"), (KeyError("no"), "failed")],
)
def test_a_clear_answer_of_flow_is_no_doubt(scene: Scene, answer: Exception, kind: str) -> None:
    flow, reconcile = Script(scene), Script(scene)
    clear = river(
        "a",
        flow.body(answer, None),
        reconcile=reconcile.body(),
        retry_times=1,
        retry_on=(Cut, Refused),
        fail_on=(Refused,),
    )

    scene.engine.start(drawn(clear), id="one").wait()

    assert kind in scene.kinds("a")
    assert not scene.has("doubted")
    assert not reconcile.calls


@pytest.mark.promise("4.8")
def test_an_attempt_whose_doubt_was_settled_by_a_retry_may_be_in_doubt_again(scene: Scene) -> None:
    flow, reconcile = Script(scene), Script(scene)
    doubtful = river(
        "a",
        flow.body(Cut("1"), Cut("2"), Cut("3")),
        reconcile=reconcile.body(Retry("no")),
        retry_times=2,
        retry_interval=1,
    )

    status = scene.engine.start(drawn(doubtful), id="one").wait()

    assert [call.attempt for call in flow.calls] == [call.attempt for call in reconcile.calls] == [1, 2, 3]
    assert why(status) == ("retries-exhausted", "a")


@pytest.mark.promise("4.8", "7.4")
def test_in_a_cancelled_part_a_river_in_doubt_is_cancelled_at_once_and_undone(scene: Scene) -> None:
    undo, reconcile = Script(scene), Script(scene)
    doubtful = river(
        "a", raises(Cut("?")), reconcile=reconcile.body(Continue("?")), undo=undo.body(), retry_interval=100
    )
    flow = scene.engine.start(drawn(doubtful), id="one")
    scene.runtime.advance(10)

    flow.cancel()
    status = flow.wait()

    assert (status.outcome, status.stream("a").state) == ("cancelled", "undone")
    assert undo.times == [10.0]
    assert len(reconcile) == 1


@pytest.mark.promise("4.8", "7.4")
def test_a_doubt_that_comes_up_by_a_crash_in_a_cancelled_part_is_not_asked_about(scenes: Scenes) -> None:
    scene = scenes()
    flow, reconcile, undo = Script(scene), Script(scene), Script(scene)
    doubtful = river("a", flow.async_body(naps(10_000)), reconcile=reconcile.body(), undo=undo.body())
    scene.engine.start(drawn(doubtful), id="one")
    scene.until(lambda: flow.calls)
    scene.engine.flow("one").cancel()

    scene.crash()
    status = scene.engine.flow("one").wait()

    assert (status.outcome, status.stream("a").state) == ("cancelled", "undone")
    assert not scene.has("doubted")
    assert not reconcile.calls
    assert len(undo) == 1


@pytest.mark.promise("4.8", "7.4")
def test_what_may_run_at_most_once_and_was_interrupted_in_a_cancelled_part_is_cancelled(scene: Scene) -> None:
    flow = Script(scene)
    scene.engine.start(drawn(river("a", flow.async_body(naps(10_000)), at_most_once=True)), id="one")
    scene.until(lambda: flow.calls)
    scene.engine.flow("one").cancel()

    scene.crash()
    status = scene.engine.flow("one").wait()

    assert (status.outcome, status.stream("a").state) == ("cancelled", "cancelled")
    assert len(flow) == 1


@pytest.mark.promise("4.8")
def test_without_either_it_is_simply_tried_again_after_a_crash_and_that_costs_no_retry(scenes: Scenes) -> None:
    scene = scenes()
    flow = Script(scene)
    scene.engine.start(drawn(river("a", flow.async_body(naps(10_000), puts(a=1)), retry_times=0)), id="one")
    scene.until(lambda: flow.calls)

    scene.crash()

    assert scene.engine.flow("one").result() == {"a": 1}
    assert [(call.attempt, call.run) for call in flow.calls] == [(1, 1), (1, 1)]
    assert len({call.key for call in flow.calls}) == 1


# at most once


@SOURCES
@pytest.mark.promise("4.8")
def test_without_anybody_to_ask_a_doubt_fails_what_may_run_at_most_once(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)

    status = doubtful.run_once(retry_times=5).wait()

    assert len(doubtful.flow) == 1
    assert why(status) == ("in-doubt", "a")
    assert status.failure is not None
    assert source in status.failure.message
    cause = status.failure.cause
    assert (cause.kind if cause is not None else None) == {"crash": None, "timeout": "timeout", "raised": "error"}[
        source
    ]


@pytest.mark.promise("4.8")
def test_what_may_run_at_most_once_is_tried_again_if_it_says_so_itself(scene: Scene) -> None:
    flow = Script(scene)

    once = river("a", flow.body(Retry("not even begun"), None), at_most_once=True, retry_times=1)
    started = scene.engine.start(drawn(once), id="one")

    assert started.result() == {}
    assert len(flow) == 2


@SOURCES
@pytest.mark.promise("4.8")
def test_with_somebody_to_ask_what_may_run_at_most_once_asks_and_is_not_called_again(scene: Scene, source: str) -> None:
    doubtful = Doubtful(scene, source)

    flow = doubtful.run(puts(found=1), at_most_once=True, retry_times=5)

    assert flow.result() == {"found": 1}
    assert len(doubtful.flow) == 1


def once_called(calls: list[str]) -> Body:
    def flow(called: Any, _water: Any) -> None:
        calls.append(called.address)

    return flow


def drawing(calls: list[str]) -> Any:
    once = [river(name, once_called(calls), at_most_once=True) for name in ("a", "b", "c")]
    return drawn(river("first", nothing), ParallelRiver(once[0], once[1]), once[2])


@pytest.mark.promise("4.8", "10.3", "10.5")
@pytest.mark.parametrize("seed", range(4))
def test_what_may_run_at_most_once_is_never_called_twice_wherever_the_process_dies(scenes: Scenes, seed: int) -> None:
    moves, ended = 0, False
    outcomes = set()
    while not ended:
        scene, calls = scenes(seed, crash_limit=99), list[str]()
        scene.engine.start(drawing(calls), id="one")
        for _ in range(moves):
            if scene.has("ended") or not scene.runtime.pump():
                ended = True
        moves += 1

        scene.crash()
        status = scene.engine.flow("one").wait()

        assert len(calls) == len(set(calls)), moves
        outcomes.add(status.outcome)
        if status.outcome == "fail":
            assert status.failure is not None
            assert status.failure.kind == "in-doubt"
        else:
            assert sorted(calls) == ["a", "b", "c"]
    assert outcomes == {"success", "fail"}


@pytest.mark.promise("4.8", "10.3")
@pytest.mark.parametrize("seed", range(8))
def test_nor_is_it_if_the_process_dies_again_and_again(scenes: Scenes, seed: int) -> None:
    scene, calls = scenes(seed, crash_limit=99), list[str]()
    scene.engine.start(drawing(calls), id="one")
    for pumps in range(1, 12):
        for _ in range(pumps):
            scene.runtime.pump()
        scene.crash()

    scene.engine.flow("one").wait()

    assert len(calls) == len(set(calls))


@pytest.mark.promise("4.8", "10.5")
@pytest.mark.parametrize("seed", range(4))
def test_whoever_reconciles_does_nothing_twice_wherever_the_process_dies(scenes: Scenes, seed: int) -> None:
    """The outside keeps what was done by key; a second doing of the same would be seen."""
    moves, ended = 0, False
    while not ended:
        scene, outside = scenes(seed, crash_limit=99), dict[str, int]()
        scene.engine.start(drawn(*(reconciling(name, outside) for name in ("a", "b"))), id="one")
        for _ in range(moves):
            if scene.has("ended") or not scene.runtime.pump():
                ended = True
        moves += 1

        scene.crash()

        assert scene.engine.flow("one").result() == {"a": 1, "b": 1}
        assert sorted(outside.values()) == [1, 1]


def reconciling(name: str, outside: dict[str, int]) -> Any:
    def flow(called: Any, water: Any) -> None:
        outside[called.key] = outside.get(called.key, 0) + 1
        water[name] = 1

    def reconcile(called: Any, water: Any) -> None:
        if called.key not in outside:
            raise Retry("not there")
        water[name] = 1

    return river(name, flow, reconcile=reconcile)
