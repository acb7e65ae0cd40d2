"""What does a durable flow cost? `python -m benchmarks.overhead [--flows 5000] [--rounds 3]`.

Flows of [A || B] -> C -> Atlantic with no-op bodies: in memory and on SQLite with synchronous=FULL, one at a time and
1 000 in flight, beside naive Pykka (an actor for every step of every flow) in the same run.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pykka

from vastflow import Andes, Atlantic, Engine, Flow, Headwaters, River

IN_FLIGHT = 1_000
STARTED_AT_ONCE = 250
LONE = 200
NAIVE_IN_FLIGHT = 100


class Water(Headwaters):
    """Nothing to carry."""

    n: int


class A(River):
    """Does nothing."""

    def flow(self, water: Water) -> None:
        """Do nothing."""


class B(River):
    """Does nothing."""

    def flow(self, water: Water) -> None:
        """Do nothing."""


class C(River):
    """Does nothing."""

    def flow(self, water: Water) -> None:
        """Do nothing."""


class End(Atlantic):
    """Does nothing."""

    def success(self, water: Water) -> None:
        """Do nothing."""

    def fail(self, water: Water) -> None:
        """Do nothing."""


DRAWING = Andes("overhead", Water) >> (A() | B()) >> C() >> End()


def flows_per_second(url: str, flows: int) -> float:
    """Return the rate with 1 000 flows in flight: as many are started as have ended."""
    flying: deque[Flow[Water]] = deque()
    with Engine(url) as engine:
        engine.start(DRAWING, Water(n=0)).result(30)
        began = time.perf_counter()
        for first in range(0, flows, STARTED_AT_ONCE):
            while len(flying) > IN_FLIGHT - STARTED_AT_ONCE:
                flying.popleft().result(60)
            flying += engine.start_many(DRAWING, [Water(n=first + one) for one in range(STARTED_AT_ONCE)])
        for flow in flying:
            flow.result(60)
        return flows / (time.perf_counter() - began)


def lone_milliseconds(url: str) -> float:
    """Return the median milliseconds from `start` to the end of one flow on an idle engine."""
    times = []
    with Engine(url) as engine:
        engine.start(DRAWING, Water(n=0)).result(30)
        for number in range(LONE):
            began = time.perf_counter()
            engine.start(DRAWING, Water(n=number)).result(30)
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


class Step(pykka.ThreadingActor):
    """One step of one naive flow: does nothing, then tells the join."""

    def __init__(self, then: Callable[[], None]) -> None:
        """Keep who is told."""
        super().__init__()
        self.then = then

    def on_receive(self, _message: Any) -> None:
        """Do nothing, say so, and stop."""
        self.then()
        self.stop()


class Naive(pykka.ThreadingActor):
    """One naive flow: an actor that makes an actor for each step."""

    def __init__(self, done: "Future[None]") -> None:
        """Keep who waits."""
        super().__init__()
        self.done = done
        self.open = 2

    def on_receive(self, message: str) -> None:
        """Go on."""
        match message:
            case "begin":
                self.step("branch")
                self.step("branch")
            case "branch":
                self.open -= 1
                if not self.open:
                    self.step("joined")
            case "joined":
                self.step("ended")
            case _:
                self.done.set_result(None)
                self.stop()

    def step(self, answer: str) -> None:
        """Make an actor for one step."""
        me = self.actor_ref
        Step.start(lambda: me.tell(answer)).tell("flow")


def naive_flows_per_second(flows: int) -> float:
    """Return the rate of naive flows, 100 in flight (1 000 would need 5 000 threads)."""
    flying: deque[Future[None]] = deque()
    began = time.perf_counter()
    for _ in range(flows):
        if len(flying) >= NAIVE_IN_FLIGHT:
            flying.popleft().result()
        done: Future[None] = Future()
        flying.append(done)
        Naive.start(done).tell("begin")
    for each in flying:
        each.result()
    return flows / (time.perf_counter() - began)


def main() -> None:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    figures: dict[str, list[float]] = {}
    for _ in range(asked.rounds):
        for name, measure in measures(asked.flows):
            figures.setdefault(name, []).append(measure())
    show({name: statistics.median(values) for name, values in figures.items()})


def measures(flows: int) -> list[tuple[str, Callable[[], float]]]:
    """Return what is measured in one round, by name."""
    folder = Path(tempfile.mkdtemp(prefix="vastflow-benchmark-"))
    url = f"sqlite:///{folder}/flows.db"
    return [
        ("naive", lambda: naive_flows_per_second(max(200, flows // 10))),
        ("memory", lambda: flows_per_second("memory:", flows)),
        ("sqlite", lambda: flows_per_second(url, flows)),
        ("lone memory", lambda: lone_milliseconds("memory:")),
        ("lone sqlite", lambda: lone_milliseconds(url)),
    ]


def show(median: dict[str, float]) -> None:
    """Print the figures."""
    naive = median["naive"]
    print(f"naive Pykka, in memory          {naive:10,.0f} flows/s")
    for name in ("memory", "sqlite"):
        print(
            f"{name:10} {IN_FLIGHT:,} in flight     {median[name]:10,.0f} flows/s   {median[name] / naive:5.1f} x naive"
        )
    for name in ("lone memory", "lone sqlite"):
        print(f"{name:12} start to end        {median[name]:10.2f} ms")


if __name__ == "__main__":
    main()
