"""Do `>>` and `|` draw what they look like?"""

from typing import Any

import pytest

from tests.drawing.streams import Attach, Create
from vastflow.drawing import Basin, ParallelRiver
from vastflow.drawing.parallel_river import Chained, Stream
from vastflow.errors import DrawingError

a, b, c, d = Attach(), Create("b"), Create("c"), Create("d")


@pytest.mark.promise("2.1")
def test_flowing_into_makes_one_flat_chain() -> None:
    assert (a >> b).streams == (a, b)
    assert ((a >> b) >> c).streams == (a, b, c)
    assert (a >> (b >> c)).streams == (a, b, c)


@pytest.mark.promise("2.1")
def test_bars_make_one_parallel_river() -> None:
    assert (a | b | c).streams == (a, b, c)
    assert (a | (b | c)).streams == (a, b, c)
    assert ((a | b) | (c | d)).streams == (a, b, c, d)
    assert isinstance(a | b, ParallelRiver)


@pytest.mark.promise("2.1")
def test_a_parallel_river_of_its_own_is_one_branch() -> None:
    own = ParallelRiver(a, b, join="any")

    assert (own | c).streams == (own, c)


@pytest.mark.promise("2.1")
def test_a_chain_is_a_stream_wherever_one_is_taken() -> None:
    both = (a >> b) | c
    chain = both >> d

    assert [type(branch) for branch in both.streams] == [Chained, Create]
    assert chain.streams == (both, d)


@pytest.mark.promise("2.1")
def test_the_operators_make_something_new() -> None:
    left, chain = a | b, a >> b

    _ = left | c, chain >> c

    assert left.streams == (a, b)
    assert chain.streams == (a, b)


@pytest.mark.promise("2.0", "2.1")
def test_append_changes_the_stream_until_it_is_drawn() -> None:
    parallel = ParallelRiver(a)

    assert parallel.append(b) is parallel
    assert parallel.streams == (a, b)


@pytest.mark.promise("2.1")
@pytest.mark.parametrize(
    "draw",
    [
        lambda it: it >> a,
        lambda it: a >> it,
        lambda it: it | a,
        lambda it: a | it,
        ParallelRiver,
        lambda it: Basin("east", it),
        lambda it: Basin("east").append(it),
        lambda it: ParallelRiver.each("files", it, item="file"),
    ],
    ids=["into", "from", "beside", "besides", "branch", "basin", "appended", "each"],
)
def test_what_is_drawn_cannot_be_appended_to(draw: Any) -> None:
    parallel = ParallelRiver(a)

    draw(parallel)

    with pytest.raises(DrawingError, match=r"append\(\) came after it was drawn"):
        parallel.append(b)


@pytest.mark.promise("2.0", "6.1")
def test_a_parallel_river_keeps_its_arguments() -> None:
    it = ParallelRiver(a, join="settle", max_failures=0.5, on_conflict="last", name="both")

    assert (it.join, it.max_failures, it.on_conflict, it.name) == ("settle", 0.5, "last", "both")
    assert repr(it) == "ParallelRiver 'both'"


@pytest.mark.promise("6.1")
@pytest.mark.parametrize("failures", [-1, 1.0, 1.5, -0.1, True, "1", float("nan")])
def test_not_all_branches_may_fail(failures: Any) -> None:
    with pytest.raises(DrawingError, match="write a count, 0 or more, or a share below 1"):
        ParallelRiver(a, max_failures=failures)


@pytest.mark.promise("2.0", "6.2")
def test_an_each_keeps_its_arguments() -> None:
    it = ParallelRiver.each("files", a, item="file", limit=20, collect={"rows": "all_rows"}, max_failures=3, name="x")

    assert (it.key, it.stream, it.item, it.limit, it.max_failures, it.name) == ("files", a, "file", 20, 3, "x")
    assert it.collect == (("rows", "all_rows"),)
    assert ParallelRiver.each("files", a, item="file", collect=["rows"]).collect == (("rows", "rows"),)


def test_a_stream_has_only_what_it_was_made_with() -> None:
    with pytest.raises(DrawingError, match="join cannot be set"):
        ParallelRiver(a).join = "any"


def test_a_stream_of_nothing_is_refused_wherever_one_is_taken() -> None:
    wrong: Any = "x"
    for taking in (a.__rshift__, a.__or__, ParallelRiver, ParallelRiver().append):
        with pytest.raises(TypeError, match="'x' is no stream"):
            taking(wrong)


def test_every_stream_is_a_stream() -> None:
    assert all(isinstance(it, Stream) for it in (a, a >> b, a | b, Basin("x"), ParallelRiver.each("f", a, item="i")))
