"""Which program is watched by strace? It says on stdout, which is seen there too, where it is.

python traced.py STORE SECONDS    start flows that wait, wait for so long, start one here, and one standing by
"""

import os
import sys
import threading
from typing import Any

from vastflow import Andes, Atlantic, Continue, Engine, River

WAITING = 1000  # flows


class Waits(River):
    """Is polled once an hour."""

    registered_as = "tests.faults.Waits"
    cycle_interval, deadline = "1h", "9d"

    def flow(self, water: Any) -> None:
        """Begin."""
        water["begun"] = True

    def cycle(self, _water: Any) -> None:
        """Be asked."""
        raise Continue("not yet")


class Shore(Atlantic):
    """Where they would end."""

    registered_as = "tests.faults.Shore"


DRAWN = Andes("waiting") >> Waits() >> Shore()


def say(word: str) -> None:
    """Say where it is."""
    os.write(1, f"MARK {word}\n".encode())


def main(url: str, seconds: float) -> None:
    """Do so."""
    with Engine(url) as engine:
        flows = engine.start_many(DRAWN, [{} for _ in range(WAITING)])
        while any(flow.status().streams[0].state != "cycling" for flow in flows):
            pass
        say("idle")
        threading.Event().wait(seconds)
        say("busy")
        engine.start(DRAWN, id="here")
        say("started")
    with Engine(url, serve=False) as standby:
        say("standing by")
        standby.start(DRAWN, id="by letter")
        say("posted")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
