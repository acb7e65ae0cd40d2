"""How do the parts go together?

An engine is one way to a store: it serves it, running its flows, or stands by while another process does. What can be
asked of it is the same.
"""

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar, cast, overload
from urllib.parse import quote

from vastflow.actors.ledger import Trouble
from vastflow.clock import SystemClock
from vastflow.course import Rules, commands
from vastflow.drawing import Andes, Headwaters
from vastflow.drawing.durations import Duration, Moment
from vastflow.drawing.launcher import Terms
from vastflow.engine.admission import Admission, Admitted
from vastflow.engine.flow import Flow
from vastflow.engine.forks import outlive_forks
from vastflow.engine.hooks import Hooks, Notice
from vastflow.engine.identity import check_states, login, refusal_of
from vastflow.engine.mail import Mail
from vastflow.engine.metrics import Metrics
from vastflow.engine.places import Places
from vastflow.engine.questions import Questions
from vastflow.engine.retention import REMOVED, removal_of
from vastflow.engine.serving import Parts, Serving
from vastflow.engine.standby import Standby
from vastflow.engine.waiting import Waiting
from vastflow.engine.works import Works
from vastflow.errors import EngineError, StoreError, StoreServed
from vastflow.ledger import default_url
from vastflow.ledger.contract import FlowQuery, Store
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.locate import open_store
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.log import Masker, get_logger
from vastflow.runtime import Real, Runtime

__all__ = ["Engine"]

W = TypeVar("W", bound=Headwaters)


class Engine(Questions):
    """One way to a store: it serves the store and runs its flows, or stands by while another process does.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory:`; None for `VASTFLOW_STORE`, else
            `sqlite:///vastflow.db`.
        store: a store that is open already, instead of a url; it is served.
        serve: None: serve the store if nobody does; else stand by, and take over when nobody does any more. True:
            serve it, or raise. False: never serve it.
        max_flows: so many flows may be under way at once in this engine; then starts wait for a place. The default
            keeps what a loop of starts needs below about 0.8 gigabytes; None for any number.
        jitter: share by which waits vary, 0.0 to 0.5.
        cancel_grace: seconds a cancelled body may take before it is abandoned.
        crash_limit: how often a running body may be interrupted by the death of its process; then it is run alone,
            and if that interrupts it again, its flow is stranded.
        resources: what bodies get by `self.resource(name)`: clients, pools, whatever cannot be stored.
        secrets: patterns of keys whose values are masked, instead of the usual ones.
        runtime: what gives actors their threads; for tests.

    Raises:
        StoreServed: another engine serves this store, and `serve=True`.
        StoreError: it is no store, or was written by a newer release.
    """

    def __init__(  # noqa: PLR0913  # keyword-only settings
        self,
        url: str | None = None,
        *,
        store: Store | None = None,
        serve: bool | None = None,
        max_flows: int | None = 100_000,
        jitter: float = 0.1,
        cancel_grace: float = 10.0,
        crash_limit: int = 2,
        resources: Mapping[str, Any] | None = None,
        secrets: Iterable[str] | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Serve the store and go on with what is unfinished in it, or stand by."""
        self.closed = False
        self._closing = threading.RLock()
        self._quiet = True
        self.runtime: Runtime = runtime or Real(SystemClock())
        self.masker = Masker(tuple(secrets)) if secrets is not None else Masker()
        self._log = get_logger("engine")
        self._waiting = Waiting(Places(max_flows))
        self._url = url or default_url()
        opened = store or open_store(self._url)
        inbox = Inbox(opened.path) if isinstance(opened, SQLiteStore) else None
        self._mail = Mail(opened, inbox, self._waiting)
        ticket = itertools.count(1).__next__
        rules = Rules(ticket, jitter, cancel_grace, self.masker.matches, crash_limit, refusal_of)
        self._hooks = Hooks(self.masker)
        self._parts = Parts(self.runtime, rules, self.masker, resources or {}, self._waiting, self._mail, self._hooks)
        self._role = self._begin(opened, serve=serve, lent=store is not None)
        outlive_forks(self)

    def _begin(self, store: Store, *, serve: bool | None, lent: bool) -> Serving | Standby:
        """Serve or stand by; let go of the store if neither is to be, unless it is somebody's who lent it."""
        can_stand_by = isinstance(store, SQLiteStore) and not lent
        if serve is False and not can_stand_by:
            message = "serve=False needs a store which another process can serve: give the url of a sqlite:/// store"
            raise EngineError(message)
        try:
            if serve is not False:
                return Serving(self._parts, store)
        except BaseException as error:
            if serve is None and can_stand_by and isinstance(error, StoreServed):
                self._log.info("engine stands by", served=str(error))
                return self._stand_by(store, takes_over=True)
            if not lent:
                store.close()
            raise
        return self._stand_by(store, takes_over=False)

    def _stand_by(self, store: Store, *, takes_over: bool) -> Standby:
        """Stand by; the store is opened by its whole path from now on, wherever this process may go."""
        path = store.path if isinstance(store, SQLiteStore) else ""
        store.close()
        query = self._url.partition("?")[2]
        url = f"sqlite:///{quote(path)}{'?' if query else ''}{query}"
        return Standby(
            self._parts, lambda: cast("SQLiteStore", open_store(url)), self._take_over if takes_over else None
        )

    def _take_over(self) -> bool:
        """Serve from now on; False if the engine is closing."""
        if not self._closing.acquire(blocking=False):
            return False
        try:
            standby = self._role
            if self.closed or not isinstance(standby, Standby):
                return False
            self._role = self._replace(standby)
        finally:
            self._closing.release()
        self._log.info("engine has taken over")
        with suppress(StoreError):
            standby.look()  # what was done under the one before is told to those who wait
        return True

    def _replace(self, standby: Standby) -> Serving:
        try:
            return Serving(self._parts, standby.store)
        except StoreServed:  # somebody was faster: it was not even taken
            raise
        except StoreError:
            standby.renew()
            raise
        except BaseException:
            self.close(drain=0.0)  # its actors have begun and cannot begin again
            raise

    @property
    def _works(self) -> Works:
        """What it serves with, while it does."""
        return self._serving.works

    @property
    def _admission(self) -> Admission:
        """Who begins its flows, while it serves."""
        return self._serving.admission

    @property
    def _serving(self) -> Serving:
        if not isinstance(self._role, Serving):
            raise EngineError("this engine does not serve its store")
        return self._role

    @property
    def serves(self) -> bool:
        """Whether it serves the store at present; if not, it stands by."""
        return isinstance(self._role, Serving) and not self.closed

    @property
    def trouble(self) -> Trouble | None:
        """That the store cannot be written at present, and why; None while it can. Whoever stands by does not know."""
        return self._role.trouble

    def start(  # noqa: PLR0913  # keyword-only terms
        self,
        andes: Andes[W],
        water: W | Mapping[str, Any] | None = None,
        *,
        id: str | None = None,  # noqa: A002  # the word users look for
        tags: Mapping[str, str] | None = None,
        not_before: Moment | None = None,
        deadline: Moment | None = None,
        wait: float | None = None,
        **values: Any,
    ) -> Flow[W]:
        """Start a flow; it is on disk when this returns.

        If another process serves the store, it is on disk in the inbox, and begins when it is taken in from there.

        Args:
            andes: the drawing.
            water: the starting water.
            id: an idempotency key: the same id with the same drawing's name and the same water gives the flow there is.
            tags: text by text, to find the flow by.
            not_before: it begins then, not earlier: seconds from now, "2h", a timedelta, or an aware datetime.
            deadline: it is ended then as by a cancel, with outcome fail; the same.
            wait: seconds to wait at most while `max_flows` are under way; None: as long as it takes, False: not at
                all. A body that starts flows should say so, or it may wait for itself.
            **values: more water, by key.

        Raises:
            DrawingError: the drawing or the water is wrong; all faults are named.
            FlowConflict: the id belongs to a flow that was started differently.
            EngineBusy: there was no place for it among the flows under way.
            EngineClosed: the engine was closed.
            StoreServed: another engine has taken the store meanwhile.
        """
        return self.launch(andes, water, values, Terms(id, tags or {}, not_before, deadline, wait))

    def start_many(
        self, andes: Andes[W], waters: Iterable[W | Mapping[str, Any]], *, wait: float | None = None
    ) -> list[Flow[W]]:
        """Start a flow for each of these waters, in few commits; all are on disk when this returns.

        Args:
            andes: the drawing.
            waters: the starting waters.
            wait: seconds to wait at most for the place of each, as in `start`.

        Raises:
            DrawingError: one of the waters is wrong; those before it have been started.
            EngineBusy: there was no place for one of them; those before it have been started.
            EngineClosed: the engine was closed.
        """
        self._waiting.refuse_closed()
        begun = self._role.launch_many(andes, waters, Terms(wait=wait))
        return [self._handle(each, andes.water) for each in begun]

    def launch(
        self, andes: Andes[W], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Flow[W]:
        """Start a flow on these terms; `start` says more."""
        self._waiting.refuse_closed()
        return self._handle(self._role.launch(andes, water, values, terms), andes.water)

    def _handle(self, begun: Admitted, water: type[W]) -> Flow[W]:
        return Flow(self, begun.id, water, begun.record, begun.posted)

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
        self._find(flow_id)
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
        """Return handles on the flows in the store, the newest first; those in the inbox are not among them yet.

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

    def command(self, flow_id: str, command: commands.Command, who: str | None = None) -> bool | None:
        """Do something that is asked of a flow from outside; it is on disk when this returns. `Flow` has it by name.

        Returns:
            True if it was done, False if it was so already; None if another process serves the store and has not
            answered within 5 seconds: it is done when it is taken in.

        Raises:
            CommandRefused: it cannot be done as the flow stands.
            FlowNotFound: there is no such flow.
            FlowStranded: it cannot go on.
        """
        self._waiting.refuse_closed()
        return self._role.command(flow_id, command, who or login())

    def gc(self, *, older_than: Duration, states: Sequence[str] = REMOVED) -> int | None:
        """Remove flows that have ended, with all that is theirs, in portions between which other flows go on.

        With a flow its id goes, too: a start with the same id begins a new one. A flow stays that something is asked
        of in the inbox.

        Args:
            older_than: so long ago they must have ended: seconds, "30d", or a timedelta.
            states: and so: success, fail, cancelled. Those that failed stay unless this says otherwise.

        Returns:
            How many were removed; None if another process serves the store and has not answered within a minute: it
            is done when it is taken in.

        Raises:
            ValueError: that is no duration, or flows do not end so.
            StoreError: the store cannot be written now; some may have been removed.
        """
        self._waiting.refuse_closed()
        return self._role.remove(removal_of(older_than, states, self.runtime.clock.now()))

    def on(self, kind: str, callback: Callable[[Notice], Any]) -> Callable[[], None]:
        """Call a callback whenever something of this kind has happened to a flow that this engine runs.

        It is called after that is on disk, on a thread which all callbacks share, in the order of each flow. What it
        raises is logged; while callbacks are slower than what happens, some of it is not told, and that is logged.

        Args:
            kind: what happened, by its name in the journal: started, flowed, failed, ended ...; "*" for all.
            callback: gets a `Notice`.

        Returns:
            A function that ends it.

        Raises:
            ValueError: nothing of this kind ever happens.
        """
        self._waiting.refuse_closed()
        return self._hooks.on(kind, callback)

    def metrics(self) -> Metrics:
        """Return what this engine has done since it was made, and what it has under way."""
        return self._hooks.counts.metrics(
            serves=self.serves,
            trouble=self.trouble is not None,
            flows=len(self._waiting.places),
            stats=self.runtime.stats(),
        )

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the store as it stands into a new file (mode 0600), while it is served or not.

        Raises:
            StoreError: there is a file of that name already, it cannot be written, or the store has no file.
        """
        self.reader.backup(os.fspath(path))

    def close(self, drain: float = 5.0) -> bool:
        """Stop serving, or standing by: no cancel, flows go on when the store is served again. May come twice.

        Args:
            drain: seconds that running bodies get to end.

        Returns:
            True if no body was left running.
        """
        with self._closing:  # who comes second waits until the store can be opened again
            if not self.closed:
                self.closed = True
                self._quiet = self._role.close(drain)
                self._hooks.close()
                self._log.info("engine closed", quiet=self._quiet)
            return self._quiet

    def forked(self) -> None:
        """Be of no use in the child of a fork, and harm nothing there: all it has is the parent's."""
        self._closing = threading.RLock()  # whoever held it lives in the parent only
        self.closed = True
        self._mail.renew()
        self._waiting.refuse_forked()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()
