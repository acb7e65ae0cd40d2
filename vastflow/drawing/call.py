"""What does a body know of its own call?

`self` inside a body is a copy of the drawn stream that carries one Call. Outside an engine there is none, and asking
raises.
"""

import uuid
from collections.abc import Callable, Mapping

import msgspec

from vastflow.errors import Failure

__all__ = ["Call"]


class Call(msgspec.Struct, frozen=True):
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

    def key(self, purpose: str = "") -> str:
        """Return 36 characters that are the same for every attempt of this run, also after a crash."""
        return key_of(self.uid, self.address, self.run, purpose)


def key_of(uid: str, address: str, run: int, purpose: str = "") -> str:
    """Return the idempotency key of one run of one stream: a UUIDv5 below the flow's uid."""
    told = f"{address}\n{run}\n{purpose}" if purpose else f"{address}\n{run}"
    return str(uuid.uuid5(uuid.UUID(uid), told))
