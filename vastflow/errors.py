"""What can go wrong, and what is to be done about it?

    VastflowError
    ├── DrawingError            what is drawn is wrong: all faults at once
    ├── AttributeFault          an attribute or parameter of a class is wrong (also a TypeError)
    ├── RegistryError           two different classes pin one name
    ├── WaterError
    │   ├── WaterKeyError       a key is not there (also a KeyError and an AttributeError)
    │   ├── UndeclaredKey       a typed water has no such key (also a KeyError and an AttributeError)
    │   ├── UnstorableValue     a value cannot be stored (also a TypeError)
    │   └── WaterTypeError      a value is not of the declared type (also a TypeError)
    ├── OutsideFlow             `self.key` and its kin were asked outside a running body, or in one that has none
    ├── BodyCancelled           raised by `self.check_cancelled()`
    ├── SaveRefused             `self.save()` of a call that no longer counts
    ├── ResourceMissing         the engine has no resource of this name (also a KeyError)
    ├── FlowError               about one flow; carries `flow`
    │   ├── FlowFailed          its outcome is fail; carries `failure`
    │   ├── FlowCancelled       its outcome is cancelled; carries `failure`
    │   ├── FlowStranded        it cannot go on until a reason is gone; carries `reason`
    │   ├── CommandRefused      it cannot be cancelled, paused, retried ... now; carries `command`, `reason`
    │   ├── FlowConflict        its id is taken by a different flow
    │   └── FlowNotFound        no flow has this id
    ├── EngineError
    │   ├── EngineClosed        it was asked after `close()`
    │   │   └── EngineForked    it was asked in a child of the process that made it
    │   ├── EngineBusy          as many flows are under way as `max_flows` says
    │   ├── EngineBlocked       a wait that would block a body or an event loop
    │   └── StoreServed         another engine serves this store
    ├── StoreError
    │   ├── BatchRefused        a batch holds what cannot be written (the data's fault, not the disk's)
    │   ├── StoreUnreadable     a stored record cannot be read
    │   └── StoreTooNew         the store was written by a newer release
    ├── CourseError             a move outside the table of states: a bug in vastflow
    └── SimulationStuck         a simulated wait can never end

`Retry`, `Fail` and `Continue` are answers, not errors; they derive from `Answer`, a BaseException,
so that a body's own `except Exception` cannot swallow them.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

__all__ = [
    "Answer",
    "AttributeFault",
    "BatchRefused",
    "BodyCancelled",
    "CommandRefused",
    "Continue",
    "CourseError",
    "DrawingError",
    "EngineBlocked",
    "EngineBusy",
    "EngineClosed",
    "EngineError",
    "EngineForked",
    "Fail",
    "Failure",
    "FlowCancelled",
    "FlowConflict",
    "FlowError",
    "FlowFailed",
    "FlowNotFound",
    "FlowStranded",
    "OutsideFlow",
    "RegistryError",
    "ResourceMissing",
    "Retry",
    "SaveRefused",
    "SimulationStuck",
    "StoreError",
    "StoreServed",
    "StoreTooNew",
    "StoreUnreadable",
    "UndeclaredKey",
    "UnstorableValue",
    "VastflowError",
    "WaterError",
    "WaterKeyError",
    "WaterTypeError",
]


class Failure(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Why a stream failed, as text and names only; never a pickled object.

    Attributes:
        kind: error, retries-exhausted, cycles-exhausted, timeout, deadline, cancelled, conflict, in-doubt,
            bad-return, atlantic, poison or engine.
        message: what the exception said, or a sentence of ours.
        address: where it failed, such as `east/create-vm`; empty for the flow itself.
        attempt: which attempt, from 1; 0 where there is none.
        code: what `Fail(code=...)` carried.
        exception: its class as `module.QualifiedName`; empty if there was none.
        types: the names of that class and all its bases, nearest first.
        traceback: its traceback as text.
        cause: the failure behind this one.
    """

    kind: str
    message: str
    address: str = ""
    attempt: int = 0
    code: str | None = None
    exception: str = ""
    types: tuple[str, ...] = ()
    traceback: str = ""
    cause: Failure | None = None

    def matches(self, exception: type[BaseException]) -> bool:
        """Say whether the exception (or one it was caused by) was of this class, judged by stored names."""
        name = f"{exception.__module__}.{exception.__qualname__}"
        return name in self.types or (self.cause is not None and self.cause.matches(exception))

    def __str__(self) -> str:
        """Say it in one line: where, kind, message, and the same of what caused it."""
        place = f"{self.address}: " if self.address else ""
        named = f"{self.exception}: " if self.exception else ""
        cause = f" (caused by {self.cause})" if self.cause is not None else ""
        return f"{place}{self.kind}: {named}{self.message}{cause}"


class Answer(BaseException):
    """What a body says by raising it; not an error."""

    def __init__(self, reason: str = "") -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class Retry(Answer):
    """Do the attempt again, out of the retry budget.

    Args:
        reason: why, for people.
        after: seconds (or a timedelta) to wait instead of `retry_interval`.
    """

    def __init__(self, reason: str = "", *, after: float | timedelta | None = None) -> None:
        """Keep what was said."""
        super().__init__(reason)
        self.after = seconds_of(after)


class Continue(Answer):
    """Not yet: ask again at the next poll.

    Args:
        reason: what it said, such as "still building".
        progress: share done, 0.0 to 1.0.
        after: seconds (or a timedelta) to wait instead of `cycle_interval`.
    """

    def __init__(
        self, reason: str = "", *, progress: float | None = None, after: float | timedelta | None = None
    ) -> None:
        """Keep what was said."""
        super().__init__(reason)
        self.progress = _number("progress", progress, "a share from 0.0 to 1.0")
        self.after = seconds_of(after)


class Fail(Answer):
    """It failed for good: no retry.

    Args:
        reason: why, for people.
        code: a short name for programs, kept in `Failure.code`.
    """

    def __init__(self, reason: str = "", *, code: str | None = None) -> None:
        """Keep what was said."""
        super().__init__(reason)
        self.code = code


def seconds_of(wait: object) -> float | None:
    """Return a wait in seconds.

    Raises:
        TypeError: it is none.
    """
    if isinstance(wait, timedelta):
        return wait.total_seconds()
    return _number("after", wait, "seconds or a timedelta, such as after=300")


def _number(name: str, told: object, wanted: str) -> float | None:
    if told is None or isinstance(told, int | float):
        return told
    message = f"{name}={told!r} is not possible: write {wanted}"
    raise TypeError(message)


class VastflowError(Exception):
    """The root of all errors of vastflow."""


class DrawingError(VastflowError):
    """What is drawn is wrong; `faults` lists every fault found, each saying what, where and what to do."""

    def __init__(self, name: str, faults: tuple[str, ...]) -> None:
        """Keep the faults of the drawing called `name`."""
        lines = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(f"{len(faults)} fault{'s' if len(faults) != 1 else ''} in the drawing {name!r}:{lines}")
        self.name = name
        self.faults = faults


class AttributeFault(VastflowError, TypeError):
    """An attribute or a parameter of a River, Basin or Atlantic is wrong."""


class RegistryError(VastflowError):
    """Two different classes pin one registered name."""


class WaterError(VastflowError):
    """Something is wrong with what is in the water."""


class WaterKeyError(WaterError, KeyError, AttributeError):
    """The water has no value for this key (yet)."""

    def __init__(self, message: str, key: str = "") -> None:
        """Keep the key."""
        Exception.__init__(self, message)
        self.key = key

    def __str__(self) -> str:
        """Return the message without the quotes a KeyError puts around it."""
        return str(self.args[0])


class UndeclaredKey(WaterKeyError):
    """A typed water has no such key."""


class UnstorableValue(WaterError, TypeError):
    """A value cannot be stored, so the water refuses it.

    Attributes:
        reason: what is wrong with it, and what to do.
        where: the key and the way inside its value, such as `spec["disks"][2]`.
    """

    def __init__(self, reason: str, where: str = "") -> None:
        """Keep what is wrong and where."""
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where

    def inside(self, outer: str) -> UnstorableValue:
        """Return the same error, seen from one level further out."""
        return UnstorableValue(self.reason, outer + self.where)


class WaterTypeError(WaterError, TypeError):
    """A value is not of the type its key was declared with."""


class OutsideFlow(VastflowError):
    """Something was asked that only a running body knows."""


class BodyCancelled(VastflowError):
    """This body's stream is being cancelled."""


class SaveRefused(VastflowError):
    """`self.save()` was asked by a call that no longer counts: its time was over, or its engine lost the flow."""


class ResourceMissing(VastflowError, KeyError):
    """The engine was given no resource of this name: `Engine(resources={name: ...})`."""

    def __init__(self, message: str, name: str = "") -> None:
        """Keep the name."""
        super().__init__(message)
        self.name = name

    def __str__(self) -> str:
        """Return the message without the quotes a KeyError puts around it."""
        return str(self.args[0])


class FlowError(VastflowError):
    """An error about one flow."""

    def __init__(self, message: str, flow: str = "") -> None:
        """Keep which flow it is about."""
        super().__init__(message)
        self.flow = flow


class FlowFailed(FlowError):
    """The flow's outcome is `fail`; `failure` says why."""

    def __init__(self, message: str, flow: str = "", failure: Failure | None = None) -> None:
        """Keep the failure."""
        super().__init__(message, flow)
        self.failure = failure


class FlowCancelled(FlowFailed):
    """The flow was cancelled."""


class FlowStranded(FlowError):
    """The flow cannot go on until its `reason` is gone; nothing of it is lost."""

    def __init__(self, message: str, flow: str = "", reason: str = "") -> None:
        """Keep the reason."""
        super().__init__(message, flow)
        self.reason = reason


class CommandRefused(FlowError):
    """A command cannot be carried out as the flow stands; nothing was changed.

    Attributes:
        flow_id: which flow, as `flow` does.
        command: cancel, pause, resume, retry, skip, complete, set or signal.
        reason: why not, and what to do first.
    """

    def __init__(self, flow_id: str, command: str, reason: str) -> None:
        """Say which command of which flow was refused, and why."""
        super().__init__(f"flow {flow_id!r}: {command} was refused: {reason}", flow_id)
        self.flow_id = flow_id
        self.command = command
        self.reason = reason


class FlowConflict(FlowError):
    """The id belongs to a flow that was started differently."""


class FlowNotFound(FlowError):
    """No flow has this id."""


class EngineError(VastflowError):
    """Something is wrong with the engine as a whole."""


class EngineClosed(EngineError):
    """The engine was asked for something after `close()`."""


class EngineForked(EngineClosed):
    """The engine was asked for something in a process that was forked from the one that made it."""


class EngineBusy(EngineError):
    """As many flows are under way as the engine's `max_flows` says; nothing was started."""


class EngineBlocked(EngineError):
    """A wait was asked for where it would block a body or an event loop."""


class StoreServed(EngineError):
    """Another engine serves this store."""


class StoreError(VastflowError):
    """Something is wrong with the store."""


class BatchRefused(StoreError):
    """A batch holds what cannot be written, whatever the disk does; nothing of it was written."""


class StoreUnreadable(StoreError):
    """A stored record cannot be read; its flow is stranded, not lost."""


class StoreTooNew(StoreError):
    """The store was written by a newer release of vastflow."""


class CourseError(VastflowError):
    """A fact that may not follow: a bug in vastflow; its flow is stranded."""


class SimulationStuck(VastflowError):
    """A simulated wait can never end: nothing is left to do."""
