"""Do the pages for whoever runs it name what there is?"""

import ast
import re

import pytest

from tests.house.source import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
LINES = re.search(r"## What the log says\n(.*?)\n\nA `RuntimeWarning`", OPERATIONS, re.DOTALL)
LOUD = {"warning", "error", "report", "say"}


def _said(call: ast.Call) -> str:
    """Return what a call logs: the constant text it begins with; empty if it logs nothing."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if name in LOUD | {"_tell"} and call.args else None
    if isinstance(first, ast.JoinedStr):
        first = first.values[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def loud_lines() -> set[str]:
    """Return the beginnings of all lines that the package logs as warnings and errors."""
    found = {
        _said(node)
        for page in sorted((ROOT / "vastflow").rglob("*.py"))
        if page.parent.name != "log"
        for node in ast.walk(ast.parse(page.read_text("utf-8")))
        if isinstance(node, ast.Call)
    }
    return {line.strip(" (") for line in found if line}


def test_every_warning_and_error_of_the_log_is_explained() -> None:
    assert LINES is not None
    explained = re.findall(r"`([^`]+)`", LINES[1])

    missing = [line for line in loud_lines() if not any(line.startswith(known) for known in explained)]

    assert not missing


NAMED = sorted(set(re.findall(r"\]\(\.\./(tests/[\w/]+\.py)\) `(\w+)`", GUARANTEES)))


@pytest.mark.parametrize(("page", "test"), NAMED, ids=[test for _, test in NAMED])
def test_every_guarantee_names_a_test_there_is(page: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / page).read_text("utf-8")
