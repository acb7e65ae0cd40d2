"""Which pages are there, and what stands on them? Read from the checkout, never imported."""

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def pages(*folders: str) -> list[Path]:
    """Return every Python page in these folders of the checkout."""
    return sorted(page for folder in folders for page in (ROOT / folder).rglob("*.py"))


def public_packages() -> list[Path]:
    """Return the `__init__.py` of vastflow and of each package in it."""
    return [page for page in pages("vastflow") if page.name == "__init__.py"]


def label(page: Path) -> str:
    """Name a page as a reader would: by its path in the checkout."""
    return page.relative_to(ROOT).as_posix()


@cache
def parsed(page: Path) -> ast.Module:
    """Return the page's syntax tree."""
    return ast.parse(page.read_text("utf-8"), filename=label(page))


def comments(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the line number and the text of every comment on the page."""
    for token in _tokens(page):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def code_lines(page: Path) -> int:
    """Count the lines that are not blank, comment or docstring."""
    code = {
        line
        for token in _tokens(page)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - set(_docstring_lines(parsed(page))))


def bodies(page: Path) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield the name and the body, without docstring, of every function on the page."""
    for node in ast.walk(parsed(page)):
        if isinstance(node, Function):
            yield node.name, node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def imports(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the line number and the dotted name of everything the page imports, wherever on the page."""
    for node in ast.walk(parsed(page)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the line number and the name, as written, of every call on the page that is made by name."""
    for node in ast.walk(parsed(page)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.lineno, ast.unparse(node.func)


def _tokens(page: Path) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(page.read_text("utf-8")).readline)


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node, clean=False) is not None:
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or node.body[0].lineno) + 1)
