"""Which reasons follow from how a flow stands?

Pure: from a situation and what is known around it to the tree of reasons and the one that matters most.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from vastflow.clock import to_moment
from vastflow.log.escapes import escape
from vastflow.why.around import Around, reasons_around
from vastflow.why.codes import Code
from vastflow.why.live import Out, Situation, Spot, most_usual
from vastflow.why.reason import Reason, Why
from vastflow.why.sentence import named, said_of, span

__all__ = ["is_overdue", "tell_why"]

_SECOND = 1_000_000
_STAGES = {
    "slot": Code.WAITING_SLOT,
    "turn": Code.WAITING_ALONE,
    "writing": Code.WRITING,
    "thread": Code.WAITING_WORKER,
    "running": Code.BODY_RUNNING,
}
_WRAPS = frozenset({Code.CANCELLING, Code.UNDOING, Code.ENDING, Code.JOINING})
_RANKS = (
    Code.IN_DOUBT,
    Code.WAITING_SIGNAL,
    Code.WAITING_ALONE,
    Code.WAITING_SLOT,
    Code.WAITING_WORKER,
    Code.ABANDONED,
    Code.RETRY_WAIT,
    Code.POLL_WAIT,
    Code.BODY_RUNNING,
    Code.WRITING,
)


def tell_why(seen: Situation, around: Around) -> Why:
    """Return why a flow stands where it stands."""
    flow_wide = tuple(reasons_around(seen, around))
    streams = tuple(_reasons(seen, around))
    wrapped = _wrap(seen, around, streams)
    tree = (*flow_wide, *wrapped, *_holding(seen, around)) or (_going_on(seen),)
    told = _first(flow_wide or wrapped or tree)
    return Why(
        flow=seen.flow,
        name=seen.name,
        state=seen.state,
        sentence=_sentence(told),
        reason=told,
        tree=tree,
        live=seen.live,
        at=to_moment(around.now),
        idle=max(0, around.now - (seen.last or around.asked_for)) / _SECOND,
    )


def is_overdue(reason: Reason) -> bool:
    """Say whether a body runs over its usual time."""
    return reason.code is Code.BODY_RUNNING and bool(reason.details.get("over"))


def _wrap(seen: Situation, around: Around, streams: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Return the streams' reasons, below what the whole flow is at if it does not go forward."""
    if seen.state == "undoing":
        return (Reason(code=Code.UNDOING, sentence="what was done is being undone", below=streams),)
    if seen.state == "ending":
        return (Reason(code=Code.ENDING, sentence="its outcome is decided and the Atlantic is called", below=streams),)
    if seen.cancelling:
        by = f" by {escape(around.who)}" if around.who and seen.cancelling == "cancelled" else ""
        told = f"is being cancelled{by}" if seen.cancelling == "cancelled" else "is being ended: its deadline is over"
        since = to_moment(around.asked) if around.asked else None
        return (Reason(code=Code.CANCELLING, sentence=told, since=since, details={"who": around.who}, below=streams),)
    return streams


def _reasons(seen: Situation, around: Around) -> Iterator[Reason]:
    for spot in seen.spots:
        yield _reason(spot, seen, around)


def _reason(spot: Spot, seen: Situation, around: Around) -> Reason:
    told = _plain(spot, seen, around)
    if spot.state == "undoing" and seen.state != "undoing":
        return Reason(code=Code.UNDOING, address=spot.address, sentence=f"{named(spot)} is being undone", below=(told,))
    if spot.stopped and not seen.cancelling and spot.kind == "river":
        sentence = f"{named(spot)} is being cancelled"
        return Reason(code=Code.CANCELLING, address=spot.address, sentence=sentence, below=(told,))
    return told


def _plain(spot: Spot, seen: Situation, around: Around) -> Reason:
    code, now = _code(spot), around.now
    return Reason(
        code=code,
        address=spot.address,
        sentence=said_of(spot, code, now),
        since=to_moment(_since(spot)) if _since(spot) else None,
        next=to_moment(spot.due) if spot.due else None,
        unblock=_unblock(spot, code, seen, around),
        details=dict(_details(spot, now)),
        below=tuple(_reason(each, seen, around) for each in spot.below),
    )


def _code(spot: Spot) -> Code:
    if spot.out is not None:
        return _STAGES[spot.out.stage]
    if spot.doing == "body":
        return Code.GOING_ON  # ordered this moment
    if spot.below:
        return Code.JOINING
    return _waits(spot)


def _waits(spot: Spot) -> Code:
    """Return what a stream waits for of which no body is out."""
    match spot.state:
        case "undoing" if spot.lost:
            return Code.ABANDONED
        case "cycling":
            return Code.WAITING_SIGNAL if spot.signals else Code.POLL_WAIT
        case "in-doubt":
            return Code.IN_DOUBT
        case _:
            return Code.RETRY_WAIT if spot.due else Code.GOING_ON


def _since(spot: Spot) -> int:
    return spot.out.began if spot.out is not None and spot.out.began else spot.since


def _unblock(spot: Spot, code: Code, seen: Situation, around: Around) -> str:
    match code:
        case Code.WAITING_SIGNAL:
            return around.command("signal", seen.flow, spot.signals[0])
        case Code.IN_DOUBT:
            pause = around.command("pause", seen.flow)
            return f"{pause} && {around.command('complete', seen.flow, spot.address)}"
        case Code.BODY_RUNNING if spot.out is not None and _over(spot.out, around.now) and not seen.cancelling:
            return around.command("cancel", seen.flow) if seen.state in {"init", "running"} else ""
        case _:
            return ""


def _over(out: Out, now: int) -> bool:
    return out.began > 0 and (now - out.began) / _SECOND > most_usual(out.usual)


def _details(spot: Spot, now: int) -> Iterator[tuple[str, Any]]:
    """Yield what there is to know of a stream beside its sentence; what is nothing is left out."""
    known = {name: getattr(spot, name) for name in _TOLD if getattr(spot, name) not in {"", 0, None, ()}}
    yield from known.items()
    if spot.deadline:
        yield "deadline", to_moment(spot.deadline).isoformat()
    if spot.lost:
        yield "abandoned", len(spot.lost)
    if spot.out is not None:
        yield from _of_body(spot.out, now)


_TOLD = (
    *("kind", "state", "attempt", "attempts", "polls", "cycle_times", "answer", "share", "body", "signals", "slots"),
    *("doubt", "asked", "failure", "open", "later", "count", "more"),
)


def _of_body(out: Out, now: int) -> Iterator[tuple[str, Any]]:
    if out.thread:
        yield "thread", out.thread
    if out.began:
        yield "seconds", (now - out.began) / _SECOND
        yield "over", _over(out, now)
    if out.usual:
        yield "usual", out.usual
    if out.stack:
        yield "stack", list(out.stack)
    if out.before:
        yield "before", list(out.before)


def _holding(seen: Situation, around: Around) -> Iterator[Reason]:
    """Yield the bodies that were given up and hold threads of streams that wait for nothing."""
    for spot in (*_with_lost(seen.spots), *seen.holding):
        out, count = spot.lost[0], len(spot.lost)
        told = "a body was" if count == 1 else f"each of {count} bodies was"
        ran = f", the first runs for {span(around.now - out.began)}" if out.began else ""
        yield Reason(
            code=Code.ABANDONED,
            address=spot.address,
            sentence=f"{told} given up in {named(spot)} and has not come back{ran}",
            since=to_moment(out.began) if out.began else None,
            details=dict(_of_body(out, around.now)) | {"abandoned": count},
        )


def _with_lost(spots: Sequence[Spot]) -> Iterator[Spot]:
    for spot in spots:
        if spot.lost and _code(spot) is not Code.ABANDONED:
            yield spot
        yield from _with_lost(spot.below)


def _going_on(seen: Situation) -> Reason:
    told = "nothing is known to hold it: it goes on this moment"
    return Reason(code=Code.GOING_ON, sentence=told, details={"state": seen.state})


# What matters most


def _first(reasons: tuple[Reason, ...]) -> Reason:
    """Return the reason that matters most: what the whole flow is at, else what most likely holds a stream."""
    first = reasons[0]
    return first if not first.address and first.code is not Code.ABANDONED else _leaf(reasons)


def _leaf(reasons: Sequence[Reason]) -> Reason:
    leaves = [leaf for reason in reasons for leaf in _leaves(reason)]
    return min(leaves, key=_rank)


def _leaves(reason: Reason) -> Iterator[Reason]:
    if not reason.below:
        yield reason
    for each in reason.below:
        yield from _leaves(each)


def _rank(reason: Reason) -> tuple[int, float]:
    rank = -1 if is_overdue(reason) else _RANKS.index(reason.code) if reason.code in _RANKS else len(_RANKS)
    return rank, reason.since.timestamp() if reason.since is not None else float("inf")


def _sentence(told: Reason) -> str:
    """Return what a reason says; of one that only stands around others also what matters most of those."""
    if told.code in _WRAPS and told.below:
        return f"{told.sentence}: {_leaf(told.below).sentence}"
    return told.sentence
