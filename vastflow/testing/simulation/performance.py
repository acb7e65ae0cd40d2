"""How is one seed played?

A real engine on a simulated runtime and a store that fails; flows are started, commanded, signalled, killed and
restarted at moments drawn from the seed, until nothing can happen any more.
"""

from collections.abc import Callable
from typing import Any

from vastflow.engine import Engine, Flow
from vastflow.errors import CommandRefused, SimulationStuck
from vastflow.ledger.contract import FlowRow, Store
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated
from vastflow.testing.simulation.commands import choose, give
from vastflow.testing.simulation.drawings import drawing, water_for
from vastflow.testing.simulation.remains import remains
from vastflow.testing.simulation.stage import Stage
from vastflow.testing.simulation.trouble import TroubledStore

__all__ = ["Performance"]

_MOST_MOVES = 60_000
_MOST_NUDGES = 12
_CANCELS_FROM = 4  # so many nudges try to let a poisoned flow go on
_ENDED = ("success", "fail", "cancelled")


class Performance:
    """One run of one seed.

    Attributes:
        stage: what outlives the engine.
        store: where the flows are.
        flows: their ids.
    """

    def __init__(self, seed: int, reopen: Callable[[], Store] | None = None) -> None:
        """Make a store and choose what is played.

        Args:
            seed: chooses everything.
            reopen: returns the store, made anew for each life of the process; None for one in memory.
        """
        memory = MemoryStore()
        self._reopen = reopen or (lambda: memory)
        self.stage = Stage(seed)
        self.store = TroubledStore(self._reopen(), self.stage)
        self.flows: list[str] = []
        chance = self.stage.chance
        self._grace = chance.choice((0.0, 0.5, 10.0))
        self._limit = chance.choice((1, 2, 2))
        self._jitter = chance.choice((0.0, 0.1))
        self._actions = chance.choice((0, 0, 1, 3, 6, 10))
        self._rounds = chance.choice((0, 0, 1, 2))
        self._runtimes: list[Simulated] = [self.stage.runtime]
        self._moves = 0
        self._engine = self._open()

    def perform(self) -> list[str]:
        """Play it, and return what was wrong on the spot."""
        try:
            for number in range(self.stage.chance.choice((1, 1, 2))):
                self._start(number)
            self._play()
            self._come_to_an_end()
            if not self.stage.dead:
                self.stage.log.wrongs += remains(self._engine, self.stage.runtime)
        finally:
            self.stage.dead = True
            for runtime in self._runtimes:
                runtime.close()
            self.stage.leave()
        return self.stage.log.wrongs

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    # Lives

    def _open(self) -> Engine:
        self.store.calm = True
        self.stage.log.starts[self.stage.life] = self.stage.now()
        engine = Engine(
            store=self.store,
            runtime=self.stage.runtime,
            jitter=self._jitter,
            cancel_grace=self._grace,
            crash_limit=self._limit,
        )
        self.store.calm = False
        return engine

    def _revive(self) -> None:
        """Start the process again after it died."""
        self._begin_life()
        self.stage.dead = False
        self._engine = self._open()

    def _restart(self) -> None:
        """Close in order, and start again."""
        stage = self.stage
        stage.met["orderly close"] += 1
        stage.closing = True
        self._engine.close(stage.chance.choice((0.0, 0.5, 5.0)))
        stage.closing = stage.dead = False
        stage.runtime = Simulated(stage.seed + stage.life, start=stage.now())
        self._runtimes.append(stage.runtime)
        self._begin_life()
        self._engine = self._open()

    def _begin_life(self) -> None:
        stage = self.stage
        stage.log.stops[stage.life] = stage.now()
        stage.life += 1
        stage.threads = 0
        self.store.inner.close()
        self.store.inner = self._reopen()
        away = stage.chance.choice((0, 0, 1, 20))
        stage.runtime.clock.hold(stage.now() + away * 1_000_000)

    def _alive(self) -> Engine:
        if self.stage.dead:
            self._revive()
        return self._engine

    # What happens

    def _start(self, number: int) -> None:
        """Start a flow; if the process dies meanwhile, again with the same id."""
        flow_id, chance = f"s{self.stage.seed}-{number}", self.stage.chance
        self.flows.append(flow_id)
        self.stage.play(flow_id)
        terms: dict[str, Any] = {"id": flow_id}
        if self.stage.odds(0.1):
            terms["not_before"] = chance.choice((0.5, 5))
        if self.stage.odds(0.15):
            terms["deadline"] = chance.choice((1, 8, 30))
        while True:
            engine = self._alive()
            try:
                engine.start(drawing(self.stage.seed, number), water_for(self.stage.seed), **terms)
            except SimulationStuck:
                if not self.stage.dead:
                    raise
            else:
                return

    def _play(self) -> None:
        """Let things happen; do something to the flows now and then."""
        for _ in range(self._actions):
            self._pump(int(2 ** (self.stage.chance.random() * 8)))
            self._act()

    def _pump(self, moves: int | None = None) -> None:
        """Let so many things happen, or all that can."""
        while moves is None or moves > 0:
            self._alive()
            if not self.stage.runtime.pump() and not self.stage.dead:
                return
            self._moves += 1
            moves = None if moves is None else moves - 1
            if self._moves > _MOST_MOVES:
                raise SimulationStuck(f"seed {self.stage.seed} has no end after {self._moves} moves")

    def _act(self) -> None:
        chance = self.stage.chance
        what = chance.choices(("command", "close", "die", "look"), (12, 1, 2, 2))[0]
        match what:
            case "close":
                self._restart()
            case "die":
                self.stage.die("anywhere")
            case "look":
                self._look(self._flow(chance.choice(self.flows)))
            case _:
                self._command(chance.choice(self.flows))

    def _flow(self, flow_id: str) -> Flow[Any]:
        return self._alive().flow(flow_id)

    def _look(self, flow: Flow[Any]) -> None:
        try:
            status = flow.status()
        except SimulationStuck:
            if not self.stage.dead:
                raise
            return
        self.stage.met[f"flow {status.state}"] += 1
        for stream in status.streams:
            self.stage.met[f"stream {stream.state}"] += 1

    def _command(self, flow_id: str, name: str = "") -> None:
        """Give a command; if the process dies meanwhile, nobody knows whether it was taken."""
        stage = self.stage
        flow = self._flow(flow_id)
        name = name or choose(stage.chance)
        try:
            answer = "done" if give(flow, stage.chance, name) else "already"
        except CommandRefused:
            answer = "refused"
        except SimulationStuck:
            if not stage.dead:
                raise
            answer = "lost"
        stage.met[f"command {name} {answer}"] += 1

    # The end

    def _row(self, flow_id: str) -> FlowRow:
        row = self.store.flow(flow_id)
        if row is None:
            raise SimulationStuck(f"flow {flow_id} was started and is not there")
        return row

    def _come_to_an_end(self) -> None:
        """Let trouble stop, and whatever holds a flow be taken away; then everything must end."""
        for nudge in range(_MOST_NUDGES):
            self._pump()
            self.store.calm = True
            open_flows = [flow_id for flow_id in self.flows if self._row(flow_id).state not in _ENDED]
            for flow_id in open_flows:
                self._nudge(flow_id, nudge)
            if not open_flows and not self._again():
                return
        self.stage.log.wrongs += [
            f"{flow_id} does not end: {self._row(flow_id)}"
            for flow_id in self.flows
            if self._row(flow_id).state not in _ENDED
        ]

    def _nudge(self, flow_id: str, nudge: int) -> None:
        row = self._row(flow_id)
        self.stage.met["nudged"] += 1
        if b"paused" in row.flags or (row.stranded.startswith("poison") and nudge < _CANCELS_FROM):
            self._command(flow_id, "resume")
        elif nudge % 3:
            self._command(flow_id, "cancel")
        else:
            self._command(flow_id, "signal")

    def _again(self) -> bool:
        """Open another round of something that has ended, if there is to be one."""
        if self._rounds <= 0:
            return False
        self._rounds -= 1
        flow_id = self.stage.chance.choice(self.flows)
        for name in self.stage.chance.choice(((), ("skip",), ("complete",), ("set",))):
            self._command(flow_id, name)
        self._command(flow_id, "retry")
        return True
