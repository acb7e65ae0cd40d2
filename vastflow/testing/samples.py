"""What does an exam write, and how does it say what it found?

Small rows, told apart by what the test names; and `expect`, which says in its error what was wanted.
"""

from typing import Any

from vastflow.ledger.contract import Answer, Batch, FactRow, FlowRow, Move, Owner

__all__ = ["EVENING", "MORNING", "answer", "batch", "expect", "fact", "facts", "flow", "ids", "move"]

# Any two times would do, the second after the first (microseconds since 1970 UTC).
MORNING = 1_800_000_000_000_000
EVENING = MORNING + 36_000_000_000


def expect(what: str, found: object, wanted: object) -> None:
    """Raise an AssertionError if what was found is not what was wanted."""
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def flow(flow_id: str, owner: Owner, **columns: Any) -> FlowRow:
    """Return a flow's row; `columns` are set over the plain ones."""
    plain: dict[str, Any] = {
        "uid": f"uid of {flow_id}",
        "name": "attach-volume",
        "started": MORNING,
        "changed": MORNING,
        "owner": owner.name,
        "epoch": owner.epoch,
        "chart": "c" * 64,
        "cargo": b'{"water":{}}',
    }
    return FlowRow(id=flow_id, **{**plain, **columns})


def fact(flow_id: str, number: int, owner: Owner, /, **columns: Any) -> FactRow:
    """Return one fact."""
    plain = FactRow(flow_id, number, 1, "create-vm", 1, 1, "flowed", MORNING, owner.epoch, "", 1, b"{}")
    return plain._replace(**columns)


def facts(flow_id: str, owner: Owner, last: int, first: int = 1) -> list[FactRow]:
    """Return the facts with the numbers from `first` to `last`."""
    return [fact(flow_id, number, owner) for number in range(first, last + 1)]


def move(flow_id: str, state: str = "success", **columns: Any) -> Move:
    """Return a move, by default to a good end."""
    plain = Move(flow_id, state, "success", "", b"[]", MORNING + 1, MORNING + 1)
    return plain._replace(**columns)


def answer(no: int, flow_id: str = "", **columns: Any) -> Answer:
    """Return an answer to a letter."""
    return Answer("inbox", no, flow_id, MORNING, b'{"what":"done"}')._replace(**columns)


def batch(owner: Owner, number: int = 1, **parts: Any) -> Batch:
    """Return a batch of this owner."""
    return Batch(owner.epoch, number, **parts)


def ids(rows: list[FlowRow]) -> list[str]:
    """Return the rows' ids."""
    return [row.id for row in rows]
