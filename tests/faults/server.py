"""Which program is stopped, or killed with all its bodies? One whose bodies say on stdout when they begin.

python server.py STORE FLOWS HANG    HANG: "hang": no body ever ends; else the time, in seconds, that each takes
"""

import os
import sys
import threading
from typing import Any

from vastflow import Andes, Atlantic, Engine, River

HANG = "hang"


def say(*words: object) -> None:
    """Write a line at once, whole, whichever thread says it."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Blocks(River):
    """Holds a thread."""

    registered_as = "tests.faults.Blocks"

    def flow(self, water: Any) -> None:
        """Say that it began; hang, or take its time."""
        say("begin", self.flow_id, self.attempt)
        hangs = len(sys.argv) > 1 and sys.argv[3] == HANG
        threading.Event().wait(None if hangs else float(sys.argv[3]))
        water["done"] = water.get("done", 0) + 1


class Tells(Atlantic):
    """Says that a flow ends."""

    registered_as = "tests.faults.Tells"

    def success(self, _water: Any) -> None:
        """Say so."""
        say("end", self.flow_id, self.attempt)


DRAWN = Andes("blocking") >> Blocks() >> Tells()


def main(store: str, flows: int) -> None:
    """Start what is not there yet, and wait until all have ended."""
    with Engine(f"sqlite:///{store}", jitter=0.0) as engine:
        started = [engine.start(DRAWN, id=f"flow-{number}") for number in range(flows)]
        for flow in started:
            say("result", flow.id, flow.result()["done"])
        sys.stdin.read()  # serve until nobody wants anything any more


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
