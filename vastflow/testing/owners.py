"""Does a store know whose it is, and since when?"""

from msgspec.structs import replace

from vastflow.errors import StoreServed
from vastflow.ledger.contract import FlowQuery, Owner, Period, Store
from vastflow.testing.candidate import Candidate
from vastflow.testing.samples import EVENING, MORNING, batch, expect, fact, facts, flow, ids, move

__all__ = ["Owners"]

_HOUR = 3_600_000_000


class Owners(Candidate):
    """What `take`, `claim`, `beat` and the epochs promise."""

    def followed(self) -> tuple[Store, Owner, Owner]:
        """Return a store with a flow of its first owner and one that ended, and both owners; the second has it."""
        store, first = self.new()
        store.commit(
            batch(
                first,
                charts={"h": b"chart"},
                flows=[flow("a", first), flow("b", first)],
                facts=facts("a", first, 2),
                moves=[move("b")],
            )
        )
        again, second = self.next(store, EVENING)
        return again, first, second

    def test_the_first_owner_has_epoch_one(self) -> None:
        """And has written nothing yet."""
        _, owner = self.new()

        expect("the owner", owner, Owner(name="engine", epoch=1, batch=0))

    def test_each_opening_is_one_epoch_more(self) -> None:
        """Whatever the owners are called."""
        _, first, second = self.followed()

        expect("the second", second, Owner(name="next-engine", epoch=first.epoch + 1, batch=0))

    def test_the_next_owner_finds_everything_that_was_committed(self) -> None:
        """Recovery is reading the same state again."""
        store, first, _ = self.followed()

        expect("the rows", ids(store.flows(FlowQuery())), ["b", "a"])
        expect("the row", store.flow("a"), flow("a", first))
        expect("the facts", store.facts("a"), facts("a", first, 2))
        expect("the chart", store.chart("h"), b"chart")
        expect("the unfinished", ids(store.unfinished()), ["a"])

    def test_numbers_of_batches_begin_anew_with_each_epoch(self) -> None:
        """And the earlier epoch's last one is still known."""
        store, first, second = self.followed()
        expect("at first", store.last_batch(second.epoch), 0)

        store.commit(batch(second, 1))
        store.commit(batch(second, 2))

        expect("the second's", store.last_batch(second.epoch), 2)
        expect("the first's", store.last_batch(first.epoch), 1)

    def test_flows_that_were_not_claimed_are_not_the_owners(self) -> None:
        """What is written of them is dropped and named; the rest of the batch is written."""
        store, first, second = self.followed()

        lost = store.commit(
            batch(
                second,
                flows=[flow("c", second)],
                facts=[fact("a", 3, second), fact("c", 1, second)],
                moves=[move("a"), move("b")],
            )
        )

        expect("lost", lost, frozenset({"a", "b"}))
        expect("its row", store.flow("a"), flow("a", first))
        expect("its facts", store.facts("a"), facts("a", first, 2))
        expect("the rest", store.facts("c"), facts("c", second, 1))

    def test_a_claimed_flow_is_the_owners(self) -> None:
        """Its name and epoch stand in the row, and it may write; unknown ids are nobody's."""
        store, first, second = self.followed()

        store.claim(["a", "nobody"], second)
        lost = store.commit(batch(second, facts=[fact("a", 3, second)]))

        expect("lost", lost, frozenset())
        expect("the row", store.flow("a"), replace(flow("a", first), owner=second.name, epoch=second.epoch))
        expect("the facts", store.facts("a"), [*facts("a", first, 2), fact("a", 3, second)])
        expect("nobody", store.flow("nobody"), None)

    def test_the_opening_begins_a_served_period_and_beats_move_its_end(self) -> None:
        """The end never goes back."""
        store, first = self.new()
        expect("at first", store.periods(), [Period(first.epoch, MORNING, MORNING)])

        store.beat(first.epoch, MORNING + _HOUR)
        store.beat(first.epoch, MORNING)

        expect("then", store.periods(), [Period(first.epoch, MORNING, MORNING + _HOUR)])
        expect("the latest", store.latest(), MORNING + _HOUR)

    def test_periods_are_read_oldest_first_from_where_one_asks(self) -> None:
        """Those that end at or after the moment asked for."""
        store, first = self.new()
        store.beat(first.epoch, MORNING + _HOUR)
        store, second = self.next(store, EVENING)
        early, late = Period(first.epoch, MORNING, MORNING + _HOUR), Period(second.epoch, EVENING, EVENING)

        expect("all", store.periods(), [early, late])
        expect("the end counts", store.periods(MORNING + _HOUR), [early, late])
        expect("later", store.periods(MORNING + _HOUR + 1), [late])
        expect("later still", store.periods(EVENING + 1), [])

    def test_a_beat_of_an_epoch_that_is_over_changes_nothing(self) -> None:
        """Nor does one of an epoch that never was."""
        store, first, second = self.followed()

        store.beat(first.epoch, EVENING + 1)
        store.beat(second.epoch + 1, EVENING + 1)

        expect("periods", store.periods(), [Period(1, MORNING, MORNING), Period(2, EVENING, EVENING)])
        expect("the latest", store.latest(), EVENING)

    def test_the_latest_time_survives_the_owner(self) -> None:
        """So a clock set back does not rewind a store."""
        store, first = self.new()
        store.commit(batch(first, flows=[flow("a", first)], facts=[fact("a", 1, first, at=EVENING)]))

        again, _ = self.next(store, MORNING)

        expect("the latest", again.latest(), EVENING)

    def test_an_epoch_that_is_over_writes_nothing(self) -> None:
        """Not even what it began itself or what nobody claimed: all of its batch is named as lost."""
        store, first, second = self.followed()

        lost = store.commit(
            batch(
                first,
                2,
                charts={"i": b"late"},
                flows=[flow("late", first)],
                facts=[fact("a", 3, first)],
                moves=[move("b", "fail")],
            )
        )

        expect("lost", lost, frozenset({"a", "b", "late"}))
        expect("its new flow", store.flow("late"), None)
        expect("the facts", store.facts("a"), facts("a", first, 2))
        expect("the chart", store.chart("i"), None)
        expect("its last batch", store.last_batch(first.epoch), 1)
        expect("the owner's", store.last_batch(second.epoch), 0)

    def test_an_epoch_that_is_over_claims_nothing(self) -> None:
        """It is told that another engine has the store."""
        store, first, _ = self.followed()

        try:
            store.claim(["a"], first)
        except StoreServed:
            expect("the row", store.flow("a"), flow("a", first))
            return
        raise AssertionError("an epoch that is over claimed a flow")

    def test_closing_may_come_twice(self) -> None:
        """And before anything was done."""
        store, _ = self.new()
        untouched = self.make()

        for each in (store, store, untouched, untouched):
            each.close()
