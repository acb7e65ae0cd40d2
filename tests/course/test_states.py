"""Which moves may a stream and a flow make?"""

from collections import Counter
from typing import get_args

import pytest

from tests.course.driver import Run
from tests.course.scripts import case
from vastflow.course.apply import apply
from vastflow.course.progress import ATLANTIC
from vastflow.course.states import (
    ENDED,
    FLOW_MOVES,
    STREAM_MOVES,
    FlowState,
    StreamState,
    check_flow,
    check_stream,
)
from vastflow.errors import CourseError

STREAM_STATES, FLOW_STATES = get_args(StreamState), get_args(FlowState)
# No release yet cancels a whole flow.
NOT_REACHED = {("ending", "cancelled")}


def moves(run: Run) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Fold the journal fact by fact, and count the moves of streams and of the flow."""
    progress, streams, flow = run.fresh(), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    before, state = dict[str, str](), "init"
    for fact in run.facts:
        apply(progress, fact)
        after = {address: record.state for address, record in progress.records.items()}
        for address, now in after.items():
            was = before.get(address, "init")
            if was == "init" or was != now or (address == fact.address and now not in ENDED):
                streams[was, now] += 1
        if state != progress.state or fact.address == ATLANTIC:
            flow[state, progress.state] += 1
        before, state = dict(after), progress.state
    return streams, flow


@pytest.mark.promise("10.1")
def test_every_move_in_the_tables_is_made_by_some_flow_and_none_outside() -> None:
    streams, flows = Counter[tuple[str, str]](), Counter[tuple[str, str]]()

    for seed in range(300):
        of_streams, of_flow = moves(Run(case(seed), check=False))
        streams += of_streams
        flows += of_flow

    assert streams.keys() - {("running", "running")} == STREAM_MOVES
    assert flows.keys() == FLOW_MOVES - NOT_REACHED


def test_a_stream_makes_the_moves_of_the_table_and_no_other() -> None:
    for before in STREAM_STATES:
        for after in STREAM_STATES:
            if (before, after) in STREAM_MOVES:
                assert check_stream("a", before, after) == after
            else:
                with pytest.raises(CourseError, match=f"'a' cannot move from {before} to {after}: a bug in vastflow"):
                    check_stream("a", before, after)


def test_a_flow_makes_the_moves_of_the_table_and_no_other() -> None:
    for before in FLOW_STATES:
        for after in FLOW_STATES:
            if (before, after) in FLOW_MOVES:
                assert check_flow(before, after) == after
            else:
                with pytest.raises(CourseError, match=f"cannot move from {before} to {after}: a bug in vastflow"):
                    check_flow(before, after)


def test_what_has_ended_moves_no_more() -> None:
    assert {before for before, _ in STREAM_MOVES | FLOW_MOVES}.isdisjoint(ENDED)
