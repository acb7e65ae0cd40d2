"""What does every command do in every standing of a flow, and what does the journal say of it?"""

import getpass
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from tests.engine.deeds import Deeds, Stage, Staging, addresses, kinds, lasting, said_by, states, waiting, writes
from tests.engine.scenes import nothing, puts, raises, river, sea
from vastflow import (
    Andes,
    Basin,
    CommandRefused,
    Fail,
    FlowNotFound,
    FlowStranded,
    Headwaters,
    ParallelRiver,
    River,
    later,
)
from vastflow.actors.messages import Command
from vastflow.course.command import Ruling
from vastflow.course.commands import Pause
from vastflow.engine.flow import Flow
from vastflow.errors import UndeclaredKey, UnstorableValue, WaterTypeError

# Every command in every standing


def no() -> River:
    return river("no", raises(Fail("no")))


def of_init(on: Stage) -> None:
    on.start(waiting("a"), not_before=3600)


def of_running(on: Stage) -> None:
    on.start(waiting("a", 3600))


def of_cancelling(on: Stage) -> None:
    on.start(river("a", lasting(3600), atomic=True, deadline="2h"))
    on.play(1)
    on.flow.cancel()


def of_paused(on: Stage) -> None:
    on.start(waiting("a", 3600))
    on.play(1)
    on.flow.pause()


def of_undoing(on: Stage) -> None:
    on.start(river("a", nothing, undo=lasting(3600)), no())


def of_paused_undoing(on: Stage) -> None:
    of_undoing(on)
    on.play(1)
    on.flow.pause()


def of_ending(on: Stage) -> None:
    on.start(river("a", nothing), end=sea(success=lasting(3600)))


def of_paused_ending(on: Stage) -> None:
    of_ending(on)
    on.play(1)
    on.flow.pause()


def of_success(on: Stage) -> None:
    on.start(river("a", nothing))


def of_fail(on: Stage) -> None:
    on.start(river("a", raises(Fail("no"))))


def of_cancelled(on: Stage) -> None:
    of_running(on)
    on.play(1)
    on.flow.cancel()


def of_poison(on: Stage) -> None:
    on.start(river("a", lasting(3600)))
    for _ in range(6):
        on.play(1)
        on.crash()


SCENES: dict[str, Callable[[Stage], None]] = {
    "init": of_init,
    "running": of_running,
    "cancelling": of_cancelling,
    "paused": of_paused,
    "poison": of_poison,
    "undoing": of_undoing,
    "paused undoing": of_paused_undoing,
    "ending": of_ending,
    "paused ending": of_paused_ending,
    "success": of_success,
    "fail": of_fail,
    "cancelled": of_cancelled,
}
COMMANDS: dict[str, Callable[[Flow[Any]], bool | None]] = {
    "cancel": lambda flow: flow.cancel(who="anna"),
    "pause": lambda flow: flow.pause(who="anna"),
    "resume": lambda flow: flow.resume(who="anna"),
    "retry": lambda flow: flow.retry(who="anna"),
    "skip": lambda flow: flow.skip("a", who="anna"),
    "complete": lambda flow: flow.complete("a", {"done": 1}, who="anna"),
    "set": lambda flow: flow.set("key", "value", who="anna"),
    "signal": lambda flow: flow.signal("paid", 7, who="anna"),
}
FACTS = {
    "cancel": "cancelling", "pause": "paused", "resume": "resumed", "retry": "retried", "skip": "skipped",
    "complete": "completed", "set": "set", "signal": "signalled",
}  # fmt: skip
# + done, = so already, - refused
TABLE = """
                 cancel  pause  resume  retry  skip  complete  set  signal
init             +       +      =       -      -     -         -    +
running          +       +      =       -      -     -         -    +
cancelling       =       -      =       -      -     -         -    +
paused           +       =      +       -      +     +         +    +
poison           +       -      +       -      -     -         -    +
undoing          -       +      =       -      -     -         -    +
paused undoing   -       =      +       -      -     -         -    +
ending           -       +      =       -      -     -         -    +
paused ending    -       =      +       -      -     -         -    +
success          -       -      -       +      -     -         -    -
fail             -       -      -       +      +     +         +    -
cancelled        =       -      -       +      +     +         +    -
"""
HEAD, *LINES = TABLE.strip("\n").splitlines()
RULINGS = [
    (line[:16].strip(), command, sign)
    for line in LINES
    for command, sign in zip(HEAD.split(), line[16:].split(), strict=True)
]


@pytest.mark.promise("7.4", "7.5", "8.4", "9.1")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
@pytest.mark.parametrize(("standing", "command", "sign"), RULINGS)
def test_a_command_is_done_is_so_already_or_is_refused_as_the_flow_stands(
    standing: str, command: str, sign: str, stage: Staging, *, crashes: bool
) -> None:
    on = stage(crash_limit=2)
    SCENES[standing](on)
    on.play(1)
    if crashes:
        on.crash()
        on.play(0)
    before, state = len(on.flow.events()), on.flow.status().state

    done: bool | None = None
    try:
        done = COMMANDS[command](on.flow)
    except CommandRefused as refused:
        assert (refused.flow, refused.command) == ("one", command)  # noqa: PT017  # some are not refused
        assert refused.reason in str(refused)  # noqa: PT017  # the same

    assert {True: "+", False: "=", None: "-"}[done] == sign
    written = on.store.facts("one")[before:]
    if sign == "+":
        assert [(each.kind, each.who) for each in written][:1] == [(FACTS[command], "anna")]
        assert {each.who for each in written[1:]} <= {""}
    else:
        assert (written, on.flow.status().state) == ([], state)


@pytest.mark.promise("7.4", "7.5")
@pytest.mark.parametrize("standing", list(SCENES))
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_the_status_shows_that_a_flow_is_paused_or_being_cancelled(
    standing: str, stage: Staging, *, crashes: bool
) -> None:
    on = stage(crash_limit=2)
    SCENES[standing](on)
    on.play(1)
    if crashes:
        on.crash()

    status = on.play(0)

    paused, cancelling = "paused" in standing, standing == "cancelling"
    assert status.flags == ("cancelling",) * cancelling + ("paused",) * paused
    assert bool(status.stranded) is (standing == "poison")


def test_who_gave_a_command_is_who_logged_in_if_nobody_is_named(stage: Staging) -> None:
    on = stage()
    flow = on.start(waiting("a", 3600))
    on.play(1)
    flow.pause()
    flow.resume(who="anna")

    assert said_by(on.store, {"paused", "resumed"}) == [("paused", getpass.getuser()), ("resumed", "anna")]


def test_a_command_to_a_flow_nobody_knows_says_so(stage: Staging) -> None:
    on = stage()
    flow = on.start(river("a", nothing))
    flow.result()
    strange = Flow(on.engine, "nobody", Headwaters)

    for command in COMMANDS.values():
        with pytest.raises(FlowNotFound):
            command(strange)


# What skip, complete and set do


@pytest.mark.promise("7.5")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_a_paused_flow_goes_on_behind_what_was_skipped_or_completed(stage: Staging, *, crashes: bool) -> None:
    on, deeds = stage(), Deeds()
    side = waiting("stuck", 3600) | waiting("slow", 3600)
    flow = on.start(deeds.step("a"), side, deeds.step("last", writes("saw")))
    on.play(1)
    flow.pause()
    if crashes:
        flow = on.crash()

    assert flow.skip("stuck")
    assert flow.complete("slow", vm="vm-1")
    assert flow.set("image", "debian")
    paused = on.play(10)
    flow.resume()

    assert states(paused) == {"a": "success", "stuck": "skipped", "slow": "success", "last": "running"}
    assert flow.result() == {"vm": "vm-1", "image": "debian", "saw": "last"}
    assert deeds == ["flow a", "flow last"]


@pytest.mark.promise("7.5", "10.1")
def test_the_journal_has_the_states_and_values_before(stage: Staging) -> None:
    on = stage()
    flow = on.start(river("a", puts(vm=1)), waiting("stuck", 3600))
    on.play(1)
    flow.pause()

    flow.set("vm", 2)
    flow.set("new", 3)
    flow.complete("stuck", vm=4, also=5)

    changed = [event.details for event in flow.events() if event.kind in {"set", "completed"}]
    assert changed == [
        {"delta": {"put": {"vm": 2}}, "was": {"put": {"vm": 1}}},
        {"delta": {"put": {"new": 3}}, "was": {"drop": ["new"]}},
        {"delta": {"put": {"vm": 4, "also": 5}}, "before": "cycling", "was": {"put": {"vm": 2}, "drop": ["also"]}},
    ]
    assert [(event.address, event.run) for event in flow.events() if event.kind == "completed"] == [("stuck", 1)]


@pytest.mark.promise("7.5")
def test_what_cannot_be_skipped_or_completed_is_refused_with_the_reason(stage: Staging) -> None:
    on = stage()
    done = river("done", nothing) >> waiting("b", 3600)
    flow = on.start(done | river("runs", lasting(100)) | Basin("east", waiting("c", 3600)), river("last", nothing))
    on.play(1)
    flow.pause()

    assert flow.skip("done") is False
    for stream, reason in {
        "runs": "a body of runs is still running",
        "east": "east is no river: name the rivers in it",
        "last": "it has not come to 'last'",
        "nowhere": "'nowhere', or has no such stream",
    }.items():
        for command in (flow.skip, flow.complete):
            with pytest.raises(CommandRefused, match=reason):
                command(stream)


@pytest.mark.promise("7.5", "8.4")
@pytest.mark.parametrize("seed", range(5))
def test_a_failed_flow_is_mended_by_complete_and_set_and_goes_on_behind_at_the_retry(seed: int, stage: Staging) -> None:
    on, deeds = stage(seed), Deeds()
    flow = on.start(
        river("a", deeds.note("flow")), river("b", deeds.note("flow", raises(Fail("no")))), river("c", writes("c"))
    )
    flow.wait()

    assert flow.complete("b", vm="by hand")
    assert flow.set("extra", 1)
    assert flow.status().state == "fail"
    assert flow.retry()

    assert flow.result() == {"vm": "by hand", "extra": 1, "c": "c"}
    assert deeds == ["flow a", "flow b"]
    assert states(flow.status()) == {"a": "success", "b": "success", "c": "success"}


@pytest.mark.promise("7.5", "8.4")
def test_what_was_skipped_in_a_failed_flow_counts_as_skipped_in_the_next_round(stage: Staging) -> None:
    on = stage()
    inner = Basin("east", river("a", puts(a=1)), no(), outputs=["a"])
    flow = on.start(inner | river("b", puts(b=1)), river("last", puts(last=1)))
    flow.wait()
    assert flow.skip("east")
    assert flow.skip("east") is False
    flow = on.crash()
    flow.retry()

    assert flow.result() == {"b": 1, "last": 1}
    assert flow.status().stream("east").state == "skipped"


@pytest.mark.promise("7.5", "8.4")
def test_what_was_set_in_an_ended_flow_is_seen_by_what_runs_again_and_stands_in_the_result(stage: Staging) -> None:
    on, seen = stage(), list[Any]()

    def body(_self: Any, water: Any) -> None:
        seen.append(water.get("count"))
        if len(seen) == 1:
            raise Fail("no")

    flow = on.start(river("a", body), water={"count": 1})
    flow.wait()
    flow.set("count", 2)
    flow = on.crash()
    flow.retry()

    assert flow.result() == {"count": 2}
    assert seen == [1, 2]


@pytest.mark.promise("7.5")
def test_what_is_set_in_a_pause_is_seen_in_all_open_branches_and_not_in_a_basin_that_was_entered(
    stage: Staging,
) -> None:
    on, seen = stage(), dict[str, Any]()

    def looks(self: River, water: Any) -> None:
        seen[self.address] = water.get("key")

    a, b = (waiting(name, 60) >> river(f"{name}-looks", looks) for name in "ab")
    flow = on.start(a | b | Basin("east", waiting("c", 60), river("looks", looks)), river("last", looks))
    on.play(1)
    flow.pause()
    flow.set("key", 1)
    flow.resume()

    flow.result()

    assert seen == {"a-looks": 1, "b-looks": 1, "east/looks": None, "last": 1}


# Values that do not fit


@pytest.mark.promise("5.3", "9.1")
def test_what_cannot_be_stored_is_refused_before_anybody_is_told(stage: Staging) -> None:
    on = stage()
    flow = on.start(waiting("a", 3600))
    on.play(1)
    flow.pause()

    with pytest.raises(UnstorableValue):
        flow.set("key", object())
    with pytest.raises(UnstorableValue):
        flow.complete("a", key=object())
    with pytest.raises(UnstorableValue):
        flow.signal("paid", object())
    assert kinds(flow)[-1] == "paused"


class Water(Headwaters):
    image: str
    files: list[str]
    size: int = later()


class Waits(River):
    registered_as = "tests.commands.waits"
    cycle_interval, cycle_times = 3600, 1

    def flow(self, water: Water) -> None:
        pass

    def cycle(self, water: Water) -> None:
        pass


def typed(on: Stage) -> Flow[Water]:
    spread = ParallelRiver.each("files", Waits(), item="file")
    andes = Andes("typed", Water) >> Waits().options(name="first") >> spread >> sea()
    return on.engine.start(andes, id="one", image="debian", files=["a", "b"])


@pytest.mark.promise("2.10", "7.5")
def test_what_is_set_or_completed_is_checked_against_the_typed_water_as_if_a_body_put_it(stage: Staging) -> None:
    on = stage()
    flow = typed(on)
    on.play(1)
    flow.pause()
    before = len(flow.events())

    with pytest.raises(WaterTypeError, match="Water declares size as int"):
        flow.set("size", "large")
    with pytest.raises(UndeclaredKey, match=r"no key 'sise' \(did you mean 'size'\?\)"):
        flow.set("sise", 1)
    with pytest.raises(WaterTypeError, match="size"):
        flow.complete("first", size="large")
    refused = len(flow.events()) - before
    flow.set("size", 7)
    flow.complete("first", image="other")
    flow.resume()

    assert refused == 0
    assert dict(flow.result()) == {"image": "other", "files": ["a", "b"], "size": 7}


@pytest.mark.promise("2.10", "6.2")
def test_the_item_of_an_each_may_be_completed_in_a_typed_water_and_no_other_key(stage: Staging) -> None:
    on = stage()
    flow = typed(on)
    on.play(4000)
    flow.pause()

    with pytest.raises(UndeclaredKey, match="'other'"):
        flow.complete("waits[0]", other="c")
    with pytest.raises(UndeclaredKey, match="'file'"):
        flow.complete("first", file="c")
    flow.complete("waits[0]", file="c")
    flow.resume()

    assert flow.result().files == ["a", "b"]


# Wherever the process dies


@pytest.mark.promise("7.4", "7.5", "8.4", "10.5")
@pytest.mark.parametrize("seed", range(60))
def test_every_command_is_done_once_and_kept_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on = stage(seed)
    flow = on.start(river("a", puts(a=1)), waiting("stuck", 3600) | waiting("slow", 60), no(), river("last", puts(z=1)))
    on.play(1)

    def died(moves: int) -> Flow[Any]:
        on.move(moves)
        return on.crash()

    flow.pause()
    flow = died(seed % 7)
    flow.skip("stuck")
    flow = died(seed % 5)
    flow.set("b", 2)
    flow = died(seed % 11)
    flow.resume()
    flow = died(seed)
    assert flow.wait().outcome == "fail"
    flow = died(0)
    flow.complete("no", c=3)
    flow = died(seed % 3)
    flow.retry()
    flow = died(seed % 13)

    assert flow.result() == {"a": 1, "b": 2, "c": 3, "z": 1}
    wanted = ["paused", "skipped", "set", "resumed", "completed", "retried"]
    assert kinds(flow, *wanted) == wanted
    assert addresses(flow, "ended") == ["~", "~"]


@pytest.mark.promise("10.5")
@pytest.mark.parametrize("seed", range(30))
def test_a_command_whose_answer_nobody_got_was_done_whole_or_not_at_all(seed: int, stage: Staging) -> None:
    on = stage(seed)
    flow = on.start(waiting("a", 600), river("b", puts(b=1)))
    on.play(1)
    given = Future[Ruling]()
    on.engine._works.supervisor("drawn").tell(Command("one", Pause(), "anna", given))  # noqa: SLF001  # not waited for
    on.move(seed // 2)

    flow = on.crash()

    paused = "paused" in kinds(flow)
    assert paused or not given.done()
    assert flow.resume() is paused
    assert flow.result() == {"b": 1}


@pytest.mark.promise("4.10")
@pytest.mark.parametrize("how", ["resume", "cancel"])
def test_a_flow_stranded_by_poison_says_so_and_goes_on_when_it_is_told_to(how: str, stage: Staging) -> None:
    on = stage(crash_limit=2)
    of_poison(on)
    flow = on.flow
    with pytest.raises(FlowStranded, match=r"flow\.resume"):
        flow.result()
    begun = len(addresses(flow, "begun"))

    assert COMMANDS[how](flow)

    assert on.play(4000).state == ("success" if how == "resume" else "cancelled")
    assert len(addresses(flow, "begun")) >= begun


@pytest.mark.promise("11.4")
@pytest.mark.parametrize("seed", range(5))
def test_an_engine_closed_right_after_a_command_that_lets_async_bodies_begin_again_closes(
    seed: int, stage: Staging
) -> None:
    on = stage(seed)
    flow = on.start(ParallelRiver(*(river(f"r{number}", lasting(3600)) for number in range(4))))
    on.play(1)
    flow.pause()
    flow = on.crash()
    flow.resume()

    on.engine.close(drain=0.0)

    assert [fact.kind for fact in on.store.facts("one")].count("begun") <= 4


@pytest.mark.promise("7.2", "7.5")
def test_what_a_skipped_river_had_begun_is_undone_when_the_flow_fails_later(stage: Staging) -> None:
    on, deeds = stage(), Deeds()
    polled = waiting("polled", 60, times=9, undo=deeds.note("undo"))
    flow = on.start(polled, river("no", raises(Fail("no"))))
    on.play(1)
    flow.pause()
    assert flow.skip("polled")
    flow.resume()

    status = flow.wait()

    assert states(status) == {"polled": "undone", "no": "fail"}
    assert deeds == ["undo polled"]
