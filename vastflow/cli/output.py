"""How is something written, for people or for programs?

On a terminal as wide as it is and in its colours; into a pipe whole and plain, so that nothing is cut off there.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Column, Table
from rich.text import Text

__all__ = ["is_lively", "json_option", "make_console", "make_fitting_table", "make_table", "write", "write_json"]

_ENDLESS = 100_000

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Write JSON, for programs."
)
"""The option that asks for JSON."""

_GAP = 2
_LEAST = 8  # of a column that may be cut


def is_lively() -> bool:
    """Say whether lines may be redrawn in place: on a terminal that can, unless NO_COLOR asks for plain lines."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def make_console() -> Console:
    """Return the console on stdout, as wide as the terminal, or without end where there is none."""
    width = None if sys.stdout.isatty() else _ENDLESS
    return Console(width=width, markup=False, highlight=False, emoji=False)


def make_table(*columns: Column, head: bool = False) -> Table:
    """Return an empty table without lines, two spaces between its columns."""
    return Table(*columns, box=None, show_header=head, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0))


def make_fitting_table(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], spare: Sequence[str], width: int | None = None
) -> Table:
    """Return a table with a head that fits on the terminal.

    Args:
        columns: the columns; where nothing else helps, the first one is folded.
        rows: its cells.
        spare: the heads of columns that are left out where there is no room, the first one first.
        width: of the terminal, if it is not to be asked.
    """
    room = make_console().width if width is None else width
    needs = {index: _needed(column, [row[index] for row in rows]) for index, column in enumerate(columns)}
    for head in spare:
        if sum(needs.values()) > room + _GAP:
            needs = {index: need for index, need in needs.items() if columns[index].header != head}
    if sum(needs.values()) > room + _GAP:
        columns[0].no_wrap = False
    table = make_table(*(columns[index] for index in needs), head=True)
    for row in rows:
        table.add_row(*(row[index] for index in needs))
    return table


def _needed(column: Column, cells: Sequence[Text]) -> int:
    widest = max(cell_len(str(text)) for text in (column.header, *cells))
    return _GAP + (widest if column.no_wrap else min(widest, _LEAST))


def write(*parts: RenderableType) -> None:
    """Write for people; blanks at the ends of lines are left out."""
    console = make_console()
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    for line in captured.get().removesuffix("\n").split("\n"):
        click.echo(line.rstrip(), color=console.color_system is not None)


def write_json(document: dict[str, Any] | Sequence[dict[str, Any]]) -> None:
    """Write for programs; in ASCII, so that no control character gets through."""
    click.echo(json.dumps(document, indent=2))
