"""Is every page short, rightly named and to the point?"""

import ast
import statistics
from pathlib import Path

import pytest

from tests.house.source import bodies, code_lines, label, pages, parsed

LONGEST_PAGE = 250
LONGEST_FUNCTION = 25
LONGEST_OPENING = 6
NO_NAMES = {"base", "common", "helper", "helpers", "impl", "manager", "misc", "util", "utils"}

LIBRARY = pages("vastflow")


@pytest.mark.parametrize("page", LIBRARY, ids=label)
def test_no_page_has_more_than_250_lines_of_code(page: Path) -> None:
    assert code_lines(page) <= LONGEST_PAGE


@pytest.mark.parametrize("page", LIBRARY, ids=label)
def test_no_function_has_more_than_25_statements(page: Path) -> None:
    statements = {
        name: sum(isinstance(node, ast.stmt) for line in body for node in ast.walk(line)) for name, body in bodies(page)
    }

    assert {name: count for name, count in statements.items() if count > LONGEST_FUNCTION} == {}


def test_half_of_all_functions_have_ten_lines_at_most() -> None:
    lengths = [
        (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1
        for page in LIBRARY
        for _, body in bodies(page)
        if body
    ]

    assert statistics.median(lengths) <= 10


@pytest.mark.parametrize("page", LIBRARY, ids=label)
def test_every_page_opens_with_its_question_in_at_most_six_lines(page: Path) -> None:
    opening = (ast.get_docstring(parsed(page)) or "").split("\n\n    ")[0]

    assert "?" in opening.split("\n\n")[0], f"{label(page)} does not open with the question it answers"
    assert len(opening.splitlines()) <= LONGEST_OPENING


@pytest.mark.parametrize("page", LIBRARY, ids=label)
def test_pages_are_named_by_nouns_that_say_something(page: Path) -> None:
    name = page.stem if page.stem not in {"__init__", "__main__"} else page.parent.name

    assert name not in NO_NAMES
    assert not name.startswith("_")
    assert not name.startswith("impl_")
