"""Which program is killed? Fifty flows on one store, that say in a file of their own what their bodies do.

python program.py STORE EFFECTS LIFE WHEN COMMIT    kill itself right before or after that commit; 0: never
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from typing import Any

from vastflow import Andes, Atlantic, Basin, Continue, Engine, Fail, FlowFailed, ParallelRiver, River
from vastflow.ledger.contract import Batch
from vastflow.ledger.sqlite import SQLiteStore

STORE, EFFECTS, LIFE, WHEN, COMMIT = sys.argv[1:] if len(sys.argv) > 1 else ("", os.devnull, "0", "after", "0")
FLOWS = 50
effects = os.open(EFFECTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
polls: Counter[str] = Counter()


class Mortal(SQLiteStore):
    """A store whose process dies at a commit."""

    commits = 0

    def commit(self, batch: Batch) -> frozenset[str]:
        self.commits += 1
        self.die("before")
        lost = super().commit(batch)
        self.die("after")
        return lost

    def die(self, when: str) -> None:
        if (when, self.commits) == (WHEN, int(COMMIT)):
            os.kill(os.getpid(), signal.SIGKILL)


def say(self: River | Atlantic, what: str, body: str) -> None:
    """Write a line that is on disk before anything else happens; one write, so no line is torn."""
    line = json.dumps([int(LIFE), what, self.flow_id, self.address, body, self.attempt, self.key])
    os.write(effects, f"{line}\n".encode())
    os.fsync(effects)


class Works(River):
    """Does one thing."""

    def flow(self, water: Any) -> None:
        say(self, "begin", "flow")
        water[self.address] = water.get(self.address, 0) + 1
        say(self, "end", "flow")


class Awaits(River):
    """Does one thing on the loop."""

    async def flow(self, water: Any) -> None:
        say(self, "begin", "flow")
        await asyncio.sleep(0.01)
        water[self.address] = water.get(self.address, 0) + 1
        say(self, "end", "flow")


class Tries(River):
    """Fails twice, then does it."""

    retry_times, retry_interval, retry_backoff = 3, 0.02, 1

    def flow(self, water: Any) -> None:
        say(self, "begin", "flow")
        water[self.address] = self.attempt
        say(self, "end", "flow")
        if self.attempt < 3:
            raise RuntimeError("again")


class Counts(River):
    """Polls three times, which it knows from its water."""

    cycle_interval, cycle_times = 0.03, 9

    def flow(self, water: Any) -> None:
        say(self, "begin", "flow")
        water[self.address] = 0
        say(self, "end", "flow")

    def cycle(self, water: Any) -> None:
        say(self, "begin", "cycle")
        water[self.address] += 1
        say(self, "end", "cycle")
        if water[self.address] < 3:
            raise Continue("counting")


class Waits(River):
    """Polls four times without a trace."""

    cycle_interval, cycle_times = 0.05, 1000

    def flow(self, _water: Any) -> None:
        say(self, "begin", "flow")
        say(self, "end", "flow")

    async def cycle(self, water: Any) -> None:
        say(self, "begin", "cycle")
        polls[self.flow_id] += 1
        say(self, "end", "cycle")
        if polls[self.flow_id] < 4:
            raise Continue("waiting")
        water[self.address] = "came"


class Breaks(River):
    """Fails in every fifth flow."""

    def flow(self, water: Any) -> None:
        say(self, "begin", "flow")
        say(self, "end", "flow")
        if water["number"] % 5 == 0:
            raise Fail("every fifth")
        water[self.address] = 1


class Sea(Atlantic):
    """Says how it ended."""

    def success(self, water: Any) -> None:
        say(self, "begin", "success")
        water["told"] = "success"
        say(self, "end", "success")

    def fail(self, water: Any) -> None:
        say(self, "begin", "fail")
        water["told"] = "fail"
        say(self, "end", "fail")


def drawing() -> Andes[Any]:
    inner = ParallelRiver(Works().options(name="x"), Counts().options(name="y"))
    outputs = ("east/tries", "east/x", "east/y")
    basin = Basin("east", Tries(), inner, inputs=["number"], outputs=outputs)
    return Andes("mortal") >> Works() >> ParallelRiver(Waits(), basin, Awaits(), Breaks()) >> Works() >> Sea()


def ended(engine: Engine, name: str) -> list[Any]:
    flow = engine.flow(name)
    try:
        water: dict[str, Any] = dict(flow.result(60))
    except FlowFailed as error:
        return [name, "fail", None if error.failure is None else error.failure.address]
    return [name, "success", water]


def main() -> None:
    store = Mortal(STORE)
    with Engine(store=store, jitter=0.0) as engine:
        flows = [engine.start(drawn, {"number": number}, id=f"flow-{number}") for number in range(FLOWS)]
        ends = [ended(engine, flow.id) for flow in flows]
    print(json.dumps({"commits": store.commits, "ends": ends}))  # noqa: T201  # the parent reads it


drawn = drawing()

if __name__ == "__main__":
    main()
