"""Is whoever asks how flows stand told once all have said it, and told the rest if one cannot?"""

from concurrent.futures import Future

import pytest

from vastflow.actors.letters import Said
from vastflow.actors.probing import Gathering, read_inquiry, said_of_probe, seen_in, write_inquiry
from vastflow.errors import StoreUnreadable
from vastflow.ledger.inbox import Letter
from vastflow.why import Out, Situation, Spot

ONE = Situation(flow="one", name="x", state="running")


def letter(payload: bytes) -> Letter:
    return Letter(1, 0, "ann", "probe", "", payload)


@pytest.mark.promise("12.3")
def test_what_some_say_is_told_when_all_have_said_it_and_trouble_of_one_keeps_none_of_the_others() -> None:
    seen: Future[tuple[Situation, ...]] = Future()
    gathering = Gathering(seen, 2)
    first, second = gathering.part(), gathering.part()

    first.set_exception(RuntimeError("it is broken"))
    early = seen.done()
    second.set_result((ONE,))

    assert (early, seen.result(0)) == (False, (ONE,))


def test_if_nobody_is_asked_it_is_known_at_once() -> None:
    seen: Future[tuple[Situation, ...]] = Future()
    Gathering(seen, 0)

    assert seen.result(0) == ()


@pytest.mark.promise("12.3")
def test_questions_and_answers_come_back_out_of_their_letters_as_they_went_in() -> None:
    out = Out(stage="running", thread="thread t", began=7, stack=("File a.py:1, in f",))
    told = (
        ONE,
        Situation(
            flow="two", name="x", state="running", spots=(Spot(address="a", kind="river", state="running", out=out),)
        ),
    )

    assert read_inquiry(letter(write_inquiry(("one", "two")))).flows == ("one", "two")
    assert seen_in(said_of_probe(told)) == told


@pytest.mark.parametrize("payload", [b"", b"\xff", b"{}", b"[1]", b"[" * 100_000])
def test_a_question_that_cannot_be_read_is_said_to_be_so(payload: bytes) -> None:
    with pytest.raises(StoreUnreadable, match="letter 1 of the inbox cannot be read"):
        read_inquiry(letter(payload))


@pytest.mark.parametrize("said", [Said("failed", "what is a probe?"), Said("done", "{"), Said("done", "\ud800")])
def test_an_answer_that_says_nothing_is_none(said: Said) -> None:
    assert seen_in(said) == ()
