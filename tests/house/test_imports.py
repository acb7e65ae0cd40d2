"""Does the river run one way, and would a machine notice if it did not?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# contract, page that is touched, line that breaks the contract
BREAKS = [
    ("floors", "vastflow/errors.py", "import vastflow.clock"),
    ("floors", "vastflow/course/planted.py", "import vastflow.ledger"),
    ("floors", "vastflow/ledger/planted.py", "import vastflow.actors"),
    ("floors", "vastflow/actors/planted.py", "import vastflow.engine"),
    ("floors", "vastflow/floorless.py", "FLOOR = None"),
    ("pure", "vastflow/drawing/planted.py", "import threading"),
    ("pure", "vastflow/course/planted.py", "import vastflow.clock"),
    ("pure", "vastflow/course/planted.py", "import sqlite3"),
    ("why", "vastflow/why/planted.py", "import vastflow.ledger"),
    ("runtime", "vastflow/runtime/planted.py", "import vastflow.drawing"),
    ("readers", "vastflow/cli/planted.py", "import vastflow.actors"),
    ("pykka", "vastflow/ledger/planted.py", "import pykka"),
    ("stores", "vastflow/ledger/memory.py", "import vastflow.ledger.sqlite"),
    ("circles", "vastflow/drawing/planted.py", "import vastflow.drawing.chart"),
]


def lint(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter as its command does, on the tree and not on what is installed."""
    return subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tree)!r}); {LINTER}", *arguments],
        cwd=tree,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of what import-linter reads."""
    shutil.copytree(ROOT / "vastflow", tmp_path / "vastflow", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    with (tmp_path / "vastflow/drawing/chart.py").open("a", encoding="utf-8") as chart:
        chart.write("\nimport vastflow.drawing.planted\n")  # half a circle; `circles` closes it
    (tmp_path / "vastflow/drawing/planted.py").touch()
    return tmp_path


def test_every_floor_imports_only_what_stands_below_it() -> None:
    said = lint(ROOT, "--no-cache")

    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(
    ("contract", "page", "line"), BREAKS, ids=[f"{c}-{Path(p).stem}-{n.split()[-1]}" for c, p, n in BREAKS]
)
def test_an_import_against_the_stream_is_noticed(tree: Path, contract: str, page: str, line: str) -> None:
    whole = lint(tree, "--no-cache", "--contract", contract)
    with (tree / page).open("a", encoding="utf-8") as touched:
        touched.write(f"\n{line}\n")
    broken = lint(tree, "--no-cache", "--contract", contract)

    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "1 broken" in broken.stdout, broken.stdout + broken.stderr
    assert broken.returncode == 1


def test_every_contract_is_broken_once() -> None:
    shape = (ROOT / "setup.cfg").read_text("utf-8")

    assert {line.split(":")[2].rstrip("]") for line in shape.splitlines() if line.startswith("[importlinter:")} == {
        contract for contract, _, _ in BREAKS
    }


def test_importing_vastflow_loads_neither_the_command_line_nor_the_terminal() -> None:
    listing = "import sys, vastflow; print(*sorted({name.partition('.')[0] for name in sys.modules}))"

    said = subprocess.run([sys.executable, "-P", "-c", listing], capture_output=True, text=True, check=True)

    assert "vastflow" in said.stdout.split()
    assert not {"click", "pykka", "rich", "sqlite3", "structlog"} & set(said.stdout.split())


def test_drawing_a_flow_loads_no_actors_and_no_disk() -> None:
    listing = "import sys; from vastflow import Andes, River; print(*{name.partition('.')[0] for name in sys.modules})"

    said = subprocess.run([sys.executable, "-P", "-c", listing], capture_output=True, text=True, check=True)

    assert not {"click", "pykka", "rich", "sqlite3"} & set(said.stdout.split())
