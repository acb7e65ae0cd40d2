"""Does the real engine keep its promises in every simulated run, and does the simulation meet all there is to meet?"""

import itertools
import subprocess
import sys

import pytest

from vastflow.testing.simulation import EXPECTED, INVARIANTS, campaign, never_met, play
from vastflow.testing.simulation.__main__ import main

QUICK = 250
MANY = 20_000
MANY_ON_DISK = 1_000

FOUND = {
    4: "a river that was undone was undone once more after somebody had said that it is done",
    6: "no command could be given to a flow that had ended before the process was started again",
    71: "the end of a flow looked for the branches of a parallel river that somebody had said is done",
    895: "bodies began after a restart although the flow's deadline had passed meanwhile",
    1729: "a flow began that had waited for its begin until its deadline was over",
    3255: "what followed from the coming back of a poisoned flow was not written: a hole in its journal",
    23478: "an async body that was cancelled while it saved stranded its flow",
}
"""Seeds that found a bug, and which."""


def wrong_with(seed: int, *, disk: bool = False) -> str:
    """Return what is wrong with a seed, and how to see it again; empty if all is well."""
    report = play(seed, "sqlite" if disk else "memory")
    told = itertools.chain(*report.wrongs.values(), *report.journals.values())
    again = f"python -m vastflow.testing.simulation --seed {seed} --store {'sqlite' if disk else 'memory'}"
    return "\n".join((again, *told)) if report.wrongs else ""


@pytest.mark.timeout(300)
@pytest.mark.promise("2.11", "4.1", "4.2", "4.4", "4.5", "4.6", "4.7", "4.8", "4.10")
@pytest.mark.promise("5.2", "5.4", "5.5", "5.6", "5.7", "6.1", "6.2", "6.3", "7.1", "7.2", "7.3", "7.4", "7.5")
@pytest.mark.promise("8.1", "8.2", "8.4", "9.2", "10.1", "10.2", "10.3", "10.4", "10.5", "10.7", "10.10")
@pytest.mark.parametrize("first", range(0, QUICK, 25))
def test_no_promise_is_broken_whatever_happens(first: int) -> None:
    wrongs = [wrong for seed in range(first, first + 25) if (wrong := wrong_with(seed))]

    assert not wrongs, "\n\n".join(wrongs)


@pytest.mark.parametrize("seed", FOUND)
def test_what_a_seed_has_found_stays_mended(seed: int) -> None:
    assert not wrong_with(seed), FOUND[seed]


@pytest.mark.promise("10.5", "10.6", "10.7", "10.10")
def test_no_promise_is_broken_on_a_store_on_disk() -> None:
    wrongs = [wrong for seed in range(20) if (wrong := wrong_with(seed, disk=True))]

    assert not wrongs, "\n\n".join(wrongs)


def test_the_same_seed_gives_the_same_run() -> None:
    for seed in range(5):
        assert play(seed).met == play(seed).met


def test_the_same_seed_meets_the_same_on_disk_as_in_memory() -> None:
    for seed in range(5):
        assert play(seed).met == play(seed, "sqlite").met


def test_one_line_plays_a_seed_again() -> None:
    command = [sys.executable, "-m", "vastflow.testing.simulation", "--seed", "4711"]

    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)

    assert "1 seeds, 0 with something wrong" in told.stdout


def test_many_seeds_are_played_side_by_side_and_told_with_a_census(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "60", "--workers", "1"]) == 0

    told = capsys.readouterr().out
    assert "60 seeds, 0 with something wrong" in told
    assert "fault: after" in told


def test_every_invariant_says_in_a_sentence_what_it_holds() -> None:
    for invariant in INVARIANTS:
        assert (invariant.__doc__ or "").rstrip().endswith("."), invariant


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_thousand_seeds_break_no_promise_and_meet_all_there_is() -> None:
    report = campaign(range(MANY))

    assert not report.wrongs
    assert never_met(report.met) == []
    assert set(EXPECTED) <= set(report.met)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_seeds_break_no_promise_on_disk() -> None:
    report = campaign(range(MANY_ON_DISK), "sqlite")

    assert not report.wrongs
