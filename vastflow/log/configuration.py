"""How does an application that has no logging of its own get a good one?

By calling `setup()`, once, at its start: lines for people on a terminal, JSON lines otherwise, from structlog and
from the standard library alike, with the fields of the running body, secrets masked, control characters escaped.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TextIO

import structlog
from structlog.contextvars import merge_contextvars
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import JSONRenderer, StackInfoRenderer, TimeStamper, add_log_level, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import Processor

from vastflow.log.escapes import escape_controls
from vastflow.log.fields import add_call_fields
from vastflow.log.masking import Masker, mask_secrets
from vastflow.log.sink import keep_lines

__all__ = ["LEVELS", "chain", "colored", "reset", "setup"]

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
"""The levels by name, with the standard library's numbers."""


_UNDO: list[Callable[[], object]] = []


def setup(
    level: str = "info", *, json: bool | None = None, stream: TextIO | None = None, masker: Masker | None = None
) -> None:
    """Configure structlog, and the standard library's root logger if nobody has given it a handler.

    May be called again to change its mind; `reset` takes it all back.

    Args:
        level: the least level written: debug, info, warning, error or critical.
        json: JSON lines (True) or lines for people (False); by default JSON unless `stream` is a terminal.
        stream: where lines go; stderr by default. Colours only if it is a terminal and NO_COLOR is not set.
        masker: knows the keys whose values are secrets; by default those of `mask_secrets`.
    """
    if level not in LEVELS:
        raise ValueError(f"vastflow.log.setup(level={level!r}): no such level; write one of {', '.join(LEVELS)}")
    out = stream or sys.stderr
    lines = not out.isatty() if json is None else json
    processors = chain(json=lines, colors=colored(out), masker=masker or mask_secrets)
    reset()
    _configure(LEVELS[level], out, processors)
    if not logging.getLogger().handlers:
        _catch_stdlib(LEVELS[level], out, processors)


def reset() -> None:
    """Take back what `setup` configured, in structlog and at the root logger; harmless without it."""
    while _UNDO:
        _UNDO.pop()()


def chain(*, json: bool, colors: bool, masker: Masker = mask_secrets) -> list[Processor]:
    """Return the processors of `setup`, the renderer last.

    The traceback becomes text before it is masked and escaped, so it is printed plainly: the pretty kind shows local
    variables, and those hold secrets under any name.
    """
    stamp = TimeStamper("iso", utc=True) if json else TimeStamper("%Y-%m-%d %H:%M:%S", utc=False)
    shown = JSONRenderer() if json else ConsoleRenderer(colors=colors, exception_formatter=plain_traceback)
    told: list[Processor] = [merge_contextvars, add_log_level, add_call_fields, stamp, StackInfoRenderer()]
    return [*told, format_exc_info, masker, escape_controls, keep_lines, shown]


def colored(stream: TextIO) -> bool:
    """Say whether lines written to this stream may have colours (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _configure(level: int, stream: TextIO, processors: Sequence[Processor]) -> None:
    filtering = structlog.make_filtering_bound_logger(level)
    structlog.configure(
        processors, filtering, dict, structlog.WriteLoggerFactory(stream), cache_logger_on_first_use=False
    )
    _UNDO.append(structlog.reset_defaults)


def _catch_stdlib(level: int, stream: TextIO, processors: Sequence[Processor]) -> None:
    """Show the standard library's lines in the same way; what `extra=` carries becomes fields."""
    *before, renderer = (step for step in processors if step is not keep_lines)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[ExtraAdder(), *before],
        )
    )
    root = logging.getLogger()
    _UNDO.extend((partial(root.setLevel, root.level), partial(root.removeHandler, handler)))
    root.addHandler(handler)
    root.setLevel(level)
