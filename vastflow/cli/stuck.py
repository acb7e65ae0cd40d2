"""Which flows of a store are stuck?"""

from collections.abc import Sequence

import click
import msgspec
from rich.table import Column
from rich.text import Text

from vastflow.cli.output import json_option, make_fitting_table, write, write_json
from vastflow.cli.source import reading, store_option
from vastflow.cli.wording import plain, took
from vastflow.engine import Engine
from vastflow.engine.stuck import age_of
from vastflow.why import Why
from vastflow.why.stuckness import stuck_at

__all__ = ["command"]


def _age(_context: click.Context, _parameter: click.Parameter, told: str) -> float:
    """Return an age in seconds."""
    try:
        return age_of(float(told) if told.replace(".", "", 1).isdecimal() else told)
    except ValueError:
        message = f"{told!r} is not an age: write something like 10m, 90s, 2h"
        raise click.BadParameter(message) from None


@click.command("stuck")
@click.option(
    "--older-than",
    "age",
    default="10m",
    show_default=True,
    callback=_age,
    metavar="AGE",
    help="Only flows of which nothing has happened for so long, such as 10m, 90s or 2h.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@store_option
@json_option
def command(age: float, limit: int, url: str, *, as_json: bool) -> None:
    """List the flows that are stuck, and why, the longest first.

    A flow is stuck of which nothing has happened for long, and which does not just wait by plan: for a poll or an
    attempt that is due, for a body that does not run over its usual time, for its begin, or since it is paused.
    """
    with reading(url), Engine(url, serve=False) as engine:
        found = engine.stuck(older_than=age, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        write_json([msgspec.to_builtins(why) for why in shown])
    else:
        _write(shown)
    if more:
        click.echo(f"There are more: --limit {limit * 10} shows them.", err=True)


def _write(found: Sequence[Why]) -> None:
    if not found:
        click.echo("No flow is stuck.", err=True)
        return
    columns = (
        Column("ID", no_wrap=True, overflow="fold"),
        Column("NAME", overflow="ellipsis", no_wrap=True),
        Column("IDLE", no_wrap=True, justify="right"),
        Column("REASON", no_wrap=True),
        Column("", overflow="fold", min_width=24),
    )
    write(make_fitting_table(columns, [_cells(why) for why in found], ("NAME", "REASON")))


def _cells(why: Why) -> tuple[Text, ...]:
    reason = next(iter(stuck_at(why)), why.reason)
    return plain(why.flow), plain(why.name), Text(took(why.idle)), plain(reason.code), plain(reason.sentence)
