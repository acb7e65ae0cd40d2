"""Is our executor one as any other to those who use it?"""

from collections.abc import Iterator

import pytest

from tests.runtime.players import LONG, raising
from vastflow.runtime.executor import PoolExecutor
from vastflow.runtime.pool import Pool


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool("test", 2, 0)
    yield made
    made.refuse()
    made.end()


def test_a_call_s_result_is_in_its_future(pool: Pool) -> None:
    future = PoolExecutor(pool).submit(divmod, 17, 5)

    assert future.result(LONG) == (3, 2)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)], ids=repr)
def test_what_a_call_raises_is_in_its_future(pool: Pool, error: BaseException) -> None:
    future = PoolExecutor(pool).submit(raising(error))

    assert future.exception(LONG) is error


def test_a_call_after_the_end_is_cancelled(pool: Pool) -> None:
    pool.refuse()

    assert PoolExecutor(pool).submit(divmod, 17, 5).cancelled()
