"""Does a signal wake the river that wants it, once, whatever happens in between?"""

import threading
from typing import Any

import pytest

from tests.engine.deeds import Deeds, Staging, addresses, kinds, lasting, said_by, states
from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river
from vastflow import (
    Basin,
    CommandRefused,
    Continue,
    DrawingError,
    Engine,
    Fail,
    FlowFailed,
    ParallelRiver,
    Retry,
    River,
)
from vastflow.errors import AttributeFault
from vastflow.ledger.memory import MemoryStore

SECOND = 1_000_000


class Till:
    """A cycle that takes a signal `paid` at each poll until it has so many, and notes when it was asked."""

    def __init__(self, on: Any, wanted: int = 1) -> None:
        self.on, self.wanted = on, wanted
        self.polls: list[int] = []

    def cycle(self, name: str = "paid") -> Any:
        def body(called: Any, water: Any) -> None:
            self.polls.append(self.on.now // SECOND)
            taken = called.signal(name)
            if taken is not None:
                water["got"] = [*water.get("got", []), taken]
            if len(water.get("got", [])) < self.wanted:
                raise Continue("waiting for the money")

        return body

    def river(self, name: str = "till", **attributes: Any) -> River:
        told = {"signals": ("paid",), "cycle_interval": None, **attributes}
        return river(name, nothing, self.cycle(), **told)


# Durable, early, once


@pytest.mark.promise("9.1", "9.2")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_a_signal_wakes_a_river_that_only_signals_wake(stage: Staging, *, crashes: bool) -> None:
    on = stage()
    till = Till(on)
    flow = on.start(till.river(), river("next", puts(next=1)))
    waits = on.play(600)
    flow = on.crash() if crashes else flow
    before = on.now

    assert flow.signal("paid", {"sum": 7})
    assert flow.result() == {"got": [{"sum": 7}], "next": 1}
    assert states(waits)["till"] == "cycling"
    assert waits.stream("till").due is None
    assert on.now == before
    assert len(till.polls) == 1


@pytest.mark.promise("9.1")
@pytest.mark.parametrize("seed", range(30))
def test_a_signal_is_on_disk_when_the_call_returns(seed: int, stage: Staging) -> None:
    on = stage(seed)
    till = Till(on)
    flow = on.start(till.river())
    on.move(seed)
    flow.signal("paid", 7, who="the bank")
    flow = on.crash()

    assert flow.result() == {"got": [7]}
    assert said_by(on.store, {"signalled"}) == [("signalled", "the bank")]


@pytest.mark.promise("9.1")
def test_a_signal_that_comes_early_is_kept_until_its_river_polls(stage: Staging) -> None:
    on = stage()
    till = Till(on, 2)
    flow = on.start(river("slow", lasting(100)), till.river(cycle_interval=60, cycle_times=9))
    on.play(10)
    flow.signal("paid", 1)
    flow.signal("paid", 2)
    flow = on.crash()

    assert flow.result() == {"got": [1, 2]}  # the oldest first


@pytest.mark.promise("9.1")
def test_a_signal_may_be_sent_before_the_flow_has_begun(stage: Staging) -> None:
    on = stage()
    flow = on.start(Till(on).river(), not_before=60)

    assert flow.signal("paid", 1)
    assert flow.result() == {"got": [1]}


@pytest.mark.promise("9.1")
@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
def test_a_second_signal_with_the_same_id_is_no_new_one(stage: Staging, *, crashes: bool) -> None:
    on = stage()
    till = Till(on, 3)
    flow = on.start(till.river(cycle_interval=60, cycle_times=9))
    first = [flow.signal("paid", 1, id="x"), flow.signal("paid", 2, id="x")]
    flow = on.crash() if crashes else flow
    on.play(1)
    second = [flow.signal("paid", 3, id="x"), flow.signal("other", 3, id="x")]  # although it was taken long ago
    rest = [flow.signal("paid", 4, id="y"), flow.signal("paid", 5), flow.signal("paid", 5)]

    assert (first, second, rest) == ([True, False], [False, False], [True, True, True])
    assert flow.result() == {"got": [1, 4, 5]}


@pytest.mark.promise("9.1")
@pytest.mark.parametrize("how", ["success", "fail", "cancelled"])
def test_a_flow_that_has_ended_refuses_signals(how: str, stage: Staging) -> None:
    on = stage()
    body = raises(Fail("no")) if how == "fail" else lasting(5)
    flow = on.start(river("a", body))
    if how == "cancelled":
        on.play(1)
        flow.cancel()
    assert flow.wait().state == how

    for _ in range(2):
        with pytest.raises(CommandRefused, match="it has ended"):
            flow.signal("paid")
        flow = on.crash()


@pytest.mark.promise("9.1", "8.4")
def test_a_signal_that_nobody_took_is_there_in_the_next_round(stage: Staging) -> None:
    on, tries = stage(), iter([Fail("no")])

    def once(_self: Any, _water: Any) -> None:
        if (error := next(tries, None)) is not None:
            raise error

    flow = on.start(river("a", lasting(5, once)), Till(on).river())
    on.play(1)
    flow.signal("paid", 1)
    flow.wait()
    flow.retry()

    assert flow.result() == {"got": [1]}


@pytest.mark.promise("9.1")
def test_signals_from_many_threads_all_arrive() -> None:
    count, taken = 40, list[int]()

    def cycle(self: River, _water: Any) -> None:
        while (value := self.signal("paid")) is not None:
            taken.append(value)
        if len(taken) < count:
            raise Continue

    with Engine("memory:", jitter=0.0) as engine:
        flow = engine.start(drawn(river("till", nothing, cycle, signals=("paid",), cycle_interval=None)))
        threads = [threading.Thread(target=flow.signal, args=("paid", number)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        flow.result(LONG)

    assert sorted(taken) == list(range(count))


# Taking


@pytest.mark.promise("9.2")
def test_a_body_takes_the_oldest_signal_of_a_name_or_gets_none(stage: Staging) -> None:
    on, seen = stage(), list[Any]()

    def cycle(self: River, _water: Any) -> None:
        seen.extend([self.signal("a"), self.signal("b"), self.signal("a"), self.signal("a")])

    flow = on.start(
        river("slow", lasting(10)), river("till", nothing, cycle, signals=("a", "b"), cycle_interval=5, cycle_times=1)
    )
    on.play(1)
    for name, value in (("a", 1), ("b", 2), ("a", 3), ("other", 4)):
        flow.signal(name, value)

    flow.result()

    assert seen == [1, 2, 3, None]


@pytest.mark.promise("9.2")
def test_a_body_that_asks_for_a_name_its_river_does_not_list_fails_and_is_told_what_to_write(stage: Staging) -> None:
    def cycle(self: River, _water: Any) -> None:
        self.signal("other")

    on = stage()
    flow = on.start(river("till", nothing, cycle, signals=("paid",), cycle_interval=5, cycle_errors=0))

    with pytest.raises(FlowFailed, match=r"write signals = \('paid', 'other'\) into the class"):
        flow.result()


@pytest.mark.promise("9.2")
def test_flow_may_take_signals_too(stage: Staging) -> None:
    on = stage()

    def flow_body(self: River, water: Any) -> None:
        water["early"] = self.signal("paid")

    flow = on.start(
        river("slow", lasting(10)), river("till", flow_body, Till(on).cycle(), signals=("paid",), cycle_interval=None)
    )
    on.play(1)
    flow.signal("paid", 1)
    flow.signal("paid", 2)

    assert flow.result() == {"early": 1, "got": [2]}


@pytest.mark.promise("9.2", "5.5")
@pytest.mark.parametrize("error", [RuntimeError("broke"), Retry("again")])
def test_a_body_that_raises_has_taken_nothing(error: BaseException, stage: Staging) -> None:
    on, taken = stage(), list[Any]()

    def cycle(self: River, _water: Any) -> None:
        taken.append(self.signal("paid"))
        if len(taken) == 1:
            raise error

    flow = on.start(
        river("till", nothing, cycle, signals=("paid",), cycle_interval=None, retry_times=1, retry_interval=30)
    )
    on.play(1)
    flow.signal("paid", 7)
    flow = on.crash()

    flow.result()

    assert taken == [7, 7]


@pytest.mark.promise("9.2", "5.5")
def test_a_poll_that_says_not_yet_has_taken_what_it_took(stage: Staging) -> None:
    on = stage()
    till = Till(on, 2)
    flow = on.start(till.river())
    on.play(1)
    flow.signal("paid", 1)
    on.play(10)
    flow = on.crash()
    on.play(10)
    polled = len(till.polls)
    flow.signal("paid", 2)

    assert flow.result() == {"got": [1, 2]}
    assert polled == 1


@pytest.mark.promise("9.2", "5.5")
def test_what_was_taken_before_a_save_is_taken_whatever_follows(stage: Staging) -> None:
    on, taken = stage(), list[Any]()

    def cycle(self: River, _water: Any) -> None:
        taken.append(self.signal("paid"))
        self.save()
        if len(taken) < 3:
            raise RuntimeError("broke")

    flow = on.start(river("till", nothing, cycle, signals=("paid",), cycle_interval=60, cycle_times=9))
    on.play(1)
    flow.signal("paid", 7)

    flow.result()

    assert taken == [7, None, None]


# When it polls, and what that costs


@pytest.mark.promise("9.2")
def test_a_poll_because_of_a_signal_is_made_at_once_and_costs_no_budget(stage: Staging) -> None:
    on = stage()
    till = Till(on, 99)
    flow = on.start(till.river(cycle_interval=60, cycle_times=3))
    begun = on.now // SECOND
    for second in (10, 20, 30, 70, 80):
        on.play(second - (on.now // SECOND - begun))
        flow.signal("paid", second)

    status = flow.wait()

    assert [poll - begun for poll in till.polls] == [10, 20, 30, 60, 70, 80, 120, 180]
    assert status.failure is not None
    assert status.failure.kind == "cycles-exhausted"
    assert status.failure.message.startswith("not done after 3 polls")


@pytest.mark.promise("9.2", "10.4")
def test_such_polls_cost_no_budget_across_a_crash_either(stage: Staging) -> None:
    on = stage()
    till = Till(on, 99)
    flow = on.start(till.river(cycle_interval=60, cycle_times=3))
    begun = on.now // SECOND
    on.play(10)
    flow.signal("paid", 1)
    on.play(65)
    flow = on.crash()
    on.play(10)
    flow.signal("paid", 2)
    flow = on.crash()

    assert flow.wait().outcome == "fail"
    assert [poll - begun for poll in till.polls] == [10, 60, 85, 120, 180]


@pytest.mark.promise("9.2")
def test_a_signal_that_no_poll_has_taken_wakes_it_once_and_then_it_waits_for_its_schedule(stage: Staging) -> None:
    on, polls = stage(), list[int]()

    def cycle(_self: River, _water: Any) -> None:
        polls.append(on.now // SECOND)
        raise Continue

    flow = on.start(river("till", nothing, cycle, signals=("paid",), cycle_interval=60, cycle_times=3))
    begun = on.now // SECOND
    on.play(10)
    flow.signal("paid")

    flow.wait()

    assert [poll - begun for poll in polls] == [10, 60, 120, 180]


@pytest.mark.promise("9.2")
def test_a_signal_that_comes_while_a_poll_runs_wakes_it_again_when_that_has_ended(stage: Staging) -> None:
    on, taken = stage(), list[Any]()

    async def cycle(self: River, water: Any) -> None:
        taken.append(self.signal("paid"))
        await lasting(10)(self, water)
        if taken[-1] is None:
            raise Continue

    flow = on.start(river("till", nothing, cycle, signals=("paid",), cycle_interval=3600, cycle_times=9))
    begun = on.now
    on.play(3605)
    flow.signal("paid", 7)

    flow.result()

    assert taken == [None, 7]
    assert (on.now - begun) // SECOND == 3620


@pytest.mark.promise("9.2", "4.2")
def test_after_a_poll_that_raised_it_is_due_again_after_the_retry_interval(stage: Staging) -> None:
    on, polls = stage(), list[int]()

    def cycle(self: River, _water: Any) -> None:
        polls.append(on.now // SECOND)
        assert self.signal("paid") == 7
        if len(polls) < 3:
            raise RuntimeError("the bank is away")

    flow = on.start(
        river("till", nothing, cycle, signals=("paid",), cycle_interval=3600, cycle_times=2, retry_interval=5)
    )
    begun = on.now // SECOND
    on.play(10)
    flow.signal("paid", 7)

    flow.result()

    assert [poll - begun for poll in polls] == [10, 15, 20]


@pytest.mark.promise("9.2", "4.2")
def test_polls_because_of_a_signal_that_raise_count_as_errors_in_a_row(stage: Staging) -> None:
    on, polls = stage(), list[int]()

    def cycle(_self: River, _water: Any) -> None:
        polls.append(on.now // SECOND)
        raise RuntimeError("the bank is away")

    flow = on.start(
        river("till", nothing, cycle, signals=("paid",), cycle_interval=None, cycle_errors=2, retry_interval=5)
    )
    on.play(10)
    flow.signal("paid", 7)

    with pytest.raises(FlowFailed, match="the bank is away"):
        flow.result()
    assert [poll - polls[0] for poll in polls] == [0, 5, 10]


@pytest.mark.promise("9.2")
@pytest.mark.parametrize("signalled", [False, True], ids=["polling", "webhook"])
@pytest.mark.parametrize("seed", range(6))
def test_a_webhook_with_polling_as_fall_back_is_one_river(seed: int, stage: Staging, *, signalled: bool) -> None:
    on, polls = stage(seed), list[int]()

    def cycle(self: River, water: Any) -> None:
        polls.append(on.now // SECOND)
        if (told := self.signal("done")) is not None:
            water["by"] = told
        elif len(polls) == 3:
            water["by"] = "polling"
        else:
            raise Continue

    flow = on.start(river("job", nothing, cycle, signals=("done",), cycle_interval="5m", deadline="1h"))
    begun = on.now // SECOND
    on.play(400)
    if signalled:
        flow.signal("done", "the webhook")

    assert flow.result() == {"by": "the webhook" if signalled else "polling"}
    assert [poll - begun for poll in polls] == ([300, 400] if signalled else [300, 600, 900])


@pytest.mark.promise("9.2", "7.5")
def test_a_signal_in_a_pause_wakes_its_river_at_the_resume(stage: Staging) -> None:
    on = stage()
    till = Till(on)
    flow = on.start(till.river())
    on.play(1)
    flow.pause()
    flow.signal("paid", 1)
    on.play(100)
    paused = list(till.polls)
    flow = on.crash()
    on.play(10)
    flow.resume()

    assert flow.result() == {"got": [1]}
    assert (paused, len(till.polls)) == ([], 1)


@pytest.mark.promise("9.2", "7.4")
def test_a_river_that_only_signals_wake_is_cancelled_at_once(stage: Staging) -> None:
    on = stage()
    flow = on.start(Till(on).river() | river("no", lasting(5, raises(Fail("no")))))

    assert flow.wait().outcome == "fail"
    assert states(flow.status())["till"] == "cancelled"


@pytest.mark.promise("9.2")
def test_two_rivers_one_after_another_may_want_one_signal_and_each_takes_its_own(stage: Staging) -> None:
    on = stage()
    first, second = Till(on), Till(on, 2)
    flow = on.start(first.river("first"), Basin("east", river("x", nothing)), second.river("second"))
    on.play(1)
    flow.signal("paid", 1)
    on.play(1)
    flow.signal("paid", 2)

    assert flow.result() == {"got": [1, 2]}
    assert addresses(flow, "cycled") == ["first", "second"]


# What is refused


@pytest.mark.promise("9.2", "2.9")
def test_two_rivers_that_may_run_at_once_and_want_one_signal_are_a_fault_of_the_drawing(stage: Staging) -> None:
    on = stage()
    pair = ParallelRiver(Till(on).river("one"), Basin("east", Till(on).river("two")))
    spread = ParallelRiver.each("files", Till(on).river("three"), item="file")

    for stream in (pair, spread):
        with pytest.raises(DrawingError, match="paid"):
            on.start(stream)


@pytest.mark.promise("9.2", "2.3")
def test_signals_without_a_cycle_and_no_interval_without_signals_are_refused() -> None:
    with pytest.raises(AttributeFault, match="signals wake a `cycle`, but there is none"):
        river("a", nothing, signals=("paid",))
    with pytest.raises(AttributeFault, match="cycle_interval = None means that only signals wake it"):
        river("a", nothing, nothing, cycle_interval=None, deadline="1h")


@pytest.mark.promise("9.2", "10.5")
@pytest.mark.parametrize("seed", range(60))
def test_every_signal_is_taken_once_wherever_the_process_dies(seed: int, stage: Staging) -> None:
    on = stage(seed)
    till = Till(on, 5)
    flow = on.start(till.river(cycle_interval=60, cycle_times=9))
    for number in range(5):
        on.move(seed % (7 + number))
        flow.signal("paid", number, id=str(number))
        flow = on.crash()
        flow.signal("paid", number, id=str(number))

    assert flow.result() == {"got": [0, 1, 2, 3, 4]}
    assert kinds(flow, "signalled") == ["signalled"] * 5


@pytest.mark.promise("9.1", "11.4")
def test_a_signal_outlives_its_engine() -> None:
    store = MemoryStore()

    def cycle(self: River, water: Any) -> None:
        if (taken := self.signal("paid")) is None:
            raise Continue
        water["got"] = taken

    with Engine(store=store, jitter=0.0) as engine:
        hold = river("hold", nothing, raises(Continue), cycle_interval=0.05, cycle_times=1, cycle_errors=0)
        till = river("till", nothing, cycle, signals=("paid",), cycle_interval=None)
        flow = engine.start(drawn(ParallelRiver(hold, river("x", nothing), max_failures=1), till), id="one")
        assert flow.signal("paid", 7)

    with Engine(store=store, jitter=0.0) as engine:
        assert engine.flow("one").result(LONG)["got"] == 7


@pytest.mark.promise("9.2")
def test_a_signal_does_not_wake_a_river_of_another_name_and_taking_all_at_once_costs_one_poll(stage: Staging) -> None:
    on, deeds = stage(), Deeds()

    def cycle(self: River, water: Any) -> None:
        deeds.append("poll")
        got = []
        while (value := self.signal("paid")) is not None:
            got.append(value)
        water["got"] = [*water.get("got", []), *got]
        if len(water["got"]) < 3:
            raise Continue

    flow = on.start(river("till", nothing, cycle, signals=("paid",), cycle_interval=None))
    on.play(1)
    flow.signal("other", 0)
    on.play(1)
    before = list(deeds)
    flow.pause()
    for number in range(3):
        flow.signal("paid", number)
    flow.resume()

    assert flow.result() == {"got": [0, 1, 2]}
    assert (before, deeds) == ([], ["poll"])
