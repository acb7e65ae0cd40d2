"""Is anything left when all has ended?

Nothing may be: in actors, on the wheel, in the pool, in inboxes.
"""

from collections.abc import Iterator

from vastflow.actors.andes import AndesActor
from vastflow.actors.river import RiverActor
from vastflow.engine import Engine
from vastflow.runtime import Simulated

__all__ = ["remains"]


def remains(engine: Engine, runtime: Simulated) -> list[str]:
    """Return what an engine still holds whose flows have all ended."""
    stats = runtime.stats()
    found = []
    if (stats.timers, stats.queued, stats.running, stats.tasks) != (1, 0, 0, 0):  # one timer: the beat
        found.append(f"left in the runtime: {stats}")
    if waiting := len(engine._waiting):  # noqa: SLF001  # that nothing is kept is what is asked
        found.append(f"{waiting} futures are still waited for")
    for inbox in runtime._world.inboxes:  # noqa: SLF001  # the same
        found += [f"{inbox.name} {what}" for what in _left_with(inbox._actor)]  # noqa: SLF001  # the same
        if inbox._messages:  # noqa: SLF001  # the same
            found.append(f"{inbox.name} was told what it has not heard")
    return found


def _left_with(actor: object) -> Iterator[str]:
    match actor:
        case AndesActor() if actor._all.flows:  # noqa: SLF001  # the same
            yield f"still keeps the flows {sorted(actor._all.flows)}"  # noqa: SLF001  # the same
        case RiverActor():
            held = (actor._running, actor._abandoned, actor._slots._inside, actor._slots._line)  # noqa: SLF001  # the same
            if any(held):
                yield f"still runs something: {held}"
            turnstile = actor._turnstile  # noqa: SLF001  # the same
            if turnstile._out or turnstile._held or turnstile._alone is not None:  # noqa: SLF001  # the same
                yield "still has somebody out, or held, at the turnstile"
        case _:
            pass
