"""How does a new flow begin?

Its drawing is laid flat and checked, its supervisor writes it down, and whoever started it waits until it is on disk.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from vastflow.actors import FlowRecord
from vastflow.actors.letters import check_same
from vastflow.actors.messages import Begin
from vastflow.course import Progress
from vastflow.course.delta import spring
from vastflow.course.states import ENDED
from vastflow.drawing import Andes
from vastflow.drawing.chart import Cargo
from vastflow.drawing.durations import moment_of
from vastflow.drawing.launcher import Terms
from vastflow.drawing.laying import Laid, lay
from vastflow.engine.identity import check_terms, new_id, new_uid
from vastflow.engine.mail import Posted
from vastflow.engine.works import Works
from vastflow.errors import EngineBusy, FlowConflict, StoreServed
from vastflow.ledger.contract import FlowRow
from vastflow.log import get_logger

__all__ = ["Admission", "Admitted", "begin_row"]

_ENCODE = msgspec.json.Encoder().encode


class Admitted(NamedTuple):
    """A flow that was begun, and when it is on disk; None: one with its id is there already, and is the same.

    Attributes:
        posted: it was asked for in a letter, and may not be taken in yet.
    """

    id: str
    record: FlowRecord | None = None
    written: "Future[None] | None" = None
    posted: Posted | None = None


class Admission:
    """Begins flows."""

    def __init__(self, works: Works) -> None:
        """Know the engine's parts."""
        self._works = works
        self._has_told = False

    def begin(
        self, andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Admitted:
        """Hand a new flow to its supervisor."""
        works = self._works
        now = works.runtime.clock.now()
        check_terms(andes.name, terms, now)
        laid = lay(andes, water, values)
        if terms.id is not None and (taken := works.store.flow(terms.id)) is not None:
            check_same(taken, laid.chart.name, laid.cargo.water)
            return Admitted(taken.id)
        self._book(terms.wait)
        return self._begin(laid, terms)

    def _begin(self, laid: Laid, terms: Terms) -> Admitted:
        """Begin a flow on the place that was booked for it."""
        works = self._works
        written: Future[None] = Future()
        try:
            row, cargo = begin_row(laid, terms, works.runtime.clock.now(), works.runtime.entropy)
            row = msgspec.structs.replace(row, epoch=works.directory.epoch)
            works.waiting.hold(written)
            water = spring(laid.cargo.water)
            progress = Progress(laid.chart, row.uid, water, laid.cargo.anchors, row.deadline, cargo.span)
            record = works.record(row, cargo, progress, laid.bound, booked=True)
        except BaseException:
            works.waiting.places.give_back()
            raise
        written.add_done_callback(lambda done: works.settle_place(row.id, done))
        record.supervisor.tell(Begin(record, row, laid.stored, written))
        return Admitted(row.id, record, written)

    def _book(self, wait: float | None) -> None:
        """Book a place among the flows under way, waiting so many seconds if there is none.

        Raises:
            EngineBusy: there is none.
        """
        places, runtime = self._works.waiting.places, self._works.runtime
        booked = places.book()
        if booked is None:
            return
        if wait is False and booked.cancel():
            raise _busy(places.most)
        self._tell_once(places.most)
        try:
            self._works.waiting.hold(booked)
            runtime.wait(booked, wait)
        except TimeoutError:
            if not booked.cancel():  # it came at the last moment
                return
            raise _busy(places.most) from None
        except BaseException:
            if not booked.cancel() and booked.exception() is None:
                places.give_back()
            raise

    def _tell_once(self, most: int | None) -> None:
        if not self._has_told:
            self._has_told = True
            get_logger("engine").warning("as many flows are under way as may be; starts wait", max_flows=most)

    def await_begin(self, flow_id: str, written: "Future[None]") -> bool:
        """Wait until a new flow is on disk; False: somebody else was faster with its id, and it may be the same."""
        works = self._works
        try:
            works.runtime.wait(written)
        except FlowConflict:
            if (row := works.store.flow(flow_id)) is None:
                message = f"flow {flow_id!r} was not started: another engine has taken this store; start it there"
                raise StoreServed(message) from None
            if row.state in ENDED:
                works.waiting.resolve(flow_id, None)
            return False
        return True


def _busy(most: int | None) -> EngineBusy:
    return EngineBusy(
        f"{most} flows are under way, and this engine takes no more at once (max_flows={most}); nothing was started: "
        "wait for a place with start(wait=seconds), start it later, or make the engine with a larger max_flows"
    )


def begin_row(laid: Laid, terms: Terms, now: int, entropy: Callable[[int], bytes]) -> tuple[FlowRow, Cargo]:
    """Return the row of a new flow, begun at `now` (microseconds) under no epoch yet, and what it brings."""
    deadline, cargo = 0, laid.cargo
    if terms.deadline is not None:
        deadline = moment_of(terms.deadline, now, "start(deadline=...)")
        if not isinstance(terms.deadline, datetime):
            cargo = msgspec.structs.replace(cargo, span=deadline - now)
    not_before = moment_of(terms.not_before, now, "start(not_before=...)") if terms.not_before is not None else 0
    row = FlowRow(
        id=terms.id if terms.id is not None else new_id(now, entropy),
        uid=new_uid(entropy),
        name=laid.chart.name,
        state="init" if not_before > now else "running",
        started=now,
        changed=now,
        tags=_ENCODE(dict(terms.tags)) if terms.tags else b"{}",
        not_before=not_before,
        deadline=deadline,
        owner="server",
        epoch=0,
        chart=laid.digest,
        cargo=_ENCODE(cargo),
    )
    return row, cargo
