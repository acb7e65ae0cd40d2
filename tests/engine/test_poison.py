"""Does a body that kills its process stop doing so?"""

import asyncio
from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes, Script
from tests.engine.scenes import Body, drawn, nothing, puts, raises, river, sea
from vastflow import Andes, Continue, Fail, FlowStranded
from vastflow.errors import CommandRefused


class Killer:
    """A body during which the process dies, as often as it is called while it is not mended."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.mended = False
        self.calls = 0

    def body(self, then: Body = nothing) -> Body:
        async def flow(called: Any, water: Any) -> Any:
            self.calls += 1
            if not self.mended:
                await asyncio.sleep(10_000)
            told = then(called, water)
            return await told if asyncio.iscoroutine(told) else told

        return flow

    def kill(self, times: int = 1) -> None:
        """Let the process die so often while the body runs."""
        for _ in range(times):
            before = self.calls
            self.scene.until(lambda seen=before: self.calls > seen)  # type: ignore[misc]  # bound on purpose
            self.scene.crash()


def killed(scene: Scene, times: int, name: str = "one", **attributes: Any) -> Killer:
    """Start a flow whose body kills its process, let it do so, and return it."""
    killer = Killer(scene)
    scene.engine.start(drawn(river("a", killer.body(puts(a=1)), **attributes), river("b", puts(b=1))), id=name)
    killer.kill(times)
    return killer


def begins(scene: Scene, flow: str = "one") -> list[tuple[bool, bool]]:
    """Return (on a thread, alone) of the begins in a flow's journal."""
    details = [event.details for event in scene.engine.flow(flow).events() if event.kind == "begun"]
    return [(bool(each.get("running")), bool(each.get("alone"))) for each in details]


@pytest.mark.promise("4.10")
def test_a_body_that_kills_its_process_is_run_alone_after_two_known_interruptions_and_then_strands_its_flow(
    scene: Scene,
) -> None:
    killer = killed(scene, 4)
    flow = scene.engine.flow("one")

    with pytest.raises(FlowStranded, match=r"poison.*its process died 3 times while this body ran"):
        flow.result()
    status = flow.status()

    assert killer.calls == 4
    assert begins(scene) == [(True, False), (True, False), (True, True)]
    assert status.stranded.startswith("poison: a: poison")
    assert "mend the body" in status.stranded
    assert scene.kinds()[-1] == "poisoned"


@pytest.mark.promise("4.10")
def test_a_stranded_flow_is_left_alone_by_every_next_process_and_hinders_no_other(scene: Scene) -> None:
    killer = killed(scene, 4)
    for _ in range(3):
        scene.runtime.advance(100)
        scene.crash()

    other = scene.engine.start(drawn(river("c", puts(c=1))), id="two")

    assert other.result() == {"c": 1}
    assert killer.calls == 4
    assert scene.engine.flow("one").status().stranded.startswith("poison")


@pytest.mark.promise("4.10", "7.5")
def test_a_flow_that_was_stranded_so_is_resumed_when_its_body_is_mended(scene: Scene) -> None:
    killer = killed(scene, 4)
    killer.mended = True

    assert scene.engine.flow("one").resume()

    assert scene.engine.flow("one").result() == {"a": 1, "b": 1}
    assert killer.calls == 5
    assert scene.engine.flow("one").status().stranded == ""


@pytest.mark.promise("4.10")
def test_a_body_that_was_not_mended_has_its_whole_limit_again(scene: Scene) -> None:
    killer = killed(scene, 4)
    assert scene.engine.flow("one").resume()

    killer.kill(2)
    killer.mended = True

    assert scene.engine.flow("one").result() == {"a": 1, "b": 1}


@pytest.mark.promise("4.10", "7.4")
def test_a_flow_that_was_stranded_so_can_be_cancelled(scene: Scene) -> None:
    killer, end, undo = Killer(scene), Script(scene), Script(scene)
    first = river("before", nothing, undo=undo.body())
    scene.engine.start(drawn(first, river("a", killer.body()), end=sea(fail=end.body())), id="one")
    killer.kill(4)

    assert scene.engine.flow("one").cancel()
    status = scene.engine.flow("one").wait()

    assert (status.outcome, status.stranded, status.stream("a").state) == ("cancelled", "", "cancelled")
    assert killer.calls == 4
    assert (len(undo), len(end)) == (1, 1)


@pytest.mark.promise("4.10", "7.5")
@pytest.mark.parametrize("command", ["pause", "retry"])
def test_whatever_else_is_asked_of_it_is_refused_with_the_reason(scene: Scene, command: str) -> None:
    killed(scene, 4)

    with pytest.raises(CommandRefused, match="resume or cancel it first"):
        getattr(scene.engine.flow("one"), command)()


@pytest.mark.promise("4.10")
def test_while_it_runs_alone_no_other_forward_body_runs_and_undo_and_ends_do(scene: Scene) -> None:
    killer = killed(scene, 3)
    scene.until(lambda: killer.calls == 4)
    waiting, end, undo = Script(scene), Script(scene), Script(scene)

    other = scene.engine.start(drawn(river("c", waiting.body())), id="two")
    scene.runtime.advance(50)
    shown = other.status().stream("c")

    assert not waiting.calls
    assert (shown.queued, shown.running) == (True, False)
    scene.engine.flow("one").cancel()
    assert other.result() == {}
    assert not end.calls
    assert not undo.calls


@pytest.mark.promise("4.10")
@pytest.mark.parametrize("seed", range(8))
def test_it_waits_until_no_other_body_runs_and_others_wait_until_it_has_ended(scenes: Scenes, seed: int) -> None:
    scene, running, met = scenes(seed), set[str](), list[str]()

    async def slow(_self: Any, _water: Any) -> None:
        met.extend(running)
        running.add("slow")
        await asyncio.sleep(30)
        running.discard("slow")

    async def alone(_self: Any, _water: Any) -> None:
        met.extend(running)
        running.add("alone")
        await asyncio.sleep(30)
        running.discard("alone")

    killer = Killer(scene)
    scene.engine.start(drawn(river("a", killer.body(alone))), id="one")
    killer.kill(2)
    scene.engine.start(drawn(river("slow", slow)), id="two")
    scene.until(lambda: running and killer.calls == 3)
    running.clear()
    killer.mended = True
    scene.crash()

    assert scene.engine.flow("one").result() == scene.engine.flow("two").result() == {}
    assert begins(scene)[-1] == (True, True)
    assert not met


@pytest.mark.promise("4.10")
@pytest.mark.parametrize("limit", [1, 3])
def test_how_often_is_for_the_engine_to_say(scenes: Scenes, limit: int) -> None:
    scene = scenes(crash_limit=limit)

    killer = killed(scene, limit + 2)

    assert killer.calls == limit + 2
    assert scene.engine.flow("one").wait().stranded.startswith("poison")


@pytest.mark.promise("4.10", "10.5")
def test_interruptions_cost_no_retries(scenes: Scenes) -> None:
    scene = scenes(crash_limit=99)
    killer = killed(scene, 7, retry_times=0)
    killer.mended = True

    assert scene.engine.flow("one").result() == {"a": 1, "b": 1}
    assert scene.engine.flow("one").status().stream("a").attempt == 1


@pytest.mark.promise("4.10", "11.4")
def test_an_orderly_close_is_no_interruption(scene: Scene) -> None:
    killer = Killer(scene)
    scene.engine.start(drawn(river("a", killer.body(puts(a=1)))), id="one")
    for calls in range(1, 8):
        scene.until(lambda seen=calls: killer.calls == seen)  # type: ignore[misc]  # bound on purpose
        scene.engine.close(drain=0.0)
        scene.reopen()
    killer.mended = True

    assert scene.engine.flow("one").result() == {"a": 1}
    assert not any(alone for _, alone in begins(scene))


@pytest.mark.promise("4.10")
def test_a_body_that_waits_in_line_when_its_process_dies_was_not_interrupted(scenes: Scenes) -> None:
    scene = scenes()
    killer = Killer(scene)
    andes = drawn(river("a", killer.body(puts(a=1)), max_running=1))
    scene.engine.start(andes, id="one")
    scene.engine.start(andes, id="two")

    killer.kill(2)

    known = [running for flow in ("one", "two") for running, _ in begins(scene, flow) if running]
    assert len(known) == killer.calls - 1
    killer.mended = True
    assert scene.engine.flow("one").result() == scene.engine.flow("two").result() == {"a": 1}


@pytest.mark.promise("4.10")
@pytest.mark.parametrize("body", ["when", "cycle", "reconcile", "undo", "success", "fail"])
def test_every_kind_of_body_is_found_out(scene: Scene, body: str) -> None:
    killer = Killer(scene)
    scene.engine.start(deadly(killer, body), id="one")

    killer.kill(4)
    status = scene.engine.flow("one").wait()

    assert status.stranded.startswith("poison")
    assert killer.calls == 4
    killer.mended = True
    assert scene.engine.flow("one").resume()
    assert scene.engine.flow("one").wait().state == ("fail" if body in {"undo", "fail"} else "success")


def deadly(killer: Killer, body: str) -> Andes[Any]:
    """Return a drawing in which this body kills."""

    def yes(_self: Any, _water: Any) -> bool:
        return True

    kills = killer.body(yes if body == "when" else nothing)
    last = river("z", raises(Fail("z")) if body in {"undo", "fail"} else nothing)
    firsts = {
        "when": river("a", nothing, when=kills),
        "cycle": river("a", nothing, kills, cycle_times=50),
        "reconcile": river("a", raises(OSError("?")), reconcile=kills),
        "undo": river("a", nothing, undo=kills),
    }
    return drawn(
        firsts.get(body, river("a", nothing)), last, end=sea(**{body: kills} if body in {"success", "fail"} else {})
    )


@pytest.mark.promise("4.10")
def test_a_body_that_ended_in_between_begins_a_new_count(scene: Scene) -> None:
    killer = Killer(scene)

    def once(_called: Any, _water: Any) -> None:
        killer.mended = False
        raise Continue

    scene.engine.start(drawn(river("a", nothing, killer.body(once), cycle_interval=10, cycle_times=99)), id="one")

    killer.kill(3)
    killer.mended = True
    scene.until(lambda: scene.has("polled"))
    killer.kill(2)

    assert scene.engine.flow("one").status().stranded == ""
