"""Is it said in plain words, and does nothing from outside steer a terminal?"""

import pytest

from tests.why.situations import NOW, SECOND, first, out, poll, spot
from vastflow.why.sentence import ahead, quoted, span


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (4, "4 s"),
        (4.26, "4.3 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (-3, "0 s"),
    ],
)
def test_a_span_has_two_units_at_most(seconds: float, told: str) -> None:
    assert span(round(seconds * SECOND)) == told


def test_what_is_due_is_told_as_seen_from_now() -> None:
    assert ahead(NOW + 4 * SECOND, NOW) == "in 4 s"
    assert ahead(NOW - 1, NOW) == "now"
    assert ahead(NOW - 90 * SECOND, NOW) == "due 1 min 30 s ago"


def test_what_comes_from_outside_is_escaped_and_cut() -> None:
    assert quoted("a\x1b[2J\n b") == '"a\\x1b[2J b"'
    assert quoted("x" * 1000) == f'"{"x" * 160}..."'
    assert first(poll(address="a\x1b[2J", answer="b\x07")).sentence.startswith(
        'waits in poll 3 of a\\x1b[2J ("b\\x07")'
    )


@pytest.mark.promise("12.4")
def test_a_poll_is_told_with_its_number_its_answer_and_its_share() -> None:
    told = first(poll(cycle_times=600, answer="still building", share=0.4))

    assert told.sentence == 'waits in poll 3 of 600 of a ("still building", 40 %), next in 5 s'
    assert (
        first(poll(failure="OSError: gone")).sentence
        == 'waits in poll 3 of a (last failure: "OSError: gone"), next in 5 s'
    )
    assert first(spot(state="cycling", due=NOW + SECOND)).sentence == "waits for the first poll of a, in 1 s"


@pytest.mark.promise("12.4")
def test_a_body_is_told_with_the_innermost_line_of_its_own() -> None:
    stack = ("File /srv/app.py:3, in flow", "    wait()", "File /usr/lib/python3.12/threading.py:9, in wait")

    told = first(spot(body="flow", out=out(stack=stack, usual=2.0), share=0.5))

    assert told.sentence == "flow() of a runs in thread t-1 for 10 s, 50 %, usually 2 s, now at /srv/app.py:3, in flow"
    assert first(spot(body="undo")).sentence == "a is next"
    assert first(spot(body="flow", out=out(began=0))).sentence == "flow() of a is under way"
