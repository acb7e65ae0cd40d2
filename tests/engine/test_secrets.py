"""Is what is secret kept secret, wherever something is told of a flow?"""

import asyncio
import io
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.engine.acts import Scene, Scenes, Script, naps, stubborn
from tests.engine.scenes import Body, drawn, nothing, puts, raises, river, sea
from vastflow import Continue, Fail, FlowFailed, ParallelRiver, Retry, Secret
from vastflow.log import get_logger, reset, setup

HIDDEN = "hunter2-Zq/9"
KEYS = ["password", "db_password", "API_TOKEN", "client_secret", "aws_api_key", "private_key_pem"]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    structlog.reset_defaults()
    setup("debug", json=True, stream=stream)
    yield stream
    reset()
    structlog.reset_defaults()


def told_of(scene: Scene, lines: io.StringIO, flow: str = "one") -> str:
    """Return all that is told of a flow to people: its status, its journal, its end, and the log."""
    handle = scene.engine.flow(flow)
    try:
        handle.result()
        end = ""
    except FlowFailed as error:
        end = f"{error} {error.failure!r}"
    return "\n".join((repr(handle.status()), repr(handle.events()), end, lines.getvalue()))


def leaks(error: type[BaseException], key: str = "password") -> Body:
    """Return a body that tells the secret in what it raises, in its log line and in its progress."""

    def body(called: Any, water: Any) -> None:
        called.progress(0.5, f"with {water[key]}")
        get_logger("shop").warning(f"logging in with {water[key]}", **{key: water[key]})
        secret = water[key]
        raise error(f"401 for {secret}")

    return body


@pytest.mark.promise("12.5")
@pytest.mark.parametrize("key", KEYS)
def test_the_value_of_a_key_that_sounds_secret_is_told_nowhere(scene: Scene, lines: io.StringIO, key: str) -> None:
    scene.engine.start(drawn(river("a", leaks(OSError, key), retry_times=1)), {key: HIDDEN}, id="one").wait()

    told = told_of(scene, lines)

    assert HIDDEN not in told
    assert "401 for" in told
    assert "logging in with" in told


@pytest.mark.promise("12.5")
@pytest.mark.parametrize("body", ["when", "flow", "cycle", "reconcile", "undo", "success", "fail"])
@pytest.mark.parametrize("error", [OSError, Fail, Retry, Continue])
def test_no_body_tells_a_secret_by_whatever_it_raises(
    scene: Scene, lines: io.StringIO, body: str, error: type[BaseException]
) -> None:
    leak = leaks(error)
    rivers = {
        "when": river("a", nothing, when=leak),
        "flow": river("a", leak),
        "cycle": river("a", nothing, leak, cycle_times=5),
        "reconcile": river("a", raises(OSError("?")), reconcile=leak),
        "undo": river("a", nothing, undo=leak, undo_times=1),
    }
    last = river("z", raises(Fail("z")) if body in {"undo", "fail"} else nothing)
    end = sea(**{body: leak}, retry_times=1) if body in {"success", "fail"} else None
    scene.engine.start(
        drawn(rivers.get(body, river("a", nothing)), last, end=end), {"password": HIDDEN}, id="one"
    ).wait()

    told = told_of(scene, lines)

    assert HIDDEN not in told


@pytest.mark.promise("12.5")
def test_a_value_that_is_said_to_be_secret_is_told_nowhere_whatever_its_key(scene: Scene, lines: io.StringIO) -> None:
    def fails(called: Any, water: Any) -> None:
        said = water["note"].reveal()
        called.progress(0.5, f"with {said}")
        get_logger("shop").warning(f"logging in with {said}", given=said)
        message = f"cannot log in with {said}, which is {water['note']}"
        raise RuntimeError(message)

    streams = river("a", puts(note=Secret(HIDDEN))), river("b", fails)
    scene.engine.start(drawn(*streams), id="one").wait()

    told = told_of(scene, lines)

    assert "cannot log in with" in told
    assert HIDDEN not in told


@pytest.mark.promise("12.5", "4.5")
def test_a_late_answer_tells_no_secret(scene: Scene, lines: io.StringIO) -> None:
    late = Script().async_body(stubborn(20, leaks(OSError)), None)
    slow = river("a", late, timeout=5, retry_times=1)
    scene.engine.start(drawn(slow, river("b", naps(60))), {"password": HIDDEN}, id="one").wait()

    told = told_of(scene, lines)

    assert "a late answer changes nothing" in told
    assert HIDDEN not in told


@pytest.mark.promise("12.5", "5.5")
def test_what_is_saved_sent_set_and_completed_is_told_without_its_secrets(scene: Scene, lines: io.StringIO) -> None:
    def saves(called: Any, water: Any) -> None:
        water["nested"] = {"deep": [{"token": HIDDEN}]}
        called.save()

    streams = river("a", saves), river("b", nothing, raises(Continue), cycle_interval=100, cycle_times=99)
    flow = scene.engine.start(drawn(*streams), {"password": HIDDEN}, id="one")
    scene.runtime.advance(10)
    flow.signal("api_token", HIDDEN)
    flow.pause()
    flow.set("secret", HIDDEN)
    flow.complete("b", client_secret=HIDDEN)
    flow.resume()
    flow.result()

    told = told_of(scene, lines)

    assert HIDDEN not in told


@pytest.mark.promise("12.5", "5.6")
def test_a_conflict_over_a_secret_tells_neither_value(scene: Scene, lines: io.StringIO) -> None:
    fan = ParallelRiver(river("a", puts(password=HIDDEN)), river("b", puts(password=HIDDEN + "-too")))
    scene.engine.start(drawn(fan), id="one").wait()

    assert HIDDEN not in told_of(scene, lines)


@pytest.mark.promise("12.5", "5.1")
@pytest.mark.parametrize("word", ["progress", "poll"])
def test_what_a_body_says_while_it_is_under_way_is_shown_without_its_secrets(scene: Scene, word: str) -> None:
    async def works(called: Any, water: Any) -> None:
        called.progress(0.5, f"logging in with {water['password']}")
        await asyncio.sleep(60)

    def polls(_called: Any, water: Any) -> None:
        said = f"logging in with {water['password']}"
        raise Continue(said)

    stream = river("a", works) if word == "progress" else river("a", nothing, polls, cycle_times=99, cycle_interval=50)
    flow = scene.engine.start(drawn(stream), {"password": HIDDEN}, id="one")
    scene.runtime.advance(55)

    answer = flow.status().stream("a").answer

    assert answer.startswith("logging in with")
    assert HIDDEN not in answer


@pytest.mark.promise("12.5")
def test_which_keys_are_secret_can_be_chosen(scenes: Scenes, lines: io.StringIO) -> None:
    scene = scenes(secrets=["*iban*"])
    scene.engine.start(drawn(river("a", leaks(OSError, "iban"))), {"iban": HIDDEN}, id="one").wait()

    told = told_of(scene, lines)

    assert "401 for" in told
    assert HIDDEN not in repr(scene.engine.flow("one").status())
    assert HIDDEN not in repr(scene.engine.flow("one").events())


@pytest.mark.promise("12.5")
def test_bodies_and_the_result_have_the_secret_itself(scene: Scene) -> None:
    flow = Script(scene)

    water = scene.engine.start(drawn(river("a", flow.body())), {"password": HIDDEN}, id="one").result()

    assert water["password"] == flow.calls[0].water["password"] == HIDDEN


@pytest.mark.promise("12.5")
def test_control_characters_of_what_a_body_says_steer_no_terminal(scene: Scene, lines: io.StringIO) -> None:
    def says(called: Any, _water: Any) -> None:
        called.progress(0.1, "\x1b[2J\x07")
        get_logger("shop").warning("\x1b[31mred\x1b[0m")
        message = "bad \x1b]0;title\x07 \r\n text"
        raise Fail(message)

    status = scene.engine.start(drawn(river("a", says)), id="one").wait()

    assert status.failure is not None
    told = status.failure.message + lines.getvalue().replace("\n", "")
    assert not [each for each in told if ord(each) < 32 or 127 <= ord(each) < 160]
