"""What is undone, in which order, on which water, and what if that fails?"""

import io
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog

from tests.engine.deeds import Deeds, Staging, addresses, kinds, lasting, no, states, waiting
from tests.engine.scenes import LONG, Body, drawn, nothing, puts, raises, river, sea
from vastflow import Basin, Continue, Engine, Fail, ParallelRiver, Retry, River
from vastflow.log import reset, setup

SECOND = 1_000_000
MINUTE = 60 * SECOND


def failed() -> River:
    return river("failed", raises(Fail("no")))


# What and when


@pytest.mark.promise("7.2")
@pytest.mark.parametrize("seed", range(10))
def test_all_that_began_is_undone_in_reverse_order_of_its_first_beginning_one_at_a_time(
    seed: int, stage: Staging
) -> None:
    deeds, out = Deeds(), list[int]()

    async def undo(self: River, water: Any) -> None:
        out.append(1)
        assert len(out) == 1
        await lasting(3)(self, water)
        out.pop()

    side = deeds.step("b", lasting(2), undo=undo) >> deeds.step("d", undo=undo)
    basin = Basin("east", deeds.step("c", undo=undo), deeds.step("e", undo=undo))
    flow = stage(seed).start(deeds.step("a", undo=undo), side | basin, deeds.step("f", raises(Fail("no"))))

    assert flow.wait().outcome == "fail"
    begun = [event.address for event in flow.events() if event.kind == "begun" and event.details["body"] == "flow"]
    assert deeds.of("undo") == begun[::-1]
    assert begun[0] == "a"
    assert begun[-1] == "f"
    assert sorted(begun) == ["a", "b", "d", "east/c", "east/e", "f"]


@pytest.mark.promise("7.2")
def test_a_river_that_was_retried_stands_where_it_first_began(stage: Staging) -> None:
    deeds, tries = Deeds(), iter(range(2))

    def body(_self: Any, _water: Any) -> None:
        if next(tries, None) is not None:
            raise Retry("again")

    first = deeds.step("retried", body, retry_times=5, retry_interval=10)
    chain = river("wait", lasting(2)) >> deeds.step("later", lasting(100))
    flow = stage().start(first | chain, failed())

    flow.wait()

    assert deeds.of("undo") == ["later", "retried"]


@pytest.mark.promise("7.2")
def test_what_never_began_was_skipped_or_has_no_undo_is_not_undone(stage: Staging) -> None:
    deeds = Deeds()
    skipped = deeds.step("skipped", when=no)
    asked = deeds.step("asked", when=raises(Fail("when failed")))
    flow = stage().start(river("plain", nothing), skipped, asked, deeds.step("never"))

    assert flow.wait().outcome == "fail"
    assert deeds == []
    assert kinds(flow, "undone") == []


@pytest.mark.promise("7.2", "4.2")
def test_what_polls_when_it_is_cancelled_is_undone(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(waiting("polls", 600, flow=deeds.note("flow"), undo=deeds.note("undo")))
    on.play(1)
    flow.cancel()

    assert flow.wait().outcome == "cancelled"
    assert deeds == ["flow polls", "undo polls"]


@pytest.mark.promise("7.2", "8.1")
def test_undo_begins_when_all_has_ended_and_the_atlantic_is_told_when_all_is_undone(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    atomic = deeds.step("atomic", lasting(30), atomic=True, deadline="1h")
    end = sea(fail=deeds.note("fail"))
    flow = on.start(deeds.step("a", undo=lasting(10)), atomic | river("no", lasting(1, raises(Fail("no")))), end=end)
    early = on.play(20)
    before = list(deeds)
    undoing = on.play(15)

    flow.wait()

    assert (early.state, before) == ("running", ["flow a", "flow atomic"])
    assert (undoing.state, undoing.outcome, states(undoing)["a"]) == ("undoing", "fail", "undoing")
    assert deeds[2:] == ["undo atomic", "undo a", "fail ~"]
    assert kinds(flow, "outcome", "undone", "ended") == ["outcome", "undone", "undone", "ended"]


@pytest.mark.promise("7.2")
@pytest.mark.parametrize("seed", range(5))
def test_scopes_of_different_branches_are_undone_side_by_side(seed: int, stage: Staging) -> None:
    on, deeds = stage(seed), Deeds()
    one = deeds.step("a", undo=lasting(50)) >> river("no", raises(Fail("no")))
    other = deeds.step("b", undo=lasting(50)) >> river("nor", raises(Fail("no")))
    begun = on.now
    on.start(ParallelRiver(one, other, river("c", nothing), max_failures=2)).result()

    assert on.now - begun < 60 * SECOND
    assert sorted(deeds.of("undo")) == ["a", "b"]


# The water


@pytest.mark.promise("7.3")
def test_an_undo_sees_the_water_as_its_river_left_it_and_over_it_what_undos_of_its_chain_wrote(stage: Staging) -> None:
    seen: dict[str, Any] = {}

    def undo(self: River, water: Any) -> None:
        seen[self.address] = dict(water)
        water[f"undid-{self.address}"] = 1

    def adds(key: str) -> Body:
        return puts(**{key: 1})

    inner = Basin("east", river("c", adds("c"), undo=undo), river("d", adds("d"), undo=undo))
    flow = stage().start(river("a", adds("a"), undo=undo), inner, river("b", adds("b"), undo=undo), failed())

    flow.wait()

    assert seen == {
        "b": {"a": 1, "b": 1},
        "east/d": {"a": 1, "c": 1, "d": 1},
        "east/c": {"a": 1, "c": 1, "undid-east/d": 1},
        "a": {"a": 1, "undid-b": 1},
    }


@pytest.mark.promise("7.3", "5.5")
def test_the_undo_of_a_river_that_failed_sees_what_it_began_with_and_what_it_saved(stage: Staging) -> None:
    seen: dict[str, Any] = {}

    def flow(self: River, water: Any) -> None:
        water["vm"] = "vm-1"
        self.save()
        water["more"] = 1
        raise Fail("no")

    def undo(_self: River, water: Any) -> None:
        seen.update(water)

    stage().start(river("a", puts(a=1)), river("b", flow, undo=undo)).wait()

    assert seen == {"a": 1, "vm": "vm-1"}


@pytest.mark.promise("7.3", "5.5")
def test_the_undo_of_a_river_that_failed_while_it_polled_sees_what_flow_and_polls_wrote(stage: Staging) -> None:
    seen: dict[str, Any] = {}

    def cycle(_self: River, water: Any) -> None:
        if "polled" in water:
            raise Fail("broken")
        water["polled"] = 1
        raise Continue

    def undo(_self: River, water: Any) -> None:
        seen.update(water)

    stage().start(river("a", puts(vm=1), cycle, cycle_times=9, undo=undo)).wait()

    assert seen == {"vm": 1, "polled": 1}


@pytest.mark.promise("7.3", "5.5")
def test_what_an_undo_saved_is_there_at_its_next_try_and_for_those_after_it(stage: Staging) -> None:
    on, seen = stage(), list[dict[str, Any]]()

    def undo(self: River, water: Any) -> None:
        seen.append(dict(water))
        water[f"saved-{self.address}"] = self.attempt
        self.save()
        water["dropped"] = 1
        if self.attempt == 1:
            raise RuntimeError("away")
        del water["dropped"]

    flow = on.start(*(river(name, nothing, undo=undo) for name in "ab"), failed())
    on.play(5)
    flow = on.crash()
    flow.wait()

    assert seen == [{}, {"saved-b": 1}, {"saved-b": 2}, {"saved-b": 2, "saved-a": 1}]


@pytest.mark.promise("7.3", "8.2")
def test_what_undos_write_comes_to_fail_but_not_from_one_branch_to_another(stage: Staging) -> None:
    seen: dict[str, Any] = {}

    def undo(self: River, water: Any) -> None:
        seen[self.address] = dict(water)
        water[self.address] = "undone"

    def fail(_self: Any, water: Any) -> None:
        seen["fail"] = dict(water)

    side = river("b", lasting(1), undo=undo) | river("c", lasting(2), undo=undo)
    flow = stage().start(river("a", nothing, undo=undo), side, failed(), end=sea(fail=fail))

    flow.wait()

    assert seen == {"c": {}, "b": {}, "a": {}, "fail": {"a": "undone", "b": "undone", "c": "undone"}}


@pytest.mark.promise("7.3", "5.2", "5.9")
def test_an_undo_knows_its_river_by_key_and_run_and_what_failed(stage: Staging) -> None:
    keys = list[str]()

    def flow(self: River, _water: Any) -> None:
        keys.append(self.key)

    def undo(self: River, _water: Any) -> None:
        keys.append(self.key)
        assert (self.failure.message, self.failure.address, self.failures["failed"].message) == ("no", "failed", "no")
        assert (self.run, self.attempt) == (1, 1)

    begun = stage().start(river("a", flow, undo=undo), failed())
    begun.wait()

    assert states(begun.status())["a"] == "undone"
    assert keys[0] == keys[1]


# What if it fails


@pytest.mark.promise("7.3")
@pytest.mark.parametrize("error", [RuntimeError("away"), Retry("away"), Continue("away"), KeyError("x")])
def test_an_undo_is_tried_again_whatever_it_raises(error: BaseException, stage: Staging) -> None:
    on, moments = stage(), list[int]()

    def undo(self: River, _water: Any) -> None:
        moments.append(on.now // SECOND)
        if self.attempt < 4:
            raise error

    flow = on.start(river("a", nothing, undo=undo), failed())

    assert states(flow.wait())["a"] == "undone"
    assert [moment - moments[0] for moment in moments] == [0, 10, 20, 30]
    assert [event.details["due"] > 0 for event in flow.events() if event.kind == "retrying"] == [True] * 3


@pytest.mark.promise("7.3")
def test_an_undo_may_name_its_own_wait(stage: Staging) -> None:
    on, moments = stage(), list[int]()

    def undo(self: River, _water: Any) -> None:
        moments.append(on.now // SECOND)
        if self.attempt == 1:
            raise Continue("deleting", after=300)
        if self.attempt == 2:
            raise Retry("again", after=timedelta(minutes=2))

    on.start(river("a", nothing, undo=undo), failed()).wait()

    assert [moment - moments[0] for moment in moments] == [0, 300, 420]


@pytest.mark.promise("7.3")
def test_an_undo_out_of_tries_has_failed_for_good_is_shown_and_does_not_stop_the_others(stage: Staging) -> None:
    deeds = Deeds()
    stays = deeds.step("stays", undo=raises(RuntimeError("away")), undo_times=2, undo_interval=1)
    flow = stage().start(deeds.step("first"), stays, failed(), end=sea(fail=deeds.note("fail")))

    status = flow.wait()

    assert deeds == ["flow first", "flow stays", *["undo stays"] * 3, "undo first", "fail ~"]
    assert states(status) == {"first": "undone", "stays": "undo-failed", "failed": "fail"}
    told = [event.details["failure"] for event in flow.events() if event.kind == "undofailed"]
    assert [(each["kind"], each["message"]) for each in told] == [("retries-exhausted", "away")]
    assert status.failure is not None
    assert status.failure.message == "no"  # the flow's own is still what it failed with


@pytest.mark.promise("7.3", "4.1")
@pytest.mark.parametrize(
    ("undo", "kind"),
    [(raises(Fail("never")), "error"), (lambda _self, _water: 5, "bad-return")],
    ids=["Fail", "a value"],
)
def test_an_undo_that_says_fail_or_returns_a_value_has_failed_for_good(undo: Body, kind: str, stage: Staging) -> None:
    flow = stage().start(river("a", nothing, undo=undo), failed())

    assert states(flow.wait())["a"] == "undo-failed"
    assert [event.details["failure"]["kind"] for event in flow.events() if event.kind == "undofailed"] == [kind]


@pytest.mark.promise("7.3")
def test_an_undo_whose_deadline_is_over_has_failed_for_good(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    again = deeds.step("again", undo=raises(RuntimeError("away")), undo_times=9999, undo_interval=7, undo_deadline=60)
    hangs = deeds.step("hangs", undo=lasting(1000), undo_deadline=60)
    begun = on.now
    flow = on.start(deeds.step("first"), again, hangs, failed())

    status = flow.wait()

    assert states(status) == {"first": "undone", "again": "undo-failed", "hangs": "undo-failed", "failed": "fail"}
    assert (on.now - begun) // SECOND in {120, 121}  # each has its own time, from its turn on
    assert deeds.of("undo").count("again") == 9
    told = [event.details["failure"]["kind"] for event in flow.events() if event.kind == "undofailed"]
    assert told == ["deadline", "deadline"]


@pytest.mark.promise("7.3", "4.5")
def test_a_timeout_of_undo_is_a_failed_try(stage: Staging) -> None:
    deeds = Deeds()
    slow = river("a", nothing, undo=deeds.note("undo", lasting(100)), timeout=5, undo_times=2)
    flow = stage().start(slow, failed())

    assert states(flow.wait())["a"] == "undo-failed"
    assert len(deeds) == 3


@pytest.mark.promise("7.3", "7.4")
def test_a_cancel_does_not_stop_an_undo(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    lost = deeds.step("lost", lasting(1), undo=lasting(100)) >> river("no", raises(Fail("no")))
    flow = on.start(ParallelRiver(lost, waiting("slow", 600), max_failures=1))
    on.play(5)
    undoing = states(flow.status())["lost"]
    flow.cancel()
    early = on.play(20)

    status = flow.wait()

    assert (undoing, states(early)["lost"], early.state) == ("undoing", "undoing", "running")
    assert (states(status)["lost"], status.outcome) == ("undone", "cancelled")
    assert deeds.of("undo") == ["lost"]


# Across crashes


@pytest.mark.promise("7.3", "10.3", "10.5")
@pytest.mark.parametrize("seed", range(40))
def test_undos_go_on_where_they_were_wherever_the_process_dies_and_none_that_ended_is_run_again(
    seed: int, stage: Staging
) -> None:
    on, keys, ended = stage(seed), dict[str, set[str]](), set[str]()

    def undo(self: River, water: Any) -> None:
        assert self.address not in ended
        keys.setdefault(self.address, set()).add(self.key)
        water[f"undid-{self.address}"] = self.attempt
        if self.address == "b" and self.attempt < 3:
            raise RuntimeError("again")

    def fail(_self: Any, water: Any) -> None:
        assert dict(water) == {"undid-c": 1, "undid-b": 3, "undid-a": 1}

    rivers = (river(name, nothing, undo=undo) for name in "abc")
    flow = on.start(*rivers, failed(), end=sea(fail=fail))
    for moves in (25 + seed, seed, seed // 2, seed // 3):
        on.move(moves)
        ended |= set(addresses(flow, "undone"))
        flow = on.crash()

    status = flow.wait()

    assert (status.state, status.outcome) == ("fail", "fail")
    assert addresses(flow, "undone") == ["c", "b", "a"]
    assert {name: len(each) for name, each in keys.items()} == {"a": 1, "b": 1, "c": 1}


@pytest.mark.promise("7.3", "10.5")
def test_the_deadline_of_an_undo_runs_on_while_nobody_serves(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    flow = on.start(deeds.step("a", undo=raises(RuntimeError("away")), undo_interval=60, undo_deadline="1h"), failed())
    on.play(90)
    flow = on.crash(away=7200)

    assert states(flow.wait())["a"] == "undo-failed"
    assert len(deeds.of("undo")) == 2


# Abandoned threads


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Write JSON lines into a text, and put logging back as it was."""
    stream = io.StringIO()
    structlog.reset_defaults()
    setup("warning", json=True, stream=stream)
    yield stream
    reset()
    structlog.reset_defaults()


class Hung:
    """A body that hangs, deaf, until it is let go."""

    def __init__(self) -> None:
        self.runs, self.end = threading.Event(), threading.Event()

    def body(self) -> Body:
        def flow(_self: Any, _water: Any) -> None:
            self.runs.set()
            assert self.end.wait(LONG)

        return flow


@pytest.mark.promise("7.3", "4.5")
def test_an_undo_waits_for_the_abandoned_thread_of_its_river() -> None:
    hung, deeds, undone = Hung(), Deeds(), threading.Event()
    stopped = river("stopped", hung.body(), undo=deeds.note("undo", lambda _self, _water: undone.set()), timeout=0.05)
    with Engine("memory:", jitter=0.0) as engine:
        flow = engine.start(drawn(stopped, end=sea(fail=deeds.note("fail"))))
        while not addresses(flow, "outcome"):
            assert not undone.wait(0.01)
        early = flow.status()
        hung.end.set()

        status = flow.wait(LONG)

    assert (early.state, states(early)["stopped"]) == ("undoing", "undoing")
    assert states(status)["stopped"] == "undone"
    assert deeds == ["undo stopped", "fail ~"]
    assert status.failure is not None
    assert status.failure.kind == "timeout"


@pytest.mark.promise("7.3", "4.5")
def test_an_undo_whose_river_still_hangs_at_its_deadline_is_not_called_and_has_failed() -> None:
    hung, deeds = Hung(), Deeds()
    attributes: dict[str, Any] = {"undo": deeds.note("undo"), "timeout": 0.05, "undo_deadline": 0.05}
    with Engine("memory:", jitter=0.0) as engine:
        flow = engine.start(drawn(deeds.step("first"), river("stopped", hung.body(), **attributes)))

        status = flow.wait(LONG)
        told = [event.details["failure"] for event in flow.events() if event.kind == "undofailed"]
        hung.end.set()

    assert states(status) == {"first": "undone", "stopped": "undo-failed"}
    assert deeds == ["flow first", "undo first"]
    assert [each["kind"] for each in told] == ["deadline"]
    assert "still runs" in told[0]["message"]


@pytest.mark.promise("7.3", "4.5")
def test_a_late_answer_of_a_thread_whose_river_was_given_up_for_undone_is_shown_and_changes_nothing(
    lines: io.StringIO,
) -> None:
    hung, undoing, end = Hung(), threading.Event(), threading.Event()

    def undo(_self: Any, _water: Any) -> None:
        undoing.set()
        assert end.wait(LONG)

    stopped = river("stopped", hung.body(), undo=nothing, timeout=0.05, undo_deadline=0.05)
    with Engine("memory:", jitter=0.0) as engine:
        flow = engine.start(drawn(river("first", nothing, undo=undo), stopped))
        assert undoing.wait(LONG)
        hung.end.set()
        while not addresses(flow, "late"):
            threading.Event().wait(0.005)
        end.set()
        status = flow.wait(LONG)
        told = [event.details for event in flow.events() if event.kind == "late"]

    assert told == [{"said": "it was done"}]
    assert states(status) == {"first": "undone", "stopped": "undo-failed"}
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    late = [line for line in said if line["event"] == "a late answer changes nothing"]
    assert [(line["level"], line["river"]) for line in late] == [("error", "stopped")]
