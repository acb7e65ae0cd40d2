"""How does what happened become what is stored?

Facts as rows of bytes, changes of a flow's row; encoded before they reach the ledger.
"""

import traceback
from collections.abc import Sequence
from typing import Literal

from vastflow.actors.flow import FlowRecord
from vastflow.course.facts import Ended, Fact, Outcome
from vastflow.ledger.codec import FACT_VERSION, encode_what, kind_of
from vastflow.ledger.contract import FactRow, Move

__all__ = ["describe", "encode_facts", "final_of", "move_of", "stranded_move"]

_MOVING = frozenset({Outcome, Ended})
_LONGEST = 8_000  # characters of a reason that are kept


def encode_facts(flow: FlowRecord, facts: Sequence[Fact], epoch: int) -> list[FactRow]:
    """Return the facts a step has just applied as rows, numbered up to the progress' number."""
    first = flow.progress.number - len(facts) + 1
    return [
        FactRow(
            flow.id,
            first + offset,
            flow.progress.round,
            fact.address,
            fact.run,
            fact.attempt,
            kind_of(fact.what),
            fact.at,
            epoch,
            "",
            FACT_VERSION,
            encode_what(fact.what),
        )
        for offset, fact in enumerate(facts)
    ]


def move_of(flow: FlowRecord, facts: Sequence[Fact]) -> Move | None:
    """Return how the flow's row changes, if it does."""
    last = facts[-1]  # an outcome and an end are the last facts of their steps
    if type(last.what) not in _MOVING:
        return None
    progress = flow.progress
    ended = last.at if final_of(facts) else 0
    return Move(flow.id, progress.state, progress.outcome, "", flow.flags, last.at, ended)


def final_of(facts: Sequence[Fact]) -> Literal["", "ended"]:
    """Say whether these facts end the flow."""
    return "ended" if type(facts[-1].what) is Ended else ""


def stranded_move(flow: FlowRecord, now: int) -> Move:
    """Return the change that says the flow is stranded; its state stays what it was."""
    progress = flow.progress
    return Move(flow.id, progress.state, progress.outcome, flow.stranded, flow.flags, now, 0)


def describe(error: BaseException) -> str:
    """Return an error of the engine as text: what it says, then its traceback."""
    text = f"{type(error).__name__}: {error}\n" + "".join(traceback.format_exception(error))
    return text.encode(errors="backslashreplace").decode()[:_LONGEST]
