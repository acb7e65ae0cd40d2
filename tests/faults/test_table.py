"""Does docs/faults.md name every fault, and tests there are?"""

import ast
import re

from tests.house.source import ROOT, parsed

FAULTS = 28
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
PAGE = re.compile(r"\]\(\.\./(tests/faults/test_\w+\.py)\)")
TEST = re.compile(r"`(test_\w+)`")


def rows() -> dict[int, str]:
    """Return what stands in the last column, by the number of the fault."""
    return {int(number): tests for number, _, tests in ROW.findall((ROOT / "docs" / "faults.md").read_text("utf-8"))}


def functions_on(page: str) -> set[str]:
    return {node.name for node in parsed(ROOT / page).body if isinstance(node, ast.FunctionDef)}


def test_the_table_names_every_fault_once_in_order() -> None:
    numbers = [int(row[0]) for row in ROW.findall((ROOT / "docs" / "faults.md").read_text("utf-8"))]

    assert numbers == list(range(1, FAULTS + 1))


def test_every_test_the_table_names_is_on_the_page_it_names_and_is_about_that_fault() -> None:
    for number, told in rows().items():
        (page,) = PAGE.findall(told)
        named = TEST.findall(told)

        assert named, f"fault {number} has no test"
        assert set(named) <= functions_on(page), f"fault {number}: {set(named) - functions_on(page)} is not on {page}"
        assert all(name.startswith(f"test_fault_{number}_") for name in named), f"fault {number}: {named}"


def test_no_test_of_a_fault_is_missing_in_the_table() -> None:
    named = {name for told in rows().values() for name in TEST.findall(told)}
    there = {name for page in (ROOT / "tests" / "faults").glob("test_*.py") for name in functions_on(str(page))}

    assert {name for name in there if name.startswith("test_fault_")} == named
