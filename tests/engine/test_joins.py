"""When does a parallel river pass, what does it carry on, and what becomes of branches that failed or lost?"""

from typing import Any

import pytest

from tests.engine.deeds import Deeds, Staging, addresses, kinds, lasting, no, states, waiting, writes
from tests.engine.scenes import nothing, puts, raises, river
from vastflow import Basin, Fail, FlowFailed, ParallelRiver, Retry

ORDERS = pytest.mark.parametrize("seed", range(6))  # who is first among those who may is drawn from a seed


# all


@pytest.mark.promise("6.1")
@ORDERS
def test_what_stands_behind_a_join_begins_when_its_last_branch_has_ended(seed: int, stage: Staging) -> None:
    deeds = Deeds()
    branches = ParallelRiver(deeds.step("a"), deeds.step("b", lasting(30)), deeds.step("c", lasting(7)))

    stage(seed).start(branches, deeds.step("last")).result()

    assert sorted(deeds[:3]) == ["flow a", "flow b", "flow c"]
    assert deeds[3:] == ["flow last"]


@pytest.mark.promise("6.1")
@pytest.mark.parametrize(("most", "of", "passes"), [(0, 3, 0), (1, 3, 1), (0.5, 4, 2), (0.49, 4, 1), (0.29, 100, 29)])
def test_a_join_passes_as_long_as_no_more_branches_fail_than_are_tolerated(
    most: float, of: int, passes: int, stage: Staging
) -> None:
    for failing in {0, passes, passes + 1}:
        failed = [river(f"no-{number}", lasting(1, raises(Fail("no")))) for number in range(failing)]
        well = [river(f"yes-{number}", writes(f"yes-{number}")) for number in range(of - failing)]
        flow = stage().start(ParallelRiver(*failed, *well, max_failures=most))

        assert flow.wait().outcome == ("success" if failing <= passes else "fail")
        if failing <= passes:
            assert list(flow.result()) == [f"yes-{number}" for number in range(of - failing)]


@pytest.mark.promise("6.1")
@ORDERS
def test_one_failure_too_many_cancels_the_others_and_the_join_waits_for_atomic_ones(seed: int, stage: Staging) -> None:
    two = river("two", lasting(5, raises(Fail("too many"))))
    atomic = river("atomic", lasting(40, writes("atomic")), atomic=True, deadline="1h")
    one = river("one", raises(Fail("one")))
    on = stage(seed)
    flow = on.start(ParallelRiver(two, atomic, waiting("polls", 600), one, max_failures=1), river("never", nothing))
    on.play(4)
    tolerated = states(flow.status())
    early = states(on.play(6))

    status = flow.wait()

    assert tolerated == {"two": "running", "atomic": "running", "polls": "cycling", "one": "fail", "never": "init"}
    assert early == {"two": "fail", "atomic": "running", "polls": "cancelled", "one": "fail", "never": "init"}
    assert states(status) == {**early, "atomic": "success"}
    assert status.outcome == "fail"
    assert status.failure is not None
    assert status.failure.message == "one"  # the first cause, although it was tolerated when it came
    assert kinds(flow, "failing", "joined") == ["failing"]


@pytest.mark.promise("6.1")
def test_a_skipped_branch_counts_as_done_and_as_no_failure(stage: Staging) -> None:
    skipped = river("skipped", raises(Fail("no")), when=no)

    flow = stage().start(ParallelRiver(skipped, river("a", puts(a=1))))

    assert flow.result() == {"a": 1}
    assert states(flow.status()) == {"skipped": "skipped", "a": "success"}


# settle


@pytest.mark.promise("6.1")
@ORDERS
def test_settle_cancels_nothing_and_fails_with_the_first_cause_when_all_have_ended(seed: int, stage: Staging) -> None:
    branches = ParallelRiver(
        river("slow", lasting(50)),
        waiting("polls", 60, 3),
        river("no", lasting(1, raises(Fail("first")))),
        river("nor", lasting(2, raises(Fail("second")))),
        join="settle",
    )
    flow = stage(seed).start(branches)

    status = flow.wait()

    assert states(status) == {"slow": "success", "nor": "fail", "no": "fail", "polls": "success"}
    assert status.failure is not None
    assert status.failure.message == "first"
    assert kinds(flow, "failing", "cancelled") == []


@pytest.mark.promise("6.1")
def test_settle_passes_with_as_many_failures_as_are_tolerated(stage: Staging) -> None:
    failed = river("no", raises(Fail("no")))
    branches = ParallelRiver(failed, river("a", puts(a=1)), river("b", puts(b=1)), join="settle", max_failures=1)

    assert stage().start(branches).result() == {"a": 1, "b": 1}


# any


@pytest.mark.promise("6.1")
@ORDERS
def test_the_first_success_of_any_wins_alone_and_the_others_are_cancelled_and_waited_for(
    seed: int, stage: Staging
) -> None:
    slow = waiting("slow", 600, flow=writes("slow"))
    quick = river("quick", lasting(5, writes("by")))
    atomic = river("atomic", lasting(40, writes("by")), atomic=True, deadline="1h")
    failed = river("no", raises(Fail("no")))
    on = stage(seed)
    flow = on.start(ParallelRiver(slow, quick, atomic, failed, join="any"), river("next", puts(next=1)))
    early = states(on.play(20))

    water = flow.result()

    assert (early["slow"], early["atomic"], early["next"]) == ("cancelled", "running", "init")
    assert water == {"by": "quick", "next": 1}
    assert states(flow.status())["atomic"] == "success"
    assert [event.details["branches"] for event in flow.events() if event.kind == "joined"] == [[1]]


@pytest.mark.promise("6.1")
def test_an_any_that_nobody_won_fails_with_the_first_cause_if_one_failed(stage: Staging) -> None:
    late, soon = river("late", lasting(9, raises(Fail("late")))), river("soon", lasting(3, raises(Fail("soon"))))

    with pytest.raises(FlowFailed, match="soon"):
        stage().start(ParallelRiver(river("skipped", nothing, when=no), late, soon, join="any")).result()


@pytest.mark.promise("6.1")
def test_an_any_that_nobody_won_passes_with_nothing_if_none_failed(stage: Staging) -> None:
    def writes_no(_self: Any, water: Any) -> bool:
        water["asked"] = 1
        return False

    race = ParallelRiver(river("a", nothing, when=no), river("b", nothing, when=writes_no), join="any")

    assert stage().start(race, river("next", puts(next=1))).result() == {"next": 1}


@pytest.mark.promise("6.1")
@ORDERS
def test_a_branch_of_any_in_which_all_was_skipped_does_not_win(seed: int, stage: Staging) -> None:
    chain = river("x", nothing, when=no) >> Basin("y", river("z", nothing, when=no))
    race = ParallelRiver(river("skipped", nothing, when=no), chain, river("a", lasting(30, puts(a=1))), join="any")

    assert stage(seed).start(race).result() == {"a": 1}


@pytest.mark.promise("6.1")
def test_the_winner_of_any_may_have_skipped_a_part_of_its_chain(stage: Staging) -> None:
    chain = river("x", nothing, when=no) >> river("y", puts(y=1))

    assert stage().start(ParallelRiver(chain, waiting("slow", 60), join="any")).result() == {"y": 1}


# What is tolerated or lost is undone


@pytest.mark.promise("6.1", "7.2")
@pytest.mark.parametrize("join", ["all", "settle"])
@ORDERS
def test_a_tolerated_branch_is_undone_as_soon_as_it_has_ended_and_the_join_waits_for_that(
    seed: int, join: Any, stage: Staging
) -> None:
    deeds, on = Deeds(), stage(seed)
    begun = deeds.step("a", puts(a=1)) >> deeds.step("b", undo=lasting(100, writes("undone")))
    other = deeds.step("slow", lasting(50, puts(slow=1)))
    branches = ParallelRiver(begun >> deeds.step("c", raises(Fail("no"))), other, join=join, max_failures=1)
    flow = on.start(branches, deeds.step("next"))
    early = states(on.play(20))
    later = states(on.play(60))

    water = flow.result()

    assert (early["c"], early["b"], early["a"], early["slow"]) == ("undone", "undoing", "success", "running")
    assert (later["slow"], later["b"], later["next"]) == ("success", "undoing", "init")
    assert deeds[-2:] == ["undo a", "flow next"]
    assert deeds.of("undo") == ["c", "b", "a"]
    assert water == {"slow": 1}  # neither what it wrote nor what its undos did
    assert states(flow.status())["a"] == "undone"


@pytest.mark.promise("6.1", "7.2")
@ORDERS
def test_every_loser_of_any_is_undone_once_it_has_ended_however_it_did(seed: int, stage: Staging) -> None:
    deeds = Deeds()
    winner = deeds.step("winner", lasting(10, puts(won=1)))
    failed = deeds.step("failed", raises(Fail("no")))
    also = deeds.step("well", lasting(30), atomic=True, deadline="1h", undo=lasting(10))
    slow = deeds.step("slow") >> deeds.step("slower", lasting(500))
    flow = stage(seed).start(ParallelRiver(failed, winner, also, slow, join="any"), deeds.step("next"))

    water = flow.result()

    assert sorted(deeds.of("undo")) == ["failed", "slow", "slower", "well"]
    assert deeds.of("undo").index("slower") < deeds.of("undo").index("slow")
    assert deeds[-2:] == ["undo well", "flow next"]
    assert water == {"won": 1}
    assert states(flow.status())["winner"] == "success"


@pytest.mark.promise("6.1", "5.9")
def test_an_undo_of_a_loser_is_told_that_another_was_faster_and_one_of_a_tolerated_branch_what_failed(
    stage: Staging,
) -> None:
    seen = {}

    def undo(self: Any, _water: Any) -> None:
        seen[self.address] = (self.failure.kind, self.failure.message)

    race = ParallelRiver(river("quick", nothing), river("lost", lasting(500), undo=undo), join="any")
    tolerated = river("begun", nothing, undo=undo) >> river("no", raises(Fail("broke")))
    flow = stage().start(race, ParallelRiver(tolerated, river("a", nothing), max_failures=1))

    flow.result()

    assert seen == {"lost": ("cancelled", "another branch of parallel-river was faster"), "begun": ("error", "broke")}


@pytest.mark.promise("6.1", "7.2")
def test_what_failed_beyond_the_tolerance_is_left_to_the_flow_whose_undo_has_it_all(stage: Staging) -> None:
    deeds = Deeds()
    one = deeds.step("one", raises(Fail("one")))
    two = deeds.step("begun", lasting(1)) >> deeds.step("two", lasting(9, raises(Fail("two"))))
    flow = stage().start(deeds.step("first"), ParallelRiver(one, two, max_failures=1))

    assert flow.wait().outcome == "fail"
    assert deeds.of("undo") == ["one", "two", "begun", "first"]
    assert addresses(flow, "undoing") == ["parallel-river"]


@pytest.mark.promise("6.1", "10.5")
@pytest.mark.parametrize("seed", range(40))
def test_a_race_and_a_tolerant_join_end_alike_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on, undone, tries = stage(seed), Deeds(), dict[str, int]()

    def once(self: Any, _water: Any) -> None:
        tries[self.key] = tries.get(self.key, 0) + 1
        if tries[self.key] == 1:
            raise Retry("once")

    won = river("won", lasting(2, puts(won=1)), undo=undone.note("undo"))
    lost = river("lost", nothing, undo=undone.note("undo")) >> waiting("polls", 60)
    bad = river("bad", nothing, undo=undone.note("undo")) >> river("no", raises(Fail("no")))
    side = ParallelRiver(bad, river("retried", once, retry_times=9), max_failures=1)
    flow = on.start(ParallelRiver(lost, won, join="any"), side, river("last", puts(last=1)))
    for moves in (seed, 3 * seed, seed):
        on.move(moves)
        flow = on.crash()

    assert flow.result() == {"won": 1, "last": 1}
    assert addresses(flow, "undone") == ["lost", "bad"]
    assert set(undone) == {"undo lost", "undo bad"}
    assert kinds(flow, "won", "joined") == ["won", "joined", "joined"]


@pytest.mark.promise("4.1", "6.1")
def test_an_each_whose_items_were_all_skipped_may_win(stage: Staging) -> None:
    each = ParallelRiver.each("items", river("skipped", nothing, when=no), item="item")

    flow = stage().start(ParallelRiver(each, river("a", lasting(30, puts(a=1))), join="any"), items=[1, 2])

    assert "a" not in flow.result()
