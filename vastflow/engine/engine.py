"""How do the parts go together?

An engine serves one store: it takes it, goes on with what is unfinished, starts flows and answers for them.
"""

import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import msgspec

from vastflow.actors import AndesActor, Directory, FlowRecord, LedgerActor
from vastflow.actors.messages import Adopt, Beat, Begin, Look
from vastflow.clock import SystemClock
from vastflow.course import Progress, Rules
from vastflow.course.delta import spring
from vastflow.course.picture import FlowPicture
from vastflow.course.states import ENDED
from vastflow.drawing import Andes, Headwaters
from vastflow.drawing.chart import Cargo
from vastflow.drawing.launcher import Terms
from vastflow.drawing.laying import Bound, Laid, lay
from vastflow.engine.flow import Flow
from vastflow.engine.identity import check_same, check_states, check_terms, new_id, new_uid
from vastflow.engine.recovery import Found, find_unfinished
from vastflow.engine.refusal import Refusal
from vastflow.engine.waiting import Waiting
from vastflow.errors import EngineClosed, FlowConflict, StoreServed
from vastflow.ledger import default_url, open_store
from vastflow.ledger.contract import FlowQuery, FlowRow, Owner, Reader, Store
from vastflow.ledger.reading import FlowStatus, find, read_cargo, read_status, status_of
from vastflow.log import Masker, get_logger
from vastflow.runtime import Real, Ref, Runtime

__all__ = ["Engine"]

W = TypeVar("W", bound=Headwaters)
_BEAT = 1.0  # seconds between two beats that say the store is served
_ENCODE = msgspec.json.Encoder().encode


class Engine:
    """Serves a store: runs its flows, starts new ones, answers for all.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory:`; None for `VASTFLOW_STORE`, else
            `sqlite:///vastflow.db`.
        store: a store that is open already, instead of a url.
        serve: must be True in this release: this engine runs the flows, or raises.
        jitter: share by which waits vary, 0.0 to 0.5.
        cancel_grace: seconds a cancelled body may take before it is abandoned.
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
        self._refusal = Refusal()
        self._log = get_logger("engine")
        self.masker = Masker(tuple(secrets)) if secrets is not None else Masker()
        self._rules = Rules(itertools.count(1).__next__, jitter, cancel_grace, self.masker.matches)
        self._open(self._take(lent=store is not None))

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

    def _open(self, owner: Owner) -> None:
        clock = self.runtime.clock
        try:
            self._directory = Directory(self.runtime, self.masker, owner.epoch)
            found = find_unfinished(self._store, owner, clock.now())
            oldest = min((each.row.started for each in found), default=0)
            served = self._store.periods(oldest)  # an old store has thousands that concern no flow any more
            periods = [(each.began, each.ended) for each in served if each.epoch != owner.epoch]
            ledger = LedgerActor(self._store, owner.epoch, self.runtime)
            self._directory.ledger = self._directory.settle(ledger)
            self._beat = self.runtime.every(_BEAT, self._directory.ledger, Beat())
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
        not_before: Any = None,
        deadline: Any = None,
        **values: Any,
    ) -> Flow[W]:
        """Start a flow; it is on disk when this returns.

        Args:
            andes: the drawing.
            water: the starting water.
            id: an idempotency key: the same id with the same drawing's name and the same water gives the flow there is.
            tags: text by text, to find the flow by.
            not_before: not in this release yet.
            deadline: not in this release yet.
            **values: more water, by key.

        Raises:
            DrawingError: the drawing or the water is wrong; all faults are named.
            NotYetBuilt: it uses what this release cannot run yet.
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
        begun: list[tuple[Flow[W], Future[None] | None]] = [self._begin(andes, water, {}, Terms()) for water in waters]
        for flow, written in begun:
            if written is not None:
                self._await_begin(flow.id, written)
        return [flow for flow, _ in begun]

    def launch(
        self, andes: Andes[W], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Flow[W]:
        """Start a flow on these terms; `start` says more."""
        flow: Flow[W]
        flow, written = self._begin(andes, water, values, terms)
        if written is not None and not self._await_begin(flow.id, written):
            return self.launch(andes, water, values, terms)
        return flow

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
                self._directory.ledger.tell(Beat())  # no poll begins after this: here ends the period it was served
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

    def _begin(
        self, andes: Andes[W], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> "tuple[Flow[W], Future[None] | None]":
        """Hand a new flow to its supervisor; None: a flow with this id is there already, and is the same."""
        if self.closed:
            message = "the engine was closed: make a new one to start flows"
            raise EngineClosed(message)
        check_terms(andes.name, terms)
        laid = lay(andes, water, values)
        self._refusal.check(laid, terms)
        row = self._row(laid, terms)
        if terms.id is not None and (taken := self._store.flow(terms.id)) is not None:
            check_same(taken, row.name, laid.cargo.water)
            return Flow(self, row.id, andes.water), None
        written: Future[None] = Future()
        self._waiting.hold(written)
        progress = Progress(laid.chart, row.uid, spring(laid.cargo.water), laid.cargo.anchors)
        record = self._record(row, laid.cargo, progress, laid.bound)
        record.supervisor.tell(Begin(record, row, laid.stored, written))
        return Flow(self, row.id, andes.water, record), written

    def _await_begin(self, flow_id: str, written: "Future[None]") -> bool:
        """Wait until a new flow is on disk; False: somebody else was faster with its id, and it may be the same."""
        try:
            self.runtime.wait(written)
        except FlowConflict:
            self._waiting.doubt(flow_id)
            if (row := self._store.flow(flow_id)) is None:
                message = f"flow {flow_id!r} was not started: another engine has taken this store; start it there"
                raise StoreServed(message) from None
            if row.state in ENDED:
                self._waiting.resolve(flow_id, None)
            return False
        except BaseException:
            self._waiting.doubt(flow_id)
            raise
        return True

    def _resolve_ended(self, flow_id: str, future: "Future[Progress | None]") -> None:
        """Complete the future of a flow that has ended or was stranded before."""
        try:
            row = find(self._store, flow_id)
        except BaseException:
            future.cancel()
            raise
        if row.state in ENDED or row.stranded:
            self._waiting.resolve(flow_id, None)

    def _look(self, row: FlowRow) -> FlowPicture | None:
        """Return how a flow stands here; None if it is not under way here."""
        seen: Future[FlowPicture | None] = Future()
        try:
            self._waiting.hold(seen)
            self._supervisor(row.name).tell(Look(row.id, seen))
            return self.runtime.wait(seen)
        except EngineClosed:
            return None

    def _row(self, laid: Laid, terms: Terms) -> FlowRow:
        now = self.runtime.clock.now()
        return FlowRow(
            id=terms.id if terms.id is not None else new_id(now, self.runtime.entropy),
            uid=new_uid(self.runtime.entropy),
            name=laid.chart.name,
            started=now,
            changed=now,
            tags=_ENCODE(dict(terms.tags)),
            owner="server",
            epoch=self._directory.epoch,
            chart=laid.digest,
            cargo=_ENCODE(laid.cargo),
        )

    def _adopt(self, found: Found, periods: Sequence[tuple[int, int]]) -> None:
        record = self._record(found.row, read_cargo(found.row), found.progress, found.bound)
        record.supervisor.tell(Adopt(record, periods))

    def _record(self, row: FlowRow, cargo: Cargo, progress: Progress, bound: Bound) -> FlowRecord:
        record = FlowRecord(row, cargo, progress, bound, self._supervisor(row.name))
        self._waiting.begin(row.id)
        return record

    def _supervisor(self, name: str) -> Ref:
        return self._directory.andes(name, lambda: self._make_andes(name))

    def _make_andes(self, name: str) -> AndesActor:
        return AndesActor(f"andes:{name}", self.runtime, self._directory, self._rules, self._finish)

    def _finish(self, flow: FlowRecord) -> None:
        flow.finished = not flow.stranded
        self._waiting.resolve(flow.id, None if flow.stranded else flow.progress)
