"""Does a flow count as stuck only if nothing goes on by plan?"""

import pytest

from tests.why.situations import NOW, SECOND, around, out, poll, seen, spot
from vastflow.why import Code, Spot, tell_why
from vastflow.why.stuckness import is_stuck, stuck_at

LONG_AGO = NOW - 3600 * SECOND


@pytest.mark.promise("12.4")
@pytest.mark.parametrize(
    ("told", "codes"),
    [
        (poll(), []),
        (spot(state="cycling", polls=1, due=NOW - 30 * SECOND), []),
        (spot(state="cycling", polls=1, due=NOW - 90 * SECOND), [Code.POLL_WAIT]),
        (spot(state="retrying", due=NOW - 90 * SECOND), [Code.RETRY_WAIT]),
        (poll(signals=("ok",)), [Code.WAITING_SIGNAL]),
        (spot(out=out(usual=60.0)), []),
        (spot(out=out(usual=1.0)), [Code.BODY_RUNNING]),
        (spot(out=out(stage="thread", began=0)), [Code.WAITING_WORKER]),
        (spot(), [Code.GOING_ON]),
        (spot(state="retrying", due=NOW + SECOND, lost=(out(),)), [Code.ABANDONED]),
    ],
)
def test_what_waits_by_plan_is_not_stuck(told: Spot, codes: list[Code]) -> None:
    why = tell_why(seen(told, last=LONG_AGO), around())

    assert [each.code for each in stuck_at(why)] == codes
    assert is_stuck(why, 600) == bool(codes)
    assert not is_stuck(why, 7200)


@pytest.mark.promise("12.4")
def test_a_poll_that_is_read_from_the_store_is_not_late_since_nobody_knows_when_the_next_is_due() -> None:
    why = tell_why(seen(poll(), last=LONG_AGO, live=False), around())

    assert stuck_at(why) == ()


@pytest.mark.promise("12.4")
def test_a_flow_that_is_paused_is_not_stuck_unless_nobody_serves_it() -> None:
    paused = seen(spot(), paused=LONG_AGO, last=LONG_AGO)

    assert stuck_at(tell_why(paused, around())) == ()
    assert Code.UNSERVED in [each.code for each in stuck_at(tell_why(paused, around(unserved=LONG_AGO)))]


@pytest.mark.promise("12.4")
def test_what_matters_most_comes_first_of_what_a_flow_is_stuck_at() -> None:
    slow = spot(address="b", out=out(usual=1.0))
    why = tell_why(seen(poll(signals=("ok",)), slow, last=LONG_AGO), around())

    assert [each.code for each in stuck_at(why)] == [Code.BODY_RUNNING, Code.WAITING_SIGNAL]
