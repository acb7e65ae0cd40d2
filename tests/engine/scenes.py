"""What do the tests of the engine draw? Rivers made of a function or two, and seas that say what they were told."""

from collections.abc import Callable
from itertools import count
from typing import Any

from vastflow import Andes, Atlantic, Engine, Headwaters, River
from vastflow.drawing.parallel_river import Stream
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

__all__ = [
    "LONG",
    "PATIENT",
    "Body",
    "Quiet",
    "calling",
    "crashed",
    "drawn",
    "nothing",
    "puts",
    "raises",
    "river",
    "sea",
    "simulated",
]

LONG = 20.0  # seconds after which a sign will not come any more
PATIENT = 99  # crashes which a body outlives where they are not what is asked

Body = Callable[[Any, Any], Any]

_numbers = count(1)  # every class a name of its own: no test finds another's in the registry


class Quiet(Atlantic):
    """An end at which nothing happens."""


def river(name: str, flow: Body, cycle: Body | None = None, **attributes: Any) -> River:
    """Return a river of a class of its own, whose bodies are these functions."""
    bodies = {"flow": flow} if cycle is None else {"flow": flow, "cycle": cycle}
    made: River = type(f"River{next(_numbers)}", (River,), {"name": name, **bodies, **attributes})()
    return made


def sea(success: Body | None = None, fail: Body | None = None, **attributes: Any) -> Atlantic:
    """Return an Atlantic of a class of its own, whose bodies are these functions."""
    bodies = {name: body for name, body in (("success", success), ("fail", fail)) if body is not None}
    made: Atlantic = type(f"Sea{next(_numbers)}", (Atlantic,), {**bodies, **attributes})()
    return made


def drawn(*streams: Stream, name: str = "drawn", end: Atlantic | None = None) -> Andes[Headwaters]:
    """Return a drawing of these streams, one after another."""
    andes = Andes(name)
    for stream in streams:
        andes = andes >> stream
    return andes >> (end or Quiet())


def calling(method: Callable[[Any, Any], object]) -> Body:
    """Return a body that calls a method of a test's own."""

    def body(self: Any, water: Any) -> None:
        method(self, water)

    return body


def nothing(_self: Any, _water: Any) -> None:
    """Be a body that does nothing."""


def puts(**values: Any) -> Body:
    """Return a body that writes these values."""

    def body(_self: Any, water: Any) -> None:
        water.update(values)

    return body


def raises(error: BaseException | Callable[[], BaseException]) -> Body:
    """Return a body that raises this."""

    def body(_self: Any, _water: Any) -> None:
        raise error if isinstance(error, BaseException) else error()

    return body


def simulated(store: MemoryStore | None = None, runtime: Simulated | None = None, **settings: Any) -> Engine:
    """Return an engine on one thread and a virtual clock."""
    return Engine(store=store or MemoryStore(), runtime=runtime or Simulated(), jitter=0.0, **settings)


def crashed(store: MemoryStore, runtime: Simulated) -> Engine:
    """Let the engine that runs on this runtime die, and return one that goes on where it stopped."""
    runtime.crash()
    return simulated(store, runtime, crash_limit=PATIENT)
