"""What if the code that is run here raises?

It must not: bodies are guarded where they are made, and actors are ours. Should it happen all the
same, it ends here: the actor, the worker thread or the event loop lives on (semantics 7.6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vastflow.log import get_logger

if TYPE_CHECKING:
    from vastflow.runtime.contract import Actor

__all__ = ["deliver", "report"]


def deliver(actor: Actor, message: Any) -> None:
    """Let an actor handle one message; whatever it raises goes to its `failed`."""
    try:
        actor.receive(message)
    except BaseException as error:  # noqa: BLE001 - SystemExit too: Pykka would stop every actor of the process
        _strand(actor, message, error)


def _strand(actor: Actor, message: Any, error: BaseException) -> None:
    try:
        actor.failed(message, error)
    except BaseException as second:  # noqa: BLE001 - nobody is left to tell, and the actor must live on
        report("a message was lost: its handling raised, and so did failed()", second, actor.name)


def report(event: str, error: BaseException, actor: str) -> None:
    """Log what nobody else can be told, for the actor it concerns."""
    get_logger(actor).error(event, exc_info=error)
