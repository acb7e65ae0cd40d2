"""Where is the actor that does it?

Actors are long-lived and made when first needed: one for each River class, each Atlantic class and each Andes, one
Basin, one Ledger.
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from vastflow.actors.atlantic import AtlanticActor
from vastflow.actors.basin import BasinActor
from vastflow.actors.flow import FlowRecord
from vastflow.actors.keeping import Surroundings
from vastflow.actors.river import RiverActor
from vastflow.actors.turnstile import Turnstile
from vastflow.runtime import Actor, Ref, Runtime
from vastflow.why.live import Situation
from vastflow.why.situation import situation

__all__ = ["Directory"]


class Speaking(Actor, Protocol):
    """An actor that knows where it is told things."""

    me: Ref


class Directory:
    """All actors of one engine.

    Attributes:
        ledger: the one writer.
        intake: who takes in what other processes ask for; None where no other can.
        turnstile: what all forward bodies pass.
        basin: the one at all borders.
        epoch: the owner's, which stands in every fact.
    """

    def __init__(self, runtime: Runtime, around: Surroundings, epoch: int) -> None:
        """Know nobody but the basin."""
        self._runtime = runtime
        self._around = around
        self._lock = threading.Lock()
        self._rivers: dict[str, Ref] = {}
        self._atlantics: dict[str, Ref] = {}
        self._andes: dict[str, Ref] = {}
        self.epoch = epoch
        self.ledger: Ref
        self.intake: Ref | None = None
        self.turnstile = Turnstile()
        self.basin = runtime.spawn(BasinActor("basin"))

    def river(self, name: str) -> Ref:
        """Return the actor of a River class, by its registered name."""
        return self._rivers.get(name) or self._make(self._rivers, name, self._river)

    def atlantic(self, name: str) -> Ref:
        """Return the actor of an Atlantic class, by its registered name."""
        return self._atlantics.get(name) or self._make(self._atlantics, name, self._atlantic)

    def andes(self, name: str, make: Callable[[], Speaking]) -> Ref:
        """Return the supervisor of the flows of the Andes called `name`."""
        return self._andes.get(name) or self._make(self._andes, name, lambda _: self.settle(make()))

    def known_andes(self) -> list[Ref]:
        """Return all supervisors there are."""
        with self._lock:
            return list(self._andes.values())

    def situation(self, flow: FlowRecord) -> Situation:
        """Return how a flow stands, and where its bodies are; asked by its supervisor."""
        around, clock = self._around, self._runtime.clock
        look = partial(around.register.look, clock=clock, masker=around.masker)
        return situation(flow.id, flow.progress, clock.now(), look)

    def settle(self, actor: Speaking) -> Ref:
        """Give an actor its life and tell it where it is."""
        actor.me = self._runtime.spawn(actor)
        return actor.me

    def _make(self, known: dict[str, Ref], name: str, make: Callable[[str], Ref]) -> Ref:
        with self._lock:
            if name not in known:
                known[name] = make(name)
            return known[name]

    def _river(self, name: str) -> Ref:
        return self.settle(RiverActor(f"river:{name}", self._runtime, self._around, self.turnstile))

    def _atlantic(self, name: str) -> Ref:
        return self.settle(AtlanticActor(f"atlantic:{name}", self._runtime, self._around, self.turnstile))
