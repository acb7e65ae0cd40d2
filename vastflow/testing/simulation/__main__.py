"""How does one run the simulation?

`python -m vastflow.testing.simulation --seed 4711` plays one seed, `--seeds 20000` many, `--for 3600` as many as an
hour holds; `--store sqlite` on a store on disk. What was wrong is told with its seed, its journal and a census.
"""

import argparse
import itertools
import sys
from collections.abc import Iterable

from vastflow.clock import SystemClock
from vastflow.testing.simulation.campaign import Report, campaign, play
from vastflow.testing.simulation.census import lines_of, never_met

_ALL_IS_MET = 20_000  # after so many seeds nothing of the census may be zero
_SHOWN = 20  # seeds with something wrong that are told in full


def main(arguments: list[str] | None = None) -> int:
    """Play what is asked for and return 1 if something was wrong, else 0."""
    asked = _parser().parse_args(arguments)
    if asked.seed is not None:
        report = play(asked.seed, asked.store)
        return _tell(report, wanted=False)
    clock = SystemClock()
    until = clock.now() + round((asked.seconds or 0) * 1_000_000)
    seeds: Iterable[int] = itertools.count(asked.first)
    if asked.seeds is not None:
        seeds = range(asked.first, asked.first + asked.seeds)
    report = campaign(
        seeds, asked.store, workers=asked.workers, more=lambda _: asked.seconds is None or clock.now() < until
    )
    return _tell(report, wanted=asked.store == "memory" and report.seeds >= _ALL_IS_MET)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vastflow.testing.simulation", description=__doc__)
    how_many = parser.add_mutually_exclusive_group(required=True)
    how_many.add_argument("--seed", type=int, help="play this one")
    how_many.add_argument("--seeds", type=int, help="play so many")
    how_many.add_argument("--for", type=float, dest="seconds", help="play for so many seconds")
    parser.add_argument("--first", type=int, default=0, help="begin with this seed")
    parser.add_argument("--store", choices=("memory", "sqlite"), default="memory", help="where flows are stored")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    return parser


def _tell(report: Report, *, wanted: bool) -> int:
    """Write what was met and what was wrong; `wanted`: what was not met is wrong too."""
    for line in lines_of(report.met):
        sys.stdout.write(f"{line}\n")
    for seed, wrongs in itertools.islice(sorted(report.wrongs.items()), _SHOWN):
        sys.stdout.write(f"\nseed {seed}:\n" + "".join(f"  {wrong}\n" for wrong in wrongs))
        sys.stdout.write("".join(f"    {line[:400]}\n" for line in report.journals[seed]))
    missing = never_met(report.met) if wanted else []
    sys.stdout.write(f"\n{report.seeds} seeds, {len(report.wrongs)} with something wrong\n")
    if report.wrongs:
        sys.stdout.write(f"seeds with something wrong: {', '.join(map(str, sorted(report.wrongs)))}\n")
    if missing:
        sys.stdout.write(f"never met: {', '.join(missing)}\n")
    return 1 if report.wrongs or missing else 0


if __name__ == "__main__":
    sys.exit(main())
