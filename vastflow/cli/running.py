"""How is a flow run from a shell, and watched until it ends?"""

import sys
from concurrent.futures import wait
from typing import Any

import click

from vastflow.cli.given import texts, values
from vastflow.cli.modules import andes_of, import_modules
from vastflow.cli.output import is_lively, write
from vastflow.cli.source import store_option
from vastflow.cli.view import LiveView, PlainView, View
from vastflow.cli.wording import failed_because, plain
from vastflow.engine import Engine, Flow, FlowStatus
from vastflow.log import setup

__all__ = ["command"]

_FRAME = 0.1  # seconds between two looks


@click.command("run")
@click.argument("drawing", metavar="MODULE:ANDES")
@click.argument("written", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--id", "flow_id", help="An idempotency key: with the same water the flow there is is watched.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=TEXT", help="To find the flow by; may be repeated.")
@click.option("--import", "modules", multiple=True, metavar="MODULE", help="Where classes of other flows stand.")
@click.option("--detach", is_flag=True, help="Ask for the flow, and do not wait: a worker runs it.")
@store_option
def command(  # noqa: PLR0913  # as many as there are options
    drawing: str,
    written: tuple[str, ...],
    flow_id: str | None,
    tags: tuple[str, ...],
    modules: tuple[str, ...],
    url: str,
    *,
    detach: bool,
) -> None:
    """Start a flow, and watch it until it ends.

    MODULE:ANDES names a drawing, such as app.py:order or shop.flows:order; KEY=VALUE is its water, a VALUE being read
    as JSON where it is JSON, else as a text. If nobody serves the store, this process does meanwhile, and goes on with
    whatever is unfinished in it. Ctrl-C ends this process, not the flow. Ends with 1 if the flow fails.
    """
    setup("warning")
    import_modules(modules)
    andes, water = andes_of(drawing), values(written)
    with Engine(url, serve=False if detach else None) as engine:
        flow = engine.start(andes, water, id=flow_id, tags=texts(tags))
        if detach:
            click.echo(flow.id)
            return
        click.echo(f"Flow {flow.id} of {andes.name}.", err=True)
        status = _watch(engine, flow)
    _close(status)


def _watch(engine: Engine, flow: Flow[Any]) -> FlowStatus:
    view: View = LiveView() if is_lively() else PlainView()
    try:
        ending = engine.ending(flow.id)
        while not wait([ending], timeout=_FRAME).done:
            view.show(flow.status())
        status = flow.status()
        view.show(status)
        return status
    finally:
        view.end()


def _close(status: FlowStatus) -> None:
    told = f"Flow {status.id}: {'stranded' if status.stranded else status.state}"
    if status.failure is not None:
        told = f"{told}: {failed_because(status.failure)}"
    elif status.stranded:
        told = f"{told}: {status.stranded}"
    write(plain(told))
    sys.exit(0 if status.state == "success" else 1)
