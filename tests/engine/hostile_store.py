"""Which store is damaged?

Six flows, all under one Andes' name and so under one supervisor: two have ended, one polls, one undoes, one is paused,
and one stands in the middle of all that a drawing can have. None needs anything but time (and a resume) to end.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.engine.scenes import drawn, nothing, puts, raises, river, simulated
from tests.ledger.hostile import Text
from tests.stores.make_v1b import copy
from vastflow import Basin, Continue, Fail, ParallelRiver
from vastflow.drawing import storable
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.runtime import Simulated

__all__ = ["ENDS", "FAST", "LATER", "NEW", "clone", "make", "number_of", "put", "rows_of", "tables_of"]

ENDS = {
    "well": "success",
    "ill": "fail",
    "cycling": "success",
    "undoing": "fail",
    "paused": "success",
    "entangled": "success",
}
"""How each flow ends if nobody has damaged it."""

FAST = "power-loss-may-break-the-file"
"""How carefully these stores are written: no power fails in a test."""

LATER = Simulated().clock.now() + 60_000_000
"""When these stores are opened again: a minute after the flows were started, microseconds."""


@storable(registered_as="tests.engine.hostile.disk")
@dataclass(frozen=True)
class Disk:
    """Something of the user's own in the water."""

    size: int
    price: Decimal


def _poll(_self: Any, water: Any) -> None:
    water["polls"] = water.get("polls", 0) + 1
    if water["polls"] < 3:
        raise Continue("building")


def _unwilling(self: Any, water: Any) -> None:
    water["tried"] = self.attempt
    if self.attempt < 2:
        raise RuntimeError("it is still attached")


def _paid(self: Any, water: Any) -> None:
    if (paid := self.signal("paid")) is None:
        raise Continue("not paid")
    water["paid"] = paid


def _saves(self: Any, water: Any) -> None:
    water["kept"] = self.attempt
    self.save()
    if self.attempt == 1:
        raise RuntimeError("again")


_slow = river("slow", nothing, _poll, cycle_interval=1, cycle_times=9)
NEW = drawn(river("new", puts(new=1)))
"""What is started in a store that was damaged."""

_well = drawn(river("makes", puts(vm="vm-1")), _slow)
_ill = drawn(river("done", puts(a=1), undo=nothing), river("breaks", raises(Fail("no", code="quota"))))
_undoing = drawn(river("stubborn", puts(a=1), undo=_unwilling, undo_interval=5), river("breaks", raises(Fail("no"))))
_inner = Basin(
    "east",
    river("saves", _saves, retry_times=2, retry_interval=1, undo=nothing),
    ParallelRiver(river("left", puts(x=1)), river("right", puts(y=2), when=lambda _self, _water: True)),
    river("skipped", nothing, when=lambda _self, _water: False),
    outputs={"kept": "kept"},
)
_each = ParallelRiver.each(
    "items", river("row", puts(row=1), _poll, cycle_interval=1, cycle_times=9), item="item", collect=["row"]
)
_waits = river("waits", nothing, _paid, signals=("paid",), cycle_interval=3600, cycle_times=99, undo=nothing)
_entangled = drawn(_inner, _each, river("once", raises(Fail("no", code="quota"))), _waits, _slow)


def _play() -> MemoryStore:
    """Play until two flows have ended and four have not."""
    store, runtime = MemoryStore(), Simulated()
    engine = simulated(store, runtime)
    engine.start(_well, {"image": "debian"}, id="well", tags={"team": "storage"}).wait()
    engine.start(_ill, id="ill").wait()
    water = {"items": [1, 2], "disk": Disk(10, Decimal("19.90")), "tags": {"a", "b"}, "much": 1 << 70}
    entangled = engine.start(_entangled, water, id="entangled", tags={"team": "storage"}, deadline="900d")
    entangled.wait()
    entangled.set("size", 20, who="ann")
    entangled.complete("once", held=True, who="ann")
    entangled.retry(who="ann")
    paused = engine.start(drawn(_slow), {"image": "debian"}, id="paused")
    engine.start(drawn(_slow), {"image": "debian"}, id="cycling", deadline="900d")
    engine.start(_undoing, id="undoing")
    runtime.advance(0.5)
    paused.pause(who="ann")
    entangled.signal("later", {"by": "ann"}, id="hook-16", who="bank")
    entangled.signal("paid", {"by": "ann"}, id="hook-17", who="bank")
    runtime.advance(0.5)
    runtime.crash()
    return store


def make(path: Path) -> None:
    """Make the store."""
    with closing(SQLiteStore(path, FAST)) as target:
        copy(_play(), target)
    with closing(sqlite3.connect(path)) as link, link:
        _loosen(link)
        for table, columns in tables_of(link).items():
            if not link.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:  # noqa: S608  # names of the schema
                values = [{"INTEGER": 1, "TEXT": "x"}.get(kind, b"{}") for _, kind in columns]
                link.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)  # noqa: S608  # the same


def _loosen(link: sqlite3.Connection) -> None:
    """Let every cell be NULL: a damaged file asks for no constraint."""
    link.execute("PRAGMA writable_schema = ON")
    link.execute("UPDATE sqlite_master SET sql = replace(replace(sql, ' NOT NULL', ''), ' CHECK (one = 1)', '')")
    link.execute("PRAGMA writable_schema = RESET")


def number_of(link: sqlite3.Connection, flow: str) -> int:
    """Return the number by which a store knows a flow."""
    (found,) = link.execute("SELECT no FROM flows WHERE id = ?", (flow,)).fetchone()
    return int(found)


def clone(link: sqlite3.Connection, flow: str, name: str) -> None:
    """Add another flow like one of those there are."""
    (new,) = link.execute("SELECT max(no) + 1 FROM flows").fetchone()
    bound = {"new": new, "name": name, "old": number_of(link, flow)}
    for table, column in (("flows", "no"), ("cargoes", "flow"), ("facts", "flow")):
        columns = [{column: ":new", "id": ":name"}.get(known, known) for known, _ in tables_of(link)[table]]
        link.execute(f"INSERT INTO {table} SELECT {','.join(columns)} FROM {table} WHERE {column} = :old", bound)  # noqa: S608  # names of the schema


def put(link: sqlite3.Connection, table: str, column: str, value: Any, where: str = "TRUE") -> bool:
    """Let a cell hold this value; False if SQLite cannot hold it there."""
    mark, bound = ("CAST(? AS TEXT)", value.raw) if isinstance(value, Text) else ("?", value)
    try:
        link.execute(f"UPDATE {table} SET {column} = {mark} WHERE {where}", (bound,))  # noqa: S608  # names of the schema
    except (sqlite3.IntegrityError, OverflowError):
        return False
    return True


def tables_of(link: sqlite3.Connection) -> dict[str, list[tuple[str, str]]]:
    """Return the columns of every table there is, with the types they were declared with."""
    names = [name for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: [(column, kind) for _, column, kind, *_ in link.execute(f"PRAGMA table_info({name})")]
        for name in names
        if not name.startswith("sqlite_")
    }


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that is in a store, table by table."""
    with closing(sqlite3.connect(path)) as link:
        names = tables_of(link)
        link.text_factory = bytes
        return {name: link.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608  # names of the schema
