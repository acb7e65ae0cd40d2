"""What can be asked of a flow from outside?

Commands, as plain records; `command` says what each does in every state of a flow.
"""

import msgspec

from vastflow.course.facts import Delta
from vastflow.drawing.chart import Anchor

__all__ = ["Cancel", "Command", "Complete", "Pause", "Resume", "Retry", "Set", "Signal", "Skip"]


class Cancel(msgspec.Struct, gc=False, frozen=True):
    """End the flow: nothing new begins, what was done is undone."""


class Pause(msgspec.Struct, gc=False, frozen=True):
    """Let no new body begin."""


class Resume(msgspec.Struct, gc=False, frozen=True):
    """Let a paused flow, or one stranded by poison, go on."""


class Retry(msgspec.Struct, gc=False, frozen=True):
    """Open a new round.

    Attributes:
        anchors: attributes that hold from now on, by (template) address.
    """

    anchors: dict[str, Anchor] = {}


class Skip(msgspec.Struct, gc=False, frozen=True):
    """Let a stream count as skipped."""

    stream: str


class Complete(msgspec.Struct, gc=False, frozen=True):
    """Let a stream count as done, having written this."""

    stream: str
    delta: Delta


class Set(msgspec.Struct, gc=False, frozen=True):
    """Change the flow's water."""

    delta: Delta


class Signal(msgspec.Struct, gc=False, frozen=True):
    """Give a signal to whichever river wants it; one whose `id` came before is no new one."""

    name: str
    value: msgspec.Raw
    id: str | None = None


Command = Cancel | Pause | Resume | Retry | Skip | Complete | Set | Signal
