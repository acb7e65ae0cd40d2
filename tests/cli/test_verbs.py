import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import vastflow
from tests.cli.conftest import Run
from vastflow.cli import main
from vastflow.cli.verbs import VERBS


def test_version_says_the_release(run: Run) -> None:
    assert run("version").stdout == f"vastflow {vastflow.__version__}\n"
    assert run("--version").stdout == f"vastflow {vastflow.__version__}\n"


@pytest.mark.parametrize("arguments", [["version"], ["--help"]])
def test_a_verb_pays_for_no_other(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from vastflow.cli import main\n"
        f"main({arguments}, standalone_mode=False)\n"
        "heavy = {'rich', 'pykka', 'structlog', 'sqlite3', 'vastflow.engine'}\n"
        "sys.stderr.write(', '.join(heavy & sys.modules.keys()))\n"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", VERBS)
def test_the_help_says_of_each_verb_what_its_page_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None

    assert command.name == name
    assert (command.help or "").split("\n")[0] == VERBS[name].sentence
    assert VERBS[name].sentence in CliRunner().invoke(main, ["--help"], terminal_width=200).output


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_a_help(name: str) -> None:
    asked = CliRunner().invoke(main, [name, "--help"])

    assert asked.exit_code == 0
    assert asked.output.startswith(f"Usage: main {name}")


def test_an_unknown_verb_is_a_usage_error() -> None:
    asked = CliRunner().invoke(main, ["restart"])

    assert asked.exit_code == 2
    assert "No such command 'restart'" in asked.output
