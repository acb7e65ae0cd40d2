"""What happens in a round?

A seed says: how many flows there are, and when their process is killed, and killed again.
"""

import math
import random
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["NEVER", "Crew", "Kill", "Plan", "crew_of", "plan_of"]


class Kill(NamedTuple):
    """When a process dies.

    Attributes:
        at: never; moment (after so many seconds, by its parent); line (its n-th note); body (its n-th body that kills
            its process); before commit, in commit, after commit (its n-th); or before, in, after take.
        number: the n; of "in", how many statements of the transaction may pass before.
        seconds: for a moment.
        statement: instead of all this, the n-th SQL statement that begins with these words.
    """

    at: str
    number: int = 1
    seconds: float = 0.0
    statement: str = ""

    def __str__(self) -> str:
        """Say when, for people."""
        if self.statement:
            return f"statement {self.statement!r}"
        return self.at


NEVER = Kill("never")


@dataclass(frozen=True, slots=True)
class Plan:
    """One round.

    Attributes:
        flows: how many.
        kills: one for each life of the process; the last life is none of them and lives to the end.
        commands: how many are given in each life.
        migrates: after its first life the store is given the form of an earlier release.
        pace: how long everything takes in the flows, compared with the simulation.
    """

    seed: int
    flows: int
    kills: tuple[Kill, ...]
    commands: int
    migrates: bool = False
    pace: float = 0.03


# What a writing connection does outside the commits of facts, each a place where it may die.
_OPENING = ("CREATE TABLE", "INSERT INTO owner", "UPDATE owner SET name", "INSERT INTO periods", "PRAGMA user_version")
_MIGRATION = ("CREATE TABLE answer", "PRAGMA user_version = 2", "COMMIT after PRAGMA user_version = 2")
_BEAT = "UPDATE periods SET ended"
_CLAIM = "UPDATE flows SET owner"


# What is done with the inbox: a letter is put in, answered, removed.
_MAIL = tuple(
    f"{when}{what}"
    for what in ("INSERT INTO letters", "INSERT INTO answer", "DELETE FROM letters")
    for when in ("", "COMMIT after ")
)


@dataclass(frozen=True, slots=True)
class Crew:
    """A round of several processes.

    Attributes:
        plan: with the kills of nobody.
        kills: of each process, life by life; each is started again until it has none left.
    """

    plan: Plan
    kills: tuple[tuple[Kill, ...], ...]


def plan_of(seed: int, *, flows: int | None = None) -> Plan:
    """Return the plan of a seed, the same for ever."""
    chance = random.Random(f"crash {seed}")  # noqa: S311 - chance to be repeated, no secret
    kills = [_first(chance)]
    while len(kills) < 4 and chance.random() < (0.7, 0.4, 0.2)[len(kills) - 1]:
        kills.append(_again(chance))
    migrates = seed % 8 == 0
    if migrates:
        kills[1:2] = [Kill("statement", statement=chance.choice(_MIGRATION))]
    return Plan(seed, flows or chance.randint(20, 50), tuple(kills), chance.choice((0, 4, 8, 16)), migrates)


def crew_of(seed: int, *, flows: int | None = None) -> Crew:
    """Return the plan of a seed's round of several processes, the same for ever."""
    chance = random.Random(f"crew {seed}")  # noqa: S311 - chance to be repeated, no secret
    kills = tuple(tuple(_together(chance) for _ in range(chance.choice((0, 1, 1, 2)))) for _ in range(3))
    if not any(kills):
        kills = ((Kill("moment", seconds=0.6),), *kills[1:])
    return Crew(Plan(seed, flows or chance.randint(20, 40), (), chance.choice((2, 4, 8))), kills)


def _together(chance: random.Random) -> Kill:
    """Return when one of several processes dies: as the server, as it takes over, or as it asks the server."""
    what = chance.choices(("moment", "line", "commit", "mail", "take"), (6, 3, 5, 6, 4))[0]
    match what:
        case "moment":
            return Kill("moment", seconds=chance.uniform(0.1, 1.5))
        case "line":
            return Kill("line", _up_to(chance, 500))
        case "commit":
            return _at_commit(chance, 60)
        case "mail":
            return Kill("statement", _up_to(chance, 20), statement=chance.choice(_MAIL))
        case _:
            return Kill(chance.choice(("before take", "in take", "after take")), chance.randint(1, 4))


def _first(chance: random.Random) -> Kill:
    """Return when a process dies that finds nothing, or little, to recover."""
    what = chance.choices(("moment", "line", "commit", "body", "beat", "opening"), (6, 5, 8, 2, 1, 1))[0]
    match what:
        case "moment":
            return Kill("moment", seconds=chance.uniform(0.1, 2.0))
        case "line":
            return Kill("line", _up_to(chance, 1500))
        case "commit":
            return _at_commit(chance, 150)
        case "body":
            return Kill("body", _up_to(chance, 12))
        case "beat":
            return Kill("statement", chance.randint(1, 2), statement=chance.choice((_BEAT, f"COMMIT after {_BEAT}")))
        case _:
            return Kill("statement", 1, statement=chance.choice(_OPENING))


def _again(chance: random.Random) -> Kill:
    """Return when a process dies that has something to recover."""
    what = chance.choices(("moment", "line", "commit", "claim", "take", "body"), (4, 4, 7, 2, 3, 1))[0]
    match what:
        case "moment":
            return Kill("moment", seconds=chance.uniform(0.0, 0.8))
        case "line":
            return Kill("line", _up_to(chance, 300))
        case "commit":
            return _at_commit(chance, 30)
        case "claim":
            return Kill("statement", _up_to(chance, 20), statement=_CLAIM)
        case "take":
            return Kill(chance.choice(("before take", "in take", "after take")), chance.randint(1, 4))
        case _:
            return Kill("body", _up_to(chance, 4))


def _at_commit(chance: random.Random, most: int) -> Kill:
    where = chance.choice(("before commit", "in commit", "in commit", "after commit"))
    return Kill(where, _up_to(chance, most))


def _up_to(chance: random.Random, most: int) -> int:
    """Return a number from 1, small ones more often."""
    return max(1, round(math.exp(chance.random() * math.log(most))))
