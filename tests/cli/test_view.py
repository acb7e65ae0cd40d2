from dataclasses import replace
from datetime import UTC, datetime

import pytest

from vastflow.cli.view import PlainView
from vastflow.engine import FlowStatus, StreamStatus

RIVER = StreamStatus(
    address="east/create",
    kind="river",
    depth=1,
    state="init",
    attempt=0,
    attempts=4,
    polls=0,
    cycle_times=600,
    running=False,
    answer="",
    share=None,
    due=None,
    color=None,
    failure=None,
)
FLOW = FlowStatus(
    id="order-17",
    name="rollout",
    state="running",
    outcome="",
    stranded="",
    failure=None,
    tags={},
    started=datetime(2026, 11, 23, tzinfo=UTC),
    ended=None,
    facts=1,
    streams=(replace(RIVER, address="parallel-river", kind="parallel", state="running"), RIVER),
)


def told(*states: StreamStatus, capsys: pytest.CaptureFixture[str]) -> list[str]:
    view = PlainView()
    for stream in states:
        view.show(replace(FLOW, streams=(FLOW.streams[0], stream)))
    view.end()
    return capsys.readouterr().out.splitlines()


def test_plain_lines_come_once_for_each_change_and_not_before_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    cycling = replace(RIVER, state="cycling", attempt=1, polls=1, answer="pending")

    lines = told(RIVER, cycling, cycling, replace(cycling, polls=2), replace(cycling, state="success"), capsys=capsys)

    assert lines == [
        "east/create       cycling   poll 1 of 600  pending",
        "east/create       cycling   poll 2 of 600  pending",
        "east/create       success   poll 1 of 600",
    ]


def test_an_attempt_is_told_from_the_second_on(capsys: pytest.CaptureFixture[str]) -> None:
    running = replace(RIVER, state="running", attempt=1)

    lines = told(running, replace(running, attempt=2), capsys=capsys)

    assert lines == ["east/create       running", "east/create       running   attempt 2 of 4"]


def test_control_characters_of_an_answer_are_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = told(replace(RIVER, state="cycling", polls=1, answer="\x1b[2Jgone"), capsys=capsys)

    assert line.endswith("\\x1b[2Jgone")
