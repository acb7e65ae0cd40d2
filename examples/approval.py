"""A request that waits for a person, up to three days, while no thread is held and the engine may close.

    python examples/approval.py

Two requests are made, and the engine is closed. Another one on the same store, which could be another process and days
later, takes the answers: meanwhile the flows were on disk, and nothing of them ran.
"""

import queue
import tempfile
from collections.abc import Mapping
from typing import Any

from vastflow import Andes, Atlantic, Continue, Engine, Fail, Headwaters, River, later

mails: "queue.Queue[str]" = queue.Queue()


class Water(Headwaters):
    what: str  # needed at start
    approver: str = later()  # written by a river


class Approve(River):
    signals = ("approve",)
    cycle_interval = None  # nothing to ask: only the signal wakes it
    deadline = "3d"  # from here to the answer; after that it fails

    def flow(self, water: Water) -> None:
        mails.put(f"May we {water.what}? Please answer to {self.flow_id}.")

    def cycle(self, water: Water) -> None:
        answer: Mapping[str, Any] | None = self.signal("approve")
        if answer is None:
            raise Continue("nobody has answered yet")
        if not answer["yes"]:
            raise Fail(f"{answer['by']} said no")
        water.approver = answer["by"]


class Act(River):
    def flow(self, water: Water) -> None:
        print(f"{water.what}, since {water.approver} said yes")


class Answered(Atlantic):
    def fail(self, water: Water) -> None:
        print(f"do not {water.what}: {self.failure.message}")


andes = Andes("approval", Water) >> Approve() >> Act() >> Answered()

with tempfile.TemporaryDirectory() as folder:
    store = f"sqlite:///{folder}/approvals.db"

    with Engine(store) as engine:
        for number, what in enumerate(("paint the door red", "sell the house"), 1):
            engine.start(andes, what=what, id=f"request-{number}")
            print(mails.get())
    print("closed")

    with Engine(store) as engine:
        red, house = engine.flow("request-1"), engine.flow("request-2")
        waiting = red.status().stream("approve")
        print(f"waiting: {waiting.state}, a body is running: {waiting.running}")
        red.signal("approve", {"yes": True, "by": "grace"}, who="grace")
        print(f"{red.id}: {red.wait().state}")
        house.signal("approve", {"yes": False, "by": "alan"}, who="alan")
        print(f"{house.id}: {house.wait().state}")
