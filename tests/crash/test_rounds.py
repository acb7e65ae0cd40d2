"""Is every promise kept although the processes are killed with SIGKILL, at random moments and at every named place?"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.crash.findings import examine
from tests.crash.notes import read
from tests.crash.plan import crew_of, plan_of
from tests.crash.play import Report, play, play_together

ROUNDS = 30
TOGETHER = 10
HITS = 20  # kills that hit unfinished flows, at least


def test_a_seed_has_one_plan() -> None:
    plans = [(plan_of(seed), crew_of(seed)) for seed in range(50)]

    assert plans == [(plan_of(seed), crew_of(seed)) for seed in range(50)]
    assert len({str(plan) for plan in plans}) == 50


def add(folder: Path, line: str) -> None:
    with (folder / "notes").open("a") as notes:
        notes.write(line + "\n")


def is_called_again(folder: Path) -> None:
    """Let the next process call a body whose end is on disk."""
    line = next(line for line in read(folder / "notes") if line.what == "begin" and line.told[3] == "flow")
    told = str([9_000_000_000, *line.told[1:]]).replace("'", '"')
    add(folder, f'[{line.epoch + 1}, {line.at}, "took", [1]]')
    add(folder, f'[{line.epoch + 1}, {line.at + 10**9}, "begin", {told}]')


def serves_still(folder: Path) -> None:
    """Let a server act when there is another one."""
    add(folder, '[9, 9000000000000000, "took", [1]]')
    add(folder, '[1, 9000000000000001, "opened", [true]]')


def never_came(folder: Path) -> None:
    """Let the start of a flow be answered that is not there."""
    add(folder, '[1, 9000000000000000, "started", ["lost"]]')


def was_not_done(folder: Path) -> None:
    """Let a command be answered of which there is no fact."""
    flow = next(line.told[0] for line in read(folder / "notes") if line.what == "started")
    add(folder, f'[1, 9000000000000000, "asked", ["{flow}", "set"]]')
    add(folder, f'[1, 9000000000000001, "answered", ["{flow}", "set", "done"]]')


FORGED: dict[Callable[[Path], None], str] = {
    is_called_again: "a_recorded_end_is_the_last",
    serves_still: "the server of epoch 1",
    never_came: "there is no such flow",
    was_not_done: "and there are 0 facts",
}


def test_a_broken_promise_is_found(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    report = play(2, whole, flows=4)
    found = {}

    for forge, told in FORGED.items():
        folder = tmp_path / forge.__name__
        shutil.copytree(whole, folder)
        forge(folder)
        wrongs = examine(folder / "flows.db", folder / "notes").wrongs
        found[forge] = [wrong for wrong in wrongs if told in wrong]

    assert (report.wrongs, report.figures["flows"]) == ({}, 4)
    assert [forge for forge, wrongs in found.items() if not wrongs] == []


def played(play_one: Callable[..., Report], seeds: range, folder: Path) -> Report:
    """Play rounds, two at a time, and print what came of them."""

    def play_in(seed: int) -> Report:
        own = folder / str(seed)
        own.mkdir()
        return play_one(seed, own)

    report = Report()
    with ThreadPoolExecutor(2) as pool:
        for each in pool.map(play_in, seeds):
            report.add(each)
    return report


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.promise("4.10", "7.2", "8.1", "10.1", "10.2", "10.3", "10.5", "10.6", "10.10")
def test_whatever_is_drawn_and_whenever_its_process_is_killed_every_promise_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = played(play, range(1, ROUNDS + 1), tmp_path)

    with capsys.disabled():
        print(f"\n{ROUNDS} rounds: {dict(report.figures)}")  # noqa: T201 - figures to be seen
    assert report.wrongs == {}
    assert report.figures["kills that hit unfinished flows"] >= HITS


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.promise("10.5", "10.6", "11.1", "11.2")
def test_whichever_of_three_processes_on_one_store_is_killed_every_promise_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = played(play_together, range(1, TOGETHER + 1), tmp_path)

    with capsys.disabled():
        print(f"\n{TOGETHER} rounds: {dict(report.figures)}")  # noqa: T201 - figures to be seen
    assert report.wrongs == {}
    assert report.gaps
