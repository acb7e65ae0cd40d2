"""What may a body do to its flow while it runs?

It takes signals, and keeps what it has written so far; both count only as long as its call does.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from vastflow.actors.messages import Call, Save
from vastflow.actors.register import Register
from vastflow.clock import Clock
from vastflow.course.facts import NOTHING, Delta
from vastflow.drawing import Headwaters
from vastflow.drawing.call import resource_of
from vastflow.drawing.headwaters import rebase
from vastflow.drawing.values import decode
from vastflow.errors import EngineBlocked
from vastflow.log import Masker

__all__ = ["Keeping", "Surroundings", "delta_of"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all bodies of an engine share.

    Attributes:
        clock: where the time comes from.
        masker: takes secrets out of what is told.
        wait: waits for a future, in a thread of a body's.
        hold: lets a future be ended when the engine closes.
        resources: what the engine was given for them.
        actor: the name of the actor that calls this body.
        register: which bodies are out.
    """

    clock: Clock
    masker: Masker
    wait: Callable[["Future[None]"], None]
    hold: "Callable[[Future[Any]], None]" = lambda _: None
    resources: Mapping[str, Any] = field(default_factory=dict)
    actor: str = ""
    register: Register = field(default_factory=Register)

    def resource(self, name: str) -> Any:
        """Return a resource of the engine."""
        return resource_of(self.resources, name)


def delta_of(water: Headwaters) -> Delta:
    """Return what a body changed in its water, since it last saved."""
    put, drop = water.changes()
    if not put and not drop:
        return NOTHING
    return Delta({key: msgspec.Raw(value) for key, value in put.items()}, drop)


class Keeping:
    """What one call of a body takes and keeps.

    Attributes:
        took: the numbers of the signals it took and has not saved.
    """

    __slots__ = ("_around", "_call", "_waiting", "_water", "took")

    def __init__(self, call: Call, water: Headwaters, around: Surroundings) -> None:
        """Have taken nothing."""
        self._call = call
        self._water = water
        self._around = around
        self._waiting = call.signals
        self.took: tuple[int, ...] = ()

    def take(self, name: str) -> Any:
        """Take the oldest signal of a name and return its value; None if there is none."""
        for position, (number, named, value) in enumerate(self._waiting):
            if named == name:
                taken = decode(bytes(value), f"signal {name!r}")
                self._waiting = (*self._waiting[:position], *self._waiting[position + 1 :])
                self.took = (*self.took, number)
                return taken
        return None

    def save(self) -> None:
        """Put what was written so far on disk.

        Raises:
            SaveRefused: the call does not count any more.
            EngineBlocked: asked on the event loop.
        """
        if self._call.flow.bound.is_async(self._call.template or self._call.address, self._call.body):
            message = f"{self._call.address}: self.save() would block the event loop: write `await self.asave()`"
            raise EngineBlocked(message)
        saved, settle = self._send()
        self._around.wait(saved)
        settle()

    async def asave(self) -> None:
        """Do the same from an `async def` body."""
        saved, settle = self._send()
        await asyncio.wrap_future(saved)
        settle()

    def _send(self) -> "tuple[Future[None], Callable[[], None]]":
        call, delta, took = self._call, delta_of(self._water), self.took
        saved: Future[None] = Future()
        saved.set_running_or_notify_cancel()  # a body that is cancelled while it waits must not take it back
        self._around.hold(saved)
        call.flow.supervisor.tell(Save(call.flow, call.address, call.ticket, delta, took, saved))
        return saved, partial(self._settle, delta, took)

    def _settle(self, delta: Delta, took: tuple[int, ...]) -> None:
        rebase(self._water, delta.put, delta.drop)
        self.took = tuple(number for number in self.took if number not in took)
