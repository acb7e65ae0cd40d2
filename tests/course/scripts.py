"""What are bodies scripted to do, and which flows is the model asked about?

`case(seed)` and the hypothesis strategy `cases()` draw the same kind of random nested drawings with random scripts and
random events from outside, in which nothing is left open by two things happening at one instant.
"""

import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal, NamedTuple, TypeVar

from hypothesis import strategies as st

from tests.course.model import Expected, Tie, expect
from vastflow.drawing.addresses import spots
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

__all__ = [
    "EXCEPTIONS",
    "SEA",
    "SILENT",
    "Answer",
    "Call",
    "Calls",
    "Case",
    "Command",
    "Outside",
    "case",
    "cases",
    "census",
    "depth",
    "drawn_at",
    "features",
    "rivers",
]

Answer = Literal["none", "true", "false", "retry", "fail", "continue", "raise", "bad"]
Command = Literal["cancel", "pause", "resume", "retry", "signal"]

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
    """What one call of a body does: takes a signal at once, saves, puts and drops keys, and answers at its end.

    A call always lasts as long as scripted, whoever stopped waiting for it: it heeds no cancel.

    Attributes:
        duration: microseconds.
        puts: keys that it puts, after its save if there is one.
        drops: keys that it drops, if they are there, at the same time.
        answer: returns None, True or False; raises Retry, Fail, Continue or an exception; or returns an int ("bad").
        after: microseconds, of "retry" and "continue".
        types: of "raise": the names of the exception's MRO, its own first.
        takes: the signal it asks for when it begins (`flow` and `cycle` only); "" for none.
        into: the key that gets the signal's value, if there was a signal.
        save_at: microseconds after its begin when it has put what is in `saves` and calls `save()`; None for never.
        saves: keys that it puts before its save.
    """

    duration: int
    puts: Mapping[str, Any] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    answer: Answer = "none"
    after: int | None = None
    types: tuple[str, ...] = ()
    takes: str = ""
    into: str = ""
    save_at: int | None = None
    saves: Mapping[str, Any] = field(default_factory=dict)


Calls = tuple[Call, ...]

SILENT = Call(7)
SEA = "~"


@dataclass(frozen=True)
class Outside:
    """What comes from outside at a moment, in microseconds from the flow's begin.

    Attributes:
        name: of a signal.
        value: of a signal.
    """

    at: int
    command: Command
    name: str = ""
    value: Any = None


@dataclass(frozen=True)
class Case:
    """A drawing, its water, what all bodies do and what comes from outside.

    Attributes:
        water: the starting water.
        added: what a basin's `water=` adds, by the basin's template address.
        scripts: what the successive calls of each body do, across all attempts, runs and rounds, by template address;
            what stands under a full address (`files[2]/read`) goes before it, body by body.
        atlantic: what the successive calls of "success" and of "fail" do.
        outside: what comes from outside, ordered by moment.
        deadline: of the flow, in microseconds from the begin of each round.
        cancel_grace: microseconds.
        silent: what a body does when its script is used up (a `when` then returns True).
    """

    chart: Chart
    water: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scripts: Mapping[str, Mapping[str, Calls]] = field(default_factory=dict)
    atlantic: Mapping[str, Calls] = field(default_factory=dict)
    outside: tuple[Outside, ...] = ()
    deadline: int | None = None
    cancel_grace: int = 10_000_000
    silent: Call = SILENT

    def call(self, address: str, body: str, number: int) -> Call:
        """Return what a body of the river at this full address (`~`: the Atlantic) does; calls are counted from 0."""
        template = self.scripts.get(drawn_at(address), {}).get(body, ())
        own = self.atlantic if address == SEA else self.scripts.get(address, {})
        calls = own.get(body, template)
        silent = replace(self.silent, answer="true") if body == "when" else self.silent
        return calls[number] if number < len(calls) else silent

    def adds(self, address: str) -> Mapping[str, Any]:
        """Return what `water=` of the basin at this full address adds."""
        return self.added.get(drawn_at(address), {})


def drawn_at(address: str) -> str:
    """Return the template address of a full one: `files[2]/read` was drawn at `files/read`."""
    return re.sub(r"\[\d+\]", "", address)


def rivers(places: Chain, prefix: str = "") -> dict[str, RiverPlace]:
    """Return every river that is drawn, by template address."""
    return {spot.address: spot.place for spot in spots(places, prefix) if isinstance(spot.place, RiverPlace)}


def depth(places: Chain) -> int:
    """Return how deep parallel rivers, eaches and basins nest."""
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
        drawn = _drawn(random.Random(f"{seed}/{number}"))  # noqa: S311 - not for secrets
        if drawn is not None:
            return drawn
    raise AssertionError


def cases() -> st.SearchStrategy[Case]:
    """Return a strategy of such cases, which shrinks."""
    return st.randoms(use_true_random=False).map(_drawn).filter(lambda drawn: drawn is not None).map(_sure)


def _sure(drawn: Case | None) -> Case:
    assert drawn is not None
    return drawn


def _drawn(rng: random.Random) -> Case | None:
    try:
        drawn = _draw(_Pen(rng))
        expect(drawn)
    except Tie:
        return None
    return drawn


T = TypeVar("T")

SHARED = ("a", "b", "c", "d")
VALUES: tuple[Any, ...] = (0, 1, 1.0, True, None, "x", "y", [], [1, {"z": 2}], {"k": 1, "l": 2}, {"l": 2, "k": 1})
RETRY_ON = (*[("builtins.Exception",)] * 6, ("app.Boom",), ("app.Fatal", "builtins.LookupError"), ())
FAIL_ON = (*[()] * 6, ("app.Bang",), ("app.Fatal", "builtins.KeyError"), ("builtins.Exception",))
SHARES = (0, 0, 0, 1, 2, 0.25, 0.5, 0.75)
JOINS: tuple[Literal["all", "settle", "any"], ...] = ("all", "all", "all", "settle", "any", "any")
TROUBLES: Mapping[str, tuple[Answer, ...]] = {
    "when": ("retry", "raise", "raise", "fail", "bad", "continue"),
    "flow": ("retry", "retry", "retry", "raise", "raise", "raise", "raise", "fail", "bad", "continue"),
    "cycle": ("raise", "raise", "raise", "raise", "retry", "retry", "retry", "fail", "bad"),
    "reconcile": ("retry", "retry", "continue", "continue", "raise", "raise", "fail", "bad"),
    "undo": ("retry", "raise", "raise", "continue", "fail", "bad"),
}


class Leaning(NamedTuple):
    """What a case is full of: how likely bodies and signals are in it, how many, how long.

    Attributes:
        unsure: that `reconcile` never knows.
        again: else, that it always says Retry.
        late: that a river has a deadline, of `longest` seconds at most.
        over: that as many polls say "not yet" as there may be, or more.
        called: how many signals of a name are sent.
        pauses: how likely one pause is, beside 16 for all else that comes from outside; it lasts `pause` microseconds
            at most.
    """

    reconcile: float = 0.25
    unsure: float = 0.08
    again: float = 0.0
    timeout: float = 0.15
    late: float = 0.12
    longest: int = 30
    cycle: float = 0.4
    times: tuple[int, ...] = (1, 2, 3, 5, 8)
    over: float = 0.0
    signals: float = 0.3
    called: tuple[int, ...] = (0, 1, 1, 2)
    pauses: int = 4
    pause: int = 5_000_000


LEANINGS = (
    Leaning(),
    Leaning(),
    Leaning(reconcile=0.7, unsure=0.15, again=0.3, timeout=0.5),  # doubts
    Leaning(cycle=0.8, times=(2, 3, 5), over=0.6, signals=0),  # polls that run out
    Leaning(cycle=0.8, times=(2, 3, 5), over=0.6, signals=0.8, called=(0, 1, 2, 3)),  # the same, woken by signals
    Leaning(late=0.5, longest=5, pauses=60, pause=15_000_000),  # deadlines that are over in a pause
)
SPEECH: Mapping[str, tuple[Answer, ...]] = {"when": ("true", "true", "true", "false")}
DEEPEST = 4
RIVERS = 18
POLLS = 30


def _draw(pen: "_Pen") -> Case:
    """Draw a case; where things come from outside, draw their moments from how long it lasts without them."""
    spring = {key: pen.pick(VALUES) for key in SHARED if pen.happens(0.6)}
    streams = pen.chain(_Reach(must=pen.pick((0, 1, 2, 3, 3)), keys=set(spring), pool=spring))
    mouth = Mouth("sea", "scripted.Sea", pen.waits((0, 0, 1, 2)), pen.pick(RETRY_ON), pen.pick(FAIL_ON))
    atlantic = {body: pen.calls("flow", "sea") for body in ("success", "fail")}
    chart = Chart("scripted", "scripted.Water", streams, mouth)
    grace = pen.duration(pen.pick((50, 200, 1000)))
    drawn = Case(chart, spring, pen.added, pen.scripts, atlantic, cancel_grace=grace)
    return pen.retried(pen.troubled(drawn, expect(drawn).rounds[-1].ended_at))


@dataclass
class _Reach:
    """Where the next stream is drawn.

    Attributes:
        must: how much deeper it must go.
        keys: those to hand.
        pool: the values that are given to the flow or to the basin.
        single: there is no `each` around it.
    """

    prefix: str = ""
    names: Counter[str] = field(default_factory=Counter)
    level: int = 0
    must: int = 0
    keys: set[str] = field(default_factory=set)
    pool: dict[str, Any] = field(default_factory=dict)
    single: bool = True

    def name(self, letter: str) -> str:
        self.names[letter] += 1
        return f"{letter}{self.names[letter]}"


class _Pen:
    """Draws one case by the throws of one die."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.leaning = self.pick(LEANINGS)
        self.trouble = self.pick((0.03, 0.08, 0.2))
        self.contention = self.pick((0.02, 0.08, 0.3))
        self.scripts: dict[str, dict[str, Calls]] = {}
        self.added: dict[str, dict[str, Any]] = {}
        self.rivers = 0
        self.serial = 0

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.rng.randrange(len(choices))]

    def happens(self, share: float) -> bool:
        """Say whether it happens; the smallest throw says no, so that cases shrink."""
        return self.rng.randrange(1000) >= 1000 - share * 1000

    def some(self, keys: Iterable[str], most: int) -> list[str]:
        """Pick a few of these keys, and once in a while one that nobody writes."""
        left = sorted(keys)
        picked = [left.pop(self.rng.randrange(len(left))) for _ in range(min(len(left), self.rng.randrange(most + 1)))]
        return [*picked, "nowhere"] if self.happens(0.03) else picked

    def duration(self, most: int) -> int:
        """Draw so many hundredths of a second at most, with a rest that no sum of others is likely to have."""
        self.serial += 1
        return 10_000 * self.rng.randrange(most) + self.serial**3 * 7 % 9_973 + 1

    def seconds(self, most: int) -> float:
        return 0.2 + self.duration(100 * most) / 1_000_000

    def waits(self, times: Sequence[int]) -> Waits:
        interval, bound = self.pick((0.5, 1.0, 2.0)), self.pick((None, 60.0, 1.5))
        return Waits(self.pick(times), interval, self.pick((1.0, 1.5, 2.0)), bound)

    def chain(self, reach: _Reach) -> Chain:
        """Draw up to three streams; what they are likely to write is then to hand."""
        places: list[Place] = []
        for _ in range(self.pick((1, 1, 2, 2, 3))):
            places.append(self.stream(reach))
            reach.must = 0
        return tuple(places)

    def stream(self, reach: _Reach) -> Place:
        full = reach.level >= DEEPEST or self.rivers >= RIVERS
        if reach.must == 0 and (full or not self.happens(0.3)):
            return self.river(reach)
        if self.happens(0.4):
            return self.basin(reach)
        return self.each(reach) if reach.single and self.happens(0.3) else self.parallel(reach)

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
        return ParallelPlace(reach.name("p"), tuple(branches), self.pick(JOINS), self.pick(SHARES), clash)

    def each(self, reach: _Reach) -> EachPlace:
        """Draw a template; each item then has scripts of its own, or they would all end at one instant."""
        number, limit = self.pick((0, 1, 2, 3, 4)), self.pick((None, None, 1, 2))
        key = f"list-{len(self.scripts)}"
        if not self.happens(0.03):
            reach.pool[key] = "no list" if self.happens(0.04) else [self.pick(VALUES) for _ in range(number)]
        within = replace(reach, level=reach.level + 1, must=max(0, reach.must - 1), keys={*reach.keys, "item"})
        within.single = False
        if within.must == 0 and self.happens(0.5):
            streams: Chain = (self.river(within),)
            name = streams[0].name
        else:
            name = reach.name("e")
            within.prefix, within.names = f"{reach.prefix}{name}/", Counter()
            streams = (self.river(within), *self.chain(within))
        place = EachPlace(name, key, "item", streams, limit, {}, self.pick(SHARES))
        for address, river in rivers((place,), reach.prefix).items():
            at = f"{reach.prefix}{name}"
            for index in range(number):
                self.scripts[f"{at}[{index}]{address.removeprefix(at)}"] = self.script(river, river.name, single=False)
        collect = self.renamed(self.some(within.keys, 2))
        reach.keys |= {*collect.values()}
        return EachPlace(name, key, "item", streams, limit, collect, place.max_failures)

    def basin(self, reach: _Reach) -> BasinPlace:
        name = reach.name("b")
        address = reach.prefix + name
        inputs = None if self.happens(0.4) else self.renamed(self.some(reach.keys, 3))
        pool = {key: self.pick(VALUES) for key in self.some((*SHARED, "extra"), 2)} if self.happens(0.3) else {}
        inside = {*(reach.keys if inputs is None else inputs.values()), *pool}
        must = max(0, reach.must - 1)
        within = _Reach(f"{address}/", Counter(), reach.level + 1, must, inside, pool, reach.single)
        streams = self.chain(within)
        if pool:
            self.added[address] = pool
        outputs = self.renamed(self.some(within.keys, 3))
        reach.keys |= {*outputs.values()}
        goes_on, added = self.happens(0.25), tuple(sorted(pool))
        return BasinPlace(name, streams, inputs, outputs, added, goes_on, self.waits((0, 0, 1, 2)))

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
        self.rivers += 1
        leaning = self.leaning
        likely = {"when": 0.2, "flow": 1, "cycle": leaning.cycle, "undo": 0.5, "reconcile": leaning.reconcile}
        bodies = tuple(body for body, share in likely.items() if self.happens(share))
        place = RiverPlace(
            name, "scripted.River", bodies, self.anchor(f"go-{self.rivers}", bodies, single=reach.single)
        )
        self.scripts[reach.prefix + name] = self.script(place, name, single=reach.single)
        calls = [call for calls in self.scripts[reach.prefix + name].values() for call in calls]
        reach.keys |= {key for call in calls if call.answer == "none" for key in call.puts if "undone" not in key}
        return place

    def anchor(self, signal: str, bodies: tuple[str, ...], *, single: bool) -> Anchor:
        leaning, atomic, hears = self.leaning, self.happens(0.15), "cycle" in bodies and single
        signals = (signal,) if hears and self.happens(leaning.signals) else ()
        unpolled = bool(signals) and self.happens(0.3)
        interval = None if unpolled else self.pick((0.5, 1.0, 2.0))
        return Anchor(
            retry=self.waits((0, 1, 1, 2, 3)),
            cycle_interval=interval,
            cycle_backoff=self.pick((1.0, 1.0, 1.5, 2.0)),
            cycle_max_interval=self.pick((2.0, 2.5)),
            cycle_times=self.pick(leaning.times),
            cycle_errors=self.pick((0, 1, 2, 3)),
            deadline=self.seconds(leaning.longest) if atomic or unpolled or self.happens(leaning.late) else None,
            timeout=self.seconds(4) if self.happens(leaning.timeout) else None,
            retry_on=self.pick(RETRY_ON),
            fail_on=self.pick(FAIL_ON),
            atomic=atomic,
            at_most_once=self.happens(0.08),
            undo_times=self.pick((0, 1, 3)),
            undo_interval=self.pick((0.5, 2.0)),
            undo_deadline=self.seconds(self.pick((5, 60, 60))),
            signals=signals,
        )

    def script(self, place: RiverPlace, own: str, *, single: bool) -> dict[str, Calls]:
        """Draw what all bodies of a river do."""
        script = {body: self.calls(body, own) for body in place.bodies if body != "cycle"}
        if "reconcile" in script and self.happens(self.leaning.unsure):
            script["reconcile"] = tuple(self.call(own, "continue", 30) for _ in range(12))
        elif "reconcile" in script and self.happens(self.leaning.again):
            script["reconcile"] = tuple(self.call(own, "retry") for _ in range(6))
        if "undo" in script:
            shared = (f"{own}-undone", *(SHARED if single else ()))
            script["undo"] = tuple(replace(call, puts=self.puts(shared), drops=()) for call in script["undo"])
        if "cycle" in place.bodies:
            script["cycle"] = self.polls(own, place.anchor)
        if place.anchor.signals:
            name = place.anchor.signals[0]
            script |= {body: self.taking(script[body], name) for body in ("flow", "cycle")}
        return script

    def calls(self, body: str, own: str) -> Calls:
        """Draw calls of a body: troubled ones, and some that do it, since it may be called anew."""
        calls: list[Call] = []
        trouble = self.trouble * (3 if body in {"undo", "reconcile"} else 1)
        while self.happens(0.5 if calls else trouble) and len(calls) < 4:
            calls.append(self.call(own, self.pick(TROUBLES[body])))
        more = [self.call(own, self.pick(SPEECH.get(body, ("none",)))) for _ in range(4)]
        if self.happens(self.trouble):
            more[1:1] = [self.call(own, self.pick(TROUBLES[body])) for _ in range(3)]
        return (*calls, *more)

    def polls(self, own: str, anchor: Anchor) -> Calls:
        """Draw polls: mostly "not yet" until it is done, as often as may be."""
        calls: list[Call] = []
        times = anchor.cycle_times or 1
        left = times + self.pick((0, 0, 1, 2)) if self.happens(self.leaning.over) else self.rng.randrange(times)
        left += self.happens(0.1)
        while left > 0 and len(calls) < POLLS:
            answer = self.pick(TROUBLES["cycle"]) if self.happens(2 * self.trouble) else "continue"
            calls.append(self.call(own, answer, 300 if self.happens(0.06) else 30))
            if answer == "raise":
                calls += self.row(calls[-1])
            left = self.rng.randrange(times) if answer == "retry" else left - 1
        return (*calls, *(self.call(own, "none", 30) for _ in range(4)))

    def row(self, call: Call) -> list[Call]:
        """Draw more polls that raise alike, and now and then a good one between them."""
        row = [replace(call, duration=self.duration(30), save_at=None) for _ in range(self.pick((0, 0, 1, 2, 3)))]
        between = [self.call("", "continue", 30)] if self.happens(0.3) else []
        return [*row, *between, *(replace(each, duration=self.duration(30)) for each in (row if between else ()))]

    def taking(self, calls: Calls, signal: str) -> Calls:
        """Let most of these calls take a signal."""
        return tuple(replace(call, takes=signal, into=signal) if self.happens(0.6) else call for call in calls)

    def call(self, own: str, answer: Answer, most: int = 300) -> Call:
        """Draw one call, which puts its river's own key and sometimes one that others put too."""
        drops = (self.pick((own, *SHARED)),) if self.happens(self.contention / 2) else ()
        after = self.pick((200_000, 700_000, 3_000_000)) if self.happens(0.2) else None
        after = after if answer in {"retry", "continue"} else None
        types = self.pick(EXCEPTIONS) if answer == "raise" else ()
        duration, puts = self.duration(most), self.puts((own, *SHARED))
        save_at = self.rng.randrange(duration) if duration > 1 and self.happens(0.1) else None
        saves = {} if save_at is None else self.puts((f"{own}-saved", own, *SHARED))
        return Call(duration, puts, drops, answer, after, types, save_at=save_at, saves=saves)

    def puts(self, keys: Sequence[str]) -> dict[str, Any]:
        return {key: self.pick(VALUES) for key in keys if self.happens(0.5 if key == keys[0] else self.contention)}

    def troubled(self, drawn: Case, ended_at: int) -> Case:
        """Send signals, and now and then trouble from outside."""
        events = [
            Outside(self.moment(ended_at), "signal", name, self.pick(VALUES))
            for place in rivers(drawn.chart.streams).values()
            for name in place.anchor.signals
            for _ in range(self.pick(self.leaning.called))
        ]
        pauses = ["pause"] * self.leaning.pauses
        match self.pick((*["none"] * 10, "cancel", "cancel", "cancel", "deadline", "deadline", *pauses, "any")):
            case "cancel":
                events.append(Outside(self.moment(ended_at), "cancel"))
            case "deadline":
                drawn = replace(drawn, deadline=self.moment(ended_at))
            case "pause":
                events.append(Outside(self.moment(ended_at), "pause"))
                events.append(Outside(events[-1].at + self.moment(self.leaning.pause), "resume"))
            case "any":
                commands: tuple[Command, ...] = ("cancel", "pause", "resume", "retry")
                events += [Outside(self.moment(ended_at), self.pick(commands)) for _ in range(4)]
                events.append(Outside(2 * ended_at + self.moment(5_000_000), "resume"))
            case _:
                pass
        return replace(drawn, outside=tuple(sorted(events, key=lambda event: event.at)))

    def retried(self, drawn: Case) -> Case:
        """Retry some flows that have ended, most of them because they failed."""
        for _ in range(self.pick((0, 0, 1, 2))):
            last = expect(drawn).rounds[-1]
            if last.state != "success" or self.happens(0.1):
                again = Outside(last.ended_at + self.moment(2_000_000), "retry")
                drawn = replace(drawn, outside=tuple(sorted([*drawn.outside, again], key=lambda event: event.at)))
        return drawn

    def moment(self, most: int) -> int:
        return 1 + self.rng.randrange(max(1, most))


def features(drawn: Case, end: Expected) -> set[str]:
    """Return what is met in a case, in words."""
    found = {f"outcome {each.outcome}" for each in end.rounds} | {f"kind {kind}" for kind in end.failures.values()}
    found |= {f"flow {each.failure[0]}" for each in end.rounds if each.failure}
    found |= {f"river {state}" for state, _ in end.rivers.values()}
    found |= {f"body {body}" for _, calls in end.rivers.values() for body in calls}
    found |= {f"undo {kind or 'done'}" for _, _, kind in end.undos}
    found |= {f"{event.command} {answer}" for event, answer in zip(drawn.outside, end.answers, strict=True)}
    found |= _kinds(drawn.chart.streams) | {f"rounds {len(end.rounds)}"}
    found |= {"three deep"} if depth(drawn.chart.streams) > 2 else set()
    return found | ({"signal left over"} if end.signals else set())


def _kinds(places: Chain) -> set[str]:
    found = set[str]()
    for spot in spots(places):
        match spot.place:
            case ParallelPlace(join=join):
                found |= {f"join {join}"}
            case EachPlace():
                found |= {"each"}
            case BasinPlace() as basin:
                found |= {"basin"} | ({"basin retried"} if basin.retry.times else set())
                found |= {"basin goes on"} if basin.continue_on_failure else set()
            case RiverPlace(anchor=anchor, bodies=bodies):
                found |= {f"{body} drawn" for body in bodies} | ({"atomic"} if anchor.atomic else set())
    return found


def census(seeds: Iterable[int]) -> Counter[str]:
    """Count in how many of these cases each thing is met."""
    met: Counter[str] = Counter()
    for seed in seeds:
        drawn = case(seed)
        met.update(features(drawn, expect(drawn)))
    return met


if __name__ == "__main__":
    total = int(sys.argv[1])
    for what, times in sorted(census(range(total)).items()):
        print(f"{100 * times / total:6.1f} %  {what}")  # noqa: T201 - what it is for
