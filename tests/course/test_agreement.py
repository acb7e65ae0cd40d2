"""Do the course and the reference model end every random flow alike?"""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.course.agreement import disagreements
from tests.course.driver import Run
from tests.course.model import expect
from tests.course.scripts import case, features

# fmt: off
pytestmark = pytest.mark.promise(
    "4.1", "4.2", "4.5", "4.7", "4.8",
    "5.5", "5.6", "5.7", "5.9",
    "6.1", "6.2", "6.3",
    "7.1", "7.2", "7.3", "7.4", "7.5",
    "8.1", "8.2", "8.4",
    "9.1", "9.2",
    "10.1",
)
# fmt: on

SHARE = 500  # seeds of one slow test
CHECKED = 5  # of so many flows, one is compared with what is folded after every step
MET = (
    *("outcome success", "outcome fail", "outcome cancelled", "rounds 1", "rounds 2", "three deep", "signal left over"),
    *("river success", "river skipped", "river fail", "river cancelled", "river undone", "river undo-failed"),
    *(
        "body when",
        "body flow",
        "body cycle",
        "body undo",
        "body reconcile",
        "undo done",
        "undo deadline",
        "undo error",
    ),
    *("kind error", "kind timeout", "kind deadline", "kind conflict", "kind in-doubt", "kind bad-return"),
    *("kind cycles-exhausted", "kind retries-exhausted", "flow cancelled", "flow deadline", "flow atlantic"),
    *("join all", "join settle", "join any", "each", "basin goes on", "basin retried", "atomic"),
    *("cancel done", "cancel refused", "pause done", "resume done", "retry done", "signal done"),
)


def compared(seeds: Iterable[int]) -> Counter[str]:
    """Compare each case, and count what is met in them."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        drawn = case(seed)
        end = expect(drawn)
        found = disagreements(Run(drawn, check=seed % CHECKED == 0), end)
        assert found == {}, seed
        seen.update(features(drawn, end))
    return seen


def assert_met(seen: Counter[str], total: int) -> None:
    """Print how often each thing was met, and see that all were."""
    print({what: f"{100 * times / total:.1f} %" for what, times in sorted(seen.items())})  # noqa: T201 - to report
    named = {what.removeprefix("drawn ") for what in seen}
    assert [what for what in MET if what not in named] == []
    assert seen["outcome fail"] >= 0.3 * total
    assert seen["three deep"] >= 0.2 * total


@pytest.mark.timeout(600)
@settings(max_examples=300, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a number says all
@given(st.integers(10_000, 1 << 40))
@example(349498225)  # three basins whose attempts are due at once after a pause; one fails, and cancels the others
def test_a_random_flow_ends_as_the_model_says(seed: int) -> None:
    drawn = case(seed)

    assert disagreements(Run(drawn), expect(drawn)) == {}


@pytest.mark.timeout(300)
def test_enough_is_met_in_random_flows() -> None:
    assert_met(compared(range(300)), 300)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, 10_000, SHARE))
def test_ten_thousand_flows_end_as_the_model_says(first: int) -> None:
    assert_met(compared(range(first, first + SHARE)), SHARE)
