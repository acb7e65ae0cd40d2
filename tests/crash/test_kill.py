"""Is a flow what it was promised to be, although its process is killed with SIGKILL, and killed again as it goes on?"""

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vastflow.ledger.contract import FactRow, FlowQuery
from vastflow.ledger.sqlite_reader import SQLiteReader

PROGRAM = Path(__file__).with_name("program.py")
SEEDS = 20
FLOWS = 50
FEWEST = 15  # seeds whose kill hits unfinished flows

WATER = {"works": 1, "waits": "came", "awaits": 1, "breaks": 1, "works-2": 1, "told": "success"}
BASIN = {"east/tries": 3, "east/x": 1, "east/y": 3}

Line = tuple[int, str, str, str, str, int, str]  # life, begin or end, flow, address, body, attempt, key


@dataclass
class Story:
    """What happened to one store: its lives, and what was on disk after each."""

    folder: Path
    killed: list[bool] = field(default_factory=list)
    journals: list[dict[str, list[FactRow]]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)

    def live(self, when: str, commit: int) -> None:
        """Let the program run until it is killed at this commit, or to its end; then read what is on disk."""
        life = str(len(self.killed) + 1)
        store, effects = str(self.folder / "flows.db"), str(self.folder / "effects")
        command = [sys.executable, str(PROGRAM), store, effects, life, when, str(commit)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        self.killed.append(done.returncode != 0)
        if done.returncode == 0:
            self.said = json.loads(done.stdout)
        self.journals.append(journal(self.folder / "flows.db"))

    def lines(self) -> list[Line]:
        return [tuple(json.loads(line)) for line in (self.folder / "effects").read_text().splitlines()]


def journal(path: Path) -> dict[str, list[FactRow]]:
    reader = SQLiteReader(path)
    try:
        return {row.id: reader.facts(row.id) for row in reader.flows(FlowQuery(limit=1000))}
    finally:
        reader.close()


def recorded(facts: list[FactRow]) -> set[tuple[str, str, int]]:
    """Return (address, body, attempt) of all bodies whose end for good is in the journal."""
    ends = set()
    for fact in facts:
        match fact.kind:
            case "flowed":
                ends.add((fact.address, "flow", fact.attempt))
            case "retrying":
                ends |= {(fact.address, "flow", fact.attempt), (fact.address, "cycle", fact.attempt)}
            case "cycled":
                ends.add((fact.address, "cycle", fact.attempt))
            case "failed" | "cancelled":
                ends |= {(fact.address, body, attempt) for body in ("flow", "cycle") for attempt in range(1, 9)}
            case "ended":
                ends |= {("~", body, attempt) for body in ("success", "fail") for attempt in range(1, 9)}
            case _:
                pass
    return ends


def live_through(folder: Path, seed: int, commits: int) -> Story:
    """Kill at a commit drawn from the whole run, once more in the recovery, then let it end."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    story = kill_first(folder, chance.choice(("before", "after")), chance.randrange(1, commits + 1))
    story.live(chance.choice(("before", "after")), chance.randrange(1, 1 + max(4, commits // 4)))
    story.live("after", 0)
    return story


def kill_first(folder: Path, when: str, commit: int) -> Story:
    """Kill at this commit; earlier, in a life of its own, if this run had fewer commits than the one measured."""
    while True:
        story = Story(folder / str(commit))
        story.folder.mkdir(parents=True)
        story.live(when, commit)
        if story.killed[0]:
            return story
        commit = commit * 3 // 4


def check(story: Story) -> Counter[str]:
    """Hold the story against what was promised, and return its figures."""
    lines, last = story.lines(), story.journals[-1]
    assert sorted(last) == sorted(f"flow-{number}" for number in range(FLOWS))
    check_ends(story.said["ends"], last)
    check_begins(story, lines)
    check_order(story, lines)
    keys: dict[tuple[str, str], set[str]] = {}
    for _, _, flow, address, _, _, key in lines:
        keys.setdefault((flow, address), set()).add(key)
    assert {len(each) for each in keys.values()} == {1}
    assert len({key for each in keys.values() for key in each}) == len(keys)
    first = story.journals[0]
    unfinished = [flow for flow, facts in first.items() if facts[-1].kind != "ended"]
    begins = Counter(
        (flow, address, body, attempt) for _, what, flow, address, body, attempt, _ in lines if what == "begin"
    )
    twice = {call: times for call, times in begins.items() if times > 1 and call[2] != "cycle"}
    return Counter(
        kills=sum(story.killed),
        unfinished=len(unfinished),
        hit=bool(unfinished and story.killed[0]),
        bodies_run_twice=len(twice),
        atlantics_twice=sum(address == "~" for _, address, _, _ in twice),
        flows=len(last),
    )


def check_ends(ends: list[list[Any]], journals: dict[str, list[FactRow]]) -> None:
    """One outcome each, told once, and the water is right."""
    for name, outcome, end in ends:
        number = int(name.removeprefix("flow-"))
        kinds = Counter(fact.kind for fact in journals[name])
        assert (kinds["started"], kinds["outcome"], kinds["ended"], kinds["left"] <= 1) == (1, 1, 1, True)
        assert max(Counter(fact.address for fact in journals[name] if fact.kind == "joined").values(), default=0) <= 1
        assert [fact.number for fact in journals[name]] == list(range(1, len(journals[name]) + 1))
        if number % 5 == 0:
            assert (outcome, end) == ("fail", "breaks")
        else:
            assert (outcome, end) == ("success", {**WATER, **BASIN, "number": number})


def check_begins(story: Story, lines: list[Line]) -> None:
    """No body whose end was on disk at a kill begins after it; an Atlantic begins again only where none was."""
    for life, on_disk in enumerate(story.journals, 1):
        ends = {flow: recorded(facts) for flow, facts in on_disk.items()}
        again = [
            (flow, address, body, attempt)
            for lived, what, flow, address, body, attempt, _ in lines
            if lived > life and what == "begin" and (address, body, attempt) in ends.get(flow, ())
        ]
        assert again == []
    told = Counter((life, flow) for life, what, flow, address, *_ in lines if what == "begin" and address == "~")
    assert set(told.values()) == {1}
    bodies: dict[str, set[str]] = {}
    for _, _, flow, address, body, _, _ in lines:
        if address == "~":
            bodies.setdefault(flow, set()).add(body)
    assert {len(each) for each in bodies.values()} == {1}


def check_order(story: Story, lines: list[Line]) -> None:
    """What a body follows from was on disk before it began (10.2)."""
    for life, what, flow, address, body, attempt, _ in lines:
        if what == "begin":
            on_disk = {(fact.address, fact.kind, fact.attempt) for fact in story.journals[life - 1][flow]}
            assert needed(address, body, attempt) <= on_disk


def needed(address: str, body: str, attempt: int) -> set[tuple[str, str, int]]:
    if address == "~":
        return {("", "outcome", 0)}
    before = {"works": ("", "started", 0), "works-2": ("parallel-river", "joined", 0)}
    found = {before.get(address, ("works", "flowed", 1))}
    if address.startswith("east/"):
        found.add(("east", "entered", 1))
    if attempt > 1:
        found.add((address, "retrying", attempt - 1))
    return found | {(address, "flowed", attempt)} if body == "cycle" else found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.promise("4.1", "4.2", "5.2", "8.1", "8.2", "10.1", "10.2", "10.5", "10.6", "10.10")
def test_fifty_flows_are_what_was_promised_although_their_process_is_killed_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Story(tmp_path / "whole")
    whole.folder.mkdir()
    whole.live("after", 0)
    commits = whole.said["commits"]
    check(whole)

    with ThreadPoolExecutor(2) as pool:
        stories = list(pool.map(lambda seed: live_through(tmp_path / str(seed), seed, commits), range(SEEDS)))
    figures = sum((check(story) for story in stories), Counter[str]())

    with capsys.disabled():
        print(f"\n{SEEDS} seeds, {commits} commits in an undisturbed run: {dict(figures)}")  # noqa: T201 - figures to be seen
    assert figures["hit"] >= FEWEST
    assert figures["flows"] == SEEDS * FLOWS
