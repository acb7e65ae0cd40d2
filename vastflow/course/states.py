"""Which moves may a stream and a flow make?

One table each. A move outside it is a bug of ours: it is not applied and strands its flow.
"""

from typing import Final, Literal, get_args

from vastflow.errors import CourseError

__all__ = [
    "ENDED",
    "FLOW_MOVES",
    "FLOW_STATES",
    "LIVE",
    "STREAM_MOVES",
    "FlowState",
    "StreamState",
    "check_flow",
    "check_stream",
]

StreamState = Literal[
    "init",
    "running",
    "retrying",
    "cycling",
    "in-doubt",
    "success",
    "fail",
    "cancelled",
    "skipped",
    "undoing",
    "undone",
    "undo-failed",
]
FlowState = Literal["init", "running", "undoing", "ending", "success", "fail", "cancelled"]

FLOW_STATES: Final[tuple[FlowState, ...]] = get_args(FlowState)
ENDED: Final = frozenset({"success", "fail", "cancelled"})
"""States in which a flow, and a chain, has ended."""

LIVE: Final = frozenset({"init", "running", "retrying", "cycling", "in-doubt"})
"""States in which a stream still goes forward."""

_LIVE_MOVES = "retrying cycling in-doubt success fail cancelled skipped"
_MENDED = "skipped success"

STREAM_MOVES: Final[dict[StreamState, frozenset[str]]] = {
    "init": frozenset({"running"}),
    "running": frozenset(_LIVE_MOVES.split()),
    "retrying": frozenset(f"running {_LIVE_MOVES}".split()),
    "cycling": frozenset(_LIVE_MOVES.split()) - {"in-doubt"},
    "in-doubt": frozenset(_LIVE_MOVES.split()),
    "success": frozenset({"undoing", "running"}),
    "fail": frozenset(f"undoing running cycling {_MENDED}".split()),
    "cancelled": frozenset(f"undoing running {_MENDED}".split()),
    "skipped": frozenset({"undoing"}),
    "undoing": frozenset({"undone", "undo-failed"}),
    "undone": frozenset(_MENDED.split()),
    "undo-failed": frozenset(_MENDED.split()),
}
"""Where a stream may move from each state: what mends an ended one is asked for from outside, as is a new round."""

FLOW_MOVES: Final[dict[FlowState, frozenset[str]]] = {
    "init": frozenset({"running", "ending"}),
    "running": frozenset({"undoing", "ending"}),
    "undoing": frozenset({"ending"}),
    "ending": frozenset({"ending", "success", "fail", "cancelled"}),
    "success": frozenset({"ending"}),
    "fail": frozenset({"running", "ending"}),
    "cancelled": frozenset({"running"}),
}


def check_stream(address: str, before: StreamState, after: StreamState) -> StreamState:
    """Return `after` if a stream may move there from `before`.

    Raises:
        CourseError: the table has no such move.
    """
    if after not in STREAM_MOVES[before]:
        message = f"stream {address!r} cannot move from {before} to {after}: a bug in vastflow, please report it"
        raise CourseError(message)
    return after


def check_flow(before: FlowState, after: FlowState) -> FlowState:
    """Return `after` if a flow may move there from `before`.

    Raises:
        CourseError: the table has no such move.
    """
    if after not in FLOW_MOVES[before]:
        message = f"a flow cannot move from {before} to {after}: a bug in vastflow, please report it"
        raise CourseError(message)
    return after
