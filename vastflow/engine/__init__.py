"""How do the parts go together? The engine: it serves a store, starts flows and answers for them."""

from vastflow.engine.default import default_engine
from vastflow.engine.engine import Engine
from vastflow.engine.flow import Flow
from vastflow.ledger.reading import Event, FlowStatus, StreamStatus

__all__ = ["Engine", "Event", "Flow", "FlowStatus", "StreamStatus", "default_engine"]
