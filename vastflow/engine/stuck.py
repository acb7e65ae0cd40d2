"""Which flows are stuck?

Only unfinished flows are looked at: those that run in this process, or in the one that serves the store, are asked for
there; of a store that nobody serves all are stuck, and only those are read that are told.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from vastflow.drawing.durations import Duration, seconds
from vastflow.engine.mail import Mail
from vastflow.engine.probe import Probing, Service
from vastflow.ledger.contract import FlowQuery, FlowRow
from vastflow.why import Why
from vastflow.why.stuckness import is_stuck

__all__ = ["age_of", "stuck"]

_UNFINISHED = ("init", "running", "undoing", "ending")
_PAGE = 1000
_PORTION = 200  # flows that are asked about in one letter
_SECOND = 1_000_000


def age_of(older_than: Duration) -> float:
    """Return how long flows must have made no fact, in seconds.

    Raises:
        ValueError: that is no duration.
    """
    try:
        age = seconds(older_than)
    except ValueError as error:
        message = f"older_than={older_than!r} is not possible: {error}"
        raise ValueError(message) from None
    if age < 0:
        message = f"older_than={older_than!r} is below zero: write for how long nothing must have happened"
        raise ValueError(message)
    return age


def stuck(probing: Probing, mail: Mail, age: float, now: int, limit: int) -> list[Why]:
    """Return why flows are stuck that have made no fact for `age` seconds, the longest first, `limit` at most."""
    before = now - round(age * _SECOND)
    service, _ = probing.probe(())
    waiting = [*_not_taken_in(probing, mail, service, before, limit)]
    rows = [row for row in _unfinished(mail) if row.changed <= before]
    rows.sort(key=lambda row: row.changed)
    unserved = service.unserved is not None and service.unserved <= before
    told = (why for why in _asked(probing, rows[:limit] if unserved else rows) if is_stuck(why, age))
    return sorted([*waiting, *told], key=lambda why: -why.idle)[:limit]


def _asked(probing: Probing, rows: Sequence[FlowRow]) -> Iterator[Why]:
    for begin in range(0, len(rows), _PORTION):
        portion = rows[begin : begin + _PORTION]
        service, live = probing.probe(portion)
        for row in portion:
            yield probing.why_of(row, service, live.get(row.id))


def _unfinished(mail: Mail) -> Iterator[FlowRow]:
    query: FlowQuery | None = FlowQuery(states=_UNFINISHED, limit=_PAGE) if mail.has_store else None
    while query is not None:
        rows = mail.reader.flows(query)
        yield from rows
        query = FlowQuery(states=_UNFINISHED, limit=_PAGE, after=rows[-1].id) if len(rows) == _PAGE else None


def _not_taken_in(probing: Probing, mail: Mail, service: Service, before: int, limit: int) -> Iterator[Why]:
    """Yield the flows that were asked for so long ago, and are in the inbox still."""
    letters = mail.inbox.letters(0, _PAGE) if mail.inbox is not None else []
    starts = (letter for letter in letters if letter.kind == "start" and letter.at <= before)
    return (probing.why_asked_for(letter, service) for letter in islice(starts, limit))
