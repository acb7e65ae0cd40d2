import json

import pytest
from rich.console import Console
from rich.table import Column
from rich.text import Text

from vastflow.cli.output import is_lively, make_fitting_table, make_table, write, write_json


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


def fitted(width: int) -> list[str]:
    columns = Column("ID", no_wrap=True, overflow="fold"), Column("NAME"), Column("STATE", no_wrap=True), Column("TOOK")
    rows = [[Text("0123456789" * 3), Text("a name that is long"), Text("cancelled"), Text("3 h")]]
    console = Console(width=width)
    with console.capture() as captured:
        console.print(make_fitting_table(columns, rows, ("TOOK", "NAME"), width))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize(
    ("width", "heads"),
    [
        (100, ["ID", "NAME", "STATE", "TOOK"]),
        (57, ["ID", "NAME", "STATE", "TOOK"]),
        (55, ["ID", "NAME", "STATE"]),
        (45, ["ID", "STATE"]),
        (30, ["ID", "STATE"]),
    ],
)
def test_where_there_is_no_room_columns_are_left_out_and_what_must_be_seen_is_never_cut(
    width: int, heads: list[str]
) -> None:
    head, *lines = fitted(width)

    assert head.split() == heads
    assert "cancelled" in lines[0].split()
    assert "".join(line[:30].split()[0] for line in lines if line[:1].isdigit()) == "0123456789" * 3
    assert all(len(line) <= width for line in lines)


def test_lines_are_not_redrawn_in_a_pipe() -> None:
    assert not is_lively()
