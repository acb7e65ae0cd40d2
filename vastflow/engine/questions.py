"""What can be asked of an engine that changes nothing?

How flows stand and why, what has become of letters, and when flows end; the same whether it serves or stands by.
"""

import shlex
from concurrent.futures import Future

from vastflow.actors.letters import Said
from vastflow.course import Progress
from vastflow.drawing.chart import Anchor
from vastflow.drawing.durations import Duration
from vastflow.drawing.laying import bind
from vastflow.engine.mail import Mail, Posted, status_of_letter
from vastflow.engine.probe import Probing
from vastflow.engine.serving import Serving
from vastflow.engine.standby import Standby
from vastflow.engine.stuck import age_of, stuck
from vastflow.engine.waiting import Waiting
from vastflow.ledger import default_url
from vastflow.ledger.contract import FlowRow, Reader
from vastflow.ledger.inbox import Letter
from vastflow.ledger.reading import FlowStatus, find, read_chart
from vastflow.runtime import Runtime
from vastflow.why import Why

__all__ = ["Questions"]


class Questions:
    """What `Engine` answers; made by it only."""

    runtime: Runtime
    _waiting: Waiting
    _mail: Mail
    _role: Serving | Standby
    _url: str

    @property
    def reader(self) -> Reader:
        """Where its flows can be read.

        Raises:
            EngineClosed: nowhere any more.
        """
        self._waiting.refuse_closed()
        return self._role.store

    def look(self, flow_id: str) -> FlowStatus:
        """Return how a flow stands; `Flow.status` says more."""
        found = self._find(flow_id)
        return self._role.look_at(found) if isinstance(found, FlowRow) else status_of_letter(found)

    def why(self, flow_id: str) -> Why:
        """Return why a flow stands where it stands; `Flow.why` says more."""
        return self._probing().why(flow_id)

    def stuck(self, *, older_than: Duration = "10m", limit: int = 100) -> list[Why]:
        """Return why flows are stuck: they have made no fact for long, and do not just wait by plan.

        By plan are a pause, a begin that is to come later, the wait for a poll or an attempt that is not a minute late,
        and a body that does not run over its usual time. Whatever nobody serves, cannot go on, is in doubt, waits for a
        signal, a slot, a thread or the store, or holds threads by bodies that were given up, is stuck.

        Args:
            older_than: for so long: seconds, "10m", or a timedelta.
            limit: so many at most; those which made no fact for the longest time come first.

        Raises:
            ValueError: that is no duration.
        """
        return stuck(self._probing(), self._mail, age_of(older_than), self.runtime.clock.now(), limit)

    def _probing(self) -> Probing:
        self._waiting.refuse_closed()
        named = "" if self._url == default_url() else f"--store {shlex.quote(self._url)}"
        return Probing(self._role, self._mail, self.runtime.clock.now(), named)

    def settle(self, posted: Posted) -> bool:
        """Say whether a flow that was asked for in a letter is in the store.

        Raises:
            FlowConflict: its id belongs to a flow that was started differently.
        """
        self._waiting.refuse_closed()
        return self._mail.settle(posted)

    def is_asked_for(self, flow_id: str) -> bool:
        """Say whether a flow is not in the store yet, but in the inbox.

        Raises:
            FlowNotFound: it is in neither.
        """
        return isinstance(self._find(flow_id), Letter)

    def settling(self, posted: Posted) -> "Future[Said] | None":
        """Return a future that is done when such a letter is answered; None if it needs no waiting for."""
        return self._mail.settling(posted)

    def ending(self, flow_id: str) -> "Future[Progress | None]":
        """Return a future that is done when the flow has ended or was stranded."""
        future, known = self._waiting.add(flow_id)
        if not known:
            self._resolve_ended(flow_id, future)
        return future

    def present_attributes(self, flow_id: str) -> dict[str, Anchor]:
        """Return the attributes which the classes of a flow's rivers have by now, by (template) address."""
        row = find(self.reader, flow_id)
        return bind(read_chart(self.reader, row), row.chart).present()

    def is_reopened(self, flow_id: str) -> bool:
        """Say whether a flow that had ended has had another round since."""
        return self._waiting.is_reopened(flow_id)

    def _find(self, flow_id: str) -> FlowRow | Letter:
        self._waiting.refuse_closed()
        return self._mail.find(flow_id)

    def _resolve_ended(self, flow_id: str, future: "Future[Progress | None]") -> None:
        """Complete the future of a flow that has ended, was stranded or went to another owner before."""
        try:
            found = self._mail.find(flow_id)
        except BaseException:
            future.cancel()
            raise
        if isinstance(found, FlowRow) and self._role.is_over(found):
            self._waiting.resolve(flow_id, None)
