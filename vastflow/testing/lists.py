"""Does a store find what is asked for, and in the promised order?"""

from msgspec.structs import replace

from vastflow.errors import FlowNotFound
from vastflow.ledger.contract import FlowQuery, Owner, Store
from vastflow.testing.candidate import Candidate
from vastflow.testing.samples import MORNING, batch, expect, fact, facts, flow, ids, move

__all__ = ["Lists"]

_ALL = ["e", "d", "c", "b", "a"]


class Lists(Candidate):
    """What `flow`, `flows` and `unfinished` promise."""

    def five(self) -> tuple[Store, Owner]:
        """Return a store with five flows, begun from a to e, three of them at the same moment."""
        store, owner = self.new()
        rows = [
            flow("a", owner, started=MORNING, name="attach", tags=b'{"team":"x"}'),
            flow("b", owner, started=MORNING + 1, name="detach", tags=b'{"team":"x","tier":"1"}'),
            flow("c", owner, started=MORNING + 1, name="attach"),
            flow("d", owner, started=MORNING + 1, name="attach", tags=b'{"team":"y"}'),
            flow("e", owner, started=MORNING + 2, name="detach", tags=b'{"team":"x"}'),
        ]
        store.commit(batch(owner, flows=rows[::-1]))
        store.commit(
            batch(owner, 2, moves=[move("b"), move("d", "fail", outcome="fail"), move("c", "ending", ended=0)])
        )
        return store, owner

    def test_an_unknown_flow_is_none(self) -> None:
        """Not an error: it may never have been."""
        store, _ = self.new()

        expect("the row", store.flow("nobody"), None)

    def test_a_new_store_lists_nothing(self) -> None:
        """It is empty."""
        store, _ = self.new()

        expect("the list", store.flows(FlowQuery()), [])
        expect("the unfinished", store.unfinished(), [])

    def test_flows_are_listed_newest_start_first(self) -> None:
        """Those of one moment by id, downward."""
        store, _ = self.five()

        expect("the list", ids(store.flows(FlowQuery())), _ALL)

    def test_a_listed_row_is_the_whole_row(self) -> None:
        """As `flow` gives it."""
        store, owner = self.five()

        expect("the row", store.flows(FlowQuery(limit=1)), [store.flow("e")])
        expect("its cargo", store.flows(FlowQuery(limit=1))[0].cargo, flow("e", owner).cargo)

    def test_states_choose_flows(self) -> None:
        """One state, several, or one that no flow is in."""
        store, _ = self.five()

        expect("running", ids(store.flows(FlowQuery(states=("running",)))), ["e", "a"])
        expect("success", ids(store.flows(FlowQuery(states=("success",)))), ["b"])
        expect("two", ids(store.flows(FlowQuery(states=("fail", "ending")))), ["d", "c"])
        expect("with success", ids(store.flows(FlowQuery(states=("fail", "success")))), ["d", "b"])
        expect("none", store.flows(FlowQuery(states=("undoing",))), [])

    def test_a_name_chooses_flows(self) -> None:
        """The whole name, nothing like it."""
        store, _ = self.five()

        expect("attach", ids(store.flows(FlowQuery(name="attach"))), ["d", "c", "a"])
        expect("a part of it", store.flows(FlowQuery(name="att")), [])
        expect("a pattern", store.flows(FlowQuery(name="%")), [])

    def test_tags_choose_flows_that_have_all_of_them(self) -> None:
        """And the limit counts what was chosen."""
        store, _ = self.five()

        expect("one", ids(store.flows(FlowQuery(tags={"team": "x"}))), ["e", "b", "a"])
        expect("two", ids(store.flows(FlowQuery(tags={"team": "x", "tier": "1"}))), ["b"])
        expect("another value", store.flows(FlowQuery(tags={"tier": "2"})), [])
        expect("a page", ids(store.flows(FlowQuery(tags={"team": "x"}, limit=2))), ["e", "b"])
        expect("the next", ids(store.flows(FlowQuery(tags={"team": "x"}, limit=2, after="b"))), ["a"])

    def test_filters_hold_together(self) -> None:
        """Each narrows what the others left."""
        store, _ = self.five()
        query = FlowQuery(states=("running", "success"), name="detach", tags={"team": "x"}, after="e", limit=5)

        expect("the list", ids(store.flows(query)), ["b"])

    def test_pages_follow_one_another_without_gap_or_double(self) -> None:
        """Also between flows of one moment."""
        store, _ = self.five()
        found: list[str] = []
        page = ids(store.flows(FlowQuery(limit=2)))

        while page:
            found += page
            page = ids(store.flows(FlowQuery(limit=2, after=page[-1])))

        expect("all pages", found, _ALL)
        expect("no rows wanted", store.flows(FlowQuery(limit=0)), [])

    def test_a_page_may_follow_a_flow_that_the_filter_leaves_out(self) -> None:
        """It may have changed its state between two pages."""
        store, _ = self.five()

        expect("running", ids(store.flows(FlowQuery(states=("running",), after="d"))), ["a"])

    def test_a_page_after_an_unknown_flow_is_an_error(self) -> None:
        """An empty page would say that there are no more."""
        store, _ = self.five()

        try:
            store.flows(FlowQuery(after="nobody"))
        except FlowNotFound as error:
            expect("the flow", error.flow, "nobody")
            return
        raise AssertionError("a page after an unknown flow was given")

    def test_the_unfinished_are_those_that_have_not_ended_oldest_first(self) -> None:
        """Stranded ones too: their reason may be gone."""
        store, owner = self.five()
        store.commit(batch(owner, 3, moves=[move("a", "running", stranded="no class", ended=0)]))

        expect("the unfinished", ids(store.unfinished()), ["a", "c", "e"])

    def test_a_flow_that_was_ended_and_goes_on_is_unfinished_again(self) -> None:
        """A retry opens a new round."""
        store, owner = self.five()
        store.commit(batch(owner, 3, moves=[move("b", "running", outcome="", ended=0)]))

        expect("the unfinished", ids(store.unfinished()), ["a", "b", "c", "e"])

    def test_a_purged_flow_is_gone_with_its_facts_and_its_id_is_free(self) -> None:
        """Others, and unknown ids among them, are left alone."""
        store, owner = self.five()
        store.commit(batch(owner, 3, facts=[*facts("b", owner, 3), *facts("a", owner, 1)]))

        store.purge(["b", "nobody", "e"])

        expect("the list", ids(store.flows(FlowQuery())), ["d", "c", "a"])
        expect("its facts", store.facts("b"), [])
        expect("the other's", store.facts("a"), facts("a", owner, 1))
        again = replace(flow("b", owner), name="again")
        lost = store.commit(batch(owner, 4, flows=[again], facts=[fact("b", 1, owner, at=MORNING + 9)]))
        expect("lost", lost, frozenset())
        expect("the new row", store.flow("b"), again)
        expect("the new facts", store.facts("b"), [fact("b", 1, owner, at=MORNING + 9)])

    def test_facts_of_a_purged_flow_are_lost(self) -> None:
        """It is nobody's any more."""
        store, owner = self.five()
        store.purge(["a"])

        lost = store.commit(batch(owner, 3, facts=facts("a", owner, 1), moves=[move("a")]))

        expect("lost", lost, frozenset({"a"}))
