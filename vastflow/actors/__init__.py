"""Who does it? Long-lived actors: Andes, River, Basin, Atlantic and the Ledger."""

from vastflow.actors.andes import AndesActor
from vastflow.actors.directory import Directory
from vastflow.actors.flow import FlowRecord
from vastflow.actors.keeping import Surroundings
from vastflow.actors.ledger import LedgerActor

__all__ = ["AndesActor", "Directory", "FlowRecord", "LedgerActor", "Surroundings"]
