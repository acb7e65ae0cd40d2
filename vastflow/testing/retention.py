"""Does a store find what may be removed, and remove all of it and nothing else?"""

from vastflow.ledger.contract import FlowQuery, Owner, Store
from vastflow.testing.candidate import Candidate
from vastflow.testing.samples import MORNING, batch, expect, facts, flow, ids, move

__all__ = ["Retention"]

_HOUR = 3_600_000_000
_NIGHT = MORNING + 24 * _HOUR
_ENDED = ("success", "fail", "cancelled")


class Retention(Candidate):
    """What `removable`, `purge` and `purge_charts` promise."""

    def ended(self) -> tuple[Store, Owner]:
        """Return a store with flows begun from a to e, an hour apart; d still runs, the others ended after an hour."""
        store, owner = self.new()
        rows = [flow(name, owner, started=MORNING + hour * _HOUR, chart=name) for hour, name in enumerate("abcde")]
        store.commit(batch(owner, charts=dict.fromkeys("abcdef", b"{}"), flows=rows[::-1]))
        states = {"a": "success", "b": "fail", "c": "success", "e": "cancelled"}
        moves = [move(row.id, states[row.id], ended=row.started + _HOUR) for row in rows if row.id in states]
        store.commit(batch(owner, 2, facts=[*facts("a", owner, 3), *facts("d", owner, 1)], moves=moves))
        return store, owner

    def test_flows_that_ended_before_a_moment_may_be_removed_oldest_start_first(self) -> None:
        """One that runs never, however long ago it was begun."""
        store, _ = self.ended()

        expect("all", store.removable(_ENDED, _NIGHT, 10), ["a", "b", "c", "e"])
        expect("a page", store.removable(_ENDED, _NIGHT, 3), ["a", "b", "c"])
        expect("none wanted", store.removable(_ENDED, _NIGHT, 0), [])
        expect("at the very moment", store.removable(_ENDED, MORNING + 2 * _HOUR, 10), ["a"])
        expect("just after", store.removable(_ENDED, MORNING + 2 * _HOUR + 1, 10), ["a", "b"])
        expect("too early", store.removable(_ENDED, MORNING + _HOUR, 10), [])

    def test_only_flows_in_the_states_asked_for_may_be_removed(self) -> None:
        """Those that failed may be wanted longer."""
        store, _ = self.ended()

        expect("success", store.removable(["success"], _NIGHT, 10), ["a", "c"])
        expect("two", store.removable({"fail", "cancelled"}, _NIGHT, 10), ["b", "e"])
        expect("running", store.removable(["running"], _NIGHT, 10), [])
        expect("none", store.removable([], _NIGHT, 10), [])

    def test_what_was_purged_is_not_removable_any_more(self) -> None:
        """So that portions come to an end."""
        store, _ = self.ended()

        store.purge(store.removable(_ENDED, _NIGHT, 2))

        expect("the next", store.removable(_ENDED, _NIGHT, 2), ["c", "e"])
        expect("the facts", store.facts("a"), [])
        expect("the rest", ids(store.flows(FlowQuery())), ["e", "d", "c"])

    def test_charts_go_when_no_flow_uses_them(self) -> None:
        """A flow may be begun again with a chart that went."""
        store, owner = self.ended()
        store.purge(["a", "b"])

        gone = store.purge_charts()

        expect("how many", gone, 3)
        expect("kept", [name for name in "abcdef" if store.chart(name)], ["c", "d", "e"])
        expect("the next time", store.purge_charts(), 0)
        store.commit(batch(owner, 3, charts={"a": b"again"}))
        expect("the new one", store.chart("a"), b"again")
