"""Does an `each` run one branch for each element, so many at once, and collect what they leave, in order?"""

import asyncio
from typing import Any

import pytest

from tests.engine.deeds import Deeds, Staging, addresses, kinds, waiting, writes
from tests.engine.scenes import nothing, puts, river, sea
from vastflow import Andes, Basin, Fail, FlowFailed, Headwaters, ParallelRiver, River, later
from vastflow.drawing.parallel_river import Stream

EVERY_ORDER = pytest.mark.parametrize("seed", range(6))


def each(stream: Stream, **told: Any) -> Any:
    return ParallelRiver.each("files", stream, item="file", **told)


def doubles(_self: Any, water: Any) -> None:
    water["row"] = water["file"] * 2


def fails_for(*files: Any) -> Any:
    def body(_self: Any, water: Any) -> None:
        if water["file"] in files:
            raise Fail(f"no {water['file']}")
        doubles(_self, water)

    return body


@pytest.mark.promise("6.2")
@pytest.mark.parametrize("files", [["a", "b", "c"], ("a", "b", "c"), {"a", "b", "c"}, frozenset("abc")])
def test_there_is_a_branch_for_each_element_of_a_list_a_tuple_or_a_set(files: Any, stage: Staging) -> None:
    flow = stage().start(each(river("process", doubles), collect=["row"]), water={"files": files})

    water = flow.result()

    assert sorted(water["row"]) == ["aa", "bb", "cc"]
    if isinstance(files, list | tuple):
        assert water["row"] == ["aa", "bb", "cc"]
    assert sorted(addresses(flow, "flowed")) == ["process[0]", "process[1]", "process[2]"]
    assert [event.details for event in flow.events() if event.kind == "expanded"] == [{"count": 3}]


@pytest.mark.promise("6.2", "5.3")
def test_an_element_comes_to_its_branch_as_what_it_was(stage: Staging) -> None:
    seen: dict[str, Any] = {}

    def looks(self: River, water: Any) -> None:
        seen[self.address] = water["file"]

    files = [{"$tuple": [1]}, (1, 2), {"deep": [{1, 2}, b"x"]}, None, ["a", ["b"]]]
    stage().start(each(river("look", looks)), water={"files": files}).result()

    assert [seen[f"look[{number}]"] for number in range(5)] == files


@pytest.mark.promise("6.2")
@EVERY_ORDER
def test_a_branch_has_the_forks_water_and_its_item_and_only_what_is_collected_leaves(seed: int, stage: Staging) -> None:
    seen = []

    def looks(_self: Any, water: Any) -> None:
        seen.append(dict(water))
        water["row"], water["other"], water["before"] = water["file"] + 1, "x", "changed"

    spread = each(river("look", looks), collect={"row": "rows"})
    flow = stage(seed).start(river("a", puts(before=1)), spread, water={"files": [1, 2, 3]})

    assert flow.result() == {"files": [1, 2, 3], "before": 1, "rows": [2, 3, 4]}
    assert sorted(each["file"] for each in seen) == [1, 2, 3]
    assert {tuple(each) for each in seen} == {("files", "before", "file")}


@pytest.mark.promise("6.2")
def test_over_nothing_it_succeeds_with_empty_lists(stage: Staging) -> None:
    flow = stage().start(each(river("a", nothing), collect=["row"]), river("b", puts(b=1)), water={"files": []})

    assert flow.result() == {"files": [], "row": [], "b": 1}


@pytest.mark.promise("6.2")
@pytest.mark.parametrize("wrong", ["text", 7, {"a": 1}, None, b"abc"])
def test_what_is_no_list_fails_it_naming_the_key(wrong: Any, stage: Staging) -> None:
    with pytest.raises(FlowFailed, match=r"water\['files'\] is no list, tuple or set") as failed:
        stage().start(each(river("a", nothing)), water={"files": wrong}).result()

    assert failed.value.failure is not None
    assert (failed.value.failure.kind, failed.value.failure.address) == ("error", "a")


@pytest.mark.promise("6.2")
def test_a_missing_key_fails_it_naming_the_key(stage: Staging) -> None:
    with pytest.raises(FlowFailed, match=r"water\['files'\] is not in the water"):
        stage().start(each(river("a", nothing))).result()


@pytest.mark.promise("6.2", "6.1")
@EVERY_ORDER
def test_where_a_branch_failed_or_wrote_nothing_none_stands_in_the_list(seed: int, stage: Staging) -> None:
    def writes_some(_self: Any, water: Any) -> None:
        if water["file"] == 2:
            raise Fail("no 2")
        if water["file"] != 3:
            water["row"] = water["file"]

    spread = each(river("a", writes_some), collect=["row"], max_failures=1)

    assert stage(seed).start(spread, water={"files": [1, 2, 3, 4]}).result()["row"] == [1, None, None, 4]


@pytest.mark.promise("6.2", "6.1")
@pytest.mark.parametrize(("most", "outcome"), [(1, "fail"), (2, "success"), (0.2, "success"), (0.19, "fail")])
def test_the_failures_it_tolerates_are_a_number_or_a_share_of_its_elements(
    most: float, outcome: str, stage: Staging
) -> None:
    flow = stage().start(each(river("a", fails_for(3, 7)), max_failures=most), water={"files": list(range(10))})

    assert flow.wait().outcome == outcome


@pytest.mark.promise("6.2", "7.2")
def test_a_tolerated_item_is_undone_alone(stage: Staging) -> None:
    deeds = Deeds()
    chain = deeds.step("load", writes("row")) >> deeds.step("parse", fails_for("b"))
    flow = stage().start(each(chain, name="convert", collect=["row"], max_failures=1), water={"files": ["a", "b", "c"]})

    assert flow.result()["row"] == ["aa", None, "cc"]
    assert deeds.of("undo") == ["convert[1]/parse", "convert[1]/load"]


@pytest.mark.promise("6.2", "6.4")
@EVERY_ORDER
def test_so_many_are_begun_at_once_as_the_limit_says_and_the_next_when_one_has_ended(seed: int, stage: Staging) -> None:
    begun, out, most = list[int](), set[int](), list[int]()

    async def body(self: River, water: Any) -> None:
        number = int(self.address.removeprefix("a[").removesuffix("]"))
        begun.append(number)
        out.add(number)
        most.append(len(out))
        await asyncio.sleep(water["file"])
        out.discard(number)

    stage(seed).start(each(river("a", body), limit=3), water={"files": [7, 2, 11, 3, 1.5, 8, 0.7, 5]}).result()

    assert set(begun[:3]) == {0, 1, 2}
    assert begun[3:] == [3, 4, 5, 6, 7]  # first come, first served
    assert max(most) == 3


@pytest.mark.promise("6.2", "6.4")
def test_a_branch_keeps_its_place_until_it_has_ended_and_not_only_while_a_body_runs(stage: Staging) -> None:
    on = stage()
    flow = on.start(each(waiting("a", 10), limit=2), water={"files": [1, 2, 3]})
    on.play(5)
    begun = sorted(addresses(flow, "flowed"))

    on.play(10)

    assert begun == ["a[0]", "a[1]"]
    assert "a[2]" in addresses(flow, "flowed")


@pytest.mark.promise("6.2")
def test_an_item_that_was_tolerated_makes_place_for_the_next(stage: Staging) -> None:
    spread = each(river("a", fails_for(0, 1)), limit=1, max_failures=2, collect=["row"])

    assert stage().start(spread, water={"files": [0, 1, 2, 3]}).result()["row"] == [None, None, 4, 6]


@pytest.mark.promise("6.2", "6.1")
@EVERY_ORDER
def test_items_that_are_never_begun_when_it_fails_end_by_one_fact(seed: int, stage: Staging) -> None:
    deeds = Deeds()
    flow = stage(seed).start(each(deeds.step("a", fails_for(1)), limit=1), water={"files": list(range(50))})

    assert flow.wait().outcome == "fail"
    assert [event.details for event in flow.events() if event.kind == "dropped"] == [{"first": 2}]
    assert deeds.of("flow") == ["a[0]", "a[1]"]
    assert deeds.of("undo") == ["a[1]", "a[0]"]


@pytest.mark.promise("6.2", "7.4")
@EVERY_ORDER
def test_items_that_are_never_begun_when_it_is_cancelled_end_by_one_fact(seed: int, stage: Staging) -> None:
    on = stage(seed)
    flow = on.start(each(waiting("a", 60), limit=2), water={"files": list(range(50))})
    on.play(1)

    assert flow.cancel()
    assert flow.wait().outcome == "cancelled"
    assert [event.details for event in flow.events() if event.kind == "dropped"] == [{"first": 2}]
    assert sorted(addresses(flow, "cancelled")) == ["a", "a[0]", "a[1]"]


@pytest.mark.promise("6.2", "2.8")
def test_the_chart_holds_its_template_once_and_each_branch_has_a_key_of_its_own(stage: Staging) -> None:
    on, keys = stage(), set[str]()

    def body(self: River, _water: Any) -> None:
        keys.add(self.key)

    spread = each(river("a", body))
    few, many = (on.start(spread, id=str(count), water={"files": list(range(count))}) for count in (1, 20))
    few.result()
    many.result()

    assert len({row.chart for row in (on.store.flow("1"), on.store.flow("20")) if row is not None}) == 1
    assert len(keys) == 21


@pytest.mark.promise("6.2")
def test_an_each_within_an_each_and_a_basin_within_are_numbered_within_one_another(stage: Staging) -> None:
    inner = ParallelRiver.each("file", river("leaf", writes("at")), item="leaf", collect={"at": "ats"})
    basin = Basin("box", inner, outputs=["ats"])
    flow = stage().start(each(basin, collect=["ats"]), water={"files": [[1, 2], [], [3]]})

    assert flow.result()["ats"] == [["box[0]/leaf[0]", "box[0]/leaf[1]"], [], ["box[2]/leaf[0]"]]


@pytest.mark.promise("6.2", "8.2")
def test_fail_sees_of_an_each_what_it_would_have_collected(stage: Staging) -> None:
    seen = {}

    def fail(_self: Any, water: Any) -> None:
        seen.update(water)

    spread = each(river("a", fails_for("b")), collect={"row": "rows"}, limit=1)
    flow = stage().start(spread, end=sea(fail=fail), water={"files": ["a", "b", "c"]})

    assert flow.wait().outcome == "fail"
    assert seen == {"files": ["a", "b", "c"], "rows": ["aa", None, None]}


class Files(Headwaters):
    files: list[str]
    row: str = later()
    rows: list[str | None] = later()


class Doubles(River):
    registered_as = "tests.each.doubles"

    def flow(self, water: Files) -> None:
        water.row = water["file"] * 2


class Reads(River):
    registered_as = "tests.each.reads"

    def flow(self, water: Files) -> None:
        water.row = ",".join(row or "-" for row in water.rows)


@pytest.mark.promise("6.2", "2.10")
def test_a_typed_water_allows_the_item_and_checks_what_was_collected(stage: Staging) -> None:
    on = stage()
    fits = Andes("typed", Files) >> each(Doubles(), collect={"row": "rows"}) >> Reads() >> sea()
    strange = Andes("strange", Files) >> each(Doubles(), collect={"files": "rows"}) >> Reads() >> sea()

    assert on.engine.start(fits, files=["a", "b"]).result().row == "aa,bb"
    with pytest.raises(FlowFailed, match="rows") as failed:
        on.engine.start(strange, files=["a", "b"]).result()
    assert failed.value.failure is not None
    assert failed.value.failure.address == "reads"


@pytest.mark.promise("6.2", "10.5")
@pytest.mark.parametrize("seed", range(30))
def test_each_ends_alike_wherever_the_process_dies_and_expands_once(seed: int, stage: Staging) -> None:
    on, deeds = stage(seed), Deeds()
    chain = deeds.step("load") >> deeds.step("parse", fails_for("c"))
    spread = each(chain, name="convert", limit=2, collect=["row"], max_failures=0.3)
    flow = on.start(spread, river("last", puts(last=1)), water={"files": list("abcde")})
    for _ in range(4):
        on.move(seed)
        flow = on.crash()

    assert flow.result()["row"] == ["aa", "bb", None, "dd", "ee"]
    assert kinds(flow, "expanded", "left") == ["expanded", "left"]
    assert addresses(flow, "undone") == ["convert[2]/parse", "convert[2]/load"]
    assert len(addresses(flow, "flowed")) == 10


@pytest.mark.promise("6.2")
@pytest.mark.timeout(40)  # were it quadratic, it would be minutes
def test_ten_thousand_items_are_done_in_bounded_time(stage: Staging) -> None:
    spread = each(river("a", doubles), limit=100, collect=["row"])

    water = stage().start(spread, water={"files": list(range(10_000))}).result()

    assert water["row"] == [2 * number for number in range(10_000)]
