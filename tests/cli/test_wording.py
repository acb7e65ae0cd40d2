from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import tzset
from typing import Any

import pytest

from vastflow.cli.wording import (
    clock_time,
    due_time,
    failed,
    failed_because,
    moment,
    of_poll,
    of_try,
    remark,
    short_moment,
    standing,
    state,
    took,
)
from vastflow.errors import Failure
from vastflow.ledger.reading import BranchCounts, StreamStatus

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
DECLINED = Failure("error", "no\nmoney\x1b[2J", address="pay", exception="shop.cards.Declined")
STUCK = Failure("error", "it stays", address="pay")
STREAM = StreamStatus(
    address="pay",
    kind="river",
    depth=0,
    state="cycling",
    attempt=2,
    attempts=4,
    polls=3,
    cycle_times=600,
    running=False,
    answer="building",
    share=None,
    due=None,
    color=None,
    failure=None,
)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-0.1, "0.00 s"),
        (0.004, "0.00 s"),
        (9.99, "9.99 s"),
        (9.996, "10.0 s"),
        (59.96, "1 min 00 s"),
        (12.34, "12.3 s"),
        (61, "1 min 01 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (86400 * 3 + 3600 * 5, "3 d 5 h"),
    ],
)
def test_a_span_of_time_is_said_in_at_most_two_units(seconds: float, said: str) -> None:
    assert took(seconds) == said


def test_a_time_of_today_is_said_by_its_hour_and_an_older_one_by_its_day() -> None:
    assert short_moment(NOON - timedelta(hours=1), NOON).count(":") == 2
    assert short_moment(NOON - timedelta(days=3), NOON).count("-") == 2


@pytest.mark.parametrize(("zone", "offset"), [("UTC", "Z"), ("XXX-02", "+02:00")])
def test_a_time_names_its_zone(monkeypatch: pytest.MonkeyPatch, zone: str, offset: str) -> None:
    monkeypatch.setenv("TZ", zone)
    tzset()
    try:
        assert moment(NOON)[-len(offset) :] == clock_time(NOON)[-len(offset) :] == offset
    finally:
        monkeypatch.undo()
        tzset()


def test_what_is_due_in_some_days_says_the_day() -> None:
    assert due_time(NOON + timedelta(hours=1), NOON) == clock_time(NOON + timedelta(hours=1))
    assert due_time(NOON + timedelta(days=2), NOON) == moment(NOON + timedelta(days=2))


def test_an_atlantic_that_ended_well_is_no_success_of_its_flow() -> None:
    sea = replace(STREAM, kind="atlantic", state="success")

    assert (standing(sea), standing(replace(sea, state="fail"))) == ("ended", "fail")
    assert standing(replace(STREAM, state="success")) == "success"


def test_attempts_and_polls_are_counted_out_of_how_many_there_may_be() -> None:
    assert (of_try(STREAM), of_poll(STREAM)) == ("2 of 4", "3 of 600")
    assert of_poll(replace(STREAM, cycle_times=None)) == "3"
    assert (of_try(replace(STREAM, attempt=0)), of_poll(replace(STREAM, polls=0))) == ("", "")


def test_a_failure_is_one_line_that_says_where_what_and_why() -> None:
    assert failed(DECLINED) == "pay: error: Declined: no money\\x1b[2J"
    assert failed(DECLINED, "pay") == "error: Declined: no money\\x1b[2J"


def test_a_failure_that_a_body_answered_names_its_code_and_no_exception() -> None:
    said = Failure("error", "declined", code="card", exception="vastflow.errors.Fail")

    assert failed(said) == "error: declined (card)"


def test_what_is_behind_a_failure_is_said_to_the_end() -> None:
    outer = Failure("error", "all failed", address="east", cause=Failure("timeout", "slow", cause=DECLINED))

    assert failed_because(outer).split(", because of ") == [
        "east: error: all failed",
        "timeout: slow",
        "pay: error: Declined: no money\\x1b[2J",
    ]


def test_a_poll_s_last_answer_is_said_while_it_polls_and_its_failure_instead_if_there_is_one() -> None:
    assert remark(STREAM) == "building"
    assert remark(replace(STREAM, state="success")) == ""
    assert remark(replace(STREAM, share=0.5)) == "building, 50%"
    assert remark(replace(STREAM, failure=DECLINED)) == "error: Declined: no money\\x1b[2J"
    assert remark(replace(STREAM, state="success", failure=DECLINED)) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": "in-doubt", "doubt": "crash"}, "crash"),
        ({"state": "in-doubt", "doubt": "timeout", "asked": 3}, "timeout, asked 3 times"),
        ({"state": "running", "queued": True}, "waits for its turn"),
        ({"state": "running", "abandoned": 2}, "2 abandoned"),
        ({"state": "skipped"}, ""),
        ({"state": "undoing", "undo_attempt": 1, "undo_attempts": 11}, ""),
        (
            {"state": "undoing", "undo_attempt": 2, "undo_attempts": 11, "failure": DECLINED, "undo_failure": STUCK},
            "undo 2 of 11, error: it stays",
        ),
        ({"state": "undone", "failure": DECLINED}, "error: Declined: no money\\x1b[2J"),
        ({"state": "undo-failed", "failure": DECLINED, "undo_failure": STUCK}, "error: it stays"),
        ({"kind": "each", "state": "init", "branches": BranchCounts()}, ""),
        (
            {"kind": "each", "state": "running", "branches": BranchCounts(count=9, done=4, running=2, waiting=3)},
            "4 of 9 done, 2 running, 3 waiting",
        ),
        (
            {"state": "fail", "branches": BranchCounts(count=4, failed=1, cancelled=2, undone=1), "failure": STUCK},
            "0 of 4 done, 1 failed, 2 cancelled, 1 undone, error: it stays",
        ),
    ],
)
def test_what_else_there_is_to_say_of_a_stream_is_said(change: dict[str, Any], said: str) -> None:
    assert remark(replace(STREAM, **change)) == said


def test_every_state_that_is_no_waiting_has_a_colour() -> None:
    assert state("fail").style != state("success").style != state("init").style
    assert state("undo-failed").style == state("fail").style
    assert state("in-doubt").style == state("undoing").style == state("undone").style == state("retrying").style
