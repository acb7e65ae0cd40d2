"""Do the course and the reference model end every random flow alike?"""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings

from tests.course.agreement import disagreements
from tests.course.driver import Run
from tests.course.model import expect
from tests.course.scripts import Case, case, cases, depth

SHARE = 1_000  # seeds of one slow test


def compared(drawn: Iterable[Case]) -> Counter[str]:
    """Compare each case, its live progress with the folded one after every step, and count what they are like."""
    seen: Counter[str] = Counter()
    for each in drawn:
        end = expect(each)
        assert disagreements(Run(each), end) == {}
        seen.update(["all", end.outcome, "deep" if depth(each.chart.streams) >= 3 else "flat"])
    return seen


def assert_shares(seen: Counter[str]) -> None:
    """Print how many fail and nest, and see that they are enough."""
    print(f"{seen['all']} cases: {seen['fail']} fail, {seen['deep']} nest three deep")  # noqa: T201 - a figure to report
    assert seen["fail"] >= 0.3 * seen["all"]
    assert seen["deep"] >= 0.2 * seen["all"]


@pytest.mark.promise("4.1", "4.2", "5.5", "5.6", "5.7", "5.9", "6.1", "6.3", "7.1", "8.1", "8.2", "10.1")
@pytest.mark.timeout(600)
@settings(max_examples=300)
@given(cases())
def test_a_random_flow_ends_as_the_model_says(drawn: Case) -> None:
    assert disagreements(Run(drawn), expect(drawn)) == {}


def test_enough_of_the_random_flows_fail_and_nest() -> None:
    assert_shares(compared(map(case, range(200))))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.promise("4.1", "4.2", "5.5", "5.6", "5.7", "5.9", "6.1", "6.3", "7.1", "8.1", "8.2", "10.1")
@pytest.mark.parametrize("first", range(0, 10_000, SHARE))
def test_ten_thousand_flows_end_as_the_model_says(first: int) -> None:
    assert_shares(compared(map(case, range(first, first + SHARE))))
