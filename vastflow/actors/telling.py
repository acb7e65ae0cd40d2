"""What does a supervisor say of its flows?

A line for each trouble of a river, and one for the end; what goes as it should is said on the level `debug` only.
"""

from collections.abc import Sequence

from vastflow.actors.flow import FlowRecord
from vastflow.course import events
from vastflow.course.facts import Conflicted, Doubted, Ended, Fact, Failed, Poisoned, Polled, Retrying, UndoFailed
from vastflow.course.records import RiverRecord
from vastflow.errors import Failure
from vastflow.log import Log

__all__ = ["tell_end", "tell_late", "tell_troubles"]

_TROUBLES: dict[type, tuple[str, str]] = {
    Conflicted: ("warning", "failed"),
    Doubted: ("warning", "in doubt"),
    Ended: ("warning", "failed"),
    Failed: ("warning", "failed"),
    Poisoned: ("error", "stranded"),
    Polled: ("info", "a poll failed"),
    Retrying: ("info", "tried again"),
    UndoFailed: ("error", "undo failed"),
}


def tell_troubles(log: Log, flow: FlowRecord, facts: Sequence[Fact]) -> None:
    """Say which of these facts are troubles: with the failure as text, and its traceback on the level `debug`."""
    for fact in facts:
        if type(fact.what) in _TROUBLES:
            _tell(log, flow, fact)


def tell_end(log: Log, flow: FlowRecord) -> None:
    """Say that a flow has ended, and if not well, why."""
    progress = flow.progress
    if progress.state == "success":
        log.info("flow ended", flow=flow.id, name=flow.name, state=progress.state)
    else:
        log.warning("flow ended", flow=flow.id, name=flow.name, state=progress.state, failure=str(progress.failure))


def tell_late(log: Log, flow: FlowRecord, event: events.Returned) -> None:
    """Say that a body that had been given up came back; an error if its river was taken for undone or beyond that."""
    record = flow.progress.records.get(event.address)
    over = isinstance(record, RiverRecord) and record.state in {"undone", "undo-failed"}
    say = log.error if over else log.warning
    say("a late answer changes nothing", flow=flow.id, river=event.address, said=event.said)


def _tell(log: Log, flow: FlowRecord, fact: Fact) -> None:
    where = {"flow": flow.id, "river": fact.address, "attempt": fact.attempt}
    failure: Failure | None = getattr(fact.what, "failure", None)
    if isinstance(fact.what, Doubted):
        where["reason"] = fact.what.reason
    elif failure is None:
        return
    level, words = _TROUBLES[type(fact.what)]
    getattr(log, level)(words, failure=str(failure or ""), **where)
    if failure is not None and failure.traceback:
        log.debug("it was raised here", exception=failure.traceback, **where)
