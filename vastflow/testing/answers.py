"""Does a store answer each letter once, and together with what the letter led to?"""

from vastflow.errors import BatchRefused
from vastflow.ledger.contract import PORTION
from vastflow.testing.candidate import Candidate
from vastflow.testing.samples import EVENING, MORNING, answer, batch, expect, facts, flow

__all__ = ["Answers"]


class Answers(Candidate):
    """What `answer`, `answered` and `forget_answers` promise."""

    def test_a_letter_that_was_not_answered_has_no_answer(self) -> None:
        """Nor has one of another inbox."""
        store, owner = self.new()
        store.commit(batch(owner, answers=[answer(1)]))

        expect("another letter", store.answer("inbox", 2), None)
        expect("another inbox", store.answer("other", 1), None)
        expect("the answered", store.answered("other"), frozenset())

    def test_an_answer_is_read_as_it_was_written_also_by_the_next_owner(self) -> None:
        """By it a server knows after a crash that the letter was taken in."""
        store, owner = self.new()
        said = b'{"what":"done"} \x00'

        store.commit(batch(owner, flows=[flow("a", owner)], answers=[answer(7, "a", said=said), answer(2)]))
        again, _ = self.next(store)

        expect("what was said", again.answer("inbox", 7), said)
        expect("the answered", again.answered("inbox"), frozenset({2, 7}))

    def test_an_answer_alone_needs_no_flow(self) -> None:
        """A refusal changes nothing, and the flow it is about may be nobody's or never have been."""
        store, first = self.new()
        store.commit(batch(first, flows=[flow("a", first)]))
        store, second = self.next(store)

        lost = store.commit(batch(second, answers=[answer(1, "a"), answer(2, "nobody"), answer(3)]))

        expect("lost", lost, frozenset())
        expect("the answered", store.answered("inbox"), frozenset({1, 2, 3}))

    def test_answers_about_a_lost_flow_are_dropped_with_what_they_tell_of(self) -> None:
        """Its letter will be taken in again; the others' answers are written."""
        store, owner = self.new()
        store.commit(batch(owner, flows=[flow("a", owner)]))

        lost = store.commit(
            batch(
                owner,
                2,
                flows=[flow("a", owner, name="another"), flow("b", owner)],
                answers=[answer(1, "a"), answer(2, "b"), answer(3)],
            )
        )

        expect("lost", lost, frozenset({"a"}))
        expect("the answered", store.answered("inbox"), frozenset({2, 3}))

    def test_an_epoch_that_is_over_answers_nothing(self) -> None:
        """And the flows of its answers are named, so that nobody takes the letters for answered."""
        store, first = self.new()
        store, second = self.next(store)

        lost = store.commit(batch(first, answers=[answer(1, "a"), answer(2)]))

        expect("lost", lost, frozenset({"a", ""}))
        expect("the answered", store.answered("inbox"), frozenset())
        expect("of the owner", store.commit(batch(second, answers=[answer(1, "a")])), frozenset())

    def test_a_letter_that_has_an_answer_refuses_the_whole_batch_that_answers_it_again(self) -> None:
        """Otherwise it would be done twice."""
        store, owner = self.new()
        store.commit(batch(owner, flows=[flow("a", owner)], answers=[answer(1, "a", said=b"first")]))
        again = batch(owner, 2, facts=facts("a", owner, 1), answers=[answer(1, "a", said=b"second")])
        twice = batch(owner, 2, facts=facts("a", owner, 1), answers=[answer(2), answer(2)])

        for bad in (again, twice):
            try:
                store.commit(bad)
            except BatchRefused:
                continue
            raise AssertionError(f"a letter was answered twice: {bad.answers!r}")

        expect("what was said", store.answer("inbox", 1), b"first")
        expect("the facts", store.facts("a"), [])
        expect("the answered", store.answered("inbox"), frozenset({1}))

    def test_old_answers_are_forgotten_but_those_to_letters_that_still_lie_in_the_inbox(self) -> None:
        """Those of other inboxes are left alone, and so is what is not older than asked."""
        store, owner = self.new()
        store.commit(
            batch(
                owner,
                answers=[answer(1), answer(2), answer(3, at=EVENING), answer(4), answer(1, inbox="other")],
            )
        )

        gone = store.forget_answers("inbox", {2, 9}, EVENING)

        expect("how many", gone, 2)
        expect("the answered", store.answered("inbox"), frozenset({2, 3}))
        expect("of the other inbox", store.answered("other"), frozenset({1}))
        expect("the next time", store.forget_answers("inbox", [2], EVENING), 0)

    def test_many_answers_are_forgotten_in_portions(self) -> None:
        """So that no flow waits long."""
        store, owner = self.new()
        store.commit(batch(owner, answers=[answer(number, at=MORNING) for number in range(PORTION + 5)]))

        gone = [store.forget_answers("inbox", (), EVENING) for _ in range(3)]

        expect("how many", gone, [PORTION, 5, 0])
