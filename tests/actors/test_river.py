"""Does every body begin when it may, and does its supervisor hear what becomes of it?"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from random import Random
from typing import Any, cast

import pytest

from tests.runtime.players import LONG
from vastflow.actors.atlantic import AtlanticActor
from vastflow.actors.keeping import Surroundings
from vastflow.actors.messages import (
    Abandon,
    Answered,
    Call,
    Cancel,
    Go,
    Queued,
    Ready,
    Recall,
    Returned,
    Running,
    Strand,
    Withdrawn,
)
from vastflow.actors.river import Heard, RiverActor
from vastflow.actors.turnstile import Turnstile
from vastflow.course.delta import Sheet
from vastflow.course.events import Done
from vastflow.course.facts import NOTHING
from vastflow.log import Masker
from vastflow.runtime import Real, Ref, Runtime, Simulated

ORDERS: list[type[Recall | Cancel | Abandon]] = [Recall, Cancel, Abandon]
ENDS = (Answered, Returned, Withdrawn, Strand)
BODIES = pytest.mark.parametrize("bodies", ["def", "async def"])


class Flow:
    """As much of a flow as a River needs of it."""

    def __init__(self, supervisor: Ref, async_addresses: tuple[str, ...]) -> None:
        self.id = "one"
        self.supervisor = supervisor
        self.bound = self
        self._async = async_addresses

    def is_async(self, address: str, _body: str) -> bool:
        """Answer for the bound chart, which knows branches without their numbers."""
        if address == "broken":
            raise LookupError("no such address")
        return address in self._async


class Supervisor:
    """Notes what it is told in `heard`, and lets gated bodies go if it is to."""

    def __init__(self) -> None:
        self.name = "supervisor"
        self.heard: list[Any] = []
        self.goes = True
        self.answers: Callable[[Ready], object]
        self.all_ended: Future[None] = Future()
        self.expected = -1
        self._ended = 0
        self._signs: dict[tuple[type, int], Future[Any]] = {}

    def sign(self, kind: type, ticket: int) -> Future[Any]:
        """Return what is done when such a message has come."""
        return self._signs.setdefault((kind, ticket), Future())

    def kinds(self, ticket: int) -> list[type]:
        """Return what was told about a ticket."""
        return [type(message) for message in self.heard if getattr(message, "ticket", None) == ticket]

    def receive(self, message: Any, /) -> None:
        self.heard.append(message)
        sign = self.sign(type(message), getattr(message, "ticket", 0))
        if isinstance(message, Ready) and self.goes:
            self.answers(message)
        if not sign.done():
            sign.set_result(message)
        self._ended += isinstance(message, ENDS)
        if self._ended == self.expected and not self.all_ended.done():
            self.all_ended.set_result(None)

    def failed(self, message: Any, error: BaseException, /) -> None:
        self.heard.append((message, error))


class River(RiverActor):
    """A River whose bodies are the test's own functions, by ticket; what has none is done at once."""

    def __init__(self, name: str, runtime: Runtime, turnstile: Turnstile) -> None:
        super().__init__(name, runtime, Surroundings(runtime.clock, Masker(), runtime.wait), turnstile)
        self.script: dict[int, Any] = {}
        self.begun: list[int] = []

    def perform(self, call: Call) -> Answered:
        self.begun.append(call.ticket)
        self.script.get(call.ticket, lambda _: None)(call)
        return Answered(call.flow, call.address, call.ticket, Done(NOTHING), began=7)

    async def perform_async(self, call: Call) -> Answered:
        self.begun.append(call.ticket)
        if call.ticket in self.script:
            await self.script[call.ticket](call)
        return Answered(call.flow, call.address, call.ticket, Done(NOTHING), began=7)


class Sea(River, AtlanticActor):
    """An Atlantic of the same kind."""


class Scene:
    """A supervisor, its flow, one River, and what a test says to it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.turnstile = Turnstile()
        self.supervisor = Supervisor()
        self.flow: Any = Flow(runtime.spawn(self.supervisor), ("async def",))
        self.river = self.made(River)
        self.supervisor.answers = lambda ready: self.tell(Go, ready.ticket)

    def made(self, kind: type[River], name: str = "river") -> River:
        """Return another River, living."""
        river = kind(name, self.runtime, self.turnstile)
        river.me = self.runtime.spawn(river)
        return river

    def call(self, ticket: int, bodies: str = "def", *, river: River | None = None, **asked: Any) -> None:
        """Tell a River to call a body."""
        asked = {"body": "flow", "color": "", "attempt": 1, "run": 1, "water": Sheet(None, NOTHING, ""), **asked}
        (river or self.river).me.tell(Call(flow=self.flow, address=bodies, ticket=ticket, **asked))

    def tell(self, order: type[Go | Recall | Cancel | Abandon], ticket: int, river: River | None = None) -> None:
        """Give the River an order about a ticket."""
        (river or self.river).me.tell(cast("Heard", order(self.flow, "there", ticket)))

    def hear(self, kind: type, ticket: int) -> Any:
        """Wait for a message about a ticket."""
        return self.runtime.wait(self.supervisor.sign(kind, ticket), LONG)

    def nobody_is_out(self) -> bool:
        """Say whether neither a slot nor a place at the turnstile is taken."""
        free = self.turnstile.enter(-1, lambda: None, alone=True)
        self.turnstile.leave(-1)
        return free and self.river._slots.enter(-1, 1)  # noqa: SLF001  # that nothing leaks is what is asked


class Hanging:
    """A body that hangs until it is let go, whatever is asked of it."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.cancelled: bool | None = None

    def __call__(self, call: Call) -> None:
        self.begun.set()
        self.go.wait(LONG)
        self.cancelled = call.cancelling.asked


Made = Callable[[Runtime], Scene]


@pytest.fixture
def made() -> Iterator[Made]:
    """Return what makes scenes that are closed in the end."""
    scenes: list[Scene] = []

    def make(runtime: Runtime) -> Scene:
        scenes.append(Scene(runtime))
        return scenes[-1]

    yield make
    for scene in scenes:
        assert scene.runtime.close(LONG)


@pytest.fixture(params=[Real, Simulated], ids=lambda kind: kind.__name__)
def scene(request: pytest.FixtureRequest, made: Made) -> Scene:
    return made(request.param())


@pytest.fixture
def real(made: Made) -> Scene:
    """Return a scene with two worker threads."""
    return made(Real(threads=2))


async def ends_when_cancelled(_call: Call) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return


# Gates


@pytest.mark.promise("10.3")
@BODIES
def test_a_gated_body_begins_only_when_its_begin_is_on_disk(scene: Scene, bodies: str) -> None:
    scene.supervisor.goes = False

    scene.call(1, bodies, gated=True, timed=True)
    scene.hear(Ready, 1)
    begun = list(scene.river.begun)
    scene.tell(Go, 1)
    scene.hear(Answered, 1)

    assert begun == []
    assert scene.river.begun == [1]
    assert scene.supervisor.kinds(1) == [Ready, Running, Answered]
    assert scene.nobody_is_out()


@pytest.mark.promise("10.3")
def test_a_gated_body_is_ready_only_when_a_thread_is_free_and_holds_it(real: Scene) -> None:
    hanging = [Hanging(), Hanging()]
    real.supervisor.goes = False
    for ticket, body in enumerate(hanging):
        real.river.script[ticket] = body
        real.call(ticket)
        assert body.begun.wait(LONG)

    real.call(7, gated=True)
    real.call(8, timed=True)
    before = real.supervisor.kinds(7)
    hanging[0].go.set()
    real.hear(Ready, 7)
    held = real.runtime.stats()
    hanging[1].go.set()
    real.hear(Running, 8)
    real.tell(Go, 7)

    assert real.hear(Answered, 7)
    assert before == []
    assert (held.running, held.threads) == (2, 2)


@pytest.mark.promise("7.4", "7.5", "10.3")
@BODIES
@pytest.mark.parametrize("order", ORDERS)
def test_a_body_held_at_its_gate_is_taken_back_and_its_thread_is_free_again(
    scene: Scene, bodies: str, order: type[Recall | Cancel | Abandon]
) -> None:
    scene.supervisor.goes = False

    scene.call(1, bodies, gated=True)
    scene.hear(Ready, 1)
    scene.tell(order, 1)
    scene.hear(Withdrawn, 1)
    scene.tell(Go, 1)
    scene.call(2, bodies)
    scene.hear(Answered, 2)

    assert scene.river.begun == [2]
    assert scene.supervisor.kinds(1) == [Ready, Withdrawn]
    assert scene.runtime.stats().abandoned == 0
    assert scene.nobody_is_out()


@pytest.mark.promise("7.5")
@BODIES
@pytest.mark.parametrize("seed", range(20))
def test_a_body_whose_begin_is_on_disk_is_not_taken_back(made: Made, bodies: str, seed: int) -> None:
    scene = made(Simulated(seed))

    def too_late(_ready: Ready) -> None:
        scene.tell(Go, 1)
        scene.tell(Recall, 1)

    scene.supervisor.answers = too_late
    scene.call(1, bodies, gated=True)
    scene.hear(Answered, 1)

    assert scene.supervisor.kinds(1) == [Ready, Answered]


@pytest.mark.promise("11.4")
@BODIES
def test_a_body_at_its_gate_keeps_nobody_from_closing_and_its_go_comes_too_late(scene: Scene, bodies: str) -> None:
    scene.supervisor.goes = False
    scene.call(1, bodies, gated=True)
    scene.hear(Ready, 1)
    deaf = scene.runtime.spawn(Supervisor())

    async def nothing() -> None:
        pass

    async def closes(_call: Call) -> None:
        while scene.runtime.run_async(nothing, deaf).admit():  # noqa: ASYNC110  # nobody says that closing has begun
            await asyncio.sleep(0.001)
        scene.tell(Go, 1)

    scene.river.script[3] = closes
    scene.call(3, "async def", timed=True)
    scene.hear(Running, 3)
    closed = scene.runtime.close(LONG)

    assert closed
    assert scene.river.begun == [3]
    assert scene.supervisor.kinds(1) == [Ready, Withdrawn]


def test_a_simulation_that_crashes_forgets_who_was_held(made: Made) -> None:
    runtime = Simulated()
    simulated = made(runtime)
    simulated.supervisor.goes = False
    simulated.call(1, gated=True)
    simulated.hear(Ready, 1)
    held = runtime.stats().running

    runtime.crash()

    assert (held, runtime.stats().running) == (1, 0)


# When it begins


@pytest.mark.promise("4.5")
def test_a_timed_body_is_said_to_run_when_it_runs_and_not_while_it_waits(real: Scene) -> None:
    hanging = [Hanging(), Hanging()]
    for ticket, body in enumerate(hanging):
        real.river.script[ticket] = body
        real.call(ticket, timed=ticket == 0)
        assert body.begun.wait(LONG)

    real.call(7, timed=True)
    real.call(8, "async def", timed=True)
    real.hear(Answered, 8)
    before = real.supervisor.kinds(7)
    for body in hanging:
        body.go.set()
    real.hear(Answered, 7)
    real.hear(Answered, 1)

    assert before == []
    assert real.supervisor.kinds(7) == real.supervisor.kinds(8) == [Running, Answered]
    assert real.supervisor.kinds(1) == [Answered]


@pytest.mark.promise("7.5")
def test_a_body_that_runs_is_not_recalled(real: Scene) -> None:
    body = Hanging()
    real.river.script[1] = body
    real.call(1)
    assert body.begun.wait(LONG)

    real.tell(Recall, 1)
    real.call(2, "async def")
    real.hear(Answered, 2)
    body.go.set()

    assert real.hear(Answered, 1)
    assert real.supervisor.kinds(1) == [Answered]


@pytest.mark.promise("7.4")
def test_a_body_that_runs_and_is_cancelled_is_told_so_and_answers(real: Scene) -> None:
    body = Hanging()
    real.river.script[1] = body
    real.river.script[2] = ends_when_cancelled
    real.call(1)
    real.call(2, "async def", timed=True)
    assert body.begun.wait(LONG)
    real.hear(Running, 2)

    for ticket in (1, 2):
        real.tell(Cancel, ticket)
    real.hear(Answered, 2)
    body.go.set()
    real.hear(Answered, 1)

    assert body.cancelled


@pytest.mark.promise("7.6")
def test_an_order_about_a_ticket_that_has_answered_changes_nothing(scene: Scene) -> None:
    scene.call(1)
    scene.hear(Answered, 1)

    for order in (Go, Recall, Cancel, Abandon):
        scene.tell(order, 1)
    scene.call(2)
    scene.hear(Answered, 2)

    assert [type(message) for message in scene.supervisor.heard] == [Answered, Answered]


# Abandoned


@pytest.mark.promise("4.5", "7.3")
def test_the_late_answer_of_an_abandoned_thread_is_told_as_late_with_its_begin(real: Scene) -> None:
    body = Hanging()
    real.river.script[1] = body
    real.call(1, timed=True)
    real.hear(Running, 1)
    assert body.begun.wait(LONG)

    real.tell(Abandon, 1)
    real.tell(Abandon, 1)
    real.call(2, most=1, alone=True)
    real.hear(Answered, 2)
    abandoned = real.runtime.stats().abandoned
    body.go.set()
    returned = real.hear(Returned, 1)

    assert abandoned == 1
    assert (returned.answer, returned.began) == (Done(NOTHING), 7)
    assert body.cancelled
    assert real.supervisor.kinds(1) == [Running, Returned]


@pytest.mark.promise("4.5")
def test_an_abandoned_task_is_cancelled_and_counts_until_it_ends(scene: Scene) -> None:
    go: Future[None] = Future()
    seen: list[str] = []

    async def stubborn(_call: Call) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
        while not go.done():  # noqa: ASYNC110  # an event of asyncio's cannot be set from here
            await asyncio.sleep(0.001)

    scene.river.script[1] = stubborn
    scene.call(1, "async def", timed=True)
    scene.hear(Running, 1)
    scene.tell(Abandon, 1)
    scene.call(2, "async def", alone=True, most=1)
    scene.hear(Answered, 2)
    while_out = scene.runtime.stats()
    go.set_result(None)
    scene.hear(Returned, 1)

    assert seen == ["cancelled"]
    assert (while_out.tasks, while_out.abandoned_tasks) == (1, 1)
    assert len(scene.river._abandoned) == 0  # noqa: SLF001  # that nothing is kept is what is asked
    assert scene.supervisor.kinds(1) == [Running, Returned]


@pytest.mark.promise("7.4")
def test_a_task_that_was_asked_to_stop_is_not_disturbed_again_when_it_is_abandoned(made: Made) -> None:
    runtime = Simulated()
    simulated = made(runtime)
    cleaned: list[str] = []

    async def cleans(_call: Call) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(60)
            cleaned.append("in peace")

    simulated.river.script[1] = cleans
    simulated.call(1, "async def", timed=True)
    simulated.hear(Running, 1)
    simulated.tell(Cancel, 1)
    runtime.advance(10)
    simulated.tell(Abandon, 1)
    runtime.run_until_idle()

    assert cleaned == ["in peace"]
    assert simulated.supervisor.kinds(1) == [Running, Returned]


@pytest.mark.promise("4.5")
def test_64_hung_threads_keep_neither_undo_nor_the_end_waiting_and_abandoned_keep_nobody(made: Made) -> None:
    scene = made(Real())
    sea = scene.made(Sea, "sea")
    hanging = [Hanging() for _ in range(64)]
    for ticket, body in enumerate(hanging):
        scene.river.script[ticket] = body
        scene.call(ticket)
    assert all(body.begun.wait(LONG) for body in hanging)

    scene.call(100)
    scene.call(101, body="undo", gated=True, most=1)
    scene.call(102, body="success", river=sea)
    scene.hear(Answered, 101)
    scene.hear(Answered, 102)
    waiting = scene.supervisor.kinds(100)
    for ticket in range(64):
        scene.tell(Abandon, ticket)
    scene.hear(Answered, 100)
    for ticket in range(200, 300):
        scene.call(ticket, alone=ticket % 10 == 0, most=3)
    for ticket in range(200, 300):
        scene.hear(Answered, ticket)
    abandoned = scene.runtime.stats().abandoned
    for body in hanging:
        body.go.set()
    for ticket in range(64):
        scene.hear(Returned, ticket)

    assert waiting == []
    assert abandoned == 64


# Slots


@pytest.mark.promise("6.4")
@BODIES
@pytest.mark.parametrize("seed", range(30))
def test_at_most_so_many_bodies_of_a_class_run_at_once_first_come_first_served(
    made: Made, bodies: str, seed: int
) -> None:
    scene = made(Simulated(seed))
    out: list[int] = []
    widest: list[int] = []

    async def lasts(call: Call) -> None:
        out.append(call.ticket)
        widest.append(len(out))
        await asyncio.sleep(1 + call.ticket % 3)
        out.remove(call.ticket)

    for ticket in range(12):
        scene.river.script[ticket] = lasts if bodies == "async def" else lambda _: widest.append(1)
        scene.call(ticket, bodies, most=3, gated=ticket % 2 == 0)
    for ticket in range(12):
        scene.hear(Answered, ticket)
    queued = [message.ticket for message in scene.supervisor.heard if isinstance(message, Queued)]

    assert max(widest) <= 3
    assert queued == sorted(queued)
    assert set(range(12)) - {0, 1, 2} == set(queued)
    assert all(Running in scene.supervisor.kinds(ticket) for ticket in queued)
    assert scene.nobody_is_out()


@pytest.mark.promise("6.4")
@pytest.mark.parametrize("seed", range(30))
def test_who_is_first_in_line_begins_first(made: Made, seed: int) -> None:
    scene = made(Simulated(seed))

    for ticket in range(10):
        scene.call(ticket, "async def" if ticket % 2 else "def", most=1)
    for ticket in range(10):
        scene.hear(Answered, ticket)

    assert scene.river.begun == list(range(10))


@pytest.mark.promise("6.4")
def test_undo_and_ends_need_no_slot_and_abandoned_bodies_hold_none(real: Scene) -> None:
    body = Hanging()
    real.river.script[1] = body
    real.call(1, most=1)
    assert body.begun.wait(LONG)

    real.call(2, most=1)
    real.call(3, body="undo", most=1)
    real.hear(Answered, 3)
    real.hear(Queued, 2)
    before = list(real.river.begun)
    real.tell(Abandon, 1)
    real.hear(Answered, 2)
    body.go.set()
    real.hear(Returned, 1)

    assert before == [1, 3]
    assert real.supervisor.kinds(2) == [Queued, Running, Answered]


@pytest.mark.promise("6.4", "7.4", "7.5")
@pytest.mark.parametrize("order", ORDERS)
def test_a_body_that_waits_in_line_is_taken_back_and_those_behind_it_go_on(
    scene: Scene, order: type[Recall | Cancel | Abandon]
) -> None:
    scene.river.script[1] = ends_when_cancelled
    scene.call(1, "async def", most=1, timed=True)
    scene.hear(Running, 1)

    scene.call(2, most=1)
    scene.call(3, most=1)
    scene.tell(order, 2)
    scene.hear(Withdrawn, 2)
    scene.tell(Cancel, 1)
    scene.hear(Answered, 3)

    assert scene.river.begun == [1, 3]
    assert scene.supervisor.kinds(2) == [Queued, Withdrawn]
    assert scene.nobody_is_out()


# Alone


@pytest.mark.promise("4.10")
def test_a_body_that_is_run_alone_waits_for_all_others_and_holds_them_but_no_undo(scene: Scene) -> None:
    other = scene.made(River, "other")
    scene.river.script[1] = other.script[2] = scene.river.script[3] = ends_when_cancelled
    scene.call(1, "async def", timed=True)
    scene.call(2, "async def", timed=True, river=other)
    scene.hear(Running, 1)
    scene.hear(Running, 2)

    scene.call(3, "async def", alone=True, gated=True)
    scene.hear(Queued, 3)
    scene.call(4, river=other)
    scene.hear(Queued, 4)
    scene.call(5, body="undo", river=other)
    scene.hear(Answered, 5)
    scene.tell(Cancel, 1)
    scene.hear(Answered, 1)
    ready_too_early = Ready in scene.supervisor.kinds(3)
    scene.tell(Cancel, 2, other)
    scene.hear(Running, 3)
    begun_too_early = 4 in other.begun
    scene.tell(Cancel, 3)
    scene.hear(Answered, 3)

    assert scene.hear(Answered, 4)
    assert not ready_too_early
    assert not begun_too_early
    assert scene.supervisor.kinds(3) == [Queued, Ready, Running, Answered]


class Crowd:
    """Many calls to three Rivers, some alone, some taken back or abandoned at any moment; notes who met whom."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.met: list[dict[int, bool]] = []
        self.scene = scene
        self.rivers = [scene.river, scene.made(River, "second"), scene.made(River, "third")]
        self._chance = Random(seed)  # noqa: S311  # an order, no secret
        self._out: dict[int, bool] = {}
        self._abandoned: set[int] = set()

    def runs(self, call: Call) -> None:
        self._begins(call)
        self._out.pop(call.ticket, None)

    async def runs_async(self, call: Call) -> None:
        self._begins(call)
        try:
            await asyncio.sleep(0.001 * (call.ticket % 5))
        finally:
            self._out.pop(call.ticket, None)

    def _begins(self, call: Call) -> None:
        self._out[call.ticket] = call.alone
        self.met.append({ticket: alone for ticket, alone in list(self._out.items()) if ticket not in self._abandoned})

    def arrive(self, count: int) -> None:
        """Call so many bodies, and give orders about some of them."""
        for ticket in range(count):
            river = self._chance.choice(self.rivers)
            bodies = self._chance.choice(["def", "async def", "async def", "broken"])
            river.script[ticket] = self.runs_async if bodies == "async def" else self.runs
            asked = {"alone": self._chance.random() < 0.2, "most": self._chance.choice([None, 1, 2, 3])}
            self.scene.call(ticket, bodies, river=river, gated=self._chance.random() < 0.5, **asked)
            if self._chance.random() < 0.4:
                order = self._chance.choice(ORDERS)
                if order is Abandon:
                    self._abandoned.add(ticket)
                self.scene.tell(order, ticket, river)

    def go(self, ready: Ready) -> None:
        """Let a gated body go, wherever it is."""
        for river in self.rivers:
            self.scene.tell(Go, ready.ticket, river)

    def strangers(self) -> list[dict[int, bool]]:
        """Return who met somebody who was to be alone."""
        return [met for met in self.met if any(met.values()) and len(met) > 1]


def crowded(scene: Scene, seed: int, count: int) -> None:
    """Let a crowd pass, and see that all came to one end, met nobody they should not, and left nothing behind."""
    crowd = Crowd(scene, seed)
    scene.supervisor.answers = crowd.go
    scene.supervisor.expected = count
    crowd.arrive(count)
    scene.runtime.wait(scene.supervisor.all_ended, LONG)
    ends = [sum(kind in ENDS for kind in scene.supervisor.kinds(ticket)) for ticket in range(count)]
    stranded = sum(isinstance(message, Strand) for message in scene.supervisor.heard)

    assert crowd.strangers() == []
    assert set(ends) <= {0, 1}
    assert ends.count(0) == stranded
    assert scene.nobody_is_out()


@pytest.mark.promise("4.10", "6.4")
@pytest.mark.parametrize("seed", range(60))
def test_whoever_is_run_alone_meets_nobody_and_no_place_is_lost_however_a_call_ends(made: Made, seed: int) -> None:
    runtime = Simulated(seed)
    scene = made(runtime)

    crowded(scene, seed, 40)
    runtime.run_until_idle()

    assert (len(scene.river._running), len(scene.river._abandoned)) == (0, 0)  # noqa: SLF001  # nothing is kept
    assert len([message for message in scene.supervisor.heard if isinstance(message, ENDS)]) == 40


@pytest.mark.promise("4.10", "6.4")
def test_on_real_threads_whoever_is_run_alone_meets_nobody_and_no_place_is_lost(made: Made) -> None:
    crowded(made(Real(threads=4)), 1, 80)


@pytest.mark.promise("4.10", "6.4")
def test_that_a_body_waits_is_told_once_though_it_waits_for_a_slot_and_then_for_its_turn(scene: Scene) -> None:
    other = scene.made(River, "other")
    scene.river.script[1] = other.script[2] = ends_when_cancelled
    scene.call(1, "async def", most=1, timed=True)
    scene.call(2, "async def", timed=True, river=other)
    scene.hear(Running, 1)
    scene.hear(Running, 2)

    scene.call(3, most=1, alone=True)
    scene.hear(Queued, 3)
    scene.tell(Cancel, 1)
    scene.hear(Answered, 1)
    scene.call(4, body="undo")
    scene.hear(Answered, 4)
    scene.tell(Cancel, 2, other)
    scene.hear(Answered, 3)

    assert scene.supervisor.kinds(3) == [Queued, Running, Answered]


@pytest.mark.promise("4.4", "6.2")
def test_whether_the_body_of_a_branch_is_async_is_asked_of_its_template(scene: Scene) -> None:
    async def body(_call: Call) -> None:
        await asyncio.sleep(0)

    scene.river.script[1] = body
    scene.call(1, "branch[17]", template="async def")

    assert scene.hear(Answered, 1).address == "branch[17]"


# Faults of the engine's own


@pytest.mark.promise("7.6")
def test_what_an_abandoned_body_raises_past_its_guard_strands_its_flow_and_is_forgotten(scene: Scene) -> None:
    async def raises(_call: Call) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("late")

    scene.river.script[1] = raises
    scene.call(1, "async def", timed=True)
    scene.hear(Running, 1)

    scene.tell(Abandon, 1)
    strand = scene.hear(Strand, 0)

    assert strand.reason == "LookupError: late"
    assert len(scene.river._abandoned) == 0  # noqa: SLF001  # that nothing is kept is what is asked


@pytest.mark.promise("7.6")
def test_a_call_that_cannot_be_handed_over_strands_its_flow_and_gives_its_places_back(scene: Scene) -> None:
    scene.call(1, "broken", most=1, alone=True)
    scene.hear(Strand, 0)
    scene.call(2, most=1, alone=True)

    assert scene.hear(Answered, 2)
    assert "no such address" in scene.supervisor.heard[0].reason


@pytest.mark.promise("7.6")
def test_a_call_let_through_by_another_strands_its_own_flow_and_not_that_one_s(scene: Scene) -> None:
    scene.river.script[1] = ends_when_cancelled
    scene.call(1, "async def", most=1, timed=True)
    scene.hear(Running, 1)
    scene.call(2, "broken", most=1)
    scene.call(3, most=1)

    scene.tell(Cancel, 1)
    scene.hear(Answered, 1)
    scene.hear(Answered, 3)

    assert [type(message) for message in scene.supervisor.heard if not isinstance(message, Queued)] == [
        Running, Answered, Strand, Running, Answered,
    ]  # fmt: skip


@pytest.mark.promise("7.6")
@BODIES
@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError(), LookupError("oh")], ids=repr)
def test_what_is_raised_past_the_guard_of_a_body_strands_its_flow_and_gives_its_places_back(
    scene: Scene, bodies: str, error: BaseException
) -> None:
    def raises(_call: Call) -> None:
        raise error

    async def raises_async(_call: Call) -> None:
        raise error

    scene.river.script[1] = raises if bodies == "def" else raises_async
    scene.call(1, bodies, most=1, alone=True)
    strand = scene.hear(Strand, 0)
    scene.call(2, most=1, alone=True)

    assert scene.hear(Answered, 2)
    assert strand.reason == f"{type(error).__name__}: {error}"
