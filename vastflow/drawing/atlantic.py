"""Where does every flow end?

In its Atlantic: `success` or `fail` is called, one of the two.
"""

from typing import Any, ClassVar

from vastflow.drawing.attributes import MOUTH
from vastflow.drawing.callee import Callee
from vastflow.drawing.declaration import Kind
from vastflow.drawing.durations import Duration

__all__ = ["Atlantic"]


class Atlantic(Callee):
    """The end of a flow; a body that is not written does nothing.

    Attributes:
        retry_times: attempts after the first.
        retry_interval: wait before the next attempt.
        retry_backoff: what that wait is multiplied with each time.
        retry_max_interval: what it never exceeds.
        retry_on: exceptions that are tried again.
        fail_on: exceptions that are not.
        registered_as: the name it is stored under, instead of `module.QualifiedName`.
        renamed_from: names it was stored under before.
        name: what it is called; may use parameters.
    """

    _kind = Kind("Atlantic", MOUTH, ("success", "fail"), needed=None)

    retry_times: ClassVar[int] = 0
    retry_interval: ClassVar[Duration] = 1.0
    retry_backoff: ClassVar[float] = 2.0
    retry_max_interval: ClassVar[Duration | None] = 60.0
    retry_on: ClassVar[tuple[type[BaseException], ...]] = (Exception,)
    fail_on: ClassVar[tuple[type[BaseException], ...]] = ()
    registered_as: ClassVar[str | None] = None
    renamed_from: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str | None] = None

    def success(self, water: Any, /) -> Any:
        """Be told that the flow ended well."""

    def fail(self, water: Any, /) -> Any:
        """Be told that the flow failed or was cancelled; `self.failure` says why."""
