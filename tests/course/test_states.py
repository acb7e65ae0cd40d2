"""Which moves may a stream and a flow make?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import get_args

import pytest

from tests.course.deaths import drawn_deaths
from tests.course.driver import Run
from tests.course.flows import BOOM, FAIL, drawn, polled, raised, river
from tests.course.scripts import Call, Outside, case
from vastflow.course import commands
from vastflow.course.apply import apply
from vastflow.course.facts import Delta, Doubted, Polled, Retrying
from vastflow.course.records import ATLANTIC
from vastflow.course.states import FLOW_MOVES, STREAM_MOVES, FlowState, StreamState, check_flow, check_stream
from vastflow.drawing.chart import Mouth, Waits
from vastflow.errors import CourseError

STREAM_STATES, FLOW_STATES = get_args(StreamState), get_args(FlowState)
Moves = Counter[tuple[str, str]]


def moves(run: Run) -> tuple[Moves, Moves]:
    """Fold the journal fact by fact, and count the moves of streams and of the flow."""
    progress, streams, flow = run.fresh(), Moves(), Moves()
    before: Mapping[str, tuple[str, int]] = {}
    state = "init"
    for fact in run.facts:
        apply(progress, fact)
        after = {address: (record.state, record.run) for address, record in progress.records.items()}
        for address, (now, run_now) in after.items():
            was, run_was = before.get(address, ("init", 1))
            again = fact.address == address and isinstance(fact.what, Retrying | Polled | Doubted) and now != "undoing"
            if (was, run_was) != (now, run_now) or again:
                streams[was if run_was == run_now else "init", now] += 1
        if state != progress.state or (fact.address == ATLANTIC and isinstance(fact.what, Retrying)):
            flow[state, progress.state] += 1
        before, state = after, progress.state
        progress.ends.clear()
        progress.begins.clear()
    return streams, flow


def mended() -> Iterator[Run]:
    """Skip and complete a river in each state in which that is allowed."""
    undone = {"flow": (FAIL,)}
    lost = {"flow": (FAIL,), "undo": (FAIL,)}
    ways: tuple[tuple[str, dict[str, object], int], ...] = (
        ("retrying", {"a": (Call(10, answer="retry"),)}, 50),
        ("cycling", {"a": ((), ())}, 50),
        ("in-doubt", {"a": {"flow": (raised(BOOM),), "reconcile": (Call(10, answer="continue"),)}}, 50),
        ("fail", {"a": (FAIL,)}, 900),
        ("cancelled", {"a": (Call(500, answer="fail"),), "outside": (Outside(100, "cancel"),)}, 900),
        ("undone", {"a": undone}, 900),
        ("undo-failed", {"a": lost}, 900),
    )
    for state, script, at in ways:
        bodies = {"cycling": ("cycle",), "in-doubt": ("reconcile",), "undone": ("undo",), "undo-failed": ("undo",)}
        place = river("a", *bodies.get(state, ()), retry=Waits(3), fail_on=())
        for mend in (commands.Skip("a"), commands.Complete("a", Delta())):
            paused = ((at - 1, commands.Pause()), (at + 1, commands.Resume())) if at < 900 else ()
            told = sorted([*paused, (at, mend)], key=lambda each: each[0])
            yield Run(drawn(place, river("b"), **script), told=told)


def others() -> Iterator[Run]:
    """Run what is rare by chance."""
    yield Run(drawn(river("a"), outside=(Outside(5, "cancel"),)), not_before=9)
    yield from mended()
    skips: list[tuple[int, commands.Command]] = [
        (49, commands.Pause()),
        (50, commands.Skip("a")),
        (51, commands.Resume()),
    ]
    yield Run(drawn(river("a", "cycle", "undo"), river("b"), b=(FAIL,)), told=skips)
    yield Run(drawn(river("a"), atlantic={"success": (FAIL,), "fail": ()}, outside=(Outside(900, "retry"),)))
    yield Run(
        drawn(polled("a", cycle_times=1), a=((), (Call(5, answer="continue"),)), outside=(Outside(9**8, "retry"),))
    )
    yield Run(drawn(river("a"), a=(FAIL,), mouth=Mouth("sea", "app.Sea", Waits(1)), outside=(Outside(900, "retry"),)))


@pytest.mark.timeout(300)
@pytest.mark.promise("10.1")
def test_every_move_in_the_tables_is_made_by_some_flow_and_none_outside() -> None:
    streams, flows = Moves(), Moves()

    for run in (*others(), *(Run(case(seed), drawn_deaths(seed, 40), check=False) for seed in range(250))):
        of_streams, of_flow = moves(run)
        streams += of_streams
        flows += of_flow

    assert {(before, after) for before, moved in STREAM_MOVES.items() for after in moved} - streams.keys() == set()
    assert {(before, after) for before, moved in FLOW_MOVES.items() for after in moved} - flows.keys() == set()


def test_a_stream_makes_the_moves_of_the_table_and_no_other() -> None:
    for before in STREAM_STATES:
        for after in STREAM_STATES:
            if after in STREAM_MOVES[before]:
                assert check_stream("a", before, after) == after
            else:
                with pytest.raises(CourseError, match=f"'a' cannot move from {before} to {after}: a bug in vastflow"):
                    check_stream("a", before, after)


def test_a_flow_makes_the_moves_of_the_table_and_no_other() -> None:
    for before in FLOW_STATES:
        for after in FLOW_STATES:
            if after in FLOW_MOVES[before]:
                assert check_flow(before, after) == after
            else:
                with pytest.raises(CourseError, match=f"cannot move from {before} to {after}: a bug in vastflow"):
                    check_flow(before, after)
