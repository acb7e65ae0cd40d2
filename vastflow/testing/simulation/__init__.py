"""Does the engine keep its promises, whatever happens and in whatever order?

A seed chooses a drawing, what its bodies do, the order of all messages, commands, signals, faults of the store,
crashes and restarts; the real engine plays it in no time. `python -m vastflow.testing.simulation --seed 4711`.
"""

from vastflow.testing.simulation.campaign import Report, campaign, play
from vastflow.testing.simulation.census import EXPECTED, never_met
from vastflow.testing.simulation.history import History
from vastflow.testing.simulation.invariants import INVARIANTS, violations

__all__ = ["EXPECTED", "INVARIANTS", "History", "Report", "campaign", "never_met", "play", "violations"]
