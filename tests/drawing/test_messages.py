"""Does every error about a drawing say what is wrong, where, and what to do now?"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.drawing.streams import Attach, Create, End, Tag, Water, drawn, slot
from vastflow import drawing
from vastflow.drawing import Andes, Atlantic, Basin, Headwaters, ParallelRiver, River, lay
from vastflow.drawing.parallel_river import Stream
from vastflow.errors import VastflowError

# The same without types, since what is written with them here is wrong.
words: Any = drawing
Create_: Any = Create
Attach_: Any = Attach

Case = tuple[Callable[[], object], str, str, str]


def flow(_self: Any, _water: Any) -> None:
    """Do nothing."""


async def late(_self: Any, _water: Any) -> None:
    """Do nothing, later."""


def river(called: str = "Bad", /, **contents: Any) -> Any:
    """Make a class of river with a `flow` and these contents."""
    return type(called, (River,), {"flow": flow, **contents, "__module__": __name__, "__qualname__": called})


def typed(called: str, base: type = River, /, **annotations: Any) -> Any:
    """Make a class of river with these annotations."""
    contents = {"flow": flow, "__annotations__": annotations, "__module__": __name__, "__qualname__": called}
    return type(called, (base,), contents)


class Strange(Stream):
    """What nobody should write."""


class View(Headwaters):
    nowhere: str


class Waits(River):
    signals = ("paid",)

    def flow(self, water: Any) -> None:
        """Do nothing."""

    def cycle(self, water: Any) -> None:
        """Wait."""


class Hooked(River):
    told: Any

    def flow(self, water: Any) -> None:
        """Do nothing."""

    def update(self, attr: Any, _water: Any) -> None:
        name, value = self.told
        setattr(attr, name, value)


class Abstract(River):
    """Has nothing to call."""


def start(*streams: Stream, water: type[Headwaters] = Headwaters, **values: Any) -> object:
    return lay(drawn(*streams, water=water), None, values)


def viewing(view: object) -> Stream:
    def sees(_self: Any, water: Any) -> None:
        """Do nothing."""

    sees.__annotations__["water"] = view
    made: Stream = river("Viewing", flow=sees)()
    return made


def renewed() -> object:
    cls = river("Renewed")
    stream = cls()
    cls.retry_times = -5
    return start(stream)


def twins() -> object:
    return start(river("Twin")(), river("Twin")())


def appended_late() -> object:
    inner = ParallelRiver(Attach())
    Basin("east", inner)
    return inner.append(Attach())


def itself() -> object:
    basin = Basin("east")
    return basin.append(basin)


def pinned() -> object:
    river("One", registered_as="tests.pinned")
    return river("Other", registered_as="tests.pinned")


def unlaunched() -> object:
    with slot(None):
        return Andes("x").start()


def yields(_self: Any, _water: Any) -> Iterator[int]:
    yield 1


# What makes the error; then what is wrong, where it is, and what to do, as they stand in the message.
ATTRIBUTES: dict[str, Case] = {
    "negative count": (
        lambda: river(retry_times=-1),
        "retry_times = -1 is not possible",
        "Bad",
        "write a whole number, 0",
    ),
    "count as text": (lambda: river(cycle_errors="3"), "cycle_errors = '3'", "Bad", "write a whole number, 0 or more"),
    "count of nothing": (lambda: river(max_running=0), "max_running = 0", "Bad", "write a whole number, 1 or more"),
    "flag": (lambda: river(atomic=1), "atomic = 1 is not possible", "Bad", "write True or False"),
    "factor": (lambda: river(retry_backoff=0), "retry_backoff = 0 is not", "Bad", "write a number above 0"),
    "shrinking": (lambda: river(cycle_backoff=0.5), "cycle_backoff = 0.5 is not", "Bad", "write a number, 1 or more"),
    "duration": (lambda: river(retry_interval="soon"), "retry_interval = 'soon'", "Bad", 'text such as "90s", "5m"'),
    "negative wait": (lambda: river(undo_interval=-1), "undo_interval = -1", "Bad", "write a duration of 0 or more"),
    "no time at all": (lambda: river(timeout=0), "timeout = 0 is not possible", "Bad", "write a duration above 0"),
    "text": (lambda: river(color=7), "color = 7 is not possible", "Bad", "write a text that is not empty"),
    "one text for many": (lambda: river(signals="paid"), "signals = 'paid'", "Bad", "write a tuple of texts"),
    "one exception": (
        lambda: river(retry_on=OSError),
        "retry_on = <class 'OSError'>",
        "Bad",
        "tuple of exception classes",
    ),
    "endless cycle": (
        lambda: river(cycle=flow),
        "its `cycle` might poll for ever",
        "Bad",
        "write `cycle_times`, `deadline`",
    ),
    "polls of nothing": (
        lambda: river(cycle_times=3),
        "cycle_times counts polls, but there are",
        "Bad",
        "write a `cycle`",
    ),
    "waits of nothing": (
        lambda: river(cycle_interval="5s"),
        "cycle_interval spaces polls, but there are none",
        "Bad",
        "write a `cycle`, or take it out",
    ),
    "errors of nothing": (
        lambda: river(cycle_errors=0),
        "cycle_errors counts failed polls, but there are none",
        "Bad",
        "write a `cycle`, or take it out",
    ),
    "misspelt cycle": (
        lambda: river(cycle_backoff=2, cylce=flow),
        "it has a `cylce`",
        "Bad: cycle_backoff",
        "did you mean cycle()?",
    ),
    "misspelt attribute": (
        lambda: river(retry_tims=3),
        "retry_tims is no attribute",
        "Bad",
        "did you mean 'retry_times'?",
    ),
    "misspelt option": (
        lambda: Attach_().options(retry_time=3),
        "no attribute 'retry_time'",
        "Attach.options()",
        "did you mean 'retry_times'",
    ),
    "misspelt in update": (
        lambda: start(Hooked(("timout", 3))),
        "has no attribute 'timout'",
        "hooked",
        "did you mean 'timeout'?",
    ),
    "signals of nothing": (
        lambda: river(signals=("a",)),
        "signals wake a `cycle`, but",
        "Bad",
        "write a `cycle`, or take `s",
    ),
    "never woken": (
        lambda: river(cycle_interval=None),
        "only signals wake it",
        "Bad",
        "write `signals`, or an interval",
    ),
    "unending": (lambda: river(atomic=True), "atomic = True lets nothing stop it", "Bad", "write a `deadline` too"),
    "not lasting": (
        lambda: river(durable=False, at_most_once=True),
        "at_most_once = True forbids that",
        "Bad",
        "write one of them",
    ),
    "not lasting body": (lambda: river(durable=False, undo=flow), "`undo` forbids that", "Bad", "take one of them out"),
    "stranger": (
        lambda: type("Sea", (Atlantic,), {"deadline": 5, "__module__": __name__, "__qualname__": "Sea"}),
        "deadline is an attribute of rivers",
        "Sea",
        "take it out, or write one of fail_on",
    ),
    "unknown option": (
        lambda: Attach_().options(retries=3),
        "no attribute 'retries'",
        "Attach",
        "write one of at_most_once",
    ),
    "option of the class": (
        lambda: Attach_().options(registered_as="x"),
        "belongs to the class",
        "Attach",
        "write it there",
    ),
    "template": (lambda: river(name="a-{kind}"), "uses {kind}", "Bad", "write one of its parameters (none)"),
    "broken template": (lambda: river(name="a-{"), "'a-{' is no template", "Bad", "write {{ and }} for braces"),
    "empty template": (
        lambda: Attach_().options(name=""),
        "name = ''",
        "Attach.options()",
        "write a text that is not empty",
    ),
    "update changes the chart": (
        lambda: start(Hooked(("name", "x"))),
        "update() may not change name",
        "hooked (Hooked)",
        "write options(name=...)",
    ),
    "update of nothing": (
        lambda: start(Hooked(("retries", 3))),
        "has no attribute 'retries'",
        "hooked",
        "write one of",
    ),
    "update to clash": (
        lambda: start(Hooked(("atomic", True))),
        "atomic = True lets nothing stop",
        "hooked",
        "`deadline`",
    ),
}

PARAMETERS: dict[str, Case] = {
    "missing": (Create_, "misses kind", "Create(...)", "write Create(kind=...)"),
    "too many": (lambda: Attach_(1), "was given 1 values", "Attach(...)", "take out what is too much"),
    "unknown": (lambda: Create_("vm", colour=1), "was given colour", "Create(...)", "rename or take out colour"),
    "twice": (lambda: Create_("vm", kind="vm"), "kind twice", "Create(...)", "write it once"),
    "annotated attribute": (
        lambda: typed("Bad", retry_times=int),
        "retry_times is an attribute",
        "Bad",
        "`retry_times = ",
    ),
    "underscore": (
        lambda: typed("Bad", _kind_of=str),
        "begins with an underscore",
        "Bad",
        "write kind_of, or ClassVar",
    ),
    "taken name": (lambda: typed("Bad", key=str), "self.key means something already", "Bad", "rename it"),
    "order": (
        lambda: typed("Bad", Create, late=int),
        "late without a default comes after size",
        "Bad",
        "give late a default",
    ),
    "own init": (
        lambda: river(__init__=flow),
        "has its own __init__",
        "Bad",
        "write its parameters as annotated names",
    ),
    "own post init": (
        lambda: river(__post_init__=flow),
        "has its own __post_init__",
        "Bad",
        "the rest into its bodies",
    ),
    "shadow": (lambda: river(attempt=3), "attempt hides self.attempt", "Bad", "rename it"),
    "set": (
        lambda: setattr(Create_("vm"), "kind", "x"),
        "self.kind of",
        "Create",
        "write what a body finds into the water",
    ),
    "deleted": (lambda: delattr(Create_("vm"), "kind"), "cannot be deleted", "Create", "draw another one"),
    "unstorable": (lambda: start(Create_(object())), "type object cannot be stored", "create: kind", "store its data"),
}

BODIES: dict[str, Case] = {
    "no method": (lambda: river(flow=7), "flow is no method", "Bad", "write `def flow(self, water)`"),
    "static": (lambda: river(undo=staticmethod(flow)), "undo is no method", "Bad", "write `def undo(self, water)`"),
    "yields": (lambda: river(flow=yields), "flow yields", "Bad", "write `def flow(self, water)` to return"),
    "arguments": (
        lambda: river(when=lambda _: True),
        "cannot be called with (self, water)",
        "Bad",
        "`def when(self, ",
    ),
    "async update": (lambda: river(update=late), "never awaited", "Bad", "write `def update(self, attr, water)`"),
    "outside": (lambda: Create_("vm").key, "self.key", "Create", "start a flow and ask there"),
    "unknown view": (lambda: start(viewing("Nobody")), "'Nobody'", "viewing.flow", "import or define it"),
    "no view": (
        lambda: start(viewing(int)),
        "annotated with <class 'int'>",
        "viewing.flow",
        "write Headwaters or a class",
    ),
    "view without key": (
        lambda: start(viewing(View), water=Water, image=""),
        "has no such key",
        "viewing.flow",
        "declare",
    ),
}

DRAWINGS: dict[str, Case] = {
    "no stream": (start, "no stream is drawn", "Andes('test')", "write `Andes(...) >> YourRiver()"),
    "no end": (
        lambda: words.lay(words.Andes("x") >> Attach_(), None, {}),
        "it has no Atlantic",
        "Andes('x')",
        "add `>> YourEnd()`",
    ),
    "empty parallel": (
        lambda: start(words.ParallelRiver()),
        "this ParallelRiver is empty",
        "parallel-river",
        "give it streams",
    ),
    "empty basin": (
        lambda: start(words.Basin("east")),
        "this Basin is empty",
        "east",
        "give it streams, or leave it out",
    ),
    "abstract": (
        lambda: start(Abstract()),
        "Abstract has nothing to call",
        "abstract",
        "write `def flow(self, water)`",
    ),
    "two classes": (twins, "two classes called", "twin-2", "give one of them `registered_as`"),
    "changed class": (renewed, "retry_times = -5", "renewed", "write a whole number"),
    "own stream": (lambda: start(Strange()), "is a Stream of your own", "Strange", "derive its class from River"),
    "name twice": (
        lambda: start(words.Basin("a", Attach_()), words.Basin("a", Attach_())),
        "called 'a'",
        "Andes('test')",
        "name of its own",
    ),
    "refused name": (lambda: words.Basin("a/b"), "'a/b' holds '/'", "Basin", "take out / [ ] :"),
    "made name": (lambda: start(Tag(["a:b"])), "'tag-a:b' holds ':'", "Andes('test')", "take out"),
    "unmade name": (lambda: start(Tag([])), "cannot be made from its parameters", "Tag(tags=[])", "a simpler template"),
    "no name": (lambda: words.Basin(Attach_()), "is no name", "Basin", "write a text"),
    "empty name": (lambda: words.ParallelRiver(name=""), "the name is empty", "ParallelRiver", "write a text"),
    "unnamed each": (
        lambda: start(words.ParallelRiver.each("files", Attach_() >> Attach_(), item="file")),
        "over a chain has no name",
        "each",
        "write each(..., name=",
    ),
    "join": (lambda: words.ParallelRiver(join="some"), "join='some'", "ParallelRiver", "one of 'all', 'settle', 'any'"),
    "conflict": (
        lambda: words.ParallelRiver(on_conflict="x", name="p"),
        "on_conflict='x'",
        "ParallelRiver 'p'",
        "'fail', 'last'",
    ),
    "all may fail": (
        lambda: words.ParallelRiver(max_failures=1.0),
        "max_failures=1.0",
        "ParallelRiver",
        "a share below 1",
    ),
    "limit": (lambda: words.ParallelRiver.each("f", Attach_(), item="i", limit=0), "limit=0", "Each", "1 or more"),
    "item": (lambda: words.ParallelRiver.each("f", Attach_(), item=""), "item='' is no key", "Each", "write a text"),
    "outputs": (
        lambda: words.Basin("a", outputs="vm"),
        "outputs='vm' is no list of keys",
        "Basin 'a'",
        "write a list of keys",
    ),
    "inputs": (lambda: words.Basin("a", inputs=[1]), "holds what is no key", "Basin 'a'", "write a list of keys"),
    "added water": (lambda: words.Basin("a", water=[1]), "water=[1] is no mapping", "Basin 'a'", "write water={"),
    "frozen": (
        lambda: setattr(words.Basin("a"), "name", "b"),
        "a drawing is frozen",
        "Basin 'a'",
        "give it to Basin(...)",
    ),
    "late": (appended_late, "append() came after it was drawn", "ParallelRiver", "append first"),
    "itself": (itself, "cannot flow into itself", "Basin 'east'", "append another stream"),
    "two to one key": (
        lambda: start(words.Basin("a", Attach_(), outputs={"x": "z", "y": "z"})),
        "writes 'z' from 'x' and 'y'",
        "a: outputs",
        "give each a key of its own",
    ),
    "key not declared": (
        lambda: start(words.Basin("a", Attach_(), outputs=["wm"]), water=Water, image=""),
        "the key 'wm', which Water does not declare",
        "a: outputs",
        "declare it there",
    ),
    "signal twice": (
        lambda: start(Waits() | Waits()),
        "both want the signal 'paid'",
        "parallel-river",
        "different names",
    ),
    "signal of many": (
        lambda: start(words.ParallelRiver.each("files", Waits(), item="file")),
        "all want the signal 'paid'",
        "waits",
        "write limit=1",
    ),
    "Andes name": (lambda: words.Andes(""), "this is no name", "Andes('')", "write a text"),
    "Andes water": (lambda: words.Andes("x", int), "no class of water", "Andes('x')", "derived from Headwaters"),
    "drawn water": (lambda: words.Andes("x").draw_headwaters(7), "(7) is no water", "Andes('x')", "or a dict"),
    "drawn end": (
        lambda: words.Andes("x").draw_atlantic(Attach_()),
        "is no Atlantic",
        "Andes('x')",
        "derived from Atlantic",
    ),
    "second end": (lambda: drawn() >> End(), "cannot be a second end", "Andes('test')", "draw one"),
    "after the end": (
        lambda: drawn() >> Attach_(),
        "nothing flows on after",
        "Andes('test')",
        "write the Atlantic last",
    ),
    "pinned twice": (pinned, "'tests.pinned' is claimed by two", "One and", "give one of them another `registered_as`"),
    "no engine": (unlaunched, "found no engine", "andes.start()", "write `with Engine(url) as"),
}

WATERS: dict[str, Case] = {
    "missing": (
        lambda: start(Attach_(), water=Water),
        "Water needs 'image'",
        "Andes('test')",
        "write start(image=...)",
    ),
    "undeclared": (
        lambda: start(Attach_(), water=Water, image="", wm=1),
        "no key 'wm'",
        "Andes('test')",
        "declare it there",
    ),
    "type": (
        lambda: start(Attach_(), water=Water, image=7),
        "declares image as str",
        "Andes('test')",
        "put what is declared",
    ),
    "unstorable": (
        lambda: start(Attach_(), it=object()),
        "cannot be stored",
        "Andes('test'): in the starting",
        "store its",
    ),
    "no water": (lambda: words.lay(drawn(Attach_()), 7, {}), "7 is no water", "Andes('test')", "write start("),
    "made of no mapping": (
        lambda: words.Headwaters(3),
        "Headwaters(3): a water is made of its keys or of a mapping",
        "Headwaters",
        "write Headwaters(image='debian')",
    ),
    "unresolvable": (
        lambda: start(Attach_(), water=type("Odd", (Headwaters,), {"__annotations__": {"a": "Nobody"}})),
        "Nobody",
        "Odd.a",
        "import or define it",
    ),
}

OPERATORS: dict[str, Case] = {
    "parentheses": (
        lambda: words.Andes("x") | Attach_(),
        ">> binds closer than |",
        "Andes('x') | Attach()",
        "put parentheses",
    ),
    "Andes beside": (
        lambda: 7 | words.Andes("x"),
        "stands at the beginning",
        "7 | Andes('x')",
        "write Andes(...) >> (a | b)",
    ),
    "class": (lambda: Attach_() >> Create, "Create is a class", ">>", "write Create(...)"),
    "end in a chain": (lambda: Attach_() >> End(), "End is an Atlantic", ">>", "write `Andes(...) >> ... >> End(...)`"),
    "Andes within": (
        lambda: Attach_() | words.Andes("x"),
        "an Andes stands at the beginning",
        "|",
        "write `Andes(...) >> ...`",
    ),
    "anything": (lambda: words.ParallelRiver(7), "7 is no stream", "ParallelRiver(...)", "write a River"),
}

ALL = {
    f"{table}: {name}": case
    for table, cases in {
        "attribute": ATTRIBUTES,
        "parameter": PARAMETERS,
        "body": BODIES,
        "drawing": DRAWINGS,
        "water": WATERS,
        "operator": OPERATORS,
    }.items()
    for name, case in cases.items()
}


def told_by(wrong: Callable[[], object]) -> str:
    with pytest.raises((VastflowError, TypeError)) as caught:
        wrong()
    return str(caught.value)


@pytest.mark.promise("2.3", "2.4", "2.9")
@pytest.mark.parametrize(("wrong", "what", "where", "do"), ALL.values(), ids=ALL)
def test_an_error_says_what_is_wrong_and_where_and_what_to_do(
    wrong: Callable[[], object], what: str, where: str, do: str
) -> None:
    message = told_by(wrong)

    assert what in message
    assert where in message
    assert do in message


def test_no_two_errors_say_the_same() -> None:
    messages = {told_by(wrong) for wrong, *_ in ALL.values()}

    assert len(messages) == len(ALL) >= 40
