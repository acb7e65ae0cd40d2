"""What has happened?

The journal of all flows, on disk or in memory: one writes, anybody reads.
"""

from vastflow.ledger.contract import (
    Batch,
    FactRow,
    FlowQuery,
    FlowRow,
    Move,
    Owner,
    Period,
    Reader,
    Store,
)
from vastflow.ledger.locate import open_reader, open_store

__all__ = [
    "Batch",
    "FactRow",
    "FlowQuery",
    "FlowRow",
    "Move",
    "Owner",
    "Period",
    "Reader",
    "Store",
    "open_reader",
    "open_store",
]
