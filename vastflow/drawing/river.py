"""What is one piece of work?

A River: the user writes `flow`, which does or starts it, and perhaps `cycle`, which polls until it is done; what else
is to be known about it stands in class attributes.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from vastflow.drawing.attributes import RIVER
from vastflow.drawing.callee import Callee
from vastflow.drawing.declaration import Kind
from vastflow.drawing.durations import Duration
from vastflow.drawing.parallel_river import Stream

__all__ = ["River"]


class River(Callee, Stream):
    """The atomic unit of work.

    Attributes:
        retry_times: attempts after the first.
        retry_interval: wait before the next attempt.
        retry_backoff: what that wait is multiplied with each time.
        retry_max_interval: what it never exceeds.
        cycle_interval: wait before each poll; None: only signals wake it.
        cycle_backoff: what that wait is multiplied with each time.
        cycle_max_interval: what it never exceeds.
        cycle_times: polls at most.
        deadline: from the river's begin to its end, everything included.
        timeout: what one body may take.
        retry_on: exceptions that are tried again.
        fail_on: exceptions that are not.
        cycle_errors: polls in a row that may raise.
        atomic: once begun, neither a cancel nor a failing sibling stops it.
        durable: the next body waits until this river's end is on disk.
        at_most_once: what is in doubt is not done again.
        undo_times: attempts of `undo` after the first.
        undo_interval: wait between them.
        undo_deadline: what they may take together.
        signals: names of signals its `cycle` wants.
        max_running: bodies of this class at once in one engine.
        registered_as: the name it is stored under, instead of `module.QualifiedName`.
        renamed_from: names it was stored under before.
        name: what it is called; may use parameters, "create-{kind}".
        color: a label in logs and on the map.
    """

    _kind = Kind("River", RIVER, ("when", "flow", "cycle", "undo", "reconcile"), "flow")

    retry_times: ClassVar[int] = 0
    retry_interval: ClassVar[Duration] = 1.0
    retry_backoff: ClassVar[float] = 2.0
    retry_max_interval: ClassVar[Duration | None] = 60.0
    cycle_interval: ClassVar[Duration | None] = 1.0
    cycle_backoff: ClassVar[float] = 1.0
    cycle_max_interval: ClassVar[Duration | None] = None
    cycle_times: ClassVar[int | None] = None
    deadline: ClassVar[Duration | None] = None
    timeout: ClassVar[Duration | None] = None
    retry_on: ClassVar[tuple[type[BaseException], ...]] = (Exception,)
    fail_on: ClassVar[tuple[type[BaseException], ...]] = ()
    cycle_errors: ClassVar[int] = 3
    atomic: ClassVar[bool] = False
    durable: ClassVar[bool] = True
    at_most_once: ClassVar[bool] = False
    undo_times: ClassVar[int] = 10
    undo_interval: ClassVar[Duration] = 10.0
    undo_deadline: ClassVar[Duration] = 3600.0
    signals: ClassVar[tuple[str, ...]] = ()
    max_running: ClassVar[int | None] = None
    registered_as: ClassVar[str | None] = None
    renamed_from: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str | None] = None
    color: ClassVar[str | None] = None

    if TYPE_CHECKING:  # what a user may write; Any, so that `def`, `async def` and every view of the water fit

        def when(self, water: Any, /) -> Any:
            """Say whether the river is to be flowed at all."""

        def flow(self, water: Any, /) -> Any:
            """Do the work, or begin it."""

        def cycle(self, water: Any, /) -> Any:
            """Return when it is done; raise `Continue` when it is not."""

        def undo(self, water: Any, /) -> Any:
            """Take back what `flow` did, because the flow failed later."""

        def reconcile(self, water: Any, /) -> Any:
            """Find out whether an attempt in doubt was done."""

        def update(self, attr: Any, water: Any, /) -> Any:
            """Change attributes by what the starting water says; called inside `start()`."""
