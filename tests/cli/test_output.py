import json

import pytest
from rich.table import Column

from vastflow.cli.output import is_lively, make_table, write, write_json


def test_what_is_piped_is_neither_cut_nor_wrapped_nor_padded(capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table(Column("A"), Column("B"), head=True)
    table.add_row("x" * 500, "y")
    table.add_row("z", "[bold]")

    write(table)

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "x" * 500 + "  y"
    assert lines[0].split() == ["A", "B"]
    assert lines[2].split() == ["z", "[bold]"]
    assert lines == [line.rstrip() for line in lines]


def test_json_is_ascii_so_that_nothing_in_it_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"id": "\x9b2J\u202e"})

    said = capsys.readouterr().out
    assert said.isascii()
    assert json.loads(said) == {"id": "\x9b2J\u202e"}


def test_lines_are_not_redrawn_in_a_pipe() -> None:
    assert not is_lively()
