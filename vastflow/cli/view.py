"""How is a flow shown while it flows?

On a terminal one line per river, redrawn in place; elsewhere a line for each change.
"""

from typing import Protocol

import click
from rich.live import Live
from rich.table import Column, Table

from vastflow.cli.output import make_console, make_table
from vastflow.cli.wording import address, of_poll, of_try, one_line, remark, state
from vastflow.engine import FlowStatus, StreamStatus
from vastflow.log import escape

__all__ = ["LiveView", "PlainView", "View"]

_SHOWN = frozenset({"river", "basin", "each", "atlantic"})


class View(Protocol):
    """Something that shows how a flow stands, again and again."""

    def show(self, status: FlowStatus) -> None:
        """Show how it stands now."""

    def end(self) -> None:
        """Leave what was shown last where it is; may come twice."""


class PlainView:
    """A line for each change."""

    def __init__(self) -> None:
        """Have said nothing yet."""
        self._said: dict[str, str] = {}

    def show(self, status: FlowStatus) -> None:
        """Say what has changed since the last time."""
        for stream in status.streams:
            said = "  ".join(filter(None, (f"{stream.state:<8}", _counts(stream), remark(stream))))
            if stream.kind in _SHOWN and stream.state != "init" and self._said.get(stream.address) != said:
                self._said[stream.address] = said
                click.echo(f"{escape(stream.address):<16}  {said.rstrip()}")

    def end(self) -> None:
        """Do nothing: what was said stays."""


class LiveView:
    """One line per river, redrawn in place."""

    def __init__(self) -> None:
        """Take no place on the terminal yet."""
        self._live = Live(console=make_console(), auto_refresh=False)

    def show(self, status: FlowStatus) -> None:
        """Draw how it stands now."""
        self._live.start()
        self._live.update(_table(status), refresh=True)

    def end(self) -> None:
        """Leave the last picture where it is."""
        self._live.stop()


def _table(status: FlowStatus) -> Table:
    table = make_table(
        Column(no_wrap=True, min_width=16, overflow="ellipsis"),
        Column(no_wrap=True, min_width=8),
        Column(no_wrap=True, min_width=13),
        Column(overflow="ellipsis"),
    )
    for stream in status.streams:
        if stream.kind in _SHOWN:
            table.add_row(address(stream), state(stream.state), _counts(stream), one_line(remark(stream)))
    return table


def _counts(stream: StreamStatus) -> str:
    """Return poll k of n, and which attempt it is if it is not the first."""
    attempt = f"attempt {of_try(stream)}" if stream.attempt > 1 else ""
    poll = f"poll {of_poll(stream)}" if stream.polls else ""
    return ", ".join(filter(None, (attempt, poll)))
