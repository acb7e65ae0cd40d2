"""How much memory do a million starts take while the store refuses to be written?

The first 100 000 (`max_flows`) are kept until the store can be written again, the others are refused. Prints the
memory of the process (resident, MB) on the way; then the store can be written again, and what was kept ends.

python -m benchmarks.refusing [--starts 1000000]
"""

import argparse
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from vastflow import Andes, Atlantic, Engine, River
from vastflow.errors import EngineBusy, StoreError
from vastflow.ledger.contract import Batch, FlowQuery
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.log import setup

_LONG = 600.0


class Step(River):
    """Does a little."""

    registered_as = "benchmarks.Step"

    def flow(self, water: Any) -> None:
        """Write a little."""
        water["done"] = True


class End(Atlantic):
    """Where they end."""

    registered_as = "benchmarks.refusing.End"


DRAWN = Andes("refused") >> Step() >> End()


class Refusing(SQLiteStore):
    """A store that cannot be written, as if its disk were full."""

    refuses = True

    def commit(self, batch: Batch) -> frozenset[str]:
        """Refuse, or do it."""
        if self.refuses:
            message = "database or disk is full"
            raise StoreError(message)
        return super().commit(batch)


def memory() -> float:
    """Return the resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def tell(what: str) -> None:
    """Print how much memory there is in use."""
    sys.stdout.write(f"{memory():8.0f} MB  {what}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="How much memory do starts take while the store refuses?")
    parser.add_argument("--starts", type=int, default=1_000_000)
    asked = parser.parse_args()
    setup("critical")
    with tempfile.TemporaryDirectory(prefix="vastflow-refusing-") as folder:
        store = Refusing(Path(folder) / "flows.db")
        with Engine(store=store) as engine:
            play(engine, store, asked.starts)
        store.close()


def play(engine: Engine, store: Refusing, starts: int) -> None:
    """Start so many flows; then let the store be written."""
    tell("at the beginning")
    begun = perf_counter()
    try:
        engine.start_many(DRAWN, ({"number": number} for number in range(starts)), wait=False)
    except EngineBusy:
        tell("as many are under way as may be")
    refused = 0
    for number in range(starts - 100_000):
        try:
            engine.start(DRAWN, number=number, wait=False)
        except EngineBusy:
            refused += 1
    tell(f"after {starts} starts in {perf_counter() - begun:.0f} s, of which {refused} were refused")
    store.refuses = False
    begun = perf_counter()
    engine.start(DRAWN, wait=_LONG, id="last").result(_LONG)
    ended = len(engine.reader.flows(FlowQuery(limit=starts)))
    tell(f"after the store can be written again: {ended} flows in it, {perf_counter() - begun:.0f} s later")


if __name__ == "__main__":
    main()
