"""How long does a flow of three days take in the simulated runtime?

A river that polls every ten minutes for three days, failing now and then, with retries and deadlines, as a test of a
user's would run it: on a virtual clock, in memory. Prints milliseconds: the best and the median of many.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from vastflow import Andes, Atlantic, Continue, Engine, Headwaters, River
from vastflow.runtime import Simulated

RUNS = 30
POLLS = 3 * 24 * 6
_asked: list[str] = []
DAYS = 3 * 86_400 * 1_000_000


class Build(River):
    """Takes three days, and fails now and then."""

    retry_times, retry_interval = 3, "1h"
    cycle_interval, deadline = "10m", "4d"

    def flow(self, water: Headwaters) -> None:
        """Begin it, at the second attempt."""
        if self.attempt == 1:
            message = "no machine is free"
            raise ConnectionError(message)
        water["begun"] = True

    def cycle(self, water: Headwaters) -> None:
        """Ask how far it is; once in a while nobody answers."""
        _asked.append(self.address)
        asked = len(_asked)
        if asked % 50 == 0:
            message = "nobody answers"
            raise TimeoutError(message)
        if asked < POLLS:
            reason = f"{asked} of {POLLS}"
            raise Continue(reason, progress=asked / POLLS)
        water["asked"] = asked


class Tell(Atlantic):
    """Says nothing."""

    def success(self, water: Headwaters) -> None:
        """Be done."""


def main() -> None:
    """Print how long it takes."""
    andes = Andes("three-days") >> Build() >> Tell()
    times = sorted(_timed(lambda: _run(andes)) for _ in range(RUNS))
    print(f"{POLLS} polls over three days: best {times[0]:.1f} ms, median {statistics.median(times):.1f} ms")


def _run(andes: Andes[Any]) -> None:
    _asked.clear()
    runtime = Simulated()
    began = runtime.clock.now()
    with Engine("memory:", runtime=runtime) as engine:
        water = engine.start(andes).result()
    if water["asked"] != POLLS or runtime.clock.now() - began < DAYS:
        message = "it was not three days"
        raise RuntimeError(message)


def _timed(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
