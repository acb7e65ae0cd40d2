"""Do mypy and pyright, both strict, let right uses pass and find every wrong one?"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

# What pyright adds to an error it has told already.
ECHOES = {"reportUnknownMemberType", "reportUnknownArgumentType", "reportUnusedExpression"}

Found = dict[int, set[str]]


def mypy(page: Path) -> Found:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--no-pretty"]
    told = run([*command, f"--cache-dir={page.parent / 'cache'}", str(page)])
    lines = re.findall(rf"{re.escape(page.name)}:(\d+): error: .*\[([\w-]+)\]$", told, re.MULTILINE)
    return gathered((int(line), code) for line, code in lines)


def pyright(page: Path) -> Found:
    told = run([sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(page)])
    faults = json.loads(told)["generalDiagnostics"]
    pairs = [(fault["range"]["start"]["line"] + 1, fault.get("rule", "syntax")) for fault in faults]
    return gathered((line, rule) for line, rule in pairs if rule not in ECHOES)


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # our own words
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def gathered(pairs: Iterable[tuple[int, str]]) -> Found:
    found: Found = {}
    for line, code in pairs:
        found.setdefault(line, set()).add(code)
    return found


def expected(text: str, checker: int) -> Found:
    lines = (line.partition("  # ")[2].split(" | ") for line in text.splitlines())
    return {number: {codes[checker]} for number, codes in enumerate(lines, 1) if len(codes) == 2}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.promise("2.4", "2.10")
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_what_is_right_passes(checker: Callable[[Path], Found], tmp_path: Path) -> None:
    page = Path(shutil.copy(HERE / "right.py", tmp_path / "right.py"))

    assert checker(page) == {}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.promise("2.4", "2.10")
@pytest.mark.parametrize(("checker", "column"), [(mypy, 0), (pyright, 1)], ids=["mypy", "pyright"])
def test_what_is_wrong_is_found_on_its_line(checker: Callable[[Path], Found], column: int, tmp_path: Path) -> None:
    page = Path(shutil.copy(HERE / "wrong.txt", tmp_path / "wrong.py"))

    found = checker(page)

    assert found == expected(page.read_text(), column)
    assert len(found) >= 25
