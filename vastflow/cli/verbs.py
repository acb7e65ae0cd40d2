"""Which verbs are there, and on which page?

A verb's page is loaded when the verb is called and not before, so none pays for what another needs.
"""

import importlib
import sys
from io import TextIOWrapper
from typing import Any, NamedTuple

import click

import vastflow
from vastflow.errors import FlowNotFound, StoreError, StoreServed, VastflowError

__all__ = ["NOT_FOUND", "STORE_TROUBLE", "VERBS", "Verb", "main"]

NOT_FOUND = 3
"""The exit code when there is no such flow."""

STORE_TROUBLE = 4
"""The exit code when the store cannot be read."""


class Verb(NamedTuple):
    """The page that holds a verb, as `command` or under the name behind the colon, and what the verb does."""

    page: str
    sentence: str


VERBS = {
    "backup": Verb("vastflow.cli.copying", "Copy a store into a new file, while it is served or not."),
    "cancel": Verb("vastflow.cli.commanding:cancel", "End flows as cancelled, and undo what they did."),
    "complete": Verb("vastflow.cli.mending:complete", "Count a stream of a flow as done."),
    "demo": Verb("vastflow.cli.demonstration", "Run a flow against a small simulated cloud, and watch it."),
    "doctor": Verb("vastflow.cli.examination", "Say whether a store is whole, who serves it, and what waits in it."),
    "events": Verb("vastflow.cli.reading:events", "Show the journal of a flow, fact by fact."),
    "gc": Verb("vastflow.cli.removal", "Remove flows that ended long ago, with all that is theirs."),
    "list": Verb("vastflow.cli.listing", "List the flows of a store, the newest first."),
    "migrate": Verb("vastflow.cli.migration", "Bring a store to the form this release writes."),
    "pause": Verb("vastflow.cli.commanding:pause", "Let no new body begin in flows until they are resumed."),
    "resume": Verb("vastflow.cli.commanding:resume", "Let paused flows go on."),
    "retry": Verb("vastflow.cli.commanding:retry", "Open a new round of flows that have ended."),
    "run": Verb("vastflow.cli.running:command", "Start a flow, and watch it until it ends."),
    "set": Verb("vastflow.cli.mending:put", "Put a value into a flow's water."),
    "show": Verb("vastflow.cli.report", "Show how one flow stands."),
    "signal": Verb("vastflow.cli.mending:signal", "Send a signal to a flow."),
    "skip": Verb("vastflow.cli.mending:skip", "Count a stream of a flow as skipped."),
    "stuck": Verb("vastflow.cli.stuck", "List the flows that are stuck, and why, the longest first."),
    "version": Verb("vastflow.cli.release", "Say which release this is."),
    "water": Verb("vastflow.cli.reading:water", "Show the water of a flow."),
    "why": Verb("vastflow.cli.why", "Say why a flow stands where it stands, and what would let it go on."),
    "worker": Verb("vastflow.cli.worker", "Serve a store: run its flows until a signal ends this."),
}
"""All verbs by name."""


class Verbs(click.Group):
    """A group that loads a verb's page when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # as click calls it
        """Return the names of all verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as click calls it
        """Return a verb, its page now loaded."""
        if cmd_name not in VERBS:
            return None
        page, _, name = VERBS[cmd_name].page.partition(":")
        command: click.Command = getattr(importlib.import_module(page), name or "command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as click calls it
        """Write the verbs with their sentences, and load none of them for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.sentence) for name, verb in VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Call a verb, and say in one line what is wrong if it cannot do its work."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # a terminal that lacks a letter is no reason to end
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except VastflowError as error:
            _complain(error)
            ctx.exit(_code(error))


def _complain(error: VastflowError) -> None:
    from vastflow.log import escape  # noqa: PLC0415  # brings structlog and rich, which only a complaint needs

    click.echo("Error: " + "\n".join(map(escape, str(error).split("\n"))), err=True)


def _code(error: VastflowError) -> int:
    match error:
        case FlowNotFound():
            return NOT_FOUND
        case StoreError() | StoreServed():
            return STORE_TROUBLE
        case _:
            return 1


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(vastflow.__version__, prog_name="vastflow", message="%(prog)s %(version)s")
def main() -> None:
    """Look at durable flows, run them, and look after their store.

    A flow is drawn and started by a program of yours; here you look at what is in its store, whether somebody serves it
    or not.
    """
