"""How does a flow stand, in a form to be shown?"""

from typing import Any

import pytest

from tests.course.driver import UID, Run, encoded
from tests.course.flows import BOOM, CONTINUE, FAIL, RETRY, basin, beside, drawn, each, polled, raised, ran, river
from tests.course.scripts import Call, Case
from vastflow.course import Progress, Rules, events, fold, step
from vastflow.course.delta import spring
from vastflow.course.picture import StreamPicture, picture
from vastflow.drawing.chart import EachPlace, Mouth, RiverPlace, Waits
from vastflow.errors import Failure

SECOND = 1_000_000


def seen(progress: Progress) -> dict[str, StreamPicture]:
    return {stream.address: stream for stream in picture(progress).streams}


def told(stream: StreamPicture, *names: str) -> dict[str, Any]:
    return {name: getattr(stream, name) for name in names}


class Live:
    """A flow that is looked at while it runs."""

    def __init__(self, case: Case) -> None:
        tickets = iter(range(1, 100))
        self.rules = Rules(tickets.__next__, jitter=0.0)
        self.progress = Progress(case.chart, UID, spring(encoded(case.water)))
        self.take(events.Begun(0))

    def take(self, event: events.Event) -> None:
        step(self.progress, event, self.rules)

    def of(self, address: str) -> StreamPicture:
        return seen(self.progress)[address]


@pytest.mark.promise("12.2")
def test_all_that_is_drawn_is_seen_in_drawing_order_before_it_is_reached() -> None:
    inner = RiverPlace("b", "app.B", ("flow",), river("b").anchor, "green")
    streams = (
        river("a"),
        beside((basin("east", inner, color="green"),), (EachPlace("each", "k", "i", (river("c"),)),)),
    )
    progress = Progress(drawn(*streams).chart, UID, spring({}))

    shown = picture(progress)

    assert (shown.state, shown.outcome, shown.failure, shown.facts) == ("init", "", None, 0)
    assert [(each.address, each.kind, each.depth, each.state, each.color) for each in shown.streams] == [
        ("a", "river", 0, "init", None),
        ("beside", "parallel", 0, "init", None),
        ("east", "basin", 1, "init", "green"),
        ("east/b", "river", 2, "init", "green"),
        ("each", "each", 1, "init", None),
        ("~", "atlantic", 0, "init", None),
    ]
    assert {each.attempt for each in shown.streams} == {0}


def test_a_body_that_is_out_is_shown_as_running() -> None:
    live = Live(drawn(river("a", retry=Waits(2))))

    assert told(live.of("a"), "state", "running", "attempt", "attempts", "due") == {
        "state": "running",
        "running": True,
        "attempt": 1,
        "attempts": 3,
        "due": 0,
    }


def test_a_wait_before_an_attempt_is_shown_with_its_end_and_its_cause() -> None:
    live = Live(drawn(river("a", retry=Waits(2, 4.0))))
    failure = Failure("error", "no", "a", 1)

    live.take(events.Answered(10, "a", events.Again(failure)))

    assert told(live.of("a"), "state", "running", "attempt", "due", "failure") == {
        "state": "retrying",
        "running": False,
        "attempt": 2,
        "due": 10 + 4 * SECOND,
        "failure": failure,
    }


def test_polls_are_shown_with_their_answer_and_the_next_one() -> None:
    live = Live(drawn(polled("a", cycle_times=8)))
    live.take(events.Answered(0, "a", events.Done()))
    live.take(events.Due(SECOND, "a"))
    assert live.of("a").running

    live.take(events.Answered(SECOND, "a", events.NotYet("building", 0.25)))

    assert told(live.of("a"), "state", "polls", "cycle_times", "answer", "share", "due", "running") == {
        "state": "cycling",
        "polls": 1,
        "cycle_times": 8,
        "answer": "building",
        "share": 0.25,
        "due": 2 * SECOND,
        "running": False,
    }


@pytest.mark.promise("12.2")
def test_what_is_folded_shows_all_but_what_is_no_fact() -> None:
    run = Run(drawn(polled("a", cycle_times=8, cycle_errors=1), a=((), (CONTINUE, raised(BOOM), raised(BOOM)))))
    cut = next(number for number, fact in enumerate(run.facts, 1) if type(fact.what).__name__ == "Polled")

    shown = seen(fold(run.fresh(), run.facts[:cut]))["a"]

    assert told(shown, "state", "polls", "answer", "due", "running") == {
        "state": "cycling",
        "polls": 2,
        "answer": "",
        "due": 7 + 3 * SECOND,
        "running": False,
    }
    assert shown.failure is not None


def test_a_river_without_a_cycle_has_no_polls_to_count() -> None:
    assert seen(ran(river("a", cycle_times=8)).progress)["a"].cycle_times is None


def test_what_failed_shows_why() -> None:
    run = ran(beside((basin("east", river("a")),), (river("b"),)), east_a=(FAIL,), b=(Call(900),))

    shown = seen(run.progress)

    assert {address: stream.state for address, stream in shown.items()} == {
        "beside": "fail",
        "east": "fail",
        "east/a": "fail",
        "b": "success",
        "~": "success",
    }
    assert shown["beside"].failure == shown["east"].failure == run.progress.failures["east"]
    assert shown["east/a"].failure == run.progress.failures["east/a"]


def test_the_atlantic_is_shown_while_it_runs_waits_and_has_ended() -> None:
    live = Live(drawn(river("a"), mouth=Mouth("sea", "app.Sea", Waits(1, 3.0))))
    assert live.of("~") == StreamPicture(address="~", kind="atlantic", depth=0, state="init")
    live.take(events.Answered(1, "a", events.Done()))
    names = ("state", "running", "attempt", "attempts", "due")
    assert tuple(told(live.of("~"), *names).values()) == ("running", True, 1, 2, 0)

    live.take(events.Answered(2, "~", events.Again(Failure("error", "no"))))
    assert tuple(told(live.of("~"), *names).values()) == ("running", False, 2, 2, 2 + 3 * SECOND)

    live.take(events.Due(2 + 3 * SECOND, "~"))
    live.take(events.Answered(5 * SECOND, "~", events.Broken(Failure("error", "lost"))))
    assert (live.of("~").state, live.of("~").failure) == ("fail", live.progress.failures["~"])
    assert picture(live.progress).state == "fail"


def test_an_atlantic_that_ended_well_is_shown_as_success_whatever_the_outcome() -> None:
    run = ran(
        river("a"), a=(FAIL,), atlantic={"success": (), "fail": (RETRY, RETRY)}, mouth=Mouth("s", "app.S", Waits(2))
    )

    shown = picture(run.progress)

    assert (shown.state, shown.outcome, shown.streams[-1].state) == ("fail", "fail", "success")
    assert shown.failure == run.progress.failures["a"]


@pytest.mark.promise("6.2", "12.2")
def test_an_each_is_shown_with_how_its_branches_stand_and_what_stands_in_them() -> None:
    chain = each("files", "list", river("read"), basin("in", river("write")), limit=2)
    run = Run(
        drawn(chain, water={"list": [1, 2, 3]}, scripts={"files[1]/in/write": (FAIL,)}, files_read=(Call(10),) * 3)
    )

    shown = picture(run.progress)
    seen_each, template = (
        next(one for one in shown.streams if one.address == name) for name in ("files", "files/read")
    )

    assert (seen_each.state, seen_each.failure) == ("fail", run.progress.failures["files[1]/in"])
    assert seen_each.branches is not None
    assert (seen_each.branches.count, seen_each.branches.failed, seen_each.branches.cancelled) == (3, 1, 1)
    assert template.branches is not None
    assert (template.state, template.branches.done, template.branches.waiting) == ("success", 3, 0)
    assert {"files[0]/read", "files[1]/in", "files[1]/in/write"} <= {one.address for one in shown.branches}


@pytest.mark.promise("12.2")
def test_one_stream_in_an_each_has_the_line_of_the_each() -> None:
    live = Live(drawn(each("in", "list", basin("in", beside((river("a"),), (river("b"),)))), water={"list": [1]}))

    assert [(one.address, one.kind) for one in picture(live.progress).streams] == [
        ("in", "each"),
        ("in/beside", "parallel"),
        ("in/a", "river"),
        ("in/b", "river"),
        ("~", "atlantic"),
    ]


def test_an_undo_that_waits_is_shown_with_the_end_of_its_wait() -> None:
    live = Live(drawn(river("a", "undo", undo_interval=3.0)))
    live.take(events.Answered(1, "a", events.Broken(Failure("error", "no"))))
    assert live.of("a").due == 0

    live.take(events.Answered(2, "a", events.Again(Failure("error", "no"))))

    assert (live.of("a").state, live.of("a").due) == ("undoing", 2 + 3 * SECOND)
