"""Which programs share one store? Some start flows, one serves it; what bodies do is noted in a file.

python crowd.py serve STORE NOTES          serve, or stand by and take over; until stdin is closed
python crowd.py start STORE NAME FLOWS     start so many flows, and wait until all have ended
"""

import os
import sys
import threading
from typing import Any

from vastflow import Andes, Atlantic, Engine, River
from vastflow.log import setup


class Notes(River):
    """Notes that it begins and ends: whose process, and of which flow."""

    registered_as = "tests.faults.Notes"

    def flow(self, water: Any) -> None:
        """Do so, each line at once and whole."""
        note(f"begin {os.getpid()} {self.flow_id}")
        water["done"] = water.get("done", 0) + 1
        note(f"end {os.getpid()} {self.flow_id}")


class Sea(Atlantic):
    """Where they end."""

    registered_as = "tests.faults.Sea"


DRAWN = Andes("crowded") >> Notes() >> Sea()


def note(line: str) -> None:
    """Append a line to the notes."""
    file = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def say(word: str) -> None:
    """Say something on stdout at once."""
    os.write(1, f"{word}\n".encode())


def serve(store: str) -> None:
    """Serve the store, and say when."""
    with Engine(f"sqlite:///{store}") as engine:
        say("stands by" if not engine.serves else "serves")
        ended = threading.Event()
        threading.Thread(target=await_end, args=(ended,), daemon=True).start()
        while not ended.wait(0.02):
            if engine.serves:
                say("serves")
                ended.wait()


def await_end(ended: threading.Event) -> None:
    """Wait until nobody wants this process any more."""
    sys.stdin.read()
    ended.set()


def start(store: str, name: str, flows: int) -> None:
    """Start flows, and say how many of them ended well."""
    with Engine(f"sqlite:///{store}", serve=False) as engine:
        started = [engine.start(DRAWN, id=f"{name}-{number}") for number in range(flows)]
        say("started")
        ends = [flow.result(300)["done"] for flow in started]
    say(f"ended {len(ends)} {sorted(set(ends))}")


if __name__ == "__main__":
    setup("info")
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        start(sys.argv[2], sys.argv[3], int(sys.argv[4]))
