"""Is whoever waits told, and does one who waits no longer harm whoever would have told him?"""

from concurrent.futures import Future

import pytest

from vastflow.actors.futures import fail, fulfil


def test_whoever_waits_is_told() -> None:
    told: Future[int] = Future()
    failed: Future[int] = Future()

    fulfil(told, 1)
    fail(failed, KeyError("no"))

    assert told.result(0) == 1
    with pytest.raises(KeyError, match="no"):
        failed.result(0)


@pytest.mark.parametrize("how", ["cancelled", "over"])
def test_one_who_waits_no_longer_is_told_nothing(how: str) -> None:
    future: Future[int] = Future()
    if how == "cancelled":
        future.cancel()
    else:
        future.set_result(1)

    fulfil(future, 2)
    fail(future, KeyError("no"))

    assert future.cancelled() if how == "cancelled" else future.result(0) == 1
