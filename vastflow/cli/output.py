"""How is something written, for people or for programs?

On a terminal as wide as it is and in its colours; into a pipe whole and plain, so that nothing is cut off there.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.table import Column, Table

__all__ = ["is_lively", "make_console", "make_table", "write", "write_json"]

_ENDLESS = 100_000


def is_lively() -> bool:
    """Say whether lines may be redrawn in place: on a terminal that can, unless NO_COLOR asks for plain lines."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def make_console() -> Console:
    """Return the console on stdout, as wide as the terminal, or without end where there is none."""
    width = None if sys.stdout.isatty() else _ENDLESS
    return Console(width=width, markup=False, highlight=False, emoji=False)


def make_table(*columns: Column, head: bool = False) -> Table:
    """Return an empty table without lines, two spaces between its columns."""
    return Table(*columns, box=None, show_header=head, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))


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
