"""What is on disk when a body runs?"""

import asyncio
from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes, Script, naps
from tests.engine.scenes import Body, drawn, nothing, puts, raises, river, sea
from vastflow import Andes, Basin, Continue, Fail, ParallelRiver, Retry, River
from vastflow.ledger.memory import MemoryStore


class Looking:
    """Bodies that look into the store while they run."""

    def __init__(self, scene: Scene, flow: str = "one") -> None:
        self.scene = scene
        self.flow = flow
        self.saw: dict[str, list[list[str]]] = {}

    def body(self, word: str, then: Body = nothing) -> Body:
        def looks(called: Any, water: Any) -> Any:
            on_disk = [f"{fact.kind} {fact.address}".strip() for fact in self.scene.store.facts(self.flow)]
            self.saw.setdefault(f"{word} {called.address}", []).append(on_disk)
            return then(called, water)

        return looks


BEGIN_KEPT: dict[str, dict[str, Any]] = {
    "undo": {"undo": nothing},
    "atomic": {"atomic": True, "deadline": 100},
    "at_most_once": {"at_most_once": True},
    "reconcile": {"reconcile": nothing},
}


@pytest.mark.promise("10.3", "4.6")
@pytest.mark.parametrize("why", BEGIN_KEPT)
def test_that_its_turn_came_is_on_disk_before_the_body_of_a_river_that_needs_it(scene: Scene, why: str) -> None:
    looking = Looking(scene)

    scene.engine.start(drawn(river("a", looking.body("flow"), **BEGIN_KEPT[why])), id="one").result()

    assert looking.saw["flow a"] == [["started", "begun a"]]
    assert scene.kinds() == ["started", "begun", "flowed", "outcome", "ended"]


@pytest.mark.promise("10.3", "10.2")
def test_a_river_that_needs_none_has_no_begin_fact(scene: Scene) -> None:
    looking = Looking(scene)
    streams = (
        river("a", looking.body("flow"), timeout=10, retry_times=3, deadline=100),
        river("b", looking.body("flow")),
    )

    scene.engine.start(drawn(*streams), id="one").result()

    assert looking.saw == {"flow a": [["started"]], "flow b": [["started", "flowed a"]]}


class Counting(MemoryStore):
    """A store that keeps which facts were written together."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[list[str]] = []

    def commit(self, batch: Any) -> frozenset[str]:
        if batch.facts:
            self.commits.append([f"{fact.kind} {fact.address}".strip() for fact in batch.facts])
        return super().commit(batch)


@pytest.mark.promise("10.3")
@pytest.mark.parametrize("why", ["undo", "atomic", "reconcile"])
def test_the_begin_is_written_with_the_fact_that_caused_it(scenes: Scenes, why: str) -> None:
    store = Counting()
    scene = scenes(store=store)

    streams = river("a", nothing, **BEGIN_KEPT[why]), river("b", nothing, **BEGIN_KEPT[why])
    scene.engine.start(drawn(*streams), id="one").result()

    assert store.commits == [["started", "begun a"], ["flowed a", "begun b"], ["flowed b", "outcome"], ["ended ~"]]


@pytest.mark.promise("10.3")
def test_for_at_most_once_the_begin_is_written_only_when_a_thread_is_free_for_it(scenes: Scenes) -> None:
    store = Counting()
    scene = scenes(store=store)
    once = river("a", naps(10), at_most_once=True, max_running=1)
    scene.engine.start(drawn(once), id="one")
    scene.engine.start(drawn(once), id="two")

    scene.runtime.advance(5)
    early = {flow: scene.kinds(flow=flow) for flow in ("one", "two")}
    scene.engine.flow("two").result()

    assert early == {"one": ["started", "begun"], "two": ["started"]}
    assert ["begun a"] in store.commits


@pytest.mark.promise("10.3")
def test_after_a_timer_the_begin_has_a_commit_of_its_own(scenes: Scenes) -> None:
    store = Counting()
    scene = scenes(store=store)
    tried = river("b", Script().body(Retry("no"), None), reconcile=nothing, retry_times=1)

    scene.engine.start(drawn(tried), id="one", not_before=10).result()

    assert store.commits == [["started", "begun b"], ["retrying b"], ["begun b"], ["flowed b", "outcome"], ["ended ~"]]


@pytest.mark.promise("10.3", "7.3")
def test_the_begin_of_every_try_of_an_undo_is_on_disk_before_it(scene: Scene) -> None:
    looking = Looking(scene)
    tries = Script().body(OSError("no"), None)
    streams = river("a", nothing, undo=looking.body("undo", tries)), river("b", nothing, undo=looking.body("undo"))

    scene.engine.start(drawn(*streams, river("z", raises(Fail("z")))), id="one").wait()

    before = ["started", "begun a", "flowed a", "begun b", "flowed b", "failed z", "outcome", "begun b"]
    assert looking.saw["undo b"] == [before]
    assert looking.saw["undo a"][0] == [*before, "undone b", "begun a"]
    assert looking.saw["undo a"][1] == [*before, "undone b", "begun a", "retrying a", "begun a"]


@pytest.mark.promise("10.2", "8.1")
def test_before_any_body_all_ends_before_it_are_on_disk_with_their_deltas(scene: Scene) -> None:
    looking = Looking(scene)
    basin = Basin("east", river("c", looking.body("flow", puts(c=1))), outputs=["c"])
    fan = ParallelRiver(river("a", looking.body("flow", puts(a=1))), basin)
    last = river("last", looking.body("flow"), looking.body("cycle"), cycle_times=2)
    end = sea(success=looking.body("success"))

    scene.engine.start(drawn(fan, last, end=end), id="one").result()

    def ended(word: str) -> set[str]:
        return set(looking.saw[word][0])

    assert {"flowed a", "entered east", "flowed east/c", "left east", "joined parallel-river"} <= ended("flow last")
    assert "flowed last" in ended("cycle last")
    assert {"cycled last", "outcome"} <= ended("success ~")


def yes(_self: Any, _water: Any) -> bool:
    return True


class Dying(Looking):
    """Bodies that look into the store, one of which does not come back the first time it is called."""

    def __init__(self, scene: Scene, dying: str) -> None:
        super().__init__(scene)
        self.dying = dying

    def body(self, word: str, then: Body = nothing) -> Body:
        looks = super().body(word, then)

        async def dies(called: Any, water: Any) -> Any:
            told = looks(called, water)
            if len(self.saw[f"{word} {called.address}"]) == 1:
                await asyncio.sleep(10_000)
            return told

        return dies if word == self.dying else looks

    def drawing(self) -> Andes[Any]:
        """Return a drawing in which that body is called."""
        bodies: dict[str, Body] = {"cycle": self.body("cycle"), "undo": self.body("undo")}
        if self.dying == "when":
            bodies["when"] = self.body("when", yes)
        if self.dying == "reconcile":
            bodies["reconcile"] = self.body("reconcile")
        flow = raises(OSError("?")) if self.dying == "reconcile" else nothing
        fails = self.dying in {"undo", "fail"}
        second = river("b", raises(Fail("b")) if fails else nothing)
        end = sea(success=self.body("success"), fail=self.body("fail"))
        return drawn(river("a", self.body("flow", flow), **bodies, cycle_times=5), second, end=end)


@pytest.mark.promise("10.3", "4.10")
@pytest.mark.parametrize("body", ["flow", "when", "cycle", "undo", "reconcile", "success", "fail"])
def test_after_a_crash_every_body_that_is_run_again_and_no_other_is_on_disk_as_running_before_it(
    scene: Scene, body: str
) -> None:
    address = "~" if body in {"success", "fail"} else "a"
    dying = Dying(scene, body)
    scene.engine.start(dying.drawing(), id="one")
    scene.until(lambda: f"{body} {address}" in dying.saw)

    scene.crash()
    flow = scene.engine.flow("one")
    flow.wait()

    assert dying.saw[f"{body} {address}"][1][-1] == f"begun {address}"
    running = [event for event in flow.events() if event.kind == "begun" and event.details.get("running")]
    assert [(event.address, event.details["body"]) for event in running] == [(address, body)]


@pytest.mark.promise("10.3")
def test_what_had_not_begun_when_its_process_died_has_no_begin_of_its_own_after_it(scenes: Scenes) -> None:
    scene = scenes()
    flow = Script()
    scene.engine.start(drawn(river("a", naps(60)), river("b", flow.body())), id="one")
    scene.runtime.advance(10)

    scene.crash()
    scene.engine.flow("one").result()

    assert scene.kinds("b") == ["flowed"]
    assert scene.kinds("a") == ["begun", "flowed"]


@pytest.mark.promise("10.4")
def test_a_flow_that_waits_writes_nothing_whatever_it_waits_for(scenes: Scenes) -> None:
    waits: dict[str, River] = {
        "poll": river("a", nothing, raises(Continue("no")), cycle_interval=10, cycle_times=10_000),
        "signal": river("a", nothing, raises(Continue("no")), cycle_interval=None, signals=("go",)),
        "retry": river("a", raises(OSError("no")), retry_times=9, retry_interval="2h", retry_max_interval=None),
    }
    for what, waiting in waits.items():
        scene = scenes()
        flow = scene.engine.start(drawn(waiting), id=what)
        scene.runtime.advance(5)
        facts = scene.kinds(flow=what)

        scene.runtime.advance(3600)

        assert scene.kinds(flow=what) == facts, what
        assert flow.status().facts == len(facts)


@pytest.mark.promise("10.4", "7.5")
def test_polls_of_a_pause_are_neither_made_nor_charged_nor_made_up_for(scenes: Scenes) -> None:
    for crashes in (False, True):
        scene = scenes()
        cycle = Script(scene)
        polled = river("a", nothing, cycle.body(Continue("no")), cycle_interval=10, cycle_times=10)
        flow = scene.engine.start(drawn(polled), id="one")
        scene.runtime.advance(35)

        flow.pause()
        scene.runtime.advance(100)
        if crashes:
            flow = scene.crash().flow("one")
            scene.runtime.advance(10)
        flow.resume()
        status = flow.wait()

        assert len(cycle) == 10
        assert not [at for at in cycle.times if 35 < at < 135]
        assert status.failure is not None
        assert status.failure.kind == "cycles-exhausted"
