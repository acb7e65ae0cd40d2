"""Which test holds which promise?

Reads the numbered paragraphs of docs/semantics.md and the `@pytest.mark.promise("4.2")` marks of all tests (their text
only; nothing is run), and keeps the table in docs/promises.md:

    python -m tests.house.promises            write the table anew
    python -m tests.house.promises --check    end with 1 if it is out of date or a covered paragraph has no test
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEMANTICS = ROOT / "docs" / "semantics.md"
TABLE = ROOT / "docs" / "promises.md"

# What this release promises: the only list of it.
# fmt: off
COVERED = frozenset((
    "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "2.11",
    "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10",
    "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "5.8", "5.9",
    "6.1", "6.2", "6.3", "6.4",
    "7.1", "7.2", "7.3", "7.4", "7.5", "7.6",
    "8.1", "8.2", "8.3", "8.4",
    "9.1", "9.2",
    "10.1", "10.2", "10.3", "10.4", "10.5", "10.6", "10.7", "10.8", "10.9", "10.10", "10.11",
    "11.1", "11.2", "11.3", "11.4",
    "12.1", "12.2", "12.5",
))
# fmt: on

# Covered paragraphs whose tests are still to be written. A debt: it may only shrink.
OWED: frozenset[str] = frozenset()

_PARAGRAPH = re.compile(r"^(?:- )?\*\*(?P<number>\d+\.\d+)\*\*\s+(?P<text>.*)$", re.MULTILINE)
_LONGEST_SAYING = 90

_HEAD = """\
# Promises and the tests that hold them

Made by `python -m tests.house.promises` from [semantics.md](semantics.md) and the marks of the tests; do not edit.

| paragraph | it begins | tests |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Held:
    """One test that holds one paragraph."""

    paragraph: str
    page: str
    test: str


def paragraphs(text: str) -> dict[str, str]:
    """Return the number of every paragraph of the semantics with its first words."""
    return {found["number"]: _first_words(found["text"]) for found in _PARAGRAPH.finditer(text)}


def held(tests: Path) -> list[Held]:
    """Return what the marks of all tests below a folder say, in the order of the files."""
    return [
        Held(number, page.relative_to(tests).as_posix(), name)
        for page in sorted(tests.rglob("test_*.py"))
        for name, number in _marks(ast.parse(page.read_text("utf-8")))
    ]


def table(says: dict[str, str], marks: list[Held]) -> str:
    """Return the page that shows each paragraph with its tests."""
    return _HEAD + "".join(f"| {number} | {text} | {_cell(number, marks)} |\n" for number, text in says.items())


def complaints(says: dict[str, str], marks: list[Held], *, owed: frozenset[str] = OWED) -> list[str]:
    """Return what is wrong: promises without a test, and marks that name no paragraph."""
    kept = {mark.paragraph for mark in marks}
    return [
        *(f"{number} is covered, but docs/semantics.md has no such paragraph" for number in COVERED - says.keys()),
        *(f"{number} is covered, but no test holds it" for number in sorted(COVERED - kept - owed, key=_order)),
        *(f"{number} is owed, but a test holds it: take it off OWED" for number in sorted(owed & kept, key=_order)),
        *(
            f"tests/{mark.page}: {mark.test}: no paragraph {mark.paragraph}"
            for mark in marks
            if mark.paragraph not in says
        ),
    ]


def main(arguments: list[str]) -> int:
    """Write the table, or with `--check` only say what is wrong."""
    says, marks = paragraphs(SEMANTICS.read_text("utf-8")), held(ROOT / "tests")
    wrong = complaints(says, marks)
    if "--check" not in arguments:
        TABLE.write_text(table(says, marks), "utf-8")
    elif not TABLE.exists() or TABLE.read_text("utf-8") != table(says, marks):
        wrong.append("docs/promises.md is out of date: python -m tests.house.promises")
    print("\n".join(wrong) or f"{len(COVERED)} paragraphs are covered, {len(OWED)} of them without a test as yet")  # noqa: T201 - a script speaks
    return int("--check" in arguments and bool(wrong))


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield (test, paragraph), the marks of a class and of the whole page counting for every test in it."""
    everywhere = [number for node in tree.body if _is_pytestmark(node) for number in _numbers(node)]
    scopes: list[ast.Module | ast.ClassDef] = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    for scope in scopes:
        of_class = [number for mark in getattr(scope, "decorator_list", ()) for number in _numbers(mark)]
        for node in scope.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                own = [number for mark in node.decorator_list for number in _numbers(mark)]
                yield from ((node.name, number) for number in dict.fromkeys(everywhere + of_class + own))


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"


def _numbers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
            yield from (str(ast.literal_eval(argument)) for argument in node.args)


def _first_words(text: str) -> str:
    sentence = re.split(r"(?<=[.:;])\s", text.removeprefix("*(not yet)* "), maxsplit=1)[0].replace("|", "\\|")
    if len(sentence) <= _LONGEST_SAYING:
        return sentence
    return sentence[:_LONGEST_SAYING].rpartition(" ")[0] + " ..."


def _cell(number: str, marks: list[Held]) -> str:
    if tests := [mark for mark in marks if mark.paragraph == number]:
        return "<br>".join(f"[{mark.page}](../tests/{mark.page}) {_sentence(mark.test)}" for mark in tests)
    return "**none yet**" if number in COVERED else "*(not yet)*"


def _sentence(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
