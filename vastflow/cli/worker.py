"""How is a store served by a process of its own?

It imports the modules in which the flows' classes stand, serves the store, or stands by while another process does, and
ends on a signal: running bodies get a while to end, and flows go on when the store is served again.
"""

import os
import signal
import sys
from queue import Empty, SimpleQueue
from types import FrameType

import click

from vastflow.cli.modules import import_modules
from vastflow.cli.source import store_option
from vastflow.engine import Engine
from vastflow.ledger import STORE_VARIABLE
from vastflow.log import setup

__all__ = ["command"]

_LOOK = 0.1  # seconds between two looks whether it serves by now


@click.command("worker")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE...")
@store_option
@click.option(
    "--drain", type=click.FloatRange(min=0), default=5.0, show_default=True, help="Seconds that running bodies get."
)
def command(modules: tuple[str, ...], url: str, drain: float) -> None:
    """Serve a store: run its flows until a signal ends this.

    MODULE is where flows are drawn: a dotted name as in `import`, or a file such as app.py; the current folder is
    searched first. If another process serves the store, this one stands by and takes over when that one ends. SIGTERM
    and Ctrl-C let running bodies end, --drain seconds long; a second one ends this at once.
    """
    setup("info")
    os.environ[STORE_VARIABLE] = url  # for flows that bodies start without naming an engine
    import_modules(modules)
    signals = _listen()
    engine = Engine(url)
    try:
        ended_by = _serve(engine, signals, url)
    finally:
        quiet = engine.close(drain)
    left = "" if quiet else "; bodies still ran, and are run again when the store is served"
    click.echo(f"{ended_by}: this process serves no longer{left}.")


def _listen() -> "SimpleQueue[str]":
    """Return a queue into which the first signal comes; the second ends the process as if nobody listened."""
    heard: SimpleQueue[str] = SimpleQueue()
    ours = (signal.SIGTERM, signal.SIGINT)

    def hear(number: int, _frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
        heard.put(signal.Signals(number).name)  # a queue, since no lock may be taken in here

    for each in ours:
        signal.signal(each, hear)
    return heard


def _serve(engine: Engine, signals: "SimpleQueue[str]", url: str) -> str:
    """Say when the store is served, and return the name of the signal that ends it."""
    said = ""
    while True:
        standing = "serves" if engine.serves else "stands by for"
        if standing != said:
            said = standing
            click.echo(f"Process {os.getpid()} {standing} {url}.")
            sys.stdout.flush()
        try:
            return signals.get(timeout=_LOOK if not engine.serves else None)
        except Empty:
            continue
