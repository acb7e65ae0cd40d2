"""Which moves may a stream and a flow make?

One table each. A move outside it is a bug of ours: it is not applied and strands its flow.
"""

from typing import Final, Literal, get_args

from vastflow.errors import CourseError

__all__ = [
    "ENDED",
    "FLOW_MOVES",
    "FLOW_STATES",
    "STREAM_MOVES",
    "FlowState",
    "StreamState",
    "check_flow",
    "check_stream",
]

StreamState = Literal["init", "running", "retrying", "cycling", "success", "fail", "cancelled"]
FlowState = Literal["init", "running", "ending", "success", "fail", "cancelled"]

FLOW_STATES: Final[tuple[FlowState, ...]] = get_args(FlowState)
ENDED: Final = frozenset({"success", "fail", "cancelled"})

STREAM_MOVES: Final[frozenset[tuple[StreamState, StreamState]]] = frozenset(
    {
        ("init", "running"),
        ("running", "retrying"),
        ("running", "cycling"),
        ("running", "success"),
        ("running", "fail"),
        ("running", "cancelled"),
        ("retrying", "retrying"),
        ("retrying", "cycling"),
        ("retrying", "success"),
        ("retrying", "fail"),
        ("retrying", "cancelled"),
        ("cycling", "cycling"),
        ("cycling", "retrying"),
        ("cycling", "success"),
        ("cycling", "fail"),
        ("cycling", "cancelled"),
    }
)

FLOW_MOVES: Final[frozenset[tuple[FlowState, FlowState]]] = frozenset(
    {
        ("init", "running"),
        ("running", "ending"),
        ("ending", "ending"),
        ("ending", "success"),
        ("ending", "fail"),
        ("ending", "cancelled"),
    }
)


def check_stream(address: str, before: StreamState, after: StreamState) -> StreamState:
    """Return `after` if a stream may move there from `before`.

    Raises:
        CourseError: the table has no such move.
    """
    if (before, after) not in STREAM_MOVES:
        message = f"stream {address!r} cannot move from {before} to {after}: a bug in vastflow, please report it"
        raise CourseError(message)
    return after


def check_flow(before: FlowState, after: FlowState) -> FlowState:
    """Return `after` if a flow may move there from `before`.

    Raises:
        CourseError: the table has no such move.
    """
    if (before, after) not in FLOW_MOVES:
        message = f"a flow cannot move from {before} to {after}: a bug in vastflow, please report it"
        raise CourseError(message)
    return after
