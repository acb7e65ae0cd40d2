"""How does the engine speak?

Through the application's structlog configuration if there is one; otherwise warnings and errors go to stderr, for
people, and all below is dropped. A dropped line costs its call and one look. No line ever raises.
"""

import sys
from collections.abc import Callable

import structlog
from structlog import is_configured
from structlog.typing import EventDict

from vastflow.log.configuration import LEVELS, chain, colored
from vastflow.log.escapes import escape_controls
from vastflow.log.fields import add_call_fields
from vastflow.log.masking import mask_secrets

__all__ = ["Log", "get_logger"]

_NAME = "vastflow"
_QUIET = frozenset(("debug", "info"))


class Log:
    """The engine's own logger; what `actor` is given stands on each of its lines.

    The fields `flow`, `river`, `attempt` and `color` are given by name where they are known; inside a body they are
    taken from it.
    """

    __slots__ = ("actor",)

    def __init__(self, actor: str = "") -> None:
        """Keep who speaks."""
        self.actor = actor

    def enabled(self, level: str) -> bool:
        """Say whether a line of this level (debug, info, warning, error, critical) would be written."""
        return _asked(LEVELS[level]) if is_configured() else level not in _QUIET

    def debug(self, event: str, **fields: object) -> None:
        """Say what only somebody who searches for a fault wants to read."""
        if is_configured() and _asked(10):
            self._say("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Say what happens."""
        if is_configured() and _asked(20):
            self._say("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Say what somebody should look at."""
        if self.enabled("warning"):
            self._say("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Say what has gone wrong; `exc_info=exception` adds its traceback."""
        if self.enabled("error"):
            self._say("error", event, fields)

    def _say(self, level: str, event: str, fields: dict[str, object]) -> None:
        try:
            line = {"actor": self.actor, **fields, "event": event} if self.actor else {**fields, "event": event}
            (_to_application if is_configured() else _to_stderr)(level, line)
        except Exception:  # noqa: BLE001, S110  # a chain that fails or a closed stderr must not hurt a flow
            pass


def get_logger(actor: str = "") -> Log:
    """Return the engine's logger for an actor (or for a part of the engine that is none)."""
    return Log(actor)


def _to_application(level: str, line: EventDict) -> None:
    """Write through the application's chain, which may mask and escape nothing of its own."""
    for step in (add_call_fields, mask_secrets, escape_controls):
        line = step(None, level, line)
    event = line.pop("event")
    getattr(structlog.get_logger(_NAME), level)(event, **line)


def _to_stderr(level: str, line: EventDict) -> None:
    event = line.pop("event")
    logger = structlog.WriteLogger(sys.stderr)
    bound = structlog.wrap_logger(logger, chain(json=False, colors=colored(sys.stderr)), structlog.BoundLogger, dict)
    getattr(bound, level)(event, **line)


class _Application:
    """Knows which levels the application's structlog configuration wants, and asks anew only when it was changed."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: tuple[object, object, Callable[[int], bool]] = (None, None, _always)

    def wants(self, level: int) -> bool:
        config = structlog.get_config()
        wrapper, factory, check = self._held
        if wrapper is not config["wrapper_class"] or factory is not config["logger_factory"]:
            check = _check()
            self._held = (config["wrapper_class"], config["logger_factory"], check)
        return check(level)


def _check() -> Callable[[int], bool]:
    """Return how the application's logger answers for a level; one that cannot say is handed every line."""
    try:
        bound: object = structlog.get_logger(_NAME).bind()
    except Exception:  # noqa: BLE001  # a configuration that cannot make a logger must not hurt a flow
        return _never
    for name in ("is_enabled_for", "isEnabledFor"):
        if hasattr(type(bound), name):  # asked of the class: some loggers make every unknown attribute a log method
            check: Callable[[int], bool] = getattr(bound, name)
            return check
    return _always


def _always(_level: int) -> bool:
    return True


def _never(_level: int) -> bool:
    return False


_asked = _Application().wants
