"""Who starts a drawing?

The floor of drawings knows no engine. The engine puts itself into the one slot of this page, and `andes.start()` goes
through it.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from vastflow.drawing.durations import Moment
from vastflow.errors import EngineError

__all__ = ["FlowHandle", "Launcher", "Terms", "fill", "launcher", "offer"]

W_co = TypeVar("W_co", covariant=True)


class FlowHandle(Protocol[W_co]):
    """One flow, as whoever started it sees it; `W` is the class of its water.

    A command (cancel, pause, resume, retry, skip, complete, set, signal) is on disk when it returns: True if it was
    done, False if it was so already. None, which only an engine that does not serve the store returns: it is not
    answered yet, and will be done when the store is served. `who` says in the journal who gave it; None: the name this
    process's user logged in with. As the flow stands it may be refused: `CommandRefused`, whose `reason` says why.
    """

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

    def cancel(self, *, who: str | None = None) -> bool | None:
        """Let nothing new begin, stop what runs, undo what was done, and end as cancelled; lifts a pause.

        Raises:
            CommandRefused: it is being undone, is ending or has ended.
        """
        ...

    def pause(self, *, who: str | None = None) -> bool | None:
        """Let no new body begin until it is resumed; those that run end. Deadlines run on.

        Raises:
            CommandRefused: it is being cancelled, or has ended.
        """
        ...

    def resume(self, *, who: str | None = None) -> bool | None:
        """Let it go on after a pause, or after a body that ended its process twice.

        Raises:
            CommandRefused: it has ended.
        """
        ...

    def retry(self, attributes: Literal["now"] | None = None, *, who: str | None = None) -> bool | None:
        """Open a new round of a flow that has ended: what succeeded and was not undone is kept.

        Args:
            attributes: "now": the attributes which the classes have by now, instead of those it was begun with.
            who: gave the command.

        Raises:
            CommandRefused: it has not ended.
        """
        ...

    def skip(self, stream: str, *, who: str | None = None) -> bool | None:
        """Count a stream (its address) as skipped; the flow is paused, or has ended without success.

        Raises:
            CommandRefused: the flow goes on (pause it first), or there is no such stream to be skipped.
        """
        ...

    def complete(
        self, stream: str, water: Mapping[str, Any] | None = None, /, *, who: str | None = None, **values: Any
    ) -> bool | None:
        """Count a stream (its address) as done; the flow is paused, or has ended without success.

        Args:
            stream: its address.
            water: what it is to have written, by key; the only way to a key called `who`.
            who: gave the command.
            **values: more of that, by key.

        Raises:
            CommandRefused: the flow goes on (pause it first), or there is no such stream to be completed.
            WaterError: the flow's water cannot hold a value.
        """
        ...

    def set(self, key: str, value: Any, *, who: str | None = None) -> bool | None:
        """Put a value into the flow's water; the flow is paused, or has ended without success.

        Raises:
            CommandRefused: the flow goes on: pause it first.
            WaterError: the flow's water cannot hold the value.
        """
        ...

    def signal(
        self,
        name: str,
        value: Any = None,
        id: str | None = None,  # noqa: A002  # as in `start()`
        *,
        who: str | None = None,
    ) -> bool | None:
        """Send a signal, which a river takes with `self.signal(name)`; it is kept if nobody waits for it yet.

        Args:
            name: of the signal.
            value: what it carries; anything that can be stored.
            id: an idempotency key: a second signal of this flow with the same id is not taken, and False is returned.
            who: sent it.

        Raises:
            CommandRefused: the flow has ended.
            UnstorableValue: the value cannot be stored.
        """
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
        not_before: the flow begins then (or so long from now), not earlier; seconds, "2h", a timedelta, or an aware
            datetime. `durations.moment_of` says when that is.
        deadline: the flow is ended then (or so long from now); the same.
        wait: seconds to wait at most for a place among the flows under way; None: as long as it takes, False: not.
    """

    id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    not_before: Moment | None = None
    deadline: Moment | None = None
    wait: float | None = None


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
