"""What does a body know of its own call?

`self` inside a body is a copy of the drawn stream that carries one Call. Outside an engine there is none, and asking
raises.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

import msgspec

from vastflow.errors import Failure, OutsideFlow, ResourceMissing

__all__ = ["Call", "resource_of"]


def _no_signal(name: str) -> NoReturn:
    message = f"signal({name!r}): whoever made this call gave it no signals: hand `signal=` to Call(...)"
    raise OutsideFlow(message)


def _no_save() -> NoReturn:
    message = "save(): whoever made this call gave it nothing to save with: hand `save=` to Call(...)"
    raise OutsideFlow(message)


async def _no_asave() -> NoReturn:
    message = "asave(): whoever made this call gave it nothing to save with: hand `asave=` to Call(...)"
    raise OutsideFlow(message)


def resource_of(resources: Mapping[str, Any], name: str) -> Any:
    """Return a resource of an engine.

    Raises:
        ResourceMissing: it was given none of this name.
    """
    if name in resources:
        return resources[name]
    known = f"it has {', '.join(map(repr, resources))}" if resources else "it has none"
    message = (
        f"there is no resource {name!r} in this engine, {known}: hand it over where the engine is made, "
        f"Engine(resources={{{name!r}: ...}}), in every process that runs this flow"
    )
    raise ResourceMissing(message, name)


def _no_resource(name: str) -> Any:
    return resource_of({}, name)


class Call(msgspec.Struct, gc=False, frozen=True):
    """One call of one body.

    Attributes:
        flow_id: the user's id of the flow.
        uid: the flow's random UUID as text; keys are derived from it.
        address: where the stream stands, such as `east/create-vm`.
        body: when, flow, cycle, undo, reconcile, success or fail.
        attempt: which attempt, from 1.
        run: how often the stream was begun anew in this flow, from 1.
        round: which round of the flow, from 1.
        cancelled: answers whether the stream is being cancelled, now.
        report: takes a share done (0.0 to 1.0, or None) and a text, for the live status.
        failures: all failures of the flow so far, by address.
        failure: in `fail` and `undo`, why.
        signal: takes the oldest signal of a name and returns its value, or returns None; what it took is given back
            if the body raises.
        save: puts what the body has written so far on disk, and returns when it is there.
        asave: does the same without blocking the event loop.
        resource: returns the engine's resource of a name, or raises `ResourceMissing`.
    """

    flow_id: str
    uid: str
    address: str
    body: str
    attempt: int
    run: int
    round: int
    cancelled: Callable[[], bool]
    report: Callable[[float | None, str], None]
    failures: Mapping[str, Failure]
    failure: Failure | None = None
    signal: Callable[[str], Any] = _no_signal
    save: Callable[[], None] = _no_save
    asave: Callable[[], Awaitable[None]] = _no_asave
    resource: Callable[[str], Any] = _no_resource

    def key(self, purpose: str = "") -> str:
        """Return 36 characters that are the same for every attempt of this run, also after a crash."""
        return key_of(self.uid, self.address, self.run, purpose)


def key_of(uid: str, address: str, run: int, purpose: str = "") -> str:
    """Return the idempotency key of one run of one stream: a UUIDv5 below the flow's uid."""
    told = f"{address}\n{run}\n{purpose}" if purpose else f"{address}\n{run}"
    return str(uuid.uuid5(uuid.UUID(uid), told))
