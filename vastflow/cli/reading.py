"""What is in a flow, piece by piece: its journal, its water?"""

import click
import msgspec

from vastflow.cli.journal import journal, veiled
from vastflow.cli.output import json_option, write, write_json
from vastflow.cli.source import find_id, reading, store_option
from vastflow.cli.water import water_lines, water_of
from vastflow.ledger.reading import read_events

__all__ = ["events", "water"]


@click.command("events")
@click.argument("flow", metavar="ID")
@click.option(
    "--water", "with_water", is_flag=True, help="Also what was written; values under telling keys are masked."
)
@store_option
@json_option
def events(flow: str, url: str, *, with_water: bool, as_json: bool) -> None:
    """Show the journal of a flow, fact by fact.

    ID is the flow's id, or as much of its beginning as no other flow has.
    """
    with reading(url) as reader:
        flow_id = find_id(reader, flow)
        found = read_events(reader, flow_id)
        veil = water_of(reader, flow_id, found)[1] if with_water else None
    if as_json:
        write_json([msgspec.to_builtins(veiled(event, veil)) for event in found])
    else:
        write(journal(found, veil))


@click.command("water")
@click.argument("flow", metavar="ID")
@store_option
@json_option
def water(flow: str, url: str, *, as_json: bool) -> None:
    """Show the water of a flow.

    As it is now; values under telling keys are masked. ID is the flow's id, or as much of its beginning as
    no other flow has.
    """
    with reading(url) as reader:
        flow_id = find_id(reader, flow)
        shown, _ = water_of(reader, flow_id, read_events(reader, flow_id))
    if as_json:
        write_json(shown)
    else:
        write(water_lines(shown))
