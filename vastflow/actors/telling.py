"""What does a supervisor say of its flows?

A line for each trouble of a river, and one for the end; what goes as it should is said on the level `debug` only.
"""

from collections.abc import Sequence

from vastflow.actors.flow import FlowRecord
from vastflow.course.facts import Conflicted, Ended, Fact, Failed, Polled, Retrying
from vastflow.log import Log

__all__ = ["tell_end", "tell_troubles"]

_TROUBLES = frozenset({Conflicted, Ended, Failed, Polled, Retrying})


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


def _tell(log: Log, flow: FlowRecord, fact: Fact) -> None:
    where = {"flow": flow.id, "river": fact.address, "attempt": fact.attempt}
    match fact.what:
        case Failed(failure=failure) | Conflicted(failure=failure) | Ended(failure=failure) if failure is not None:
            log.warning("failed", failure=str(failure), **where)
        case Retrying(failure=failure):
            log.info("tried again", failure=str(failure), **where)
        case Polled(failure=failure) if failure is not None:
            log.info("a poll failed", failure=str(failure), **where)
        case _:
            return
    log.debug("it was raised here", exception=failure.traceback, **where)
