"""Does the real engine keep its promises in every simulated run, and does the simulation meet all there is to meet?"""

import itertools
import subprocess
import sys
from dataclasses import replace

import pytest

from vastflow.testing.simulation import EXPECTED, INVARIANTS, campaign, never_met, play
from vastflow.testing.simulation.__main__ import main
from vastflow.testing.simulation.budgets import (
    no_retry_is_eaten,
    nothing_begins_after_its_deadline,
    polls_are_as_many_as_allowed,
    retries_are_as_many_as_allowed,
)
from vastflow.testing.simulation.history import History, read_history
from vastflow.testing.simulation.performance import Performance
from vastflow.testing.simulation.stops import limits_hold

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

MISREAD = {
    616: "a river that polled on in a new round had its retries anew, and they were counted with those before",
    4329: "a river that need not be durable was followed by one whose turn came with a fact that was kept later",
    9087: "a poll that had run too long asked for a retry late, and that was read as the last word",
    11157: "a poll hung while positions of its schedule went by, and its process died: all of them are charged",
    14393: "the last poll of an item ran too long, and the next item began while it was still on its way back",
    17647: "a race was passed by a river that need not be durable, and the journal said so later",
}
"""Seeds that an invariant called wrong which said more than is promised, and why they are not."""


def wrong_with(seed: int, *, disk: bool = False) -> str:
    """Return what is wrong with a seed, and how to see it again; empty if all is well."""
    report = play(seed, "sqlite" if disk else "memory")
    told = itertools.chain(*report.wrongs.values(), *report.journals.values())
    again = f"python -m vastflow.testing.simulation --seed {seed} --store {'sqlite' if disk else 'memory'}"
    return "\n".join((again, *told)) if report.wrongs else ""


def history_of(seed: int) -> History:
    """Play a seed and return what is known of its first flow, to be read otherwise than it was."""
    performance = Performance(seed)
    try:
        performance.perform()
        stage = performance.stage
        return read_history(performance.store, performance.flows[0], stage.log, stage.life)
    finally:
        performance.close()


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


@pytest.mark.parametrize("seed", MISREAD)
def test_what_is_promised_by_nobody_is_not_called_wrong(seed: int) -> None:
    assert not wrong_with(seed), MISREAD[seed]


def test_retries_are_counted_by_round_and_no_round_has_more_than_its_own() -> None:
    history, call = history_of(616), ("e9[2]/r3", 2)

    history = replace(history, calls={**history.calls, call: [e._replace(round=3) for e in history.calls[call]]})

    assert list(retries_are_as_many_as_allowed(history))


def test_a_river_that_asks_for_a_retry_last_and_is_given_none_is_told() -> None:
    history = history_of(9087)
    end = next(entry for entry in history.of("failed") if entry.address == "b1/r2")
    poll = history.bodies(("b1/r2", 1), "cycle")[-1]
    poll.over = end.order - 1  # as if it had come in time

    assert list(no_retry_is_eaten(history))


def test_polls_that_no_dying_process_had_under_way_are_not_charged() -> None:
    history = history_of(11157)
    history.log.stops.clear()

    assert list(polls_are_as_many_as_allowed(history))


def test_a_body_that_begins_after_the_deadline_of_its_river_is_told() -> None:
    history = history_of(4329)
    effect = history.bodies(("r9", 1), "flow")[0]
    effect.began += round((history.anchor(effect.call).deadline or 0) * 1_000_000) + 2

    assert list(nothing_begins_after_its_deadline(history))


def test_an_item_beside_one_that_was_not_given_up_breaks_the_limit() -> None:
    history = history_of(14393)
    call = ("e7[0]/e3[0]/r1", 1)

    history = replace(history, calls={**history.calls, call: [e for e in history.calls[call] if not e.gives_up]})

    assert list(limits_hold(history))


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
