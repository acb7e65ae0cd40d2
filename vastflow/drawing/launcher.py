"""Who starts a drawing?

The floor of drawings knows no engine. The engine puts itself into the one slot of this page, and `andes.start()` goes
through it.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from vastflow.errors import EngineError

__all__ = ["FlowHandle", "Launcher", "Terms", "fill", "launcher", "offer"]

W_co = TypeVar("W_co", covariant=True)


class FlowHandle(Protocol[W_co]):
    """One flow, as whoever started it sees it; `W` is the class of its water."""

    @property
    def id(self) -> str:
        """The user's id, or the one the engine made."""
        ...

    def result(self, timeout: float | None = None) -> W_co:
        """Wait (`timeout` seconds at most) until the flow has ended and return its final water.

        Raises:
            FlowFailed: its outcome is fail.
            FlowCancelled: it was cancelled.
            FlowStranded: it cannot go on.
            TimeoutError: it has not ended in time.
        """
        ...

    def wait(self, timeout: float | None = None) -> Any:
        """Wait (`timeout` seconds at most) until the flow has ended, however, and return its status."""
        ...

    def status(self) -> Any:
        """Return how the flow stands: one reading."""
        ...

    def events(self) -> Any:
        """Return what has happened to the flow, in order."""
        ...

    def __await__(self) -> Generator[Any, None, W_co]:
        """Wait for the result without blocking the event loop."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a flow is started.

    Attributes:
        id: the idempotency key; None for a random one.
        tags: text by text, to find the flow by.
        not_before: the flow begins then (or so long from now), not earlier.
        deadline: the flow is ended then (or so long from now); seconds, "2h", a timedelta, or a datetime.
    """

    id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    not_before: float | str | timedelta | datetime | None = None
    deadline: float | str | timedelta | datetime | None = None


class Launcher(Protocol):
    """What can start flows: an engine."""

    def launch(
        self, andes: Any, water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> FlowHandle[Any]:
        """Start a flow of this Andes and return its handle; the drawing is checked before anything is stored."""
        ...


_slot: list[Launcher] = []


def fill(launcher: Launcher | None) -> None:
    """Make this the launcher that `andes.start()` uses from now on; None empties the slot."""
    _slot[:] = [] if launcher is None else [launcher]


def offer(launcher: Launcher) -> None:
    """Make this the launcher if there is none."""
    if not _slot:
        fill(launcher)


def launcher() -> Launcher:
    """Return the launcher in the slot.

    Raises:
        EngineError: there is none.
    """
    if not _slot:
        message = (
            "andes.start() found no engine: `import vastflow` brings the default one, "
            "or write `with Engine(url) as engine: engine.start(andes, ...)`"
        )
        raise EngineError(message)
    return _slot[0]
