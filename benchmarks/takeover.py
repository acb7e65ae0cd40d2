"""How long is a store without a server when the one it had is killed?

One process serves it and runs flows that poll, another stands by. The first is killed with SIGKILL; two times are
measured from there: until the other serves, and until it has run the first body of a flow that was under way.

python -m benchmarks.takeover [--rounds 20] [--flows 200]
"""

import argparse
import multiprocessing
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from vastflow import Andes, Atlantic, Continue, Engine, River

_LOOK = 0.001  # seconds between two looks whether it serves by now
_LONG = 60.0


class Polls(River):
    """Is never done."""

    registered_as = "benchmarks.Polls"
    cycle_interval, deadline = 0.2, "9h"
    told: Connection | None = None

    def flow(self, water: Any) -> None:
        """Begin."""
        water["begun"] = True

    def cycle(self, _water: Any) -> None:
        """Say so, once, if anybody listens."""
        told, Polls.told = Polls.told, None
        if told is not None:
            told.send("polled")
        raise Continue("not yet")


class End(Atlantic):
    """Where they would end."""

    registered_as = "benchmarks.End"


DRAWN = Andes("polling") >> Polls() >> End()


class Round(NamedTuple):
    """Seconds after the kill."""

    served: float
    polled: float


def serve(url: str, flows: int, said: Connection) -> None:
    """Serve a store with so many flows under way, until this process is killed."""
    with Engine(url, serve=True) as engine:
        engine.start_many(DRAWN, [{} for _ in range(flows)])
        Polls.told = said
        said.recv()  # nobody will ever send anything


def stand_by(url: str, said: Connection) -> None:
    """Stand by, and say when this process serves and when it polls."""
    with Engine(url) as engine:
        said.send("stands by")
        Polls.told = said
        while not engine.serves and not said.poll(_LOOK):
            pass
        said.send("serves")
        said.recv()


def play(url: str, flows: int) -> Round:
    """Play one round."""
    forking = multiprocessing.get_context("forkserver")
    (mine, first_end), (other, second_end) = forking.Pipe(), forking.Pipe()
    first = forking.Process(target=serve, args=(url, flows, first_end))
    first.start()
    _hear(mine, "polled")
    second = forking.Process(target=stand_by, args=(url, second_end))
    second.start()
    _hear(other, "stands by")
    first.kill()
    killed = perf_counter()
    heard = {_heard(other): perf_counter() - killed for _ in range(2)}
    second.kill()
    for each in (first, second):
        each.join(_LONG)
    return Round(heard["serves"], heard["polled"])


def _heard(connection: Connection) -> str:
    if not connection.poll(_LONG):
        raise TimeoutError("nothing was heard")
    word: str = connection.recv()
    return word


def _hear(connection: Connection, word: str) -> None:
    if (heard := _heard(connection)) != word:
        raise RuntimeError(f"heard {heard!r} instead of {word!r}")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="How long is a store without a server when the one it had is killed?")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--flows", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vastflow-takeover-") as folder:
        rounds = [play(f"sqlite:///{Path(folder) / f'{number}.db'}", asked.flows) for number in range(asked.rounds)]
    for name, times in (
        ("served again", [each.served for each in rounds]),
        ("polled again", [r.polled for r in rounds]),
    ):
        sys.stdout.write(f"{name} after {median(times):.3f} s median, {min(times):.3f} to {max(times):.3f} s\n")


if __name__ == "__main__":
    main()
