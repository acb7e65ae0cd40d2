"""How does what happened become what is stored?

Facts as rows of bytes, changes of a flow's row; encoded before they reach the ledger.
"""

import traceback
from collections.abc import Sequence
from typing import Literal

import msgspec

from vastflow.actors.flow import FlowRecord
from vastflow.course.facts import Ended, Fact
from vastflow.course.progress import Progress
from vastflow.course.states import ENDED
from vastflow.ledger.codec import FACT_VERSION, encode_what, kind_of
from vastflow.ledger.contract import FactRow, Move

__all__ = ["describe", "encode_facts", "final_of", "flags_of", "move_of"]

_LONGEST = 8_000  # characters of a reason that are kept


def encode_facts(flow: FlowRecord, facts: Sequence[Fact], epoch: int) -> list[FactRow]:
    """Return the facts a step has just applied as rows, numbered up to the progress' number."""
    progress, flow_id = flow.progress, flow.id
    current = progress.round
    return [
        FactRow(
            flow_id,
            number,
            current,
            fact.address,
            fact.run,
            fact.attempt,
            kind_of(fact.what),
            fact.at,
            epoch,
            fact.who,
            FACT_VERSION,
            encode_what(fact.what),
        )
        for number, fact in enumerate(facts, progress.number - len(facts) + 1)
    ]


def move_of(flow: FlowRecord, at: int) -> Move | None:
    """Return how the flow's row changes by what has happened up to `at`, microseconds, if it does."""
    progress = flow.progress
    row = (progress.state, progress.outcome, flow.stranded, flags_of(progress))
    if row == flow.shown:
        return None
    flow.shown = row
    return Move(flow.id, *row, at, at if progress.state in ENDED else 0)


def flags_of(progress: Progress) -> bytes:
    """Return the flags of a flow's row, JSON; one that has ended has none."""
    if progress.state in ENDED or not (progress.cancelling or progress.paused):
        return b"[]"
    flags = [name for name, is_so in (("cancelling", progress.cancelling), ("paused", progress.paused)) if is_so]
    return msgspec.json.encode(flags)


def final_of(facts: Sequence[Fact]) -> Literal["", "ended"]:
    """Say whether these facts end the flow."""
    return "ended" if type(facts[-1].what) is Ended else ""


def describe(error: BaseException) -> str:
    """Return an error of the engine as text: what it says and what to do, then its traceback."""
    advice = "restore the store from a copy if something else has written to it; if not, this is a bug: report it"
    text = f"{type(error).__name__}: {error} ({advice})\n" + "".join(traceback.format_exception(error))
    return text.encode(errors="backslashreplace").decode()[:_LONGEST]
