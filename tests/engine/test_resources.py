"""Do bodies get what cannot be stored?"""

import asyncio
from typing import Any

import pytest

from tests.engine.acts import Scenes
from tests.engine.scenes import Body, drawn, nothing, raises, river, sea
from vastflow import Fail
from vastflow.errors import ResourceMissing


class Client:
    """What cannot be stored."""

    def __init__(self) -> None:
        self.asked: list[str] = []


def asks(word: str) -> Body:
    def body(called: Any, _water: Any) -> Any:
        called.resource("cloud").asked.append(f"{word} {called.address}")
        return True if word == "when" else None

    return body


@pytest.mark.promise("5.8", "5.1")
def test_every_body_gets_the_very_thing_the_engine_was_given(scenes: Scenes) -> None:
    cloud = Client()
    scene = scenes(resources={"cloud": cloud})

    async def flow(called: Any, _water: Any) -> None:
        await asyncio.sleep(1)
        called.resource("cloud").asked.append(f"flow {called.address}")

    one = river("a", flow, asks("cycle"), when=asks("when"), undo=asks("undo"), cycle_times=2)
    two = river("b", raises(OSError("?")), reconcile=asks("reconcile"))
    end = sea(fail=asks("fail"))
    scene.engine.start(drawn(one, two, river("z", raises(Fail("z"))), end=end), id="one").wait()

    assert cloud.asked == ["when a", "flow a", "cycle a", "reconcile b", "undo a", "fail ~"]


@pytest.mark.promise("5.8")
def test_a_missing_one_is_a_failure_that_names_it_and_those_there_are(scenes: Scenes) -> None:
    scene = scenes(resources={"ec2": Client(), "s3": Client()})

    status = scene.engine.start(drawn(river("a", asks("flow"))), id="one").wait()

    assert status.failure is not None
    assert status.failure.matches(ResourceMissing)
    assert (status.failure.address, status.failure.kind) == ("a", "error")
    assert "no resource 'cloud'" in status.failure.message
    assert "'ec2', 's3'" in status.failure.message
    assert "Engine(resources={'cloud': ...}" in status.failure.message


@pytest.mark.promise("5.8")
def test_tests_hand_in_fakes_and_every_engine_has_its_own(scenes: Scenes) -> None:
    real, fake = Client(), Client()
    andes = drawn(river("a", asks("flow")))

    scenes(resources={"cloud": real}).engine.start(andes).result()
    scenes(resources={"cloud": fake}).engine.start(andes).result()

    assert (len(real.asked), len(fake.asked)) == (1, 1)


@pytest.mark.promise("5.8", "10.10")
def test_after_a_restart_bodies_get_those_of_the_engine_that_goes_on(scenes: Scenes) -> None:
    scene = scenes(resources={"cloud": Client()})
    waits = river("a", nothing, asks("cycle"), cycle_interval=60, cycle_times=2)
    scene.engine.start(drawn(waits), id="one")
    scene.runtime.advance(10)
    scene.settings = {"resources": {"cloud": (after := Client())}}

    scene.crash()
    scene.engine.flow("one").result()

    assert after.asked == ["cycle a"]


@pytest.mark.promise("5.8")
def test_what_the_caller_does_to_the_mapping_afterwards_changes_nothing(scenes: Scenes) -> None:
    resources = {"cloud": (cloud := Client())}
    scene = scenes(resources=resources)
    resources.clear()

    scene.engine.start(drawn(river("a", asks("flow"))), id="one").result()

    assert cloud.asked == ["flow a"]
