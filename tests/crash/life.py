"""How does one process live? It opens a store, starts the flows of its part, gives commands, and waits for the ends.

Its parent forks it off a server that has imported everything, so that a life begins in a moment.
"""

import faulthandler
import os
import random
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from tests.crash.death import Death, MortalStore, watch_statements
from tests.crash.notes import Notes
from tests.crash.plan import Kill, Plan
from tests.crash.stage import RealStage
from vastflow import Engine, Flow
from vastflow.clock import SystemClock
from vastflow.engine import engine
from vastflow.errors import CommandRefused, FlowNotFound, FlowStranded
from vastflow.log import setup
from vastflow.runtime import Real
from vastflow.testing.simulation.commands import choose, give
from vastflow.testing.simulation.drawings import drawing, water_for

__all__ = ["LONGEST", "Part", "live"]

LONGEST = 90.0  # seconds that a life may take
_NUDGES = 80
_CANCELS_FROM = 4  # so many nudges try to let a poisoned flow go on
_AT_REST = 0.25  # seconds without a note after which something must be done to let flows end
_AT_REST_TOGETHER = 1.0  # the same, where another process may have to take over first
_IDLE = 0.05  # seconds after which a command is given although nothing happens any more
_ANSWERS = {True: "done", False: "already", None: "pending"}
_ENDED = ("success", "fail", "cancelled")


class Part(NamedTuple):
    """What one process does of a plan.

    Attributes:
        folder: where store and notes are.
        name: of this life.
        kill: when it dies.
        first, last: numbers of the flows which it starts and whose ends it awaits, `last` not included.
        alone: no other process lives beside it.
    """

    folder: Path
    name: str
    kill: Kill
    first: int
    last: int
    alone: bool = True


class Life:
    """One life of one process."""

    def __init__(self, plan: Plan, part: Part) -> None:
        """Begin to live; the engine recovers what there is, or stands by."""
        self._plan = plan
        self._part = part
        self._chance = random.Random(f"life {part.name} of {plan.seed}")  # noqa: S311 - chance to be repeated, no secret
        self._notes = Notes(str(part.folder / "notes"))
        self._flows = [f"s{plan.seed}-{each}" for each in range(plan.flows)]
        death = Death(part.kill)
        if part.kill.statement or part.kill.at.startswith("in "):
            watch_statements(death)
        runtime = Real(SystemClock())
        self._stage = RealStage(plan, runtime, self._notes, death)
        for each in self._flows:
            self._stage.play(each)
        self._open_stores(death)
        self._engine = self._open(runtime)
        self._stage.note("opened", self._engine.serves)

    def _open_stores(self, death: Death) -> None:
        """Let every store that this process opens be a mortal one."""
        values = self._stage.log.values

        def open_store(_url: str) -> MortalStore:
            return MortalStore(str(self._part.folder / "flows.db"), death, self._notes, values)

        setattr(engine, "open_store", open_store)  # noqa: B010  # for type checkers it is no business of ours

    def _open(self, runtime: Real) -> Engine:
        settings = random.Random(f"engine of {self._plan.seed}")  # noqa: S311 - chance to be repeated, no secret
        return Engine(
            f"sqlite:///{self._part.folder / 'flows.db'}",
            serve=True if self._part.alone else None,
            jitter=settings.choice((0.0, 0.1)),
            cancel_grace=settings.choice((0.0, 0.05, 0.5)),
            crash_limit=settings.choice((1, 2, 2)),
            runtime=runtime,
        )

    def live(self) -> None:
        """Start, command, wait."""
        lines = self._notes.lines
        for number in range(self._part.first, self._part.last):
            self._start(number)
        for _ in range(self._plan.commands):
            lines += self._chance.randint(1, 40)
            self._notes.wait_for(lines, _IDLE)
            self._command(self._chance.choice(self._flows))
        self._come_to_an_end()
        self._stage.closing = True
        self._engine.close(0.0)

    def _start(self, number: int) -> None:
        """Start a flow, or find it started; what was answered is noted."""
        chance = random.Random(f"terms of {number} of {self._plan.seed}")  # noqa: S311 - chance to be repeated, no secret
        seed, pace = self._plan.seed, self._plan.pace
        terms: dict[str, Any] = {"id": self._flows[number]}
        if chance.random() < 0.1:
            terms["not_before"] = chance.choice((0.5, 5)) * pace
        if chance.random() < 0.15:
            terms["deadline"] = chance.choice((1, 8, 30)) * pace
        flow = self._engine.start(drawing(seed, number, pace), water_for(seed), **terms)
        self._stage.note("started", flow.id)

    def _command(self, flow_id: str, name: str = "") -> None:
        name = name or choose(self._chance)
        self._stage.note("asked", flow_id, name)
        try:
            answer = _ANSWERS[self._give(self._engine.flow(flow_id), name)]
        except (CommandRefused, FlowNotFound, FlowStranded) as refused:
            answer = type(refused).__name__
        self._stage.note("answered", flow_id, name, answer)

    def _give(self, flow: Flow[Any], name: str) -> bool | None:
        if name == "retry":
            return flow.retry(who="somebody")  # never with the classes' present attributes: those have waits of hours
        return give(flow, self._chance, name)

    def _come_to_an_end(self) -> None:
        """Wait; when nothing happens any more, take away whatever holds a flow."""
        for nudge in range(_NUDGES):
            while (left := self._unfinished()) and self._something_happens(left):
                pass
            if not left:
                return
            for flow in left:
                self._nudge(flow, nudge)

    def _unfinished(self) -> list[Flow[Any]]:
        flows = (self._engine.flow(each) for each in self._flows[self._part.first : self._part.last])
        return [flow for flow in flows if flow.status().state not in _ENDED]

    def _something_happens(self, left: list[Flow[Any]]) -> bool:
        """Say whether one of these flows ends, or anything at all is done by any process, in a while."""
        before = self._notes.size
        with suppress(TimeoutError):
            return left[0].wait(_AT_REST if self._part.alone else _AT_REST_TOGETHER).state in _ENDED
        return self._notes.size > before

    def _nudge(self, flow: Flow[Any], nudge: int) -> None:
        status = flow.status()
        poisoned = (status.stranded or "").startswith("poison") and nudge < _CANCELS_FROM
        if "paused" in status.flags or poisoned:
            self._command(flow.id, "resume")
        elif nudge % 3:
            self._command(flow.id, "cancel")
        else:
            self._command(flow.id, "signal")


def live(plan: Plan, part: Part, born: Connection) -> None:
    """Live one life; `born` is told when it begins, and how it ends if it is not killed."""
    said = os.open(part.folder / f"said-{part.name}", os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    faulthandler.dump_traceback_later(LONGEST)
    setup("error")
    born.send("born")
    try:
        Life(plan, part).live()
    except BaseException:
        born.send(traceback.format_exc())
        raise
    born.send("over")
