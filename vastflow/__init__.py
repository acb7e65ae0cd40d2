"""What does a user of vastflow write with?

The names below; each is loaded when it is first asked for, so that ``import vastflow`` costs next to nothing and
brings in neither the command line nor the terminal. All other errors are in ``vastflow.errors``.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vastflow.drawing import (
        Andes,
        Atlantic,
        Basin,
        Headwaters,
        ParallelRiver,
        River,
        Secret,
        later,
        storable,
    )
    from vastflow.engine import AsyncEngine, AsyncFlow, Engine, Flow, FlowStatus, StreamStatus
    from vastflow.errors import (
        CommandRefused,
        Continue,
        DrawingError,
        Fail,
        Failure,
        FlowCancelled,
        FlowConflict,
        FlowFailed,
        FlowNotFound,
        FlowStranded,
        Retry,
        VastflowError,
        WaterKeyError,
    )

__version__ = "0.1.0"

__all__ = [
    "Andes",
    "AsyncEngine",
    "AsyncFlow",
    "Atlantic",
    "Basin",
    "CommandRefused",
    "Continue",
    "DrawingError",
    "Engine",
    "Fail",
    "Failure",
    "Flow",
    "FlowCancelled",
    "FlowConflict",
    "FlowFailed",
    "FlowNotFound",
    "FlowStatus",
    "FlowStranded",
    "Headwaters",
    "ParallelRiver",
    "Retry",
    "River",
    "Secret",
    "StreamStatus",
    "VastflowError",
    "WaterKeyError",
    "__version__",
    "later",
    "storable",
]

_HOMES = {
    "vastflow.drawing": (
        *("Andes", "Atlantic", "Basin", "Headwaters", "ParallelRiver", "River", "Secret"),
        *("later", "storable"),
    ),
    "vastflow.engine": ("AsyncEngine", "AsyncFlow", "Engine", "Flow", "FlowStatus", "StreamStatus"),
}
_PAGES = ("errors", "log")
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name from its home when it is first asked for."""
    if name in _PAGES:
        return importlib.import_module(f"vastflow.{name}")
    if name not in __all__:
        message = f"module 'vastflow' has no attribute {name!r}; its public names are in vastflow.__all__"
        raise AttributeError(message)
    value: object = getattr(importlib.import_module(_HOME.get(name, "vastflow.errors")), name)
    globals()[name] = value
    if name == "Andes":
        importlib.import_module("vastflow.drawing.launcher").offer(_OnDefaultEngine())
    return value


class _OnDefaultEngine:
    """Starts flows on the process's default engine, which is made when the first one is started."""

    def launch(self, *asked: object) -> object:
        """Start a flow there."""
        return importlib.import_module("vastflow.engine").default_engine().launch(*asked)


def __dir__() -> list[str]:
    return sorted(__all__)
