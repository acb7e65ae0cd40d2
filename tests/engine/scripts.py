"""What are bodies scripted to do, and which flows is the model asked about?

`case(seed)` and the hypothesis strategy `cases()` draw the same kind of random nested drawings with random scripts, in
which branches share keys, basins rename, and nothing is left open by two things happening at one instant.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal, TypeVar

from hypothesis import strategies as st

from tests.engine.model import Tie, expect
from vastflow.drawing.chart import (
    Anchor,
    BasinPlace,
    Chain,
    Chart,
    EachPlace,
    Mouth,
    ParallelPlace,
    Place,
    RiverPlace,
    Waits,
)

__all__ = ["EXCEPTIONS", "SILENT", "Answer", "Call", "Calls", "Case", "case", "cases", "depth", "rivers"]

Answer = Literal["none", "retry", "fail", "continue", "raise", "bad"]

ROOTS = ("builtins.Exception", "builtins.BaseException", "builtins.object")
EXCEPTIONS: tuple[tuple[str, ...], ...] = (
    ("app.Boom", *ROOTS),
    ("app.Bang", "app.Boom", *ROOTS),
    ("app.Fatal", *ROOTS),
    ("builtins.KeyError", "builtins.LookupError", *ROOTS),
    ("builtins.SystemExit", *ROOTS[1:]),
)
"""What scripted bodies raise: the names of each type's MRO, its own first."""


@dataclass(frozen=True)
class Call:
    """What one call of a body does: it takes some time, puts keys, drops keys (if they are there), then answers.

    Attributes:
        duration: microseconds.
        answer: returns None; raises Retry, Fail, Continue or an exception; or returns something else ("bad").
        after: microseconds, of "retry" and "continue".
        types: of "raise": the names of the exception's MRO, its own first.
    """

    duration: int
    puts: Mapping[str, Any] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    answer: Answer = "none"
    after: int | None = None
    types: tuple[str, ...] = ()


Calls = tuple[Call, ...]

SILENT = Call(7)


@dataclass(frozen=True)
class Case:
    """A drawing, its water, and what all bodies do.

    Attributes:
        water: the starting water.
        added: what a basin's `water=` adds, by the basin's address.
        scripts: what the successive calls of `flow` and of `cycle` do, across all attempts; every river is in it.
        atlantic: what the successive calls of "success" and of "fail" do.
        silent: what a body does when its script is used up.
    """

    chart: Chart
    water: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scripts: Mapping[str, tuple[Calls, Calls]] = field(default_factory=dict)
    atlantic: Mapping[str, Calls] = field(default_factory=lambda: {"success": (), "fail": ()})
    silent: Call = SILENT


def rivers(places: Chain, prefix: str = "") -> dict[str, RiverPlace]:
    """Return every river that is drawn, by address."""
    found: dict[str, RiverPlace] = {}
    for place in places:
        match place:
            case RiverPlace():
                found[prefix + place.name] = place
            case ParallelPlace():
                for branch in place.branches:
                    found |= rivers(branch, prefix)
            case BasinPlace() | EachPlace():
                found |= rivers(place.streams, f"{prefix}{place.name}/")
    return found


def depth(places: Chain) -> int:
    """Return how deep parallel rivers and basins nest."""
    deepest = 0
    for place in places:
        match place:
            case RiverPlace():
                continue
            case ParallelPlace():
                inner = max(depth(branch) for branch in place.branches)
            case BasinPlace() | EachPlace():
                inner = depth(place.streams)
        deepest = max(deepest, 1 + inner)
    return deepest


def case(seed: int) -> Case:
    """Return the case of this number, always the same one, in which nothing happens at one instant."""
    for number in count():
        drawn = _draw(random.Random(f"{seed}/{number}"))  # noqa: S311 - not for secrets
        if not _tied(drawn):
            return drawn
    raise AssertionError


def cases() -> st.SearchStrategy[Case]:
    """Return a strategy of such cases, which shrinks."""
    return st.randoms(use_true_random=False).map(_draw).filter(lambda drawn: not _tied(drawn))


def _tied(drawn: Case) -> bool:
    try:
        expect(drawn)
    except Tie:
        return True
    return False


T = TypeVar("T")

SHARED = ("a", "b", "c", "d")
VALUES: tuple[Any, ...] = (0, 1, 1.0, True, None, "x", "y", [], [1, {"z": 2}], {"k": 1, "l": 2}, {"l": 2, "k": 1})
RETRY_ON = (*[("builtins.Exception",)] * 6, ("app.Boom",), ("app.Fatal", "builtins.LookupError"), ())
FAIL_ON = (*[()] * 6, ("app.Bang",), ("app.Fatal", "builtins.KeyError"), ("builtins.Exception",))
SHARES = (0, 0, 0, 1, 2, 0.25, 0.5, 0.75)
FLOW_TROUBLES: list[Answer] = ["retry", "retry", "retry", "raise", "raise", "raise", "raise", "fail", "bad", "continue"]
CYCLE_TROUBLES: list[Answer] = ["raise", "raise", "raise", "raise", "retry", "retry", "retry", "fail", "bad"]
DEEPEST = 4
RIVERS = 18
POLLS = 30


def _draw(rng: random.Random) -> Case:
    pen = _Pen(rng)
    spring = {key: pen.pick(VALUES) for key in SHARED if pen.happens(0.6)}
    streams = pen.chain(_Reach("", Counter(), level=0, must=pen.pick((0, 0, 0, 1, 2, 3)), keys=set(spring)))
    retry = Waits(pen.pick((0, 0, 1, 2)), 0.5, 2.0)
    mouth = Mouth("sea", "scripted.Sea", retry, pen.pick(RETRY_ON), pen.pick(FAIL_ON))
    atlantic = {body: pen.flow_calls("sea") for body in ("success", "fail")}
    return Case(Chart("scripted", "scripted.Water", streams, mouth), spring, pen.added, pen.scripts, atlantic)


@dataclass
class _Reach:
    """Where the next stream is drawn: in which basin, how deep, how much deeper it must go, with which keys to hand."""

    prefix: str
    names: Counter[str]
    level: int
    must: int
    keys: set[str]

    def name(self, letter: str) -> str:
        self.names[letter] += 1
        return f"{letter}{self.names[letter]}"


class _Pen:
    """Draws one case by the throws of one die."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.trouble = self.pick((0.02, 0.08, 0.2))
        self.contention = self.pick((0.02, 0.08, 0.3))
        self.scripts: dict[str, tuple[Calls, Calls]] = {}
        self.added: dict[str, dict[str, Any]] = {}
        self.serial = 0

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.rng.randrange(len(choices))]

    def happens(self, share: float) -> bool:
        return self.rng.randrange(1000) < share * 1000

    def some(self, keys: Iterable[str], most: int) -> list[str]:
        """Pick a few of these keys, and once in a while one that nobody writes."""
        left = sorted(keys)
        picked = [left.pop(self.rng.randrange(len(left))) for _ in range(min(len(left), self.rng.randrange(most + 1)))]
        return [*picked, "nowhere"] if self.happens(0.04) else picked

    def chain(self, reach: _Reach) -> Chain:
        """Draw up to three streams; what they are likely to write is then to hand."""
        places: list[Place] = []
        for _ in range(self.pick((1, 1, 2, 2, 3))):
            places.append(self.stream(reach))
            reach.must = 0
        return tuple(places)

    def stream(self, reach: _Reach) -> Place:
        full = reach.level >= DEEPEST or len(self.scripts) >= RIVERS
        if reach.must == 0 and (full or self.happens(0.7)):
            return self.river(reach)
        return self.parallel(reach) if self.happens(0.6) else self.basin(reach)

    def parallel(self, reach: _Reach) -> ParallelPlace:
        branches, written = [], set[str]()
        must = max(0, reach.must - 1)
        for _ in range(self.pick((2, 2, 3, 4))):
            branch = replace(reach, level=reach.level + 1, must=must, keys=set(reach.keys))
            branches.append(self.chain(branch))
            written |= branch.keys
            must = 0
        reach.keys |= written
        clash: Literal["fail", "last"] = "last" if self.happens(0.4) else "fail"
        return ParallelPlace(reach.name("p"), tuple(branches), "all", self.pick(SHARES), clash)

    def basin(self, reach: _Reach) -> BasinPlace:
        name = reach.name("b")
        address = reach.prefix + name
        inputs = None if self.happens(0.4) else self.renamed(self.some(reach.keys, 3))
        if self.happens(0.3):
            self.added[address] = {key: self.pick(VALUES) for key in self.some((*SHARED, "extra"), 2)}
        inside = {*(reach.keys if inputs is None else inputs.values()), *self.added.get(address, ())}
        within = _Reach(f"{address}/", Counter(), reach.level + 1, max(0, reach.must - 1), inside)
        streams = self.chain(within)
        outputs = self.renamed(self.some(within.keys, 3))
        reach.keys |= {*outputs.values()}
        return BasinPlace(name, streams, inputs, outputs)

    def renamed(self, keys: list[str]) -> dict[str, str]:
        """Give some of these keys another name; no two the same."""
        names: dict[str, str] = {}
        for key in keys:
            name = self.pick((*SHARED, f"{key}-too")) if self.happens(0.4) else key
            if name not in names.values():
                names[key] = name
        return names

    def river(self, reach: _Reach) -> RiverPlace:
        name = reach.name("r")
        anchor = self.anchor()
        polled = self.happens(0.4)
        flow = self.flow_calls(name)
        cycle = self.cycle_calls(name, anchor) if polled else ()
        self.scripts[reach.prefix + name] = flow, cycle
        reach.keys |= {key for call in (*flow, *cycle) if call.answer == "none" for key in call.puts}
        return RiverPlace(name, "scripted.River", ("flow", "cycle") if polled else ("flow",), anchor)

    def anchor(self) -> Anchor:
        times, interval = self.pick((0, 1, 1, 2, 3)), self.pick((0.5, 1.0, 2.0))
        return Anchor(
            retry=Waits(times, interval, self.pick((1.0, 1.5, 2.0)), self.pick((None, 60.0, 1.5))),
            cycle_interval=self.pick((0.5, 1.0, 2.0)),
            cycle_backoff=self.pick((1.0, 1.0, 1.5, 2.0)),
            cycle_max_interval=self.pick((2.0, 2.5)),
            cycle_times=self.pick((1, 2, 3, 5, 8)),
            cycle_errors=self.pick((0, 1, 2, 3)),
            retry_on=self.pick(RETRY_ON),
            fail_on=self.pick(FAIL_ON),
        )

    def flow_calls(self, own: str) -> Calls:
        """Draw calls of `flow`: troubled ones, one that does it, and now and then more for what a cycle sends back."""
        calls: list[Call] = []
        while self.happens(0.5 if calls else self.trouble) and len(calls) < 4:
            calls.append(self.call(own, self.pick(FLOW_TROUBLES), slow=True))
        more = [self.call(own, "none", slow=True) for _ in range(self.pick((1, 1, 3)))]
        return (*calls, *more)

    def cycle_calls(self, own: str, anchor: Anchor) -> Calls:
        """Draw polls: mostly "not yet" until it is done, as often as may be."""
        calls: list[Call] = []
        times = anchor.cycle_times or 1
        left = self.rng.randrange(times) + self.happens(0.1)
        while left > 0 and len(calls) < POLLS:
            answer: Answer = self.pick(CYCLE_TROUBLES) if self.happens(2 * self.trouble) else "continue"
            calls.append(self.call(own, answer, slow=self.happens(0.06)))
            if answer == "raise":
                calls += self.row(calls[-1])
            left = self.rng.randrange(times) if answer == "retry" else left - 1
        return (*calls, self.call(own, "none"))

    def row(self, call: Call) -> list[Call]:
        """Draw more polls that raise alike, and now and then a good one between them."""
        row = [replace(call, duration=self.duration(30)) for _ in range(self.pick((0, 0, 1, 2, 3)))]
        between = [self.call("", "continue"), replace(call, duration=self.duration(30))] if self.happens(0.3) else []
        return [*row, *between, *(replace(each, duration=self.duration(30)) for each in (row if between else ()))]

    def call(self, own: str, answer: Answer, *, slow: bool = False) -> Call:
        """Draw one call, which puts its river's own key and sometimes one that others put too."""
        puts = {
            key: self.pick(VALUES) for key in (own, *SHARED) if self.happens(0.5 if key == own else self.contention)
        }
        drops = (self.pick((own, *SHARED)),) if self.happens(self.contention / 2) else ()
        waits = answer in {"retry", "continue"} and self.happens(0.2)
        after = self.pick((200_000, 700_000, 3_000_000)) if waits else None
        types = self.pick(EXCEPTIONS) if answer == "raise" else ()
        return Call(self.duration(300 if slow else 30), puts, drops, answer, after, types)

    def duration(self, most: int) -> int:
        """Draw so many hundredths of a second at most, with a rest that no sum of others is likely to have."""
        self.serial += 1
        return 10_000 * self.rng.randrange(most) + self.serial**3 * 7 % 9_973 + 1
