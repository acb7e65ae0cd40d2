"""How is something told to one flow from a shell: a stream to skip, what one has done, water, a signal?"""

from collections.abc import Callable
from typing import Any

import click

from vastflow.cli.given import value, values
from vastflow.cli.output import json_option
from vastflow.cli.selection import Selection, give, tell
from vastflow.cli.source import store_option, who_option
from vastflow.engine import Flow

__all__ = ["complete", "put", "signal", "skip"]


@click.command("skip")
@click.argument("flow", metavar="ID")
@click.argument("stream", metavar="STREAM")
@who_option
@store_option
@json_option
def skip(flow: str, stream: str, who: str | None, url: str, *, as_json: bool) -> None:
    """Count a stream of a flow as skipped.

    STREAM is its address, as `vastflow show` names it. The flow must be paused, or have ended without success.
    """
    _give(url, flow, "skip", lambda each: each.skip(stream, who=who), as_json=as_json)


@click.command("complete")
@click.argument("flow", metavar="ID")
@click.argument("stream", metavar="STREAM")
@click.argument("written", nargs=-1, metavar="[KEY=VALUE]...")
@who_option
@store_option
@json_option
def complete(flow: str, stream: str, written: tuple[str, ...], who: str | None, url: str, *, as_json: bool) -> None:
    """Count a stream of a flow as done.

    And as having written these values. A VALUE is read as JSON where it is JSON, else as a text. The flow must be
    paused, or have ended without success.
    """
    water = values(written)
    _give(url, flow, "complete", lambda each: each.complete(stream, water, who=who), as_json=as_json)


@click.command("set")
@click.argument("flow", metavar="ID")
@click.argument("written", metavar="KEY=VALUE")
@who_option
@store_option
@json_option
def put(flow: str, written: str, who: str | None, url: str, *, as_json: bool) -> None:
    """Put a value into a flow's water.

    VALUE is read as JSON where it is JSON, else as a text. The flow must be paused, or have ended without success.
    """
    ((key, told),) = values([written]).items()
    _give(url, flow, "set", lambda each: each.set(key, told, who=who), as_json=as_json)


@click.command("signal")
@click.argument("flow", metavar="ID")
@click.argument("name", metavar="NAME")
@click.argument("told", default="null", metavar="[VALUE]")
@click.option("--id", "key", help="An idempotency key: a second signal of the flow with the same one is not taken.")
@who_option
@store_option
@json_option
def signal(  # noqa: PLR0913  # as many as there are options
    flow: str, name: str, told: str, key: str | None, who: str | None, url: str, *, as_json: bool
) -> None:
    """Send a signal to a flow.

    A river takes it with `self.signal(NAME)`; it is kept if nobody waits for it yet. VALUE is read as JSON where it is
    JSON, else as a text.
    """
    _give(url, flow, "signal", lambda each: each.signal(name, value(told), key, who=who), as_json=as_json)


def _give(url: str, flow: str, what: str, act: Callable[[Flow[Any]], bool | None], *, as_json: bool) -> None:
    tell(give(url, Selection((flow,), None, yes=True, rate=None), what, act), as_json=as_json)
