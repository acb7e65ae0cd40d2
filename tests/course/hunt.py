"""In which case does the course do what the model does not expect, if anywhere?

    python -m tests.course.hunt 2000         the first of so many seeds that differs, or nothing; ends with 1 if so
    python -m tests.course.hunt 2000 deaths  the same, killing each flow somewhere

Run on a copy of vastflow with a fault planted in it, it says whether the model would have found that.
"""

import sys

from tests.course.agreement import disagreements
from tests.course.deaths import assert_survived
from tests.course.driver import Run
from tests.course.model import expect
from tests.course.scripts import Case, case


def differs(drawn: Case) -> str:
    """Say how the course differs from the model; empty if it does not."""
    expected = expect(drawn)
    try:
        found = disagreements(Run(drawn, check=False), expected)
    except Exception as error:  # noqa: BLE001 - whatever a fault makes it raise was found
        return f"{type(error).__name__}: {error}"
    return ", ".join(f"{what}: {ours!r}, not {theirs!r}" for what, (ours, theirs) in found.items())


def dies(drawn: Case, seed: int) -> str:
    """Say what does not survive a death; empty if all does."""
    try:
        assert_survived(drawn, seed)
    except Exception as error:  # noqa: BLE001 - whatever a fault makes it raise was found
        return f"{type(error).__name__}: {error}"
    return ""


def main(seeds: int, *, deaths: bool) -> int:
    for seed in range(seeds):
        if told := dies(case(seed), seed) if deaths else differs(case(seed)):
            print(f"case {seed}: {told}")  # noqa: T201 - a script speaks
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), deaths="deaths" in sys.argv))
