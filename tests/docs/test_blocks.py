"""Does every Python block in the documents run?

The blocks of one page are one program: they run in order, in one namespace, in an empty folder, with warnings as
errors. A comment before a fence says what the reader does not see:

    <!-- no-run -->          the next block is compiled and not run
    <!-- python ... -->      runs like a block, but is not shown
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT, label

BLOCK = re.compile(
    r"(?P<no_run><!-- no-run -->\n+)?^```python\n(?P<shown>.*?)^```$|^<!-- python\n(?P<hidden>.*?)^-->$",
    re.DOTALL | re.MULTILINE,
)
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if page.exists()]


def program(text: str, *, run: bool) -> str:
    """Return the blocks that run (or the others), each at the line where it stands on the page."""
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        group = "hidden" if block["shown"] is None else "shown"
        if run is not bool(block["no_run"]):
            begin = text.count("\n", 0, block.start(group))
            code = block[group].splitlines()
            lines[begin : begin + len(code)] = code
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_every_block_that_is_meant_to_run_runs(page: Path, tmp_path: Path) -> None:
    script = tmp_path / f"{page.stem.lower()}.py"
    script.write_text(program(page.read_text("utf-8"), run=True), "utf-8")

    command = [sys.executable, "-P", "-W", "error", str(script)]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_every_block_that_is_not_run_compiles(page: Path) -> None:
    ast.parse(program(page.read_text("utf-8"), run=False), filename=label(page))


TEXT = """\
```python
a = 1
```

<!-- no-run -->
```python
b = 2
```
<!-- python
c = 3
-->
```text
d
```
"""


def test_a_block_keeps_its_line_and_its_mark() -> None:
    runs, rests = program(TEXT, run=True).splitlines(), program(TEXT, run=False).splitlines()

    assert [(number, line) for number, line in enumerate(runs, 1) if line] == [(2, "a = 1"), (10, "c = 3")]
    assert [(number, line) for number, line in enumerate(rests, 1) if line] == [(7, "b = 2")]
