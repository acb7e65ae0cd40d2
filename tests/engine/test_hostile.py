"""Does a store that somebody has damaged cost more than the flow that was damaged?

Every column of every table, every field of every record, every kind of damage: `tests/ledger/hostile.py` has the
damages, `hostile_store.py` the store, `ordeal.py` what must hold.
"""

import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.hostile_store import ENDS, LATER, NEW, clone, make, number_of, put, tables_of
from tests.engine.ordeal import ADVICE, Ordeal, unsafe
from tests.ledger.hostile import CELLS, FIELDS, field_paths, mutated, with_field
from tests.ledger.hostile import Path as Way
from vastflow import Engine
from vastflow.drawing.laying import bind
from vastflow.errors import StoreTooNew, StoreUnreadable
from vastflow.ledger import open_reader
from vastflow.ledger.contract import FactRow, FlowQuery, FlowRow
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.migration import VERSION, steps
from vastflow.ledger.reading import read_cargo, read_chart, read_events, read_status

V1B = Path(__file__).parents[1] / "stores" / "v1b.db"
"""A store in whose journals every kind of fact stands."""

OF_A_FLOW = {"flows": "no", "cargoes": "flow", "facts": "flow"}
"""The tables whose rows are one flow's, and the column that says which."""

OF_THE_STORE = frozenset({"owner", "periods"})
"""The tables without which no store can be served."""


def columns() -> list[tuple[str, str]]:
    """Return every column of every table there is today."""
    with closing(sqlite3.connect(":memory:")) as link:
        for statement in steps(0, VERSION):
            link.execute(statement)
        return [(table, column) for table, known in tables_of(link).items() for column, _ in known]


class Stores:
    """Stores that were prepared once, and copies of them to be damaged."""

    def __init__(self, folder: Path) -> None:
        """Make the six flows' store."""
        self._folder = folder
        self._numbers = iter(range(1_000_000))
        self._many: dict[tuple[str, int], Path] = {}
        self.six = folder / "six.db"
        make(self.six)
        self.two = self._changed(self.six, _leave_two)

    def many(self, flow: str, names: Mapping[str, Any]) -> Path:
        """Return a store with another flow like this one for each of the damages, `damage-0` and so on."""

        def more(link: sqlite3.Connection) -> None:
            for number, _ in enumerate(names):
                clone(link, flow, f"damage-{number}")

        if (flow, len(names)) not in self._many:
            self._many[flow, len(names)] = self._changed(self.six, more)
        return self._many[flow, len(names)]

    def _changed(self, store: Path, change: Callable[[sqlite3.Connection], object]) -> Path:
        path = Path(shutil.copy(store, self._folder / f"{next(self._numbers)}.db"))
        with closing(sqlite3.connect(path)) as link, link:
            link.execute("PRAGMA synchronous = OFF")
            link.text_factory = _text_or_bytes
            change(link)
        return path

    def ordeal(self, store: Path, change: Callable[[sqlite3.Connection], object], **settings: Any) -> Ordeal | None:
        """Let a copy be damaged and go through its ordeal; None if SQLite cannot hold the damage."""
        damaged: dict[str, str] = settings.pop("damaged", {})
        refused = False

        def spoil(link: sqlite3.Connection) -> None:
            nonlocal refused
            refused = change(link) is False

        path = self._changed(store, spoil)
        try:
            return None if refused else Ordeal(path, damaged, **settings)
        finally:
            for left in self._folder.glob(f"{path.name}*"):
                left.unlink()


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _leave_two(link: sqlite3.Connection) -> None:
    for flow in ENDS.keys() - {"well", "cycling"}:
        number = number_of(link, flow)
        for table, column in OF_A_FLOW.items():
            link.execute(f"DELETE FROM {table} WHERE {column} = ?", (number,))  # noqa: S608  # names of the schema
    link.execute("DELETE FROM charts WHERE hash NOT IN (SELECT chart FROM flows)")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """Prepare the stores, and load every page that looking at them needs."""
    made = Stores(tmp_path_factory.mktemp("hostile"))
    for name in ("control characters", "no utf-8", "huge"):
        for column in ("name", "state"):
            spoil = _spoiling("flows", column, CELLS[name], "id = 'cycling'")
            made.ordeal(made.two, spoil, damaged={"cycling": name, "well": name})
    made.ordeal(made.six, lambda _link: None)
    return made


def _spoiling(
    table: str, column: str, damage: Callable[[Any], Any], where: str = "TRUE"
) -> Callable[[sqlite3.Connection], bool]:
    def spoil(link: sqlite3.Connection) -> bool:
        (old,) = link.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()  # noqa: S608  # names of the schema
        return put(link, table, column, damage(old), where)

    return spoil


def _named(faults: list[str], damages: Mapping[str, Any]) -> str:
    """Return the faults as text, in which the damages have their names."""
    told = "\n".join(faults)
    for number, name in reversed(list(enumerate(damages))):
        told = told.replace(f"damage-{number}", f"<{name}>")
    return told


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(("table", "column"), [each for each in columns() if each[0] in OF_A_FLOW])
def test_a_damaged_cell_costs_its_own_flow_at_most(stores: Stores, table: str, column: str) -> None:
    def spoil(link: sqlite3.Connection) -> None:
        for number, damage in enumerate(CELLS.values()):
            where = f"{OF_A_FLOW[table]} = {number_of(link, f'damage-{number}')}"
            _spoiling(table, column, damage, f"{where} AND number = 2" if table == "facts" else where)(link)

    damaged = {f"damage-{number}": name for number, name in enumerate(CELLS)}
    went = stores.ordeal(stores.many("cycling", CELLS), spoil, damaged=damaged)

    assert went is not None
    assert not went.faults, _named(went.faults, CELLS)
    assert not went.refused


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(("table", "column"), [each for each in columns() if each[0] in {*OF_THE_STORE, "charts"}])
def test_a_damaged_cell_of_the_store_itself_costs_nothing_or_is_refused_with_advice(
    stores: Stores, table: str, column: str
) -> None:
    for name, damage in CELLS.items():
        of_one = table == "charts"
        where = "hash = (SELECT chart FROM flows WHERE id = 'cycling')" if of_one else "TRUE"

        went = stores.ordeal(
            stores.two, _spoiling(table, column, damage, where), damaged={"cycling": name} if of_one else {}
        )

        assert went is None or not went.faults, f"{name}: {went.faults}"
        assert went is None or not went.refused or table in OF_THE_STORE, f"{name}: {went.refused}"


@pytest.mark.promise("10.9")
@pytest.mark.parametrize(
    ("table", "column"), [each for each in columns() if each[0] not in {*OF_A_FLOW, *OF_THE_STORE, "charts"}]
)
def test_a_damaged_cell_of_any_other_table_costs_nothing(stores: Stores, table: str, column: str) -> None:
    def spoil(link: sqlite3.Connection) -> None:
        known = [name for name, _ in tables_of(link)[table]]
        told = [":number" if name == "no" else name for name in known]
        for number, damage in enumerate(CELLS.values(), 1000):
            link.execute(
                f"INSERT INTO {table} SELECT {','.join(told)} FROM {table} LIMIT 1",  # noqa: S608  # names of the schema
                {"number": number},
            )
            _spoiling(table, column, damage, f"no = {number}")(link)

    went = stores.ordeal(stores.two, spoil)

    assert went is not None
    assert not went.faults
    assert not went.refused


class Looking:
    """A reader of one flow, of which anything may have been damaged."""

    def __init__(self, row: FlowRow, chart: bytes, facts: list[FactRow]) -> None:
        """Hold what is to be read."""
        self.row, self._chart, self._facts = row, chart, facts

    def flow(self, _flow_id: str) -> FlowRow:
        """Return the row."""
        return self.row

    def facts(self, _flow_id: str, after: int = 0) -> list[FactRow]:
        """Return the facts."""
        return [fact for fact in self._facts if fact.number > after]

    def chart(self, _digest: str) -> bytes:
        """Return the chart."""
        return self._chart

    def with_chart(self, chart: bytes) -> "Looking":
        """Return a reader which has this chart, under the name that is its."""
        return Looking(replace(self.row, chart=hashlib.sha256(chart).hexdigest()), chart, self._facts)

    def with_fact(self, number: int, payload: bytes) -> "Looking":
        """Return a reader of whose facts one says this."""
        facts = [fact._replace(payload=payload) if fact.number == number else fact for fact in self._facts]
        return Looking(self.row, self._chart, facts)

    def faults(self) -> Iterator[str]:
        """Look at all there is to see, and say what should not be."""
        reader: Any = self
        try:
            status = read_status(reader, self.row.id)
            read_events(reader, self.row.id)
            if not self.row.stranded and unsafe(status.stranded):
                yield f"stranded with a control character: {status.stranded!r}"
            if status.stranded and not ADVICE.search(status.stranded):
                yield f"stranded without advice: {status.stranded}"
            bind(read_chart(reader, self.row), self.row.chart).streams(read_cargo(self.row))
        except (StoreUnreadable, StoreTooNew) as error:
            if not ADVICE.search(str(error)):
                yield f"no advice: {error}"
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a fault
            yield f"{type(error).__name__}: {error}"


def _read(path: Path) -> list[Looking]:
    """Return the flows of a store, those with the shortest journals first."""
    with closing(open_reader(f"sqlite:///{path}")) as reader:
        rows = reader.flows(FlowQuery())
        found = [Looking(row, reader.chart(row.chart) or b"", reader.facts(row.id)) for row in rows]
    return sorted(found, key=lambda each: len(each.facts("")))


def _shape(way: Way) -> Way:
    return tuple(0 if isinstance(step, int) else step for step in way)


def _fact_fields(flows: list[Looking]) -> dict[tuple[str, Way], tuple[Looking, FactRow, Way]]:
    """Return where each field of each kind of fact stands."""
    found: dict[tuple[str, Way], tuple[Looking, FactRow, Way]] = {}
    for flow in flows:
        for fact in flow.facts(""):
            for way in field_paths(fact.payload):
                found.setdefault((fact.kind, _shape(way)), (flow, fact, way))
    return found


FACT_FIELDS = _fact_fields(_read(V1B))


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("kind", sorted({kind for kind, _ in FACT_FIELDS}))
def test_a_damaged_field_of_a_fact_makes_its_flow_unreadable_at_most(kind: str) -> None:
    for (of_kind, _), (flow, fact, way) in FACT_FIELDS.items():
        for name, raw in FIELDS.items() if of_kind == kind else ():
            found = list(flow.with_fact(fact.number, with_field(fact.payload, way, raw)).faults())

            assert not found, f"{way}, {name}: {found}"


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("of", ["cargo", "chart"])
def test_a_damaged_field_of_what_a_flow_began_with_makes_it_unreadable_at_most(stores: Stores, of: str) -> None:
    flow = next(each for each in _read(stores.six) if each.row.id == "entangled")
    stored = flow.row.cargo if of == "cargo" else flow.chart("")
    ways = {_shape(way)[-3:]: way for way in field_paths(stored)}
    for way in ways.values():
        for name, raw in FIELDS.items():
            damaged = with_field(stored, way, raw)
            spoilt = flow.with_chart(damaged)
            if of == "cargo":
                spoilt = Looking(replace(flow.row, cargo=damaged), flow.chart(""), flow.facts(""))

            found = list(spoilt.faults())

            assert not found, f"{way}, {name}: {found}"


def _without(table: str, where: str = "TRUE") -> str:
    return f"DELETE FROM {table} WHERE {where}"  # noqa: S608  # names of the schema


_OF = "(SELECT no FROM flows WHERE id = 'cycling')"
ROWS = {
    "its row is gone": _without("flows", "id = 'cycling'"),
    "its cargo is gone": _without("cargoes", f"flow = {_OF}"),
    "its chart is gone": _without("charts", "hash = (SELECT chart FROM flows WHERE id = 'cycling')"),
    "its journal is gone": _without("facts", f"flow = {_OF}"),
    "its first fact is gone": _without("facts", f"flow = {_OF} AND number = 1"),
    "a fact in the middle is gone": _without("facts", f"flow = {_OF} AND number = 2"),
    "its last fact is gone": _without("facts", f"flow = {_OF} AND number = 3"),
    "a fact stands twice": f"INSERT INTO facts SELECT * FROM facts WHERE flow = {_OF} AND number = 2",  # noqa: S608  # only our own names are put in
    "all facts stand twice": f"INSERT INTO facts SELECT * FROM facts WHERE flow = {_OF}",  # noqa: S608  # only our own names are put in
    "a fact stands again under the next number": (
        "INSERT INTO facts SELECT flow, 4, round, address, run, attempt, kind, at, epoch, who, version, payload "  # noqa: S608  # only our own names are put in
        f"FROM facts WHERE flow = {_OF} AND number = 2"
    ),
    "two facts have changed places": (
        f"UPDATE facts SET number = CASE number WHEN 1 THEN 2 ELSE 1 END WHERE flow = {_OF} AND number < 3"  # noqa: S608  # only our own names are put in
    ),
    "it has another flow's journal": (
        "INSERT INTO facts SELECT (SELECT no FROM flows WHERE id = 'cycling'), number + 3, round, address, run, "
        "attempt, kind, at, epoch, who, version, payload FROM facts WHERE flow = (SELECT no FROM flows WHERE id = 'well')"  # noqa: E501  # one damage, one line
    ),
    "it has another flow's chart": (
        "UPDATE flows SET chart = (SELECT chart FROM flows WHERE id = 'well') WHERE id = 'cycling'"
    ),
    "its journal says that it has ended": (
        "INSERT INTO facts SELECT (SELECT no FROM flows WHERE id = 'cycling'), number, round, address, run, attempt, "
        "kind, at, epoch, who, version, payload FROM facts WHERE number > 3 AND flow = "
        "(SELECT no FROM flows WHERE id = 'well')"
    ),
    "its row says that it has ended": "UPDATE flows SET ended = 7 WHERE id = 'cycling'",
    "its row says how it ended": "UPDATE flows SET state = 'success' WHERE id = 'cycling'",
}
"""What can be done to the rows of one flow."""


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("damage", ROWS)
def test_rows_that_are_gone_doubled_or_exchanged_cost_their_own_flow_at_most(stores: Stores, damage: str) -> None:
    def spoil(link: sqlite3.Connection) -> None:
        link.execute("DROP INDEX facts_by_flow")
        link.execute(ROWS[damage])

    damaged = {} if damage == "its row is gone" else {"cycling": damage}
    went = stores.ordeal(stores.two, spoil, damaged=damaged)

    assert went is not None
    assert not went.faults, went.faults
    assert not went.refused


FORMS = {
    **{f"{table} is gone": f"DROP TABLE {table}" for table in {table for table, _ in columns()}},
    **{f"{table}.{column} is gone": f"ALTER TABLE {table} RENAME {column} TO x" for table, column in columns()},
    "an index is gone": "DROP INDEX flows_by_state",
    "flows is a view": "ALTER TABLE flows RENAME TO f; CREATE VIEW flows AS SELECT * FROM f",
    "there are two owners": "INSERT INTO owner SELECT 2, name, epoch, batch, latest FROM owner",
    "there is no owner": "DELETE FROM owner",
    "there are no periods": "DELETE FROM periods",
    "the owner is behind the periods": "UPDATE owner SET epoch = 0",
    "it is of another program": "PRAGMA application_id = 7",
    "it is newer": "PRAGMA user_version = 999",
    "it is of no form": "PRAGMA user_version = 0",
    "it is of a form below": "PRAGMA user_version = -1",
    "it is of a form before": "PRAGMA user_version = 1",
}
"""What can be done to the form of a store."""


@pytest.mark.promise("10.9")
@pytest.mark.parametrize("damage", sorted(FORMS))
def test_a_store_whose_form_was_changed_is_opened_or_refused_with_advice(stores: Stores, damage: str) -> None:
    def spoil(link: sqlite3.Connection) -> None:
        link.executescript(FORMS[damage])

    went = stores.ordeal(stores.two, spoil, whole=False)

    assert went is not None
    assert not went.faults, went.faults


LETTERS = ("at", "who", "kind", "flow", "payload")


@pytest.fixture(scope="module")
def letters(stores: Stores) -> dict[str, bytes]:
    """Return the letter that asks for a start, and one that asks for a signal, as another process writes them."""
    url = f"sqlite:///{stores.two}"
    with Engine(url, serve=False) as engine, closing(Inbox(stores.two)) as inbox:
        engine.start(NEW, {"image": "debian"}, id="asked", tags={"team": "storage"}, deadline="900d")
        (start,) = inbox.letters()
    Path(f"{stores.two}-inbox").unlink()
    return {"start": start.payload, "signal": b'{"name":"paid","value":{"by":"ann"},"id":"hook-1"}'}


def _post(path: Path, kind: str, payload: bytes, numbers: int) -> None:
    with closing(Inbox(path)) as inbox:
        for number in range(numbers):
            inbox.put(kind, f"damage-{number}" if kind == "start" else "cycling", payload, "ann", LATER)


def _go_through_letters(
    path: Path, what: str, damages: Mapping[str, Any], spoil: Callable[[sqlite3.Connection], object]
) -> None:
    inbox = Path(f"{path}-inbox")
    with closing(sqlite3.connect(inbox)) as link, link:
        link.execute("PRAGMA synchronous = OFF")
        link.text_factory = _text_or_bytes
        spoil(link)

    went = Ordeal(path, {f"damage-{number}": name for number, name in enumerate(damages)})

    assert not went.faults, f"{what}: {_named(went.faults, damages)}"
    assert not went.refused


@pytest.fixture(scope="module")
def posted(stores: Stores, letters: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in whose inbox lie two letters for each of the damages."""
    path = Path(shutil.copy(stores.two, tmp_path_factory.mktemp("posted") / "flows.db"))
    for kind, payload in letters.items():
        _post(path, kind, payload, len(CELLS))
    return path


@pytest.mark.promise("10.9", "11.2")
@pytest.mark.parametrize("column", LETTERS)
def test_a_damaged_letter_costs_what_it_asks_for_at_most(posted: Path, tmp_path: Path, column: str) -> None:
    path = Path(shutil.copy(posted, tmp_path))
    shutil.copy(f"{posted}-inbox", tmp_path)

    def spoil(link: sqlite3.Connection) -> None:
        for number, damage in enumerate([*CELLS.values()] * 2, 1):
            _spoiling("letters", column, damage, f"no = {number}")(link)

    _go_through_letters(path, column, CELLS, spoil)


@pytest.mark.slow
@pytest.mark.promise("10.9", "11.2")
@pytest.mark.parametrize("kind", ["start", "signal"])
def test_a_damaged_field_of_a_letter_costs_what_it_asks_for_at_most(
    stores: Stores, letters: Mapping[str, bytes], tmp_path: Path, kind: str
) -> None:
    ways = {_shape(way)[-3:]: way for way in field_paths(letters[kind])}
    for index, way in enumerate(ways.values()):
        path = Path(shutil.copy(stores.two, tmp_path / f"{index}.db"))
        _post(path, kind, letters[kind], len(FIELDS))

        def spoil(link: sqlite3.Connection, way: Way = way) -> None:
            for number, raw in enumerate(FIELDS.values(), 1):
                link.execute(
                    "UPDATE letters SET payload = ? WHERE no = ?", (with_field(letters[kind], way, raw), number)
                )

        _go_through_letters(path, str(way), FIELDS, spoil)


def _scratched(stored: bytes, chance: random.Random) -> bytes:
    """Return a file in which something is not what was written."""
    raw = bytearray(stored)
    match chance.randrange(5):
        case 0:
            del raw[chance.randrange(len(raw)) :]
        case 1:
            at = chance.randrange(0, len(raw), 4096)
            raw[at : at + 4096] = chance.choice((bytes(4096), chance.randbytes(4096)))
        case 2:
            raw[: chance.randrange(1, 100)] = b""
        case _:
            for _ in range(chance.choice((1, 3, 30, 300))):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


def _go_through_scratches(stores: Stores, tmp_path: Path, seeds: range) -> None:
    whole = stores.two.read_bytes()
    for seed in seeds:
        path = tmp_path / f"{seed}.db"
        path.write_bytes(_scratched(whole, random.Random(seed)))  # noqa: S311 - chance, not secrecy

        went = Ordeal(path, {}, whole=False)

        assert not went.faults, f"seed {seed}: {went.faults}"


@pytest.mark.promise("10.9")
def test_a_file_that_was_scratched_is_opened_or_refused_with_advice(stores: Stores, tmp_path: Path) -> None:
    _go_through_scratches(stores, tmp_path, range(20))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.promise("10.9")
@pytest.mark.parametrize("first", range(1000, 2000, 100))
def test_however_a_file_was_scratched_it_is_opened_or_refused_with_advice(
    stores: Stores, tmp_path: Path, first: int
) -> None:
    _go_through_scratches(stores, tmp_path, range(first, first + 100))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.promise("10.9")
@pytest.mark.parametrize(("table", "column"), [each for each in columns() if each[0] in {*OF_A_FLOW, "charts"}])
def test_one_damaged_cell_of_one_flow_of_six_costs_that_flow_at_most(stores: Stores, table: str, column: str) -> None:
    for (name, damage), flow in zip(CELLS.items(), cycle(sorted(ENDS)), strict=False):
        # Two flows were drawn alike, so they have one chart.
        flows = _sharing(stores.six, flow) if table == "charts" else {flow}
        spoil = _spoiling(table, column, damage, _last_of(table, flow))

        went = stores.ordeal(stores.six, spoil, damaged=dict.fromkeys(flows, f"{table}.{column}"))

        assert went is None or not went.faults, f"{name} of {flow}: {went.faults}"
        assert went is None or not went.refused, f"{name} of {flow}: {went.refused}"


def _last_of(table: str, flow: str) -> str:
    """Return the condition for the one row of a flow in a table; of its facts, for the last."""
    of = f"(SELECT no FROM flows WHERE id = '{flow}')"  # noqa: S608  # one of ENDS
    if table == "charts":
        return f"hash = (SELECT chart FROM flows WHERE no = {of})"  # noqa: S608  # the same
    last = f" AND number = (SELECT max(number) FROM facts WHERE flow = {of})" if table == "facts" else ""  # noqa: S608  # the same
    return f"{OF_A_FLOW[table]} = {of}{last}"


def _sharing(path: Path, flow: str) -> set[str]:
    with closing(sqlite3.connect(path)) as link:
        asked = "SELECT id FROM flows WHERE chart = (SELECT chart FROM flows WHERE id = ?)"
        return {found for (found,) in link.execute(asked, (flow,))}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.promise("10.9")
@pytest.mark.parametrize("part", range(12))
def test_a_damaged_field_of_any_record_costs_its_own_flow_at_most(stores: Stores, part: int) -> None:
    flow = next(each for each in _read(stores.six) if each.row.id == "entangled")
    damaged = {f"damage-{number}": name for number, name in enumerate(FIELDS)}
    many = stores.many("entangled", FIELDS)
    for where, spoil in list(_field_spoilers(flow))[part::12]:

        def all_of_them(link: sqlite3.Connection, spoil: Any = spoil) -> None:
            for number, raw in enumerate(FIELDS.values()):
                spoil(link, number_of(link, f"damage-{number}"), raw)

        went = stores.ordeal(many, all_of_them, damaged=damaged)

        assert went is not None
        assert not went.faults, f"{where}: {_named(went.faults, FIELDS)}"
        assert not went.refused


Spoiler = Callable[[sqlite3.Connection, int, bytes | None], None]


def _field_spoilers(flow: Looking) -> Iterator[tuple[str, Spoiler]]:
    """Return how each field of all that is stored of a flow is damaged in another that is like it."""
    for way in field_paths(flow.row.cargo):
        yield f"cargo {way}", partial(_spoil_cargo, flow.row.cargo, way)
    for way in {_shape(way)[-3:]: way for way in field_paths(flow.chart(""))}.values():
        yield f"chart {way}", partial(_spoil_chart, flow.chart(""), way)
    for (kind, _), (_, fact, way) in _fact_fields([flow]).items():
        yield f"{kind} {way}", partial(_spoil_fact, fact, way)


def _spoil_cargo(cargo: bytes, way: Way, link: sqlite3.Connection, number: int, raw: bytes | None) -> None:
    link.execute("UPDATE cargoes SET cargo = ? WHERE flow = ?", (with_field(cargo, way, raw), number))


def _spoil_chart(chart: bytes, way: Way, link: sqlite3.Connection, number: int, raw: bytes | None) -> None:
    stored = with_field(chart, way, raw)
    digest = hashlib.sha256(stored).hexdigest()
    link.execute("INSERT INTO charts (hash, chart) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", (digest, stored))
    link.execute("UPDATE flows SET chart = ? WHERE no = ?", (digest, number))


def _spoil_fact(fact: FactRow, way: Way, link: sqlite3.Connection, number: int, raw: bytes | None) -> None:
    payload = with_field(fact.payload, way, raw)
    link.execute("UPDATE facts SET payload = ? WHERE flow = ? AND number = ?", (payload, number, fact.number))


def _go_through_chances(stores: Stores, seeds: range) -> None:
    cells = columns()
    for seed in seeds:
        chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
        table, column = chance.choice(cells)
        flow = chance.choice(sorted(ENDS))
        spoil = partial(_spoil_by_chance, chance, table, column, flow)
        of_flows = _sharing(stores.six, flow) if table == "charts" else {flow} if table in OF_A_FLOW else set()

        # A wrong time of the store's own cannot be told from a true one, and all its flows go by it.
        whole = table not in OF_THE_STORE
        went = stores.ordeal(stores.six, spoil, damaged=dict.fromkeys(of_flows, f"{table}.{column}"), whole=whole)

        assert went is None or not went.faults, f"seed {seed}, {table}.{column} of {flow}: {went.faults}"
        assert went is None or not went.refused or table in OF_THE_STORE, f"seed {seed}: {went.refused}"


def _spoil_by_chance(chance: random.Random, table: str, column: str, flow: str, link: sqlite3.Connection) -> bool:
    where = "TRUE"
    if table in OF_A_FLOW:
        where = f"{OF_A_FLOW[table]} = {number_of(link, flow)}"
    elif table == "charts":
        where = f"hash = (SELECT chart FROM flows WHERE id = '{flow}')"  # noqa: S608  # one of ENDS
    (row,) = chance.choice(link.execute(f"SELECT {_ROWID.get(table, 'rowid')} FROM {table} WHERE {where}").fetchall())  # noqa: S608  # names of the schema
    one = f"{_ROWID.get(table, 'rowid')} = {row}"
    others = {number_of(link, other) for other in ENDS.keys() - {flow}}
    found = _spoiling(table, column, lambda old: mutated(old, chance), one)(link)
    # What comes to another flow by it has damaged two.
    return found and not (
        column == OF_A_FLOW.get(table)
        and link.execute(f"SELECT {column} FROM {table} WHERE {one}").fetchone() in {(other,) for other in others}  # noqa: S608  # names of the schema
    )


_ROWID = {"answer": "no"}  # of a table without


@pytest.mark.promise("10.9")
def test_a_few_cells_damaged_by_chance_cost_their_own_flows_at_most(stores: Stores) -> None:
    _go_through_chances(stores, range(20))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.promise("10.9")
@pytest.mark.parametrize("first", range(10_000, 20_000, 200))
def test_ten_thousand_cells_damaged_by_chance_cost_their_own_flows_at_most(stores: Stores, first: int) -> None:
    _go_through_chances(stores, range(first, first + 200))
