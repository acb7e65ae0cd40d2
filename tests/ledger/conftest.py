"""What do tests of stores share? Other processes: ones that serve a store, and ones that ask about it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import vastflow

_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(vastflow.__file__).parents[1]), "PYTHONWARNINGS": "error"}

_SERVE = """
import sys
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.testing.samples import MORNING, batch, facts, flow

store = SQLiteStore(sys.argv[1])
owner = store.take("elsewhere", MORNING)
store.commit(batch(owner, flows=[flow("a", owner)], facts=facts("a", owner, 3)))
print("serving", flush=True)
sys.stdin.read()
store.close()
"""


@pytest.fixture
def ask() -> Callable[..., str]:
    """Run Python code in a process of its own and return what it prints."""

    def run(code: str, *arguments: object) -> str:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def serve() -> Iterator[Callable[[Path], "subprocess.Popen[str]"]]:
    """Serve a store in another process until its standard input is closed or it is killed; it holds flow a."""
    with ExitStack() as stack:

        def start(path: Path) -> "subprocess.Popen[str]":
            server = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(path)],
                env=_ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(server)
            stack.callback(server.kill)
            assert server.stdout is not None
            assert server.stdout.readline() == "serving\n"
            return server

        yield start
