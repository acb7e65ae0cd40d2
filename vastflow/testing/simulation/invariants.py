"""What must hold, whatever happened?"""

from collections.abc import Callable, Iterator

from vastflow.testing.simulation.budgets import BUDGETS
from vastflow.testing.simulation.history import History
from vastflow.testing.simulation.once import ONCE
from vastflow.testing.simulation.stops import STOPS
from vastflow.testing.simulation.undos import UNDOS
from vastflow.testing.simulation.waters import WATERS

__all__ = ["INVARIANTS", "Invariant", "violations"]

Invariant = Callable[[History], Iterator[str]]

INVARIANTS: tuple[Invariant, ...] = (*ONCE, *BUDGETS, *UNDOS, *STOPS, *WATERS)
"""Each says in one sentence what it holds, and what is wrong where it does not."""


def violations(history: History) -> list[str]:
    """Return what was violated, and how."""
    return [f"{each.__name__}: {wrong}" for each in INVARIANTS for wrong in each(history)]
