"""Why can a flow stand still? All reasons, by code.

The codes are stable: programs may compare them. New ones may come; none changes its meaning.
"""

from enum import StrEnum
from types import MappingProxyType

__all__ = ["MEANING", "Code"]


class Code(StrEnum):
    """One reason why a flow, or a stream of it, has not gone further; `MEANING` says what each stands for."""

    POLL_WAIT = "poll-wait"
    RETRY_WAIT = "retry-wait"
    BODY_RUNNING = "body-running"
    WAITING_WORKER = "waiting-worker"
    WAITING_SLOT = "waiting-slot"
    WAITING_ALONE = "waiting-alone"
    WAITING_SIGNAL = "waiting-signal"
    WRITING = "writing"
    JOINING = "joining"
    NOT_BEFORE = "not-before"
    PAUSED = "paused"
    IN_DOUBT = "in-doubt"
    UNDOING = "undoing"
    ENDING = "ending"
    CANCELLING = "cancelling"
    ABANDONED = "abandoned"
    STORE_TROUBLE = "store-trouble"
    STRANDED = "stranded"
    NOT_TAKEN_IN = "not-taken-in"
    UNSERVED = "unserved"
    OWNER_SILENT = "owner-silent"
    GOING_ON = "going-on"
    ENDED = "ended"


MEANING = MappingProxyType(
    {
        Code.POLL_WAIT: "a river waits until its next poll is due",
        Code.RETRY_WAIT: "an attempt failed (of a river, a basin, an undo or the Atlantic); the next one is due later",
        Code.BODY_RUNNING: "a body runs; with its stack when it runs over its usual time",
        Code.WAITING_WORKER: "a body waits for a free thread, or for the event loop",
        Code.WAITING_SLOT: "a body waits for a slot of its class's `max_running`",
        Code.WAITING_ALONE: "a body waits because it, or another one, is run alone after it interrupted its process",
        Code.WAITING_SIGNAL: "a river that takes signals polls until one comes, or for nothing but a signal",
        Code.WRITING: "a thread is free for a body whose begin is being written first",
        Code.JOINING: "a parallel river, an `each` or a basin waits for what is under way in it",
        Code.NOT_BEFORE: "the flow was started to begin later",
        Code.PAUSED: "somebody has paused the flow",
        Code.IN_DOUBT: "nobody knows whether an attempt was done; `reconcile` is asked again",
        Code.UNDOING: "what was done is being undone",
        Code.ENDING: "the outcome is decided; the Atlantic's body is called",
        Code.CANCELLING: "the flow, or a part of it, is being cancelled and waits for bodies that still run",
        Code.ABANDONED: "bodies that were given up have not come back and hold threads",
        Code.STORE_TROUBLE: "the store cannot be written",
        Code.STRANDED: "the flow cannot go on until something is mended",
        Code.NOT_TAKEN_IN: "the flow was asked for; its letter still lies in the inbox",
        Code.UNSERVED: "no process serves the store",
        Code.OWNER_SILENT: "a process holds the store and does not answer, or gives no sign of life at all",
        Code.GOING_ON: "nothing is known to hold it: it goes on this moment, or when the store is served",
        Code.ENDED: "the flow has ended",
    }
)
"""What each code stands for."""
