"""Is the end of a flow told once, to the right body, and is the outcome on disk before?"""

from typing import Any

import pytest

from tests.engine.scenes import Body, crashed, drawn, nothing, raises, river, sea, simulated
from vastflow import Atlantic, Fail, FlowFailed, FlowStatus, Retry
from vastflow.engine import Flow
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated


class Heard:
    """What the bodies of an Atlantic were told, and what they do then."""

    def __init__(self, *answers: BaseException | None) -> None:
        self.told: list[tuple[str, int, dict[str, Any]]] = []
        self.answers = list(answers)

    def end(self, **attributes: Any) -> Atlantic:
        return sea(success=self._body("success"), fail=self._body("fail"), **attributes)

    def _body(self, name: str) -> Body:
        def body(self_: Any, water: Any) -> None:
            self.told.append((name, self_.attempt, dict(water)))
            water[f"told-{len(self.told)}"] = name
            if self.answers and (answer := self.answers.pop(0)) is not None:
                raise answer

        return body


def ended(flow: Flow[Any]) -> FlowStatus:
    return flow.wait()


@pytest.mark.promise("8.1", "8.2")
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("failing", [0, 1, 3])
def test_one_of_success_and_fail_is_called_once_whatever_ended_together(seed: int, failing: int) -> None:
    heard = Heard()
    engine = simulated(runtime=Simulated(seed))
    bodies = [raises(Fail("no")) if number < failing else nothing for number in range(4)]
    branches = [river(f"r{number}", body) for number, body in enumerate(bodies)]

    status = ended(engine.start(drawn(branches[0] | branches[1] | branches[2] | branches[3], end=heard.end())))

    assert [name for name, _, _ in heard.told] == ["fail" if failing else "success"]
    assert status.outcome == status.state == heard.told[0][0]


@pytest.mark.promise("8.1", "10.2")
def test_the_outcome_is_on_disk_before_the_atlantic_is_told() -> None:
    store, seen = MemoryStore(), list[tuple[str, str]]()

    def success(self: Any, _water: Any) -> None:
        row = store.flow(self.flow_id)
        assert row is not None
        seen.append((row.state, row.outcome))

    simulated(store).start(drawn(river("a", nothing), end=sea(success=success))).result()

    assert seen == [("ending", "success")]


@pytest.mark.promise("8.2")
@pytest.mark.parametrize("again", [Retry("again"), RuntimeError("again")], ids=["Retry", "exception"])
def test_an_atlantic_is_tried_again_as_often_as_drawn_and_what_it_wrote_in_vain_is_dropped(again: Exception) -> None:
    heard = Heard(again, again, None)
    runtime = Simulated()
    engine = simulated(runtime=runtime)

    flow = engine.start(drawn(river("a", nothing), end=heard.end(retry_times=2, retry_interval=5, retry_backoff=2)))

    assert flow.result() == {"told-3": "success"}
    assert [(name, attempt) for name, attempt, _ in heard.told] == [("success", 1), ("success", 2), ("success", 3)]
    assert [event.kind for event in flow.events()][-3:] == ["retrying", "retrying", "ended"]


@pytest.mark.promise("8.2")
@pytest.mark.parametrize("failed", [False, True], ids=["after success", "after a failure"])
@pytest.mark.parametrize("answer", [RuntimeError("the mail server is away"), Fail("no"), SystemExit(1), Retry("x")])
def test_an_atlantic_that_fails_for_good_ends_the_flow_as_failed_and_the_other_body_is_never_called(
    answer: BaseException, *, failed: bool
) -> None:
    heard = Heard(*[answer] * 5)
    engine = simulated()
    body = raises(Fail("no money", code="broke")) if failed else nothing

    flow = engine.start(drawn(river("pay", body), end=heard.end(retry_times=1)))
    status = ended(flow)

    assert {name for name, _, _ in heard.told} == {"fail" if failed else "success"}
    assert (status.state, status.outcome) == ("fail", "fail" if failed else "success")
    with pytest.raises(FlowFailed) as told:
        flow.result()
    assert told.value.failure is not None
    assert (told.value.failure.kind, told.value.failure.address) == ("atlantic", "~")
    assert told.value.failure.message == str(answer)
    cause = told.value.failure.cause
    assert (cause.code if cause is not None else None) == ("broke" if failed else None)


@pytest.mark.promise("8.2", "5.6")
def test_fail_sees_what_all_ended_branches_wrote() -> None:
    heard = Heard()
    engine = simulated()

    def writes(self: Any, water: Any) -> None:
        water[self.address] = water["shared"] = self.address

    def late(_self: Any, _water: Any) -> None:
        raise RuntimeError("no")

    failing = river("c", late, retry_times=1, retry_interval=5)
    ended(
        engine.start(drawn(river("before", writes), river("a", writes) | river("b", writes) | failing, end=heard.end()))
    )

    assert heard.told == [("fail", 1, {"before": "before", "a": "a", "b": "b", "shared": "b"})]


@pytest.mark.promise("8.2", "10.5", "10.10")
@pytest.mark.parametrize("failed", [False, True])
def test_an_atlantic_that_a_crash_interrupted_is_told_again_and_its_retries_are_kept(*, failed: bool) -> None:
    store, runtime = MemoryStore(), Simulated()
    heard = Heard(RuntimeError("again"), RuntimeError("again"), RuntimeError("again"))
    engine = simulated(store, runtime)
    body = raises(Fail("no")) if failed else nothing
    engine.start(drawn(river("a", body), end=heard.end(retry_times=2, retry_interval=60)), id="one")
    runtime.advance(10)

    again = crashed(store, runtime)
    status = ended(again.flow("one"))

    assert [attempt for _, attempt, _ in heard.told] == [1, 2, 3]
    assert {name for name, _, _ in heard.told} == {status.outcome}
    assert status.failure is not None
    assert status.failure.kind == "atlantic"


@pytest.mark.promise("8.2")
def test_the_atlantic_may_be_async_and_may_write_the_final_water() -> None:
    async def success(_self: Any, water: Any) -> None:
        water["sum"] = water["a"] + 1

    with simulated() as engine:
        flow = engine.start(drawn(river("a", nothing), end=sea(success=success)), {"a": 1})

        assert flow.result() == {"a": 1, "sum": 2}
