"""How does one play rounds by hand?

`python -m tests.crash --rounds 200 --seed 1` prints figures, and what was wrong; `--together` lets several processes
open each store.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from tests.crash.play import Report, play, play_together

_SHOWN = 20  # violations of a seed that are told


def main(arguments: list[str] | None = None) -> int:
    """Play rounds; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others follow")
    parser.add_argument("--flows", type=int, default=None, help="in each round, instead of what its seed says")
    parser.add_argument("--workers", type=int, default=2, help="rounds at a time")
    parser.add_argument("--together", action="store_true", help="several processes at a time in each round")
    parser.add_argument("--keep", type=Path, default=None, help="a folder for stores and notes, which stay there")
    asked = parser.parse_args(arguments)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="vastflow-crash-") as temporary, ThreadPoolExecutor(asked.workers) as pool:
        folder = asked.keep or Path(temporary)
        seeds = range(asked.seed, asked.seed + asked.rounds)
        for each in pool.map(lambda seed: _play(seed, folder, asked), seeds):
            report.add(each)
            _tell_wrongs(each)
    _tell(report)
    return 1 if report.wrongs else 0


def _play(seed: int, folder: Path, asked: argparse.Namespace) -> Report:
    own = folder / str(seed)
    own.mkdir(parents=True)
    return (play_together if asked.together else play)(seed, own, flows=asked.flows)


def _tell_wrongs(report: Report) -> None:
    for seed, wrongs in report.wrongs.items():
        sys.stdout.write(f"seed {seed}: {len(wrongs)} violations\n")
        sys.stdout.write("".join(f"    {wrong}\n" for wrong in wrongs[:_SHOWN]))
    sys.stdout.flush()


def _tell(report: Report) -> None:
    for name, number in sorted(report.figures.items()):
        sys.stdout.write(f"{number:8} {name}\n")
    for name, number in sorted(report.kills.items()):
        sys.stdout.write(f"{number:8} killed at: {name}\n")
    if report.gaps:
        told = f"{median(report.gaps):.2f} s median, {max(report.gaps):.2f} s at most"
        sys.stdout.write(f"{len(report.gaps):8} servers followed one that was killed or closed, after {told}\n")
    sys.stdout.write(f"{report.violations:8} violations in {len(report.wrongs)} rounds\n")


if __name__ == "__main__":
    sys.exit(main())
