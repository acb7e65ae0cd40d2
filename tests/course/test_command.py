"""What does every command do in every state of a flow?"""

import re
from collections.abc import Callable

import msgspec
import pytest

from tests.course.driver import UID, Run
from tests.course.flows import FAIL, beside, drawn, each, river
from tests.course.scripts import Call
from tests.course.snapshots import snapshot
from vastflow.course import Fact, Progress, Rules, commands, events, fold, step
from vastflow.course.command import TABLE, judge, standing
from vastflow.course.delta import spring
from vastflow.course.facts import Completed, Delta, Set, Signalled, Skipped
from vastflow.course.records import ATLANTIC
from vastflow.drawing.chart import Place, Waits
from vastflow.errors import Failure

NO = Failure("error", "no", "a")
VALUE = Delta({"x": msgspec.Raw(b"1")})
COMMANDS: dict[str, commands.Command] = {
    "cancel": commands.Cancel(),
    "pause": commands.Pause(),
    "resume": commands.Resume(),
    "retry": commands.Retry(),
    "skip": commands.Skip("a"),
    "complete": commands.Complete("a", VALUE),
    "set": commands.Set(VALUE),
    "signal": commands.Signal("go", msgspec.Raw(b"1"), "s-1"),
}


class Standing:
    """A flow that was brought somewhere by real steps."""

    def __init__(self, *streams: Place, crash_limit: int = 2) -> None:
        self.chart = drawn(*(streams or (river("a", "undo", retry=Waits(3)), river("b")))).chart
        tickets = iter(range(1, 1_000))
        self.rules = Rules(tickets.__next__, jitter=0.0, crash_limit=crash_limit)
        self.progress = self.fresh()
        self.facts: list[Fact] = []
        self.now = 0

    def fresh(self) -> Progress:
        return Progress(self.chart, UID, spring({}))

    def take(self, make: Callable[[int], events.Event]) -> "Standing":
        self.now += 10
        facts, _ = step(self.progress, make(self.now), self.rules)
        self.facts += facts
        assert snapshot(self.progress) == snapshot(fold(self.fresh(), self.facts))
        return self

    def tell(self, command: commands.Command) -> "Standing":
        return self.take(lambda now: events.Commanded(now, command, "me"))

    def answer(self, address: str, answer: events.Answer) -> "Standing":
        return self.take(lambda now: events.Answered(now, address, answer))

    def begun(self) -> "Standing":
        return self.take(events.Begun)

    def waiting(self) -> "Standing":
        return self.begun().answer("a", events.Again(NO))

    def undoing(self) -> "Standing":
        return self.begun().answer("a", events.Broken(NO))

    def ending(self) -> "Standing":
        return self.undoing().answer("a", events.Done())

    def poisoned(self) -> "Standing":
        self.begun()
        self.progress = fold(self.fresh(), self.facts)
        self.take(events.Recovered).take(lambda now: events.Ready(now, "a"))
        self.progress = fold(self.fresh(), self.facts)
        return self.take(events.Recovered)


STANDINGS: dict[str, Callable[[], Standing]] = {
    "init": Standing,
    "running": lambda: Standing().waiting(),
    "cancelling": lambda: Standing().begun().tell(commands.Cancel()),
    "paused": lambda: Standing().waiting().tell(commands.Pause()),
    "undoing": lambda: Standing().undoing(),
    "undoing, paused": lambda: Standing().undoing().tell(commands.Pause()),
    "ending": lambda: Standing().ending(),
    "ending, paused": lambda: Standing().ending().tell(commands.Pause()),
    "success": lambda: (
        Standing().begun().answer("a", events.Done()).answer("b", events.Done()).answer(ATLANTIC, events.Done())
    ),
    "fail": lambda: Standing().ending().answer(ATLANTIC, events.Done()),
    "cancelled": lambda: (
        Standing().waiting().tell(commands.Cancel()).answer("a", events.Done()).answer(ATLANTIC, events.Done())
    ),
    "poison": lambda: Standing(crash_limit=0).poisoned(),
}
D, A, R = "done", "already", "refused"
EXPECTED: dict[str, tuple[str, ...]] = {
    #           init run cnc pau und u,p end e,p suc fai can poi
    "cancel": (D, D, A, D, R, R, R, R, R, R, A, D),
    "pause": (D, D, R, A, D, A, D, A, R, R, R, R),
    "resume": (A, A, A, D, A, D, A, D, R, R, R, D),
    "retry": (R, R, R, R, R, R, R, R, D, D, D, R),
    "skip": (R, R, R, D, R, R, R, R, R, D, D, R),
    "complete": (R, R, R, D, R, R, R, R, R, D, D, R),
    "set": (R, R, R, D, R, R, R, R, R, D, D, R),
    "signal": (D, D, D, D, D, D, D, D, R, R, R, D),
}
TOLD = [(name, where, what) for name, row in EXPECTED.items() for where, what in zip(STANDINGS, row, strict=True)]


@pytest.mark.promise("7.4", "7.5", "8.4", "9.1")
@pytest.mark.parametrize(("name", "where", "what"), TOLD)
def test_every_command_does_in_every_state_what_the_table_says(name: str, where: str, what: str) -> None:
    flow = STANDINGS[where]()
    before = snapshot(flow.progress)

    ruling = judge(flow.progress, COMMANDS[name])

    assert ruling.what == what
    assert (ruling.reason != "") is (what == R)
    assert snapshot(flow.progress) == before  # to judge changes nothing
    if what == D:
        flow.tell(COMMANDS[name])
        assert flow.facts[-1].at == flow.now
        DONE[name](flow, where)


def check_cancel(flow: Standing, where: str) -> None:
    progress = flow.progress
    assert (progress.cancelling, progress.paused, progress.poison) == ("cancelled", 0, None)
    assert judge(progress, commands.Cancel()).what != D
    assert progress.state == {"init": "ending"}.get(where, "undoing")


def check_pause(flow: Standing, _where: str) -> None:
    assert flow.progress.paused == flow.now
    assert judge(flow.progress, commands.Pause()).what == A


def check_resume(flow: Standing, _where: str) -> None:
    assert (flow.progress.paused, flow.progress.poison) == (0, None)
    assert judge(flow.progress, commands.Resume()).what == A


def check_retry(flow: Standing, where: str) -> None:
    assert (flow.progress.round, flow.progress.failures) == (2, {})
    assert flow.progress.state == ("ending" if where == "success" else "running")


def check_skip(flow: Standing, where: str) -> None:
    told = next(fact for fact in reversed(flow.facts) if isinstance(fact.what, Skipped))
    assert (told.who, told.address) == ("me", "a")
    assert (flow.progress.records["a"].state, told.what.before != "") == ("skipped", True)  # type: ignore[union-attr]  # every stream has a state
    assert ("b" in flow.progress.records) is (where == "paused")


def check_complete(flow: Standing, where: str) -> None:
    told = next(fact.what for fact in reversed(flow.facts) if isinstance(fact.what, Completed))
    assert (told.delta, told.was, told.before != "") == (VALUE, Delta(drop=("x",)), True)
    assert flow.progress.records["a"].state == "success"
    flow.tell(commands.Resume() if where == "paused" else commands.Retry())
    assert bytes(flow.progress.root.tip.flat()["x"]) == b"1"


def check_set(flow: Standing, where: str) -> None:
    told = next(fact.what for fact in reversed(flow.facts) if isinstance(fact.what, Set))
    assert (told.delta, told.was) == (VALUE, Delta(drop=("x",)))
    flow.tell(commands.Resume() if where == "paused" else commands.Retry())
    assert bytes(flow.progress.root.tip.flat()["x"]) == b"1"


def check_signal(flow: Standing, _where: str) -> None:
    assert isinstance(flow.facts[-1].what, Signalled)
    assert [bytes(each.value) for each in flow.progress.signals.waiting["go"]] == [b"1"]
    assert judge(flow.progress, COMMANDS["signal"]).what == A


DONE: dict[str, Callable[[Standing, str], None]] = {
    "cancel": check_cancel,
    "pause": check_pause,
    "resume": check_resume,
    "retry": check_retry,
    "skip": check_skip,
    "complete": check_complete,
    "set": check_set,
    "signal": check_signal,
}


def test_the_table_is_walked_whole() -> None:
    reached = {standing(make().progress) for make in STANDINGS.values()}

    assert set(TABLE) == {type(command) for command in COMMANDS.values()}
    assert {where for row in TABLE.values() for where in row} == reached


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        pytest.param("nowhere", "nowhere", id="unknown"),
        pytest.param("beside", "beside is no river: name the rivers in it", id="no river"),
        pytest.param("c", "a body of c is still running", id="running"),
        pytest.param("d", r"d has ended \(fail\)", id="ended"),
    ],
)
def test_what_cannot_be_mended_in_a_pause_is_refused_with_the_reason(stream: str, reason: str) -> None:
    flow = Standing(beside((river("c"),), (river("d"),), (river("e"),), join="settle"))
    flow.begun().answer("d", events.Broken(NO)).answer("e", events.Done()).tell(commands.Pause())

    ruling = judge(flow.progress, commands.Skip(stream))

    assert ruling.what == R
    assert re.search(reason, ruling.reason)
    assert judge(flow.progress, commands.Complete("e", Delta())).what == A


def test_a_stream_that_was_mended_in_a_flow_that_has_ended_is_kept_by_the_next_round() -> None:
    whole = drawn(
        beside((river("a"),), (river("b"),), name="pair"),
        each("c", "list", river("c"), limit=1),
        water={"list": [1, 2]},
        scripts={"c[0]": {"flow": (FAIL,)}, "c[1]": {"flow": (Call(5),)}},
        a=(FAIL, FAIL),
        b=(),
    )

    told = ((500, commands.Complete("pair", VALUE)), (600, commands.Retry()), (900, commands.Skip("c")))
    run = Run(whole, told=(*told, (1_000, commands.Retry())))

    assert run.answers == ["done"] * 4
    assert [each.outcome for each in run.rounds] == ["fail", "fail", "success"]
    assert run.water()["x"] == 1
    assert (run.calls["a", "flow"], run.progress.records["c"].state) == (1, "skipped")
