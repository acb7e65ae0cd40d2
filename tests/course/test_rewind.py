"""Where does a new round of a flow go on?"""

import pytest

from tests.course.driver import Run
from tests.course.flows import FAIL, basin, beside, drawn, each, polled, river
from tests.course.live import Live
from tests.course.scripts import Call, Outside
from vastflow.course import commands, events
from vastflow.course.facts import Delta
from vastflow.course.records import ATLANTIC
from vastflow.drawing.chart import Waits
from vastflow.errors import Failure

AGAIN = (Outside(9_000_000, "retry"),)


@pytest.mark.promise("8.4", "2.11")
def test_a_flow_that_was_cancelled_before_it_began_is_begun_by_a_retry() -> None:
    run = Run(drawn(river("a"), outside=(Outside(5, "cancel"), *AGAIN)), not_before=7_000_000)

    assert [each.outcome for each in run.rounds] == ["cancelled", "success"]
    assert run.calls["a", "flow"] == 1


@pytest.mark.promise("8.4", "4.7")
def test_a_river_whose_polls_ran_out_polls_on_atomic_or_not() -> None:
    script = (Call(5, {"x": 1}),), (Call(5, answer="continue"),) * 2
    run = Run(drawn(polled("a", cycle_times=2, atomic=True, deadline=3600.0), a=script, outside=AGAIN))

    assert [each.outcome for each in run.rounds] == ["fail", "success"]
    assert (run.calls["a", "flow"], run.calls["a", "cycle"], run.progress.records["a"].run) == (1, 3, 1)


@pytest.mark.promise("8.4")
@pytest.mark.parametrize("mend", [commands.Skip("b"), commands.Complete("b", Delta())])
def test_what_was_mended_is_kept_even_where_all_around_it_begins_anew(mend: commands.Command) -> None:
    whole = drawn(beside((river("a"),), (river("b"), river("c")), join="any"), a=(FAIL, FAIL), b=(FAIL,), c=())

    run = Run(whole, told=((900, mend), (1_000, commands.Retry())))

    assert [each.outcome for each in run.rounds] == ["fail", "success"]
    assert (run.calls["b", "flow"], run.calls["c", "flow"]) == (1, 1)


@pytest.mark.promise("8.4")
def test_a_chain_goes_on_with_its_first_stream_that_is_not_kept() -> None:
    live = Live(river("a"), river("b"), river("c"))
    live.begin()
    live.answer("a", events.Done())
    live.answer("b", events.Broken(Failure("error", "no")))
    live.answer(ATLANTIC, events.Done())

    live.tell(commands.Retry())

    assert live.told() == [("Do", "b")]
    assert (live.river("a").run, live.river("b").run) == (1, 2)


@pytest.mark.promise("8.4", "6.2")
def test_an_each_that_was_not_spread_when_it_was_begun_anew_is_spread_by_the_next_round() -> None:
    tried = basin("b", river("r"), each("s", "files", river("s")), retry=Waits(times=1, interval=1.0))
    outside = (Outside(1_000_500, "cancel"), Outside(9_000_000, "retry"))

    run = Run(drawn(tried, water={"files": ["x"]}, b_r=(Call(7), Call(1_000)), b_s=(FAIL,), outside=outside))

    assert [each.outcome for each in run.rounds] == ["cancelled", "success"]
    assert (run.calls["b/r", "flow"], run.calls["b/s[0]", "flow"]) == (2, 2)
