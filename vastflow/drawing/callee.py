"""What does `self` know of its own call?

What a body knows and asks about its call is on `self`, which is then a copy of the drawn stream that carries the call.
Outside an engine there is no call, and asking raises.
"""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from vastflow.drawing.call import Call
from vastflow.drawing.declaration import Declared
from vastflow.drawing.keys import meant
from vastflow.errors import AttributeFault, BodyCancelled, Failure, OutsideFlow

__all__ = ["Callee"]

_NEAR = 0.7  # how alike (0.0 to 1.0) a name is that may have been meant
_TAKING = ("flow", "cycle")


class Callee(Declared):
    """Something whose bodies the engine calls."""

    _call: ClassVar[Call | None] = None

    def in_call(self, call: Call) -> Self:
        """Return a copy that knows its call; it shares nothing with other calls that could be changed."""
        called = object.__new__(type(self))
        told = called.__dict__
        told.update(self.__dict__)
        told["_call"] = call
        for name in self._changing:
            told[name] = copy.deepcopy(told[name])
        return called

    @property
    def key(self) -> str:
        """36 characters that are the same for every attempt of this run, to be handed to outside APIs."""
        return self._in("key").key()

    def key_for(self, purpose: str) -> str:
        """Return another such key, for this purpose."""
        return self._in("key_for()").key(purpose)

    @property
    def flow_id(self) -> str:
        """The id of the flow."""
        return self._in("flow_id").flow_id

    @property
    def address(self) -> str:
        """Where the stream stands in its flow, such as `east/create-vm`."""
        return self._in("address").address

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._in("attempt").attempt

    @property
    def run(self) -> int:
        """How often the stream was begun anew in this flow, from 1."""
        return self._in("run").run

    @property
    def round(self) -> int:
        """Which round of the flow this is, from 1."""
        return self._in("round").round

    @property
    def cancelled(self) -> bool:
        """Whether the stream is being cancelled, now."""
        return self._in("cancelled").cancelled()

    def check_cancelled(self) -> None:
        """Raise if the stream is being cancelled.

        Raises:
            BodyCancelled: it is.
        """
        call = self._in("check_cancelled()")
        if call.cancelled():
            raise BodyCancelled(
                f"{call.address} of flow {call.flow_id} is being cancelled: let this through, or tidy up and return"
            )

    @property
    def failure(self) -> Failure:
        """Why the flow failed; in `fail` and `undo` only."""
        call = self._in("failure")
        if call.failure is None:
            raise OutsideFlow(
                f"self.failure was asked in `{call.body}` of {call.address}, flow {call.flow_id}, where nothing has "
                f"failed: ask it in `fail` or `undo`, or ask self.failures"
            )
        return call.failure

    @property
    def failures(self) -> Mapping[str, Failure]:
        """All failures of the flow so far, by address."""
        return self._in("failures").failures

    def progress(self, share: float | None, text: str = "") -> None:
        """Say how far the body has come, for the live status: a share from 0.0 to 1.0 (or None) and a text."""
        self._in("progress()").report(None if share is None else min(1.0, max(0.0, share)), text)

    def signal(self, name: str) -> Any:
        """Take the oldest signal of this name and return its value; None if there is none.

        A signal may have the value None as well: give it another one if the difference matters. What a body has taken
        is given back if it raises anything but `Continue`, unless it was saved before.

        Raises:
            OutsideFlow: asked in another body than `flow` and `cycle`.
            AttributeFault: the river's `signals` do not name it.
        """
        call = self._in(f"signal({name!r})")
        if call.body not in _TAKING:
            raise OutsideFlow(
                f"self.signal({name!r}) was asked in `{call.body}` of {call.address}, flow {call.flow_id}: only `flow` "
                f"and `cycle` take signals; take it there, and write what the others need to know into the water"
            )
        listed: tuple[str, ...] = getattr(self, "signals", ())
        if name not in listed:
            raise AttributeFault(
                f"{call.address}: self.signal({name!r}), but {type(self).__qualname__} lists no such signal"
                f"{meant(str(name), listed)}: write signals = {(*listed, name)!r} into the class"
            )
        return call.signal(name)

    def resource(self, name: str) -> Any:
        """Return the engine's resource of this name, as it was given to `Engine(resources={...})`.

        Raises:
            ResourceMissing: it was given none of this name.
        """
        return self._in(f"resource({name!r})").resource(name)

    def save(self) -> None:
        """Keep what the body has written so far, whatever becomes of it: it is on disk when this returns.

        Later attempts and `undo` see it. In an `async def` body write `await self.asave()`.

        Raises:
            SaveRefused: the call does not count any more, such as after its timeout.
            UnstorableValue: something that was changed in place cannot be stored any more.
        """
        self._in("save()").save()

    async def asave(self) -> None:
        """Do what `save()` does without blocking the event loop; for `async def` bodies.

        Raises:
            SaveRefused: the call does not count any more, such as after its timeout.
            UnstorableValue: something that was changed in place cannot be stored any more.
        """
        await self._in("asave()").asave()

    def _in(self, asked: str) -> Call:
        if self._call is None:
            raise OutsideFlow(
                f"self.{asked} of {type(self).__qualname__} is known only in a body that an engine calls: "
                f"start a flow and ask there, `andes.start()` (a helper that calls one body in a test comes later)"
            )
        return self._call

    if not TYPE_CHECKING:  # pragma: no branch  # a type checker shall find what is not there by itself

        def __getattr__(self, name: str) -> Any:
            """Refuse what is neither a parameter nor known of the call, and say what may have been meant."""
            cls = type(self)
            if hasattr(cls, name):  # a property of the user's own has raised: what it raised is to be seen
                return object.__getattribute__(self, name)
            message = f"{cls.__qualname__!r} object has no attribute {name!r}"
            if not name.startswith("_"):
                known = [each for each in (*self.__dict__, *dir(cls)) if not each.startswith("_")]
                near = meant(name, known, _NEAR)
                message = (
                    f"{cls.__qualname__} knows no self.{name}{near}: declare it as a parameter, `{name}: str`, "
                    f"or read what other rivers wrote from the water, water[{name!r}]"
                )
            raise AttributeError(message)
