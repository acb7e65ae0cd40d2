"""Are the branches of an `each` counted once each, whatever became of them?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastflow.course.states import STREAM_MOVES, StreamState
from vastflow.course.tally import BranchCounts, counted, state_of

STATES: list[StreamState] = list(STREAM_MOVES)


@pytest.mark.promise("6.2")
@given(st.lists(st.sampled_from(STATES), max_size=30), st.integers(0, 5))
def test_every_branch_is_counted_once(states: list[StreamState], more: int) -> None:
    counts = counted(states, len(states) + more)

    told = counts.done + counts.running + counts.failed + counts.cancelled + counts.undone
    assert told == len(states)
    assert counts.waiting == more


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (BranchCounts(), "init"),
        (BranchCounts(count=3, waiting=3), "init"),
        (BranchCounts(count=3, waiting=2, done=1), "running"),
        (BranchCounts(count=3, running=1, failed=2), "running"),
        (BranchCounts(count=3, done=1, failed=1, cancelled=1), "fail"),
        (BranchCounts(count=3, done=1, cancelled=2), "cancelled"),
        (BranchCounts(count=3, done=2, undone=1), "undone"),
        (BranchCounts(count=3, done=3), "success"),
    ],
)
def test_of_all_branches_the_state_is_shown_that_says_most(counts: BranchCounts, state: str) -> None:
    assert state_of(counts) == state
