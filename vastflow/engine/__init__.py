"""How do the parts go together? The engine: it serves a store, starts flows and answers for them."""

from vastflow.actors.ledger import Trouble
from vastflow.engine.default import default_engine
from vastflow.engine.engine import Engine
from vastflow.engine.flow import Flow
from vastflow.engine.twins import AsyncEngine, AsyncFlow
from vastflow.ledger.reading import Event, FlowStatus, StreamStatus

__all__ = [
    "AsyncEngine",
    "AsyncFlow",
    "Engine",
    "Event",
    "Flow",
    "FlowStatus",
    "StreamStatus",
    "Trouble",
    "default_engine",
]
