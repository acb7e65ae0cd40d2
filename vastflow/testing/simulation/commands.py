"""What may somebody want of a flow in a simulated run?"""

import random
from collections.abc import Callable, Mapping
from typing import Any

from vastflow.engine import Flow

__all__ = ["COMMANDS", "choose", "give"]

_WHO = "somebody"
COMMANDS: Mapping[str, int] = {
    "cancel": 2,
    "pause": 3,
    "resume": 4,
    "retry": 2,
    "skip": 2,
    "complete": 2,
    "set": 2,
    "signal": 6,
}
"""Every command, and how often it is given."""


def choose(chance: random.Random) -> str:
    """Return the name of a command."""
    return chance.choices(list(COMMANDS), list(COMMANDS.values()))[0]


def give(flow: Flow[Any], chance: random.Random, name: str) -> bool | None:
    """Give a command; False: it was so already; None: another process serves the store, and has not answered yet."""
    value = f"{name}-{chance.randrange(1 << 30)}"
    match name:
        case "retry":
            return flow.retry(chance.choice((None, None, "now")), who=_WHO)
        case "skip":
            return flow.skip(_stream(flow, chance), who=_WHO)
        case "complete":
            return flow.complete(_stream(flow, chance), who=_WHO, out=value)
        case "set":
            return flow.set(chance.choice(("a", "b", "out")), value, who=_WHO)
        case "signal":
            river = f"{chance.choice(('paid', 'sent'))}-r{chance.randint(1, 6)}"
            return flow.signal(river, value, chance.choice((None, None, "one", "two")), who=_WHO)
        case _:
            given: Callable[..., bool | None] = getattr(flow, name)
            return given(who=_WHO)


def _stream(flow: Flow[Any], chance: random.Random) -> str:
    """Return the address of a stream, if there is one of one that is not done."""
    streams = [each for each in flow.status().streams if each.kind != "atlantic"]
    open_ones = [each.address for each in streams if each.state not in {"init", "success", "skipped"}]
    return chance.choice(open_ones or [each.address for each in streams])
