"""How are flows cancelled, paused, resumed and retried from a shell?

Whoever serves the store does it; with nobody, it is done when the store is served next.
"""

from typing import Any

import click

from vastflow.cli.modules import import_modules
from vastflow.cli.output import json_option
from vastflow.cli.selection import Selection, give, selecting, tell
from vastflow.cli.source import store_option, who_option

__all__ = ["cancel", "pause", "resume", "retry"]


@click.command("cancel")
@selecting("init", "running")
@who_option
@store_option
@json_option
def cancel(selection: Selection, who: str | None, url: str, *, as_json: bool) -> None:
    """End flows as cancelled, and undo what they did.

    Nothing new begins in them, what runs is stopped, and what was done is undone.

    ID is a flow's id, or as much of its beginning as no other flow has. Several flows are found by what they have in
    common, then their number is shown first. Ends with 1 if a flow refuses.
    """
    tell(give(url, selection, "cancel", lambda flow: flow.cancel(who=who)), as_json=as_json)


@click.command("pause")
@selecting("init", "running")
@who_option
@store_option
@json_option
def pause(selection: Selection, who: str | None, url: str, *, as_json: bool) -> None:
    """Let no new body begin in flows until they are resumed.

    Bodies that run end; deadlines run on. Flows are named as for `cancel`.
    """
    tell(give(url, selection, "pause", lambda flow: flow.pause(who=who)), as_json=as_json)


@click.command("resume")
@selecting("init", "running", "undoing", "ending")
@who_option
@store_option
@json_option
def resume(selection: Selection, who: str | None, url: str, *, as_json: bool) -> None:
    """Let paused flows go on.

    And flows that were stranded because a body seemed to kill its process. Flows are named as for `cancel`.
    """
    tell(give(url, selection, "resume", lambda flow: flow.resume(who=who)), as_json=as_json)


@click.command("retry")
@selecting("fail")
@click.option(
    "--now",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="With the attributes which the classes of this module have by now; may be repeated.",
)
@who_option
@store_option
@json_option
def retry(selection: Selection, modules: tuple[str, ...], who: str | None, url: str, *, as_json: bool) -> None:
    """Open a new round of flows that have ended.

    What succeeded and was not undone is kept. Flows are named as for `cancel`; --name and --tag find those that failed.
    """
    import_modules(modules)
    attributes: Any = "now" if modules else None
    tell(give(url, selection, "retry", lambda flow: flow.retry(attributes, who=who)), as_json=as_json)
