"""How is a small flow written down in one line, and run through the course?"""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.course.driver import Run
from tests.course.scripts import EXCEPTIONS, Call, Calls, Case, rivers
from vastflow.course.facts import Fact, What
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

SECOND = 1_000_000
BOOM, BANG, FATAL, KEY_ERROR, SYSTEM_EXIT = EXCEPTIONS
RETRY, FAIL, CONTINUE, BAD = (Call(10, answer=answer) for answer in ("retry", "fail", "continue", "bad"))


FIELDS = ("water", "added", "atlantic", "outside", "deadline", "cancel_grace")
BODIES = ("when", "flow", "cycle", "undo", "reconcile")


def river(name: str, *more: str, retry: Waits | None = None, **attributes: Any) -> RiverPlace:
    """Return a river with a `flow` and these other bodies."""
    anchor = Anchor(retry=retry or Waits(), **attributes)
    return RiverPlace(name, "app.River", tuple(body for body in BODIES if body == "flow" or body in more), anchor)


def polled(name: str, **attributes: Any) -> RiverPlace:
    return river(name, "cycle", **attributes)


def beside(*branches: Chain, **how: Any) -> ParallelPlace:
    return ParallelPlace(how.pop("name", "beside"), branches, **how)


def each(name: str, key: str, *streams: Place, **how: Any) -> EachPlace:
    return EachPlace(name, key, how.pop("item", "item"), streams, **how)


def basin(name: str, *streams: Place, **how: Any) -> BasinPlace:
    return BasinPlace(name, streams, **how)


def drawn(*streams: Place, **rest: Any) -> Case:
    """Return a case whose bodies are named by keyword, `a_b` for the address `a/b`.

    What they do is given as calls of `flow`, as those of (flow, cycle), or by body; `scripts` goes by full addresses.
    """
    fields = {key: rest.pop(key) for key in FIELDS if key in rest}
    mouth = rest.pop("mouth", Mouth("sea", "app.Sea"))
    scripts: dict[str, Mapping[str, Calls]] = {address: {} for address in rivers(streams)}
    for name, calls in {**rest.pop("scripts", {}), **rest}.items():
        scripts[name.replace("_", "/")] = by_body(calls)
    return Case(Chart("flow", "app.Water", streams, mouth), scripts=scripts, **fields)


def by_body(calls: Any) -> Mapping[str, Calls]:
    if isinstance(calls, Mapping):
        return calls
    if calls and isinstance(calls[0], tuple):
        return dict(zip(("flow", "cycle"), calls, strict=True))
    return {"flow": calls}


def ran(*streams: Place, **rest: Any) -> Run:
    """Run such a case to its end."""
    return Run(drawn(*streams, **rest))


def raised(types: tuple[str, ...], duration: int = 10) -> Call:
    return Call(duration, answer="raise", types=types)


def facts_of(facts: Sequence[Fact], address: str) -> list[What]:
    """Return what happened to one stream."""
    return [fact.what for fact in facts if fact.address == address]


def kinds(run: Run, address: str | None = None) -> list[str]:
    """Return the kinds of the facts, all or of one stream."""
    return [type(fact.what).__name__ for fact in run.facts if address in {None, fact.address}]
