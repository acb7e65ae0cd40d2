"""How does a new flow begin?

Its drawing is laid flat and checked, its supervisor writes it down, and whoever started it waits until it is on disk.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from vastflow.actors import FlowRecord
from vastflow.actors.messages import Begin
from vastflow.course import Progress
from vastflow.course.delta import spring
from vastflow.course.states import ENDED
from vastflow.drawing import Andes
from vastflow.drawing.chart import Cargo
from vastflow.drawing.durations import moment_of
from vastflow.drawing.launcher import Terms
from vastflow.drawing.laying import Laid, lay
from vastflow.engine.identity import check_same, check_terms, new_id, new_uid
from vastflow.engine.works import Works
from vastflow.errors import FlowConflict, StoreServed
from vastflow.ledger.contract import FlowRow

__all__ = ["Admission", "Admitted"]

_ENCODE = msgspec.json.Encoder().encode


class Admitted(NamedTuple):
    """A flow that was begun, and when it is on disk; None: one with its id is there already, and is the same."""

    id: str
    record: FlowRecord | None = None
    written: "Future[None] | None" = None


class Admission:
    """Begins flows."""

    def __init__(self, works: Works) -> None:
        """Know the engine's parts."""
        self._works = works

    def begin(
        self, andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Admitted:
        """Hand a new flow to its supervisor."""
        works = self._works
        now = works.runtime.clock.now()
        check_terms(andes.name, terms, now)
        laid = lay(andes, water, values)
        row, cargo = self._row(laid, terms, now)
        if terms.id is not None and (taken := works.store.flow(terms.id)) is not None:
            check_same(taken, row.name, laid.cargo.water)
            return Admitted(row.id)
        written: Future[None] = Future()
        works.waiting.hold(written)
        progress = Progress(laid.chart, row.uid, spring(laid.cargo.water), laid.cargo.anchors, row.deadline, cargo.span)
        record = works.record(row, cargo, progress, laid.bound)
        record.supervisor.tell(Begin(record, row, laid.stored, written))
        return Admitted(row.id, record, written)

    def await_begin(self, flow_id: str, written: "Future[None]") -> bool:
        """Wait until a new flow is on disk; False: somebody else was faster with its id, and it may be the same."""
        works = self._works
        try:
            works.runtime.wait(written)
        except FlowConflict:
            works.waiting.doubt(flow_id)
            if (row := works.store.flow(flow_id)) is None:
                message = f"flow {flow_id!r} was not started: another engine has taken this store; start it there"
                raise StoreServed(message) from None
            if row.state in ENDED:
                works.waiting.resolve(flow_id, None)
            return False
        except BaseException:
            works.waiting.doubt(flow_id)
            raise
        return True

    def _row(self, laid: Laid, terms: Terms, now: int) -> tuple[FlowRow, Cargo]:
        entropy = self._works.runtime.entropy
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
            epoch=self._works.directory.epoch,
            chart=laid.digest,
            cargo=_ENCODE(cargo),
        )
        return row, cargo
