"""What has happened?

The journal of all flows, on disk or in memory: one writes, anybody reads.
"""

from vastflow.ledger.contract import (
    Answer,
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
from vastflow.ledger.locate import DEFAULT_URL, STORE_VARIABLE, default_url, open_reader, open_store

__all__ = [
    "DEFAULT_URL",
    "STORE_VARIABLE",
    "Answer",
    "Batch",
    "FactRow",
    "FlowQuery",
    "FlowRow",
    "Move",
    "Owner",
    "Period",
    "Reader",
    "Store",
    "default_url",
    "open_reader",
    "open_store",
]
