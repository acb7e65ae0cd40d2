"""Does a store keep what it was given, whole and once?"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from vastflow.errors import BatchRefused
from vastflow.ledger.contract import Batch, Store
from vastflow.testing.candidate import Candidate
from vastflow.testing.samples import EVENING, MORNING, batch, expect, fact, facts, flow, move

__all__ = ["Commits"]

_WRITTEN = 60
_MANY = 300
_PATIENCE = 30.0


class Commits(Candidate):
    """What `commit` promises."""

    def test_all_columns_of_a_flow_come_back_as_they_were_given(self) -> None:
        """A row is read as it was written."""
        store, owner = self.new()
        full = flow(
            "order-17 \u00e9 \U0001f30a \x00",
            owner,
            state="undoing",
            outcome="fail",
            stranded="why",
            flags=b'["paused"]',
            ended=0,
            tags=b'{"team":"x"}',
            not_before=3,
            deadline=4,
            rules=5,
            version=6,
            parent="above",
            priority=-7,
            labels=b'{"l":"m"}',
            cargo=bytes(range(256)),
        )

        store.commit(batch(owner, flows=[full]))

        expect("the row", store.flow(full.id), full)

    def test_all_columns_of_a_fact_come_back_as_they_were_given(self) -> None:
        """A fact is read as it was written."""
        store, owner = self.new()
        plain = fact("a", 1, owner)
        full = fact("a", 2, owner, round=2, address="east/x[3]", run=4, attempt=0, who="me", version=9, payload=b"\0")

        store.commit(batch(owner, flows=[flow("a", owner)], facts=[plain, full]))

        expect("the facts", store.facts("a"), [plain, full])

    def test_facts_are_read_in_order_from_where_one_asks(self) -> None:
        """However commits were interleaved."""
        store, owner = self.new()
        store.commit(batch(owner, flows=[flow("a", owner), flow("b", owner)], facts=facts("a", owner, 2)))
        store.commit(batch(owner, 2, facts=[*facts("b", owner, 12), *facts("a", owner, 12, first=3)]))

        expect("all", [row.number for row in store.facts("a")], list(range(1, 13)))
        expect("after 10", store.facts("a", after=10), facts("a", owner, 12, first=11))
        expect("after the last", store.facts("a", after=12), [])
        expect("of nobody", store.facts("nobody"), [])

    def test_charts_flows_facts_and_moves_of_one_batch_are_written_together(self) -> None:
        """In that order, so a move may be about a flow begun in the same batch."""
        store, owner = self.new()

        lost = store.commit(
            batch(
                owner, charts={"h": b"chart"}, flows=[flow("a", owner)], facts=facts("a", owner, 1), moves=[move("a")]
            )
        )

        row = store.flow("a")
        expect("lost", lost, frozenset())
        expect("the chart", store.chart("h"), b"chart")
        expect("the facts", store.facts("a"), facts("a", owner, 1))
        expect("the state", row and row.state, "success")

    def test_a_batch_of_many_flows_and_facts_is_kept_whole(self) -> None:
        """As a busy ledger hands them over."""
        store, owner = self.new()
        names = [f"flow-{number}" for number in range(_MANY)]
        written = {name: facts(name, owner, 4) for name in names}

        store.commit(
            batch(
                owner,
                flows=[flow(name, owner) for name in names],
                facts=[each for kept in zip(*written.values(), strict=True) for each in kept],
            )
        )

        expect("the facts", {name: store.facts(name) for name in names}, written)
        expect("the unfinished", len(store.unfinished()), _MANY)

    def test_a_chart_that_is_there_is_left_as_it_is(self) -> None:
        """Charts are named by what is in them."""
        store, owner = self.new()
        store.commit(batch(owner, charts={"h": b"first"}))
        store.commit(batch(owner, 2, charts={"h": b"second", "i": b"other"}))

        expect("the chart", store.chart("h"), b"first")
        expect("the other", store.chart("i"), b"other")
        expect("an unknown one", store.chart("j"), None)

    def test_the_last_move_of_a_batch_wins_whole(self) -> None:
        """A move sets all it carries and nothing else."""
        store, owner = self.new()
        begun = flow("a", owner, tags=b'{"k":"v"}')
        first = move("a", "undoing", outcome="fail", stranded="no class", flags=b'["cancelling"]', changed=5, ended=0)
        last = move("a", "fail", outcome="fail", changed=7, ended=8)

        store.commit(batch(owner, flows=[begun]))
        store.commit(batch(owner, 2, moves=[first, last]))

        wanted = replace(begun, state="fail", outcome="fail", changed=7, ended=8)
        expect("the row", store.flow("a"), wanted)

    def test_a_fact_written_twice_refuses_its_whole_batch(self) -> None:
        """(flow, number) is unique, and a batch is all or nothing."""
        store, owner = self.new()
        store.commit(batch(owner, flows=[flow("a", owner)], facts=facts("a", owner, 1)))
        bad = batch(
            owner, 2, charts={"h": b"h"}, flows=[flow("b", owner)], facts=facts("a", owner, 1), moves=[move("a")]
        )

        _refused(store, bad)

        expect("the facts", store.facts("a"), facts("a", owner, 1))
        expect("the new flow", store.flow("b"), None)
        expect("the chart", store.chart("h"), None)
        expect("the unmoved row", store.flow("a"), flow("a", owner))
        expect("the last batch", store.last_batch(owner.epoch), 1)

    def test_a_batch_that_holds_something_twice_is_refused(self) -> None:
        """And the next one is not hindered by it."""
        store, owner = self.new()
        store.commit(batch(owner, flows=[flow("a", owner)]))

        _refused(store, batch(owner, 2, facts=[fact("a", 1, owner), fact("a", 1, owner)]))
        _refused(store, batch(owner, 2, flows=[flow("b", owner), flow("b", owner)]))

        expect("lost", store.commit(batch(owner, 2, facts=facts("a", owner, 1))), frozenset())
        expect("the facts", store.facts("a"), facts("a", owner, 1))

    def test_a_taken_id_is_named_and_nothing_of_it_is_written(self) -> None:
        """The rest of the batch is."""
        store, owner = self.new()
        store.commit(batch(owner, flows=[flow("a", owner, name="first")], facts=facts("a", owner, 1)))

        lost = store.commit(
            batch(
                owner,
                2,
                flows=[flow("a", owner, name="second"), flow("b", owner)],
                facts=[*facts("a", owner, 2, first=2), *facts("b", owner, 1)],
                moves=[move("a"), move("b")],
            )
        )

        row, other = store.flow("a"), store.flow("b")
        expect("lost", lost, frozenset({"a"}))
        expect("the first one's row", row, flow("a", owner, name="first"))
        expect("its facts", store.facts("a"), facts("a", owner, 1))
        expect("the other's state", other and other.state, "success")
        expect("the other's facts", store.facts("b"), facts("b", owner, 1))

    def test_facts_and_moves_of_a_flow_nobody_began_are_lost(self) -> None:
        """What has no row belongs to nobody."""
        store, owner = self.new()

        lost = store.commit(batch(owner, facts=facts("x", owner, 1), moves=[move("y")]))

        expect("lost", lost, frozenset({"x", "y"}))
        expect("its facts", store.facts("x"), [])
        expect("the batch is counted", store.last_batch(owner.epoch), 1)

    def test_each_batch_leaves_its_number(self) -> None:
        """So that after an unclear commit one can ask."""
        store, owner = self.new()
        expect("before the first", store.last_batch(owner.epoch), 0)

        for number in (1, 2, 3):
            store.commit(batch(owner, number))
            expect("the last batch", store.last_batch(owner.epoch), number)

        expect("of an epoch that never was", store.last_batch(owner.epoch + 1), 0)

    def test_the_latest_time_follows_facts_flows_and_moves(self) -> None:
        """Whichever is the latest; never back."""
        store, owner = self.new()
        expect("after the opening", store.latest(), MORNING)

        times = [
            batch(owner, 1, flows=[flow("a", owner, started=EVENING)]),
            batch(owner, 2, facts=[fact("a", 1, owner, at=EVENING + 1)]),
            batch(owner, 3, moves=[move("a", changed=EVENING + 2, ended=0)]),
            batch(owner, 4, facts=[fact("a", 2, owner, at=MORNING)]),
        ]
        found = [(store.commit(written), store.latest())[1] for written in times]

        expect("the latest", found, [EVENING, EVENING + 1, EVENING + 2, EVENING + 2])

    def test_readers_see_whole_batches_while_others_are_written(self) -> None:
        """Each batch here adds two facts to a flow; nobody ever sees an odd number, or fewer than before."""
        store, owner = self.new()
        store.commit(batch(owner, flows=[flow("a", owner)]))
        done = threading.Event()
        seen: list[list[int]] = [[], []]

        def read(numbers: list[int]) -> None:
            more = True
            while more:
                # Once more after the last commit, so that each thread has read at least once.
                more = not done.is_set()
                numbers.append(len(store.facts("a")))

        with _running(read, seen, done):
            for number in range(1, _WRITTEN, 2):
                store.commit(batch(owner, number + 1, facts=facts("a", owner, number + 1, first=number)))

        for numbers in seen:
            expect("the end", numbers[-1], _WRITTEN)
            expect("halves of batches", [number for number in numbers if number % 2], [])
            expect("their order", numbers, sorted(numbers))


def _refused(store: Store, bad: Batch) -> None:
    try:
        store.commit(bad)
    except BatchRefused:
        return
    raise AssertionError(f"a batch that cannot be written was not refused: {bad!r}")


@contextmanager
def _running(job: Callable[[list[int]], None], seen: list[list[int]], done: threading.Event) -> Iterator[None]:
    """Run the job in a thread for each list until the block ends."""
    threads = [threading.Thread(target=job, args=(numbers,), daemon=True) for numbers in seen]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join(_PATIENCE)
