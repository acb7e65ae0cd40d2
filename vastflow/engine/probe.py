"""Why does a flow stand where it stands?

Whoever runs it is asked: its supervisor here, or by a letter the process that serves the store, which answers within a
second. What nobody runs is read from the store. Nothing is changed by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from vastflow.actors.ledger import Trouble
from vastflow.clock import from_moment
from vastflow.course.states import ENDED
from vastflow.engine.mail import Mail
from vastflow.errors import StoreTooNew, StoreUnreadable
from vastflow.ledger.contract import FlowRow, Reader
from vastflow.ledger.inbox import Letter
from vastflow.ledger.reading import read_progress
from vastflow.why import Around, Silent, Situation, StoreTrouble, Why, tell_why
from vastflow.why.situation import situation

__all__ = ["Probing", "Role", "Service", "service_of"]

SILENT = 5_000_000  # microseconds: a served store beats once a second


@dataclass(frozen=True, slots=True)
class Service:
    """Who serves the store, as `Around` says it.

    Attributes:
        trouble: it cannot be written.
        unserved: since when nobody does, microseconds; 0: nobody ever did; None: somebody does.
        silent: whoever does gives no sign of life, or does not answer.
        full: no place is free for one more flow.
    """

    trouble: StoreTrouble | None = None
    unserved: int | None = None
    silent: Silent | None = None
    full: bool = False


class Role(Protocol):
    """An engine's way to a store, serving it or standing by."""

    @property
    def service(self) -> Service:
        """Who serves the store at present."""

    def probe(self, flow_ids: Sequence[str]) -> tuple[Situation, ...] | None:
        """Return how those of these flows stand that are under way; None if whoever serves does not answer."""

    def silence(self) -> Silent | None:
        """Return who does not answer; None if nobody serves any more."""


def service_of(trouble: Trouble | None, *, full: bool) -> Service:
    """Return who serves the store, from inside the engine that does."""
    if trouble is None:
        return Service(full=full)
    told = StoreTrouble(from_moment(trouble.since), trouble.tried, trouble.error, trouble.waiting)
    return Service(told, full=full)


class Probing:
    """Asks why flows stand where they stand."""

    def __init__(self, role: Role, mail: Mail, now: int, store: str) -> None:
        """Ask this engine, at this time.

        Args:
            role: serves or stands by.
            mail: the inbox.
            now: microseconds.
            store: how a command line names the store; empty for the usual one.
        """
        self._role = role
        self._mail = mail
        self._now = now
        self._store = store

    def why(self, flow_id: str) -> Why:
        """Return why one flow stands where it stands.

        Raises:
            FlowNotFound: there is none.
        """
        found = self._mail.find(flow_id)
        if isinstance(found, Letter):
            return self.why_asked_for(found, self._role.service)
        service, live = self.probe([found])
        row = found if live else self._mail.find(flow_id)  # it may have ended meanwhile
        return self.why_of(row if isinstance(row, FlowRow) else found, service, live.get(flow_id))

    def probe(self, rows: Iterable[FlowRow]) -> tuple[Service, dict[str, Situation]]:
        """Return who serves the store, and how those of these flows stand that are under way there."""
        service = self._role.service
        flow_ids = [row.id for row in rows if row.state not in ENDED and not row.stranded]
        if not flow_ids or service.unserved is not None:
            return service, {}
        seen = self._role.probe(flow_ids)
        if seen is None:
            return replace(service, silent=self._role.silence()), {}
        return replace(service, silent=None), {each.flow: each for each in seen}

    def why_of(self, row: FlowRow, service: Service, live: Situation | None) -> Why:
        """Return why a flow of the store stands so; `live`: as whoever runs it says."""
        seen, stranded = (live, row.stranded) if live is not None else self._read(row)
        who, asked = self._who(row.id, seen)
        around = Around(
            now=max(self._now, seen.at),
            store=self._store,
            trouble=service.trouble,
            unserved=service.unserved,
            silent=service.silent,
            who=who,
            asked=asked,
            stranded=stranded,
            started=row.started,
            not_before=row.not_before,
            ended=row.ended,
        )
        return tell_why(seen, around)

    def why_asked_for(self, letter: Letter, service: Service) -> Why:
        """Return why a flow has not begun that is asked for in a letter."""
        around = Around(
            now=self._now,
            store=self._store,
            trouble=service.trouble,
            unserved=service.unserved,
            silent=service.silent,
            letter=letter.at,
            full=service.full,
        )
        return tell_why(Situation(flow=letter.flow, name="", state="init"), around)

    def _read(self, row: FlowRow) -> tuple[Situation, str]:
        """Return how a flow stands in the store, and why it is stranded."""
        reader = self._mail.reader
        try:
            return situation(row.id, read_progress(reader, row), self._now), row.stranded
        except (StoreUnreadable, StoreTooNew) as error:
            return Situation(flow=row.id, name=row.name, state=row.state), row.stranded or str(error)

    def _who(self, flow_id: str, seen: Situation) -> tuple[str, int]:
        """Return who paused or cancels a flow, and when, as its journal says."""
        kind = "paused" if seen.paused else "cancelling" if seen.cancelling else ""
        return _last(self._mail.reader, flow_id, kind) if kind else ("", 0)


def _last(reader: Reader, flow_id: str, kind: str) -> tuple[str, int]:
    for fact in reversed(reader.facts(flow_id)):
        if fact.kind == kind:
            return fact.who, fact.at
    return "", 0
