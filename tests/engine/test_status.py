"""Does a status show what happens: who waits for what, what hangs, what is undone, how far a fan has come?"""

from typing import Any

import pytest

from tests.engine.acts import Scene, Scenes, Script, naps, stubborn
from tests.engine.scenes import drawn, nothing, puts, raises, river, sea
from vastflow import Basin, Continue, Fail, ParallelRiver
from vastflow.course.tally import BranchCounts

FILES = {"files": [f"f{number}" for number in range(12)]}


def by_item(called: Any, water: Any) -> Any:
    """Take as many seconds as the item's number says; the third fails."""
    number = int(water["file"][1:])
    return naps(number, Fail("third") if number == 3 else None)(called, water)


async def works(called: Any, water: Any) -> None:
    await by_item(called, water)


@pytest.mark.promise("6.2", "12.3")
def test_an_each_is_one_line_that_counts_its_branches(scene: Scene) -> None:
    fan = ParallelRiver.each("files", river("process", works), item="file", limit=5, max_failures=3)
    flow = scene.engine.start(drawn(fan), FILES, id="one")

    before = flow.status().stream("process").branches
    scene.runtime.advance(3.5)
    status = flow.status()

    assert before == BranchCounts(count=12, running=5, waiting=7)
    assert [stream.address for stream in status.streams] == ["process", "~"]
    assert (status.stream("process").kind, status.stream("process").state) == ("each", "running")
    assert status.stream("process").branches == BranchCounts(count=12, done=3, failed=1, running=5, waiting=3)
    ended = flow.wait().stream("process")
    assert (ended.state, ended.branches) == ("success", BranchCounts(count=12, done=11, failed=1))


@pytest.mark.promise("6.2", "12.3")
def test_what_stands_in_one_branch_is_found_by_its_address(scene: Scene) -> None:
    fan = ParallelRiver.each("files", river("process", works), item="file", limit=5, max_failures=3)
    flow = scene.engine.start(drawn(fan), FILES, id="one")
    scene.runtime.advance(3.5)

    status = flow.status()

    assert (status.stream("process[1]").state, status.stream("process[1]").kind) == ("success", "river")
    failed = status.stream("process[3]")
    assert failed.failure is not None
    assert (failed.state, failed.failure.message) == ("fail", "third")
    assert status.stream("process[5]").running
    with pytest.raises(KeyError, match=r"process\[11\]"):
        status.stream("process[11]")


@pytest.mark.promise("6.2", "12.3")
def test_an_each_over_a_chain_shows_each_stream_of_it_once_and_how_far_the_branches_are(scene: Scene) -> None:
    inner = Basin("east", river("ship", naps(10)))
    fan = ParallelRiver.each("files", river("read", works) >> inner, item="file", max_failures=3, name="convert")
    flow = scene.engine.start(drawn(fan), FILES, id="one")
    scene.runtime.advance(4.5)

    status = flow.status()

    assert [(each.address, each.kind, each.depth) for each in status.streams] == [
        ("convert", "each", 0),
        ("convert/read", "river", 1),
        ("convert/east", "basin", 1),
        ("convert/east/ship", "river", 2),
        ("~", "atlantic", 0),
    ]
    assert status.stream("convert").branches == BranchCounts(count=12, failed=1, running=11)
    assert status.stream("convert/read").branches == BranchCounts(count=12, done=4, failed=1, running=7)
    assert status.stream("convert/east/ship").branches == BranchCounts(count=12, running=4, waiting=8)
    assert status.stream("convert/east/ship").state == "running"
    assert status.stream("convert[2]/east/ship").running


@pytest.mark.promise("6.2", "12.3")
def test_an_each_in_an_each_counts_all_of_its_branches(scene: Scene) -> None:
    inner = ParallelRiver.each("parts", river("part", naps(5)), item="part", name="parts")
    outer = ParallelRiver.each("files", river("split", puts(parts=[1, 2, 3])) >> inner, item="file", name="files")

    flow = scene.engine.start(drawn(outer), {"files": ["a", "b"]}, id="one")
    scene.runtime.advance(1)
    status = flow.status()

    named = next(each.address for each in status.streams if each.kind == "each" and each.depth == 1)
    assert status.stream(named).branches == BranchCounts(count=6, running=6)
    assert status.stream("files").branches == BranchCounts(count=2, running=2)
    assert len([address for address in status.branches if address.endswith("[2]")]) == 2


@pytest.mark.promise("6.2", "12.3")
def test_items_that_are_never_begun_are_counted_as_cancelled(scene: Scene) -> None:
    fan = ParallelRiver.each("files", river("process", works), item="file", limit=5)

    status = scene.engine.start(drawn(fan), FILES, id="one").wait()

    counts = status.stream("process").branches
    assert counts is not None
    assert (counts.done, counts.failed, counts.waiting, counts.running) == (3, 1, 0, 0)
    assert counts.cancelled == 8
    assert status.stream("process").state == "fail"


@pytest.mark.promise("6.2", "7.2")
def test_a_tolerated_branch_that_was_undone_is_shown_so(scene: Scene) -> None:
    undone = river("process", works, undo=nothing)
    fan = ParallelRiver.each("files", undone, item="file", max_failures=3)

    status = scene.engine.start(drawn(fan), FILES, id="one").wait()

    assert status.stream("process").branches == BranchCounts(count=12, done=11, undone=1)
    assert status.stream("process[3]").state == "undone"


@pytest.mark.promise("7.3", "12.3")
def test_an_undo_shows_its_tries_and_why_the_last_one_failed(scene: Scene) -> None:
    undone = river("a", nothing, undo=raises(OSError("busy")), undo_times=2, undo_interval=10)
    flow = scene.engine.start(drawn(undone, river("b", raises(Fail("b")))), id="one")
    scene.runtime.advance(15)

    under_way, end = flow.status(), flow.wait()

    shown, last = under_way.stream("a"), end.stream("a")
    assert under_way.state == "undoing"
    assert (shown.state, shown.undo_attempt, shown.undo_attempts) == ("undoing", 3, 3)
    assert shown.undo_failure is not None
    assert shown.undo_failure.message == "busy"
    assert (last.state, last.undo_attempt) == ("undo-failed", 3)
    assert last.undo_failure is not None
    assert last.undo_failure.kind == "retries-exhausted"


@pytest.mark.promise("12.3")
def test_which_body_runs_is_shown(scene: Scene) -> None:
    async def yes(called: Any, water: Any) -> bool:
        await naps(10)(called, water)
        return True

    first = river("a", naps(10), naps(10), when=yes, undo=naps(10), cycle_interval=1, cycle_times=3)
    flow = scene.engine.start(drawn(first, river("b", raises(Fail("b"))), end=sea(fail=naps(10))), id="one")

    seen = []
    for _ in range(5):
        scene.runtime.advance(5)
        seen += [each.body for each in flow.status().streams if each.running]
        scene.runtime.advance(5.3)

    assert seen == ["when", "flow", "cycle", "undo", "fail"]


@pytest.mark.promise("4.5", "12.3")
def test_a_body_that_hangs_is_shown_until_it_comes_back_and_over_its_undo(scene: Scene) -> None:
    hanging = river("a", stubborn(30), undo=nothing, timeout=5)
    flow = scene.engine.start(drawn(hanging), id="one")

    seen = []
    for _ in range(4):
        scene.runtime.advance(9)
        seen.append((flow.status().stream("a").state, flow.status().stream("a").abandoned))

    assert seen == [("undoing", 1), ("undoing", 1), ("undoing", 1), ("undone", 0)]


@pytest.mark.promise("9.2", "12.3")
def test_a_river_that_only_a_signal_wakes_waits_for_no_moment(scene: Scene) -> None:
    listens = river("a", nothing, raises(Continue("waiting")), cycle_interval=None, signals=("go",))

    flow = scene.engine.start(drawn(listens), id="one")
    scene.runtime.advance(5)
    shown = flow.status().stream("a")

    assert (shown.state, shown.due, shown.running) == ("cycling", None, False)


@pytest.mark.promise("6.3", "12.3")
def test_a_basin_that_is_tried_again_shows_its_attempts_and_its_wait(scene: Scene) -> None:
    basin = Basin("east", river("a", Script().body(Fail("no"), None)), retry_times=2, retry_interval=30)
    flow = scene.engine.start(drawn(basin), id="one")
    scene.runtime.advance(10)

    waits = flow.status().stream("east")
    flow.wait()
    ended = flow.status()

    assert (waits.state, waits.attempt, waits.attempts) == ("retrying", 2, 3)
    assert waits.due is not None
    assert (ended.stream("east").state, ended.stream("east/a").run) == ("success", 2)


@pytest.mark.promise("12.2", "6.2")
@pytest.mark.parametrize("seed", range(10))
def test_from_the_store_the_same_is_shown_but_for_what_is_no_fact(scenes: Scenes, seed: int) -> None:
    scene = scenes(seed)
    fan = ParallelRiver.each("files", river("process", works), item="file", limit=5, max_failures=3)
    flow = scene.engine.start(drawn(fan), FILES, id="one")
    scene.runtime.advance(seed * 1.5)

    live = flow.status()
    scene.engine.close(drain=0.0)
    scene.reopen()
    again = scene.engine.flow("one").status()

    assert again.stream("process").branches == live.stream("process").branches
    assert {name: each.state for name, each in again.branches.items()} == {
        name: each.state for name, each in live.branches.items()
    }
