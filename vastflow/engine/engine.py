"""How do the parts go together?

An engine serves one store: it takes it, goes on with what is unfinished, starts flows and answers for them.
"""

import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from vastflow.actors import Directory, LedgerActor, Surroundings
from vastflow.actors.messages import Adopt, Beat, Command, Look, Settle
from vastflow.clock import SystemClock
from vastflow.course import Progress, Rules, commands
from vastflow.course.command import Ruling
from vastflow.course.picture import FlowPicture
from vastflow.course.states import ENDED
from vastflow.drawing import Andes, Headwaters
from vastflow.drawing.chart import Anchor
from vastflow.drawing.durations import Moment
from vastflow.drawing.launcher import Terms
from vastflow.drawing.laying import bind
from vastflow.engine.admission import Admission
from vastflow.engine.flow import Flow
from vastflow.engine.identity import check_states, login, refusal_of
from vastflow.engine.recovery import Found, find_unfinished
from vastflow.engine.waiting import Waiting
from vastflow.engine.works import Works
from vastflow.errors import CommandRefused, EngineClosed
from vastflow.ledger import default_url, open_store
from vastflow.ledger.contract import FlowQuery, FlowRow, Owner, Reader, Store
from vastflow.ledger.reading import FlowStatus, find, read_cargo, read_chart, read_status, status_of
from vastflow.log import Masker, get_logger
from vastflow.runtime import Real, Runtime

__all__ = ["Engine"]

W = TypeVar("W", bound=Headwaters)
_BEAT = 1.0  # seconds between two beats that say the store is served


class Engine:
    """Serves a store: runs its flows, starts new ones, answers for all.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory:`; None for `VASTFLOW_STORE`, else
            `sqlite:///vastflow.db`.
        store: a store that is open already, instead of a url.
        serve: must be True in this release: this engine runs the flows, or raises.
        jitter: share by which waits vary, 0.0 to 0.5.
        cancel_grace: seconds a cancelled body may take before it is abandoned.
        crash_limit: how often a running body may be interrupted by the death of its process; then it is run alone,
            and if that interrupts it again, its flow is stranded.
        resources: what bodies get by `self.resource(name)`: clients, pools, whatever cannot be stored.
        secrets: patterns of keys whose values are masked, instead of the usual ones.
        runtime: what gives actors their threads; for tests.

    Raises:
        StoreServed: another engine serves this store.
        StoreError: it is no store, or was written by a newer release.
    """

    def __init__(  # noqa: PLR0913  # keyword-only settings
        self,
        url: str | None = None,
        *,
        store: Store | None = None,
        serve: bool = True,
        jitter: float = 0.1,
        cancel_grace: float = 10.0,
        crash_limit: int = 2,
        resources: Mapping[str, Any] | None = None,
        secrets: Iterable[str] | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Take the store and go on with what is unfinished in it."""
        if not serve:
            message = (
                "serve=False is not in this release yet: read a store that is served with `vastflow list` and `show`"
            )
            raise EngineClosed(message)
        self.closed = False
        self._closing = threading.RLock()
        self._quiet = True
        self.runtime: Runtime = runtime or Real(SystemClock())
        self._store = store or open_store(url or default_url())
        self._waiting = Waiting()
        self._log = get_logger("engine")
        self.masker = Masker(tuple(secrets)) if secrets is not None else Masker()
        ticket = itertools.count(1).__next__
        rules = Rules(ticket, jitter, cancel_grace, self.masker.matches, crash_limit, refusal_of)
        self._open(self._take(lent=store is not None), rules, resources or {})

    def _take(self, *, lent: bool) -> Owner:
        """Become the owner of the store; let go of it if that is not to be, unless it is somebody's who lent it."""
        clock = self.runtime.clock
        try:
            clock.hold(self._store.latest())
            return self._store.take("server", clock.now())
        except BaseException:
            if not lent:
                self._store.close()
            raise

    def _open(self, owner: Owner, rules: Rules, resources: Mapping[str, Any]) -> None:
        clock = self.runtime.clock
        try:
            around = Surroundings(clock, self.masker, self.runtime.wait, self._waiting.hold, dict(resources))
            directory = Directory(self.runtime, around, owner.epoch)
            self._works = Works(self.runtime, self._store, directory, rules, self._waiting)
            self._admission = Admission(self._works)
            found = find_unfinished(self._store, owner, clock.now())
            periods = self._works.periods(min((each.row.started for each in found), default=0))
            ledger = LedgerActor(self._store, owner.epoch, self.runtime)
            directory.ledger = directory.settle(ledger)
            self._beat = self.runtime.every(_BEAT, directory.ledger, Beat())
            for each in found:
                self._adopt(each, periods)
        except BaseException:
            self.runtime.close()
            self._store.close()
            raise

    @property
    def reader(self) -> Reader:
        """Where its flows can be read.

        Raises:
            EngineClosed: nowhere any more.
        """
        self._waiting.refuse_closed()
        return self._store

    def start(
        self,
        andes: Andes[W],
        water: W | Mapping[str, Any] | None = None,
        *,
        id: str | None = None,  # noqa: A002  # the word users look for
        tags: Mapping[str, str] | None = None,
        not_before: Moment | None = None,
        deadline: Moment | None = None,
        **values: Any,
    ) -> Flow[W]:
        """Start a flow; it is on disk when this returns.

        Args:
            andes: the drawing.
            water: the starting water.
            id: an idempotency key: the same id with the same drawing's name and the same water gives the flow there is.
            tags: text by text, to find the flow by.
            not_before: it begins then, not earlier: seconds from now, "2h", a timedelta, or an aware datetime.
            deadline: it is ended then as by a cancel, with outcome fail; the same.
            **values: more water, by key.

        Raises:
            DrawingError: the drawing or the water is wrong; all faults are named.
            FlowConflict: the id belongs to a flow that was started differently.
            EngineClosed: the engine was closed.
            StoreServed: another engine has taken the store meanwhile.
        """
        return self.launch(andes, water, values, Terms(id, tags or {}, not_before, deadline))

    def start_many(self, andes: Andes[W], waters: Iterable[W | Mapping[str, Any]]) -> list[Flow[W]]:
        """Start a flow for each of these waters, in few commits; all are on disk when this returns.

        Raises:
            DrawingError: one of the waters is wrong; those before it have been started.
            EngineClosed: the engine was closed.
        """
        self._refuse_closed()
        begun = [self._admission.begin(andes, water, {}, Terms()) for water in waters]
        for each in begun:
            if each.written is not None:
                self._admission.await_begin(each.id, each.written)
        return [Flow(self, each.id, andes.water, each.record) for each in begun]

    def launch(
        self, andes: Andes[W], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Flow[W]:
        """Start a flow on these terms; `start` says more."""
        self._refuse_closed()
        begun = self._admission.begin(andes, water, values, terms)
        if begun.written is not None and not self._admission.await_begin(begun.id, begun.written):
            return self.launch(andes, water, values, terms)
        return Flow(self, begun.id, andes.water, begun.record)

    def _refuse_closed(self) -> None:
        if self.closed:
            message = "the engine was closed: make a new one to start flows"
            raise EngineClosed(message)

    @overload
    def flow(self, flow_id: str) -> Flow[Headwaters]: ...

    @overload
    def flow(self, flow_id: str, water: type[W]) -> Flow[W]: ...

    def flow(self, flow_id: str, water: type[Headwaters] = Headwaters) -> Flow[Any]:
        """Return a handle on a flow there is.

        Args:
            flow_id: the one it was started with, or the one it was given.
            water: the class its result has; a plain mapping if left out.

        Raises:
            FlowNotFound: there is none with this id.
        """
        find(self.reader, flow_id)
        return Flow(self, flow_id, water)

    def flows(
        self,
        *,
        state: str | Sequence[str] = (),
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> list[Flow[Headwaters]]:
        """Return handles on flows, the newest first.

        Args:
            state: only flows in this state, or in one of these.
            name: only flows of this Andes.
            tags: only flows that have all of these.
            limit: so many at most.
            after: the id of the last flow of the page before.

        Raises:
            ValueError: there is no such state.
            FlowNotFound: there is no flow with the id `after`.
        """
        states = check_states((state,) if isinstance(state, str) else tuple(state))
        query = FlowQuery(states=states, name=name, tags=tags or {}, limit=limit, after=after)
        return [Flow(self, row.id, Headwaters) for row in self.reader.flows(query)]

    def look(self, flow_id: str) -> FlowStatus:
        """Return how a flow stands; `Flow.status` says more."""
        row = find(self.reader, flow_id)
        picture = None if row.state in ENDED or row.stranded or self.closed else self._look(row)
        return status_of(row, picture) if picture is not None else read_status(self.reader, flow_id)

    def ending(self, flow_id: str) -> "Future[Progress | None]":
        """Return a future that is done when the flow has ended or was stranded."""
        future, known = self._waiting.add(flow_id)
        if not known:
            self._resolve_ended(flow_id, future)
        return future

    def command(self, flow_id: str, command: commands.Command, who: str | None = None) -> bool:
        """Do something that is asked of a flow from outside; it is on disk when this returns. `Flow` has it by name.

        Returns:
            True if it was done, False if it was so already.

        Raises:
            CommandRefused: it cannot be done as the flow stands.
            FlowNotFound: there is no such flow.
            FlowStranded: it cannot go on.
        """
        ruled: Future[Ruling] = Future()
        row = find(self.reader, flow_id)
        self._waiting.hold(ruled)
        self._works.supervisor(row.name).tell(Command(flow_id, command, who or login(), ruled))
        ruling = self.runtime.wait(ruled)
        if ruling.what == "refused":
            raise CommandRefused(flow_id, type(command).__name__.lower(), ruling.reason)
        return ruling.what == "done"

    def present_attributes(self, flow_id: str) -> dict[str, Anchor]:
        """Return the attributes which the classes of a flow's rivers have by now, by (template) address."""
        row = find(self.reader, flow_id)
        return bind(read_chart(self.reader, row), row.chart).present()

    def is_reopened(self, flow_id: str) -> bool:
        """Say whether a flow that had ended has had another round since."""
        return self._waiting.is_reopened(flow_id)

    def close(self, drain: float = 5.0) -> bool:
        """Stop serving: no cancel, flows go on when the store is served again. May come twice.

        Args:
            drain: seconds that running bodies get to end.

        Returns:
            True if no body was left running.
        """
        with self._closing:  # who comes second waits until the store can be opened again
            if not self.closed:
                self.closed = True
                self._beat.cancel()
                for supervisor in self._works.directory.known_andes():
                    supervisor.tell(Settle())
                self._works.directory.ledger.tell(
                    Beat()
                )  # no poll begins after this: here ends the period it was served
                self._quiet = self.runtime.close(drain)
                self._store.close()
                self._waiting.close()
                self._log.info("engine closed", quiet=self._quiet)
            return self._quiet

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _resolve_ended(self, flow_id: str, future: "Future[Progress | None]") -> None:
        """Complete the future of a flow that has ended, was stranded or went to another owner before."""
        try:
            row = find(self._store, flow_id)
        except BaseException:
            future.cancel()
            raise
        if row.state in ENDED or row.stranded or row.epoch != self._works.directory.epoch:
            self._waiting.resolve(flow_id, None)

    def _adopt(self, found: Found, periods: Sequence[tuple[int, int]]) -> None:
        record = self._works.record(found.row, read_cargo(found.row), found.progress, found.bound)
        record.supervisor.tell(Adopt(record, periods))

    def _look(self, row: FlowRow) -> FlowPicture | None:
        """Return how a flow stands here; None if it is not under way here."""
        seen: Future[FlowPicture | None] = Future()
        try:
            self._waiting.hold(seen)
            self._works.supervisor(row.name).tell(Look(row.id, seen))
            return self.runtime.wait(seen)
        except EngineClosed:
            return None
