"""Files that are listed while it runs, twenty at a time; one that is broken may be missing, and leaves nothing behind.

    python examples/fan_out.py

Of an `each`, only what it collects leaves its branches: lists in the order of the items, with None where one failed.
"""

import tempfile
from pathlib import Path

from vastflow import Andes, Atlantic, Engine, Fail, Headwaters, ParallelRiver, River, later


class Water(Headwaters):
    folder: str  # needed at start
    files: list[str] = later()  # written by List
    amount: int = later()  # written by each Import, in a water of its own
    amounts: list[int | None] = later()  # what is collected of them
    total: int = later()


class List(River):
    def flow(self, water: Water) -> None:
        water.files = sorted(path.name for path in Path(water.folder).glob("*.txt"))


class Import(River):
    def flow(self, water: Water) -> None:
        source = Path(water.folder, water["file"])
        source.with_suffix(".imported").touch()
        if not (text := source.read_text("utf-8")).isdigit():
            raise Fail(f"{water['file']} holds no number")
        water.amount = int(text)

    def undo(self, water: Water) -> None:  # of a file that failed and is tolerated too
        Path(water.folder, water["file"]).with_suffix(".imported").unlink(missing_ok=True)


class Sum(River):
    def flow(self, water: Water) -> None:
        water.total = sum(amount for amount in water.amounts if amount is not None)


class Summed(Atlantic):
    def success(self, water: Water) -> None:
        print(f"{len(water.files)} files, {water.amounts.count(None)} broken, total {water.total}")
        for address, failure in self.failures.items():
            print(f"{address}: {failure.message}")


imports = ParallelRiver.each("files", Import(), item="file", collect={"amount": "amounts"}, limit=20, max_failures=0.05)
andes = Andes("imports", Water) >> List() >> imports >> Sum() >> Summed()

with tempfile.TemporaryDirectory() as folder, Engine("memory:") as engine:
    for number in range(100):
        Path(folder, f"{number:03}.txt").write_text(str(number), "utf-8")
    Path(folder, "017.txt").write_text("broken", "utf-8")

    engine.start(andes, folder=folder).result()
    print(f"{len(list(Path(folder).glob('*.imported')))} files are imported")
