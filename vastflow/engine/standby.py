"""What does an engine do that does not serve its store?

It reads, and puts what is asked of it into the inbox; whoever serves the store does it. Its vigil tells whoever waits
here what has become of it, and lets the engine take over when nobody serves any more.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from vastflow.actors.letters import Slip, check_same, raise_for, write_start
from vastflow.actors.probing import PROBE, seen_in, write_inquiry
from vastflow.actors.removal import GC, Removal, count_of, write_removal
from vastflow.course import commands
from vastflow.course.states import ENDED
from vastflow.drawing import Andes
from vastflow.drawing.launcher import Terms
from vastflow.drawing.laying import bind, lay
from vastflow.engine.admission import Admitted, begin_row
from vastflow.engine.identity import check_terms, login
from vastflow.engine.mail import Posted
from vastflow.engine.probe import SILENT, Service
from vastflow.engine.serving import Parts
from vastflow.engine.vigil import Vigil
from vastflow.errors import StoreError, StoreTooNew, StoreUnreadable
from vastflow.ledger.contract import FlowRow, Period
from vastflow.ledger.lock import holder
from vastflow.ledger.reading import FlowStatus, read_chart, read_status
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.why import Silent, Situation

__all__ = ["Standby"]

_PATIENCE = 60.0  # seconds that a removal waits for its answer: it may be of many thousand flows
_ANSWERS = 2.0  # seconds that are waited for the answer to a probe: it comes within one, or not at all
_PORTION = 500  # flows that are asked for in one commit


class _Draft(NamedTuple):
    """The letter that asks for a flow, not posted yet."""

    flow: str
    name: str
    water: Mapping[str, Raw]
    payload: bytes

    def admitted(self, slip: Slip) -> Admitted:
        return Admitted(self.flow, posted=Posted(slip, self.flow, self.name, self.water))


class Standby:
    """Reads a store that others serve, and asks them.

    Attributes:
        store: which it reads; not taken.
        path: of its file.
        trouble: None: whoever serves it knows.
    """

    trouble = None

    def __init__(
        self, parts: Parts, make_store: Callable[[], SQLiteStore], take_over: Callable[[], bool] | None
    ) -> None:
        """Begin to stand by.

        Args:
            parts: of the engine.
            make_store: opens the store, without taking it.
            take_over: lets the engine serve from now on; None: it never does.
        """
        self._parts = parts
        self._make_store = make_store
        self.store = parts.mail.reader = make_store()
        self.path = self.store.path
        self._vigil = Vigil(self, parts.runtime.clock, take_over)

    def renew(self) -> None:
        """Open the store anew, after it could not be taken over."""
        self.store.close()
        self.store = self._parts.mail.reader = self._make_store()

    def launch(
        self, andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> Admitted:
        """Ask for a flow; that is durable when this returns."""
        mail, runtime = self._parts.mail, self._parts.runtime
        draft = self._draft(andes, water, values, terms)
        if terms.id is not None and (taken := mail.row(terms.id)) is not None:
            check_same(taken, draft.name, draft.water)
            return Admitted(taken.id)
        slip = mail.post("start", draft.flow, draft.payload, login(), runtime.clock.now())
        return draft.admitted(slip)

    def launch_many(self, andes: Andes[Any], waters: Iterable[Mapping[str, Any]], terms: Terms) -> list[Admitted]:
        """Ask for a flow for each of these waters, for many in one commit."""
        drafts = (self._draft(andes, water, {}, terms) for water in waters)
        begun: list[Admitted] = []
        while True:
            batch: list[_Draft] = []
            try:
                batch.extend(itertools.islice(drafts, _PORTION))
            finally:  # those before one that is wrong, too
                begun += self._post(batch)
            if len(batch) < _PORTION:
                return begun

    def _post(self, drafts: list["_Draft"]) -> list[Admitted]:
        letters = [("start", draft.flow, draft.payload) for draft in drafts]
        slips = self._parts.mail.post_many(letters, login(), self._parts.runtime.clock.now()) if letters else []
        return [draft.admitted(slip) for slip, draft in zip(slips, drafts, strict=True)]

    def _draft(
        self, andes: Andes[Any], water: Mapping[str, Any] | None, values: Mapping[str, Any], terms: Terms
    ) -> "_Draft":
        runtime = self._parts.runtime
        now = runtime.clock.now()
        check_terms(andes.name, terms, now)
        laid = lay(andes, water, values)
        row, _ = begin_row(laid, terms, now, runtime.entropy)
        return _Draft(row.id, row.name, laid.cargo.water, write_start(row, laid.stored))

    def look_at(self, row: FlowRow) -> FlowStatus:
        """Return how a flow stands in the store."""
        return read_status(self.store, row.id)

    @property
    def service(self) -> Service:
        """Who serves the store, and whether that process gives signs of life."""
        silent = self.silence()
        if silent is None:
            return Service(unserved=self._beat())
        return Service() if silent.beats else Service(silent=silent)

    def silence(self) -> Silent | None:
        """Return who holds the store, and when it gave the last sign of life; None if nobody does."""
        if (pid := holder(self.path)) is None:
            return None
        last = self._beat()
        return Silent(pid, last, beats=self._parts.runtime.clock.now() - last < SILENT)

    def _beat(self) -> int:
        return max((period.ended for period in self.periods(0)), default=0)

    def probe(self, flow_ids: Sequence[str]) -> tuple[Situation, ...] | None:
        """Ask whoever serves the store how those of these flows stand that are under way there."""
        mail, runtime = self._parts.mail, self._parts.runtime
        try:
            slip = mail.post(PROBE, "", write_inquiry(tuple(flow_ids)), login(), runtime.clock.now())
        except StoreError:
            return None  # whoever may not write the inbox reads the store
        answer = mail.await_answer(slip)
        try:
            return seen_in(runtime.wait(answer, _ANSWERS))
        except TimeoutError:
            return None
        finally:
            answer.cancel()

    def is_over(self, row: FlowRow) -> bool:
        """Say whether whoever waits for a flow need not wait: it has ended, or was stranded."""
        return row.state in ENDED or row.stranded != ""

    def command(self, flow_id: str, command: commands.Command, who: str) -> bool | None:
        """Ask for something to be done to a flow.

        Returns:
            None if there is no answer yet: it is durable, and done when the store is served.
        """
        self._parts.mail.find(flow_id)
        return self._parts.mail.command(flow_id, command, who, self._parts.runtime)

    def remove(self, removal: Removal) -> int | None:
        """Ask for flows that have ended to be removed, and wait a while until they are.

        Returns:
            How many they were; None if there is no answer yet: it is done when the store is served.
        """
        mail, runtime = self._parts.mail, self._parts.runtime
        slip = mail.post(GC, "", write_removal(removal), login(), runtime.clock.now())
        answer = mail.await_answer(slip)
        try:
            said = runtime.wait(answer, _PATIENCE)
        except TimeoutError:
            return None
        finally:
            answer.cancel()
        raise_for(said, "", GC)
        return count_of(said)

    def close(self, drain: float) -> bool:
        """Stand by no longer."""
        self._vigil.end()
        quiet = self._parts.runtime.close(drain)
        self._parts.waiting.close()
        self._parts.mail.close()
        self.store.close()
        return quiet

    # For the vigil

    def look(self) -> None:
        """Tell whoever waits here what is to be seen in the store."""
        mail, waiting = self._parts.mail, self._parts.waiting
        mail.look()
        for flow_id in waiting.awaited():
            try:
                row = mail.row(flow_id)
                over = row is not None and self.is_over(row)
            except (StoreUnreadable, StoreTooNew):
                over = True  # whoever waits is told when he reads it himself
            if over:
                waiting.resolve(flow_id, None)

    def periods(self, since: int) -> list[Period]:
        """Return the periods in which the store was served, from then on."""
        return self.store.periods(since) if self._parts.mail.has_store else []

    def knows_all(self) -> bool:
        """Say whether the classes of all flows that can go on are known here."""
        charts = (
            {row.chart: row for row in self.store.unfinished() if not row.stranded}
            if self._parts.mail.has_store
            else {}
        )
        try:
            for digest, row in charts.items():
                bind(read_chart(self.store, row), digest)
        except (StoreError, ImportError, SystemExit):
            return False
        return True
