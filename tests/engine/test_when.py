"""Does a river ask whether it is to run, and is every body told what it may answer?"""

import asyncio
from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes, Script, naps
from tests.engine.scenes import drawn, nothing, puts, raises, river, sea
from vastflow import Atlantic, Basin, Continue, Fail, Retry, River
from vastflow.drawing.parallel_river import Stream


def yes(_self: Any, _water: Any) -> bool:
    return True


def no(_self: Any, _water: Any) -> bool:
    return False


class Odd(Exception):
    """What no river of these tests tries again."""


@pytest.mark.promise("4.1")
def test_a_river_that_is_not_wanted_is_skipped_and_the_chain_goes_on(scene: Scene) -> None:
    flow, undo = Script(), Script()
    unwanted = river("a", flow.body(), when=no, undo=undo.body())

    started = scene.engine.start(drawn(unwanted, river("b", puts(b=1))), id="one")

    assert started.result() == {"b": 1}
    assert started.status().stream("a").state == "skipped"
    assert scene.kinds("a") == ["skipped"]
    assert not flow.calls
    assert not undo.calls


@pytest.mark.promise("4.1")
def test_a_skipped_river_is_not_undone_when_its_flow_fails(scene: Scene) -> None:
    undo = Script()

    scene.engine.start(drawn(river("a", nothing, when=no, undo=undo.body()), river("b", raises(Fail("b")))), id="one")
    status = scene.engine.flow("one").wait()

    assert status.outcome == "fail"
    assert status.stream("a").state == "skipped"
    assert not undo.calls


@pytest.mark.promise("4.1")
def test_when_is_asked_before_flow_and_once_whatever_follows(scene: Scene) -> None:
    when, flow = Script(scene), Script(scene)
    polls = iter((Retry("again"), None))

    def cycle(_self: Any, _water: Any) -> None:
        if (error := next(polls)) is not None:
            raise error

    asked = river("a", flow.body(RuntimeError("no"), None), cycle, when=when.body(yes), retry_times=5, cycle_times=2)
    started = scene.engine.start(drawn(asked), id="one")

    assert started.result() == {}
    assert len(when) == 1
    assert [call.attempt for call in flow.calls] == [1, 2, 3]
    assert scene.kinds("a") == ["chosen", "retrying", "flowed", "retrying", "flowed", "cycled"]


@pytest.mark.promise("4.1", "10.5")
@pytest.mark.parametrize("seed", range(40))
def test_an_answer_of_when_that_is_on_disk_is_not_asked_for_again_wherever_the_process_dies(
    scenes: Scenes, seed: int
) -> None:
    scene, when, flow = scenes(seed), Script(), Script()
    asked = river("a", flow.body(RuntimeError("once"), None), when=when.body(yes), retry_times=1)
    scene.engine.start(drawn(asked, river("b", puts(b=1), when=yes)), id="one")
    for _ in range(seed):
        scene.runtime.pump()
    answered = len(when) if scene.has("chosen", "a") else None

    scene.crash()

    assert scene.engine.flow("one").result() == {"b": 1}
    assert scene.kinds("a").count("chosen") == 1
    assert answered is None or len(when) == answered


@pytest.mark.promise("4.1")
def test_exceptions_of_when_are_tried_again_out_of_the_one_retry_budget(scene: Scene) -> None:
    when, flow = Script(scene), Script(scene)
    asked = river(
        "a",
        flow.body(RuntimeError("flow"), RuntimeError("flow again")),
        when=when.body(RuntimeError("when"), Retry("when again", after=7), yes),
        retry_times=3,
        retry_interval=1,
    )

    status = scene.engine.start(drawn(asked), id="one").wait()

    assert when.times == [0.0, 1.0, 8.0]
    assert [call.attempt for call in when.calls] == [1, 2, 3]
    assert [call.attempt for call in flow.calls] == [3, 4]
    assert status.failure is not None
    assert (status.failure.kind, status.failure.message) == ("retries-exhausted", "flow again")


@pytest.mark.promise("4.1")
@pytest.mark.parametrize("answer", [True, False])
def test_what_when_writes_is_kept_whatever_it_answers(scene: Scene, *, answer: bool) -> None:
    flow = Script()

    def when(_self: Any, water: Any) -> bool:
        water["asked"] = True
        return answer

    asked = river("a", flow.body(), when=when)

    assert scene.engine.start(drawn(asked), id="one").result() == {"asked": True}
    assert [call.water for call in flow.calls] == [{"asked": True}] * answer


@pytest.mark.promise("4.1")
@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (Fail("not here"), "error", "not here"),
        (Odd("odd"), "error", "odd"),
        (Continue("later"), "bad-return", "raised Continue, which only"),
    ],
)
def test_a_when_that_says_fail_or_raises_what_is_not_tried_again_fails_its_river(
    scene: Scene, raised: Exception, kind: str, said: str
) -> None:
    flow = Script()

    asked = river("a", flow.body(), when=raises(raised), retry_times=3, fail_on=(Odd,))
    status = scene.engine.start(drawn(asked), id="one").wait()

    assert status.failure is not None
    assert (status.failure.address, status.failure.kind, status.failure.attempt) == ("a", kind, 1)
    assert said in status.failure.message
    assert not flow.calls


@pytest.mark.promise("4.1")
@pytest.mark.parametrize("answer", [None, 1, 0, "yes", [True]])
def test_a_when_that_answers_neither_true_nor_false_fails_its_river_and_says_what_to_return(
    scene: Scene, answer: object
) -> None:

    asked = river("a", nothing, when=lambda _self, _water: answer, retry_times=3)
    status = scene.engine.start(drawn(asked), id="one").wait()

    assert status.failure is not None
    assert status.failure.kind == "bad-return"
    assert "return one of the two" in status.failure.message


@pytest.mark.promise("4.1", "4.5", "4.8")
def test_a_when_that_runs_too_long_is_tried_again_and_is_never_a_doubt(scene: Scene) -> None:
    reconcile = Script()

    async def when(called: Any, _water: Any) -> bool:
        await asyncio.sleep(60 if called.attempt == 1 else 1)
        return True

    asked = river("a", puts(a=1), when=when, timeout=5, retry_times=1, retry_interval=1, reconcile=reconcile.body())
    started = scene.engine.start(drawn(asked), id="one")

    assert started.result() == {"a": 1}
    assert scene.kinds("a") == ["retrying", "chosen", "begun", "flowed"]
    assert not reconcile.calls


@pytest.mark.promise("4.1", "4.4")
def test_when_may_be_asynchronous(scene: Scene) -> None:

    started = scene.engine.start(drawn(river("a", puts(a=1), when=naps(3, no))), id="one")

    assert started.result() == {}
    assert scene.now() == 3.0


# What the other bodies may answer


def returning(_self: Any, _water: Any) -> str:
    return "done"


def failing() -> River:
    return river("z", raises(Fail("z")))


ANSWERS: dict[str, tuple[Stream, Stream | None, Atlantic | None]] = {
    "flow": (river("a", returning), None, None),
    "cycle": (river("a", nothing, returning, cycle_times=3), None, None),
    "reconcile": (river("a", raises(OSError("?")), reconcile=returning, retry_times=3), None, None),
    "undo": (river("a", nothing, undo=returning), failing(), None),
    "success": (river("a", nothing), None, sea(success=returning)),
    "fail": (river("a", nothing), failing(), sea(fail=returning)),
}


@pytest.mark.promise("4.1", "7.3", "8.2")
@pytest.mark.parametrize("body", ANSWERS)
def test_whatever_a_body_returns_but_none_fails_it_at_once_and_says_what_to_do(scene: Scene, body: str) -> None:
    first, second, end = ANSWERS[body]

    started = scene.engine.start(drawn(*filter(None, (first, second)), end=end), id="one")
    status = started.wait()

    failure = status.stream("a").undo_failure if body == "undo" else status.failure
    assert failure is not None
    assert failure.kind == ("atlantic" if body in {"success", "fail"} else "bad-return")
    assert f"{body}() returned a str" in failure.message
    assert "raise Continue, Retry or Fail" in failure.message


@pytest.mark.promise("4.1")
def test_of_an_end_that_answers_what_it_may_not_the_other_body_is_never_called(scene: Scene) -> None:
    fail = Script()

    status = scene.engine.start(
        drawn(river("a", nothing), end=sea(success=returning, fail=fail.body())), id="one"
    ).wait()

    assert (status.state, status.outcome) == ("fail", "success")
    assert not fail.calls


@pytest.mark.promise("4.1", "7.1")
def test_what_is_skipped_in_a_basin_lets_the_basin_go_on(scene: Scene) -> None:
    basin = Basin("east", river("a", nothing, when=no), river("b", puts(b=1)), outputs=["b"])

    started = scene.engine.start(drawn(basin), id="one")

    assert started.result() == {"b": 1}
    assert {each.address: each.state for each in started.status().streams}["east/a"] == "skipped"
