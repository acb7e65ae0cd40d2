"""How is a reason said in a sentence?

Plain words, times as people write them, no control characters: names and answers come from outside.
"""

from collections.abc import Callable

from vastflow.log.escapes import escape
from vastflow.why.codes import Code
from vastflow.why.live import Out, Spot

__all__ = ["ahead", "named", "quoted", "said_of", "span"]

_SECOND = 1_000_000
_LONGEST = 160  # characters of an answer or a failure in a sentence
_FOREIGN = ("/lib/python", "/site-packages/", "\\Lib\\")  # whose lines say less than the body's own
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def span(microseconds: int) -> str:
    """Return a span of time in at most two units."""
    seconds = max(microseconds, 0) / _SECOND
    if seconds < 10:  # noqa: PLR2004  # below, a tenth says something
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size, unit in _UNITS:
        if whole >= size:
            rest, below = (whole % size) // (size // (24 if unit == "d" else 60)), {"d": "h", "h": "min", "min": "s"}
            return f"{whole // size} {unit} {rest} {below[unit]}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def ahead(due: int, now: int) -> str:
    """Return when something is due, as seen from now."""
    if due <= now:
        return f"due {span(now - due)} ago" if now - due >= _SECOND else "now"
    return f"in {span(due - now)}"


def quoted(text: str) -> str:
    """Return a text from outside in quotation marks, of a length that can be shown."""
    told = escape(" ".join(text.split()))
    return f'"{told[:_LONGEST]}..."' if len(told) > _LONGEST else f'"{told}"'


def named(spot: Spot) -> str:
    """Return a stream's address for people."""
    return "the Atlantic" if spot.kind == "atlantic" else escape(spot.address)


def said_of(spot: Spot, code: Code, now: int) -> str:
    """Return what holds a stream, in a sentence without a subject."""
    said = _SAID.get(code)
    return said(spot, now) if said is not None else _queue(spot, code)


def _poll(spot: Spot, now: int) -> str:
    if not spot.polls and not spot.failure:
        return f"waits for the first poll of {named(spot)}, {ahead(spot.due, now)}"
    due = f", next {ahead(spot.due, now)}" if spot.due else ""
    count = f"poll {spot.polls} of {spot.cycle_times}" if spot.cycle_times else f"poll {spot.polls}"
    return f"waits in {count} of {named(spot)}{_answer(spot)}{due}"


def _answer(spot: Spot) -> str:
    told = [quoted(spot.answer)] if spot.answer else []
    told += [f"{spot.share:.0%}".replace("%", " %")] if spot.share is not None else []
    told += [f"last failure: {quoted(spot.failure)}"] if spot.failure and not spot.answer else []
    return f" ({', '.join(told)})" if told else ""


def _retry(spot: Spot, now: int) -> str:
    what = "undo" if spot.state == "undoing" else "attempt"
    why = f" after {quoted(spot.failure)}" if spot.failure else ""
    return f"waits for {what} {spot.attempt} of {spot.attempts} of {named(spot)}{why}, {ahead(spot.due, now)}"


def _running(spot: Spot, now: int) -> str:
    body, out = spot.body or "flow", spot.out
    if out is None or not out.began:
        return f"{body}() of {named(spot)} is under way"
    told = f"{body}() of {named(spot)} runs in {escape(out.thread)} for {span(now - out.began)}"
    share = f", {spot.share:.0%}".replace("%", " %") if spot.share is not None else ""
    usual = f", usually {span(round(out.usual * _SECOND))}" if out.usual and out.stack else ""
    return f"{told}{share}{usual}{_where(out)}"


def _where(out: Out) -> str:
    places = [line for line in out.stack if line.startswith("File ")]
    own = [line for line in places if not any(part in line for part in _FOREIGN)] or places
    return f", now at {own[-1].removeprefix('File ')}" if own else ""


def _signal(spot: Spot, now: int) -> str:
    names = " or ".join(quoted(name) for name in spot.signals)
    due = f", next poll {ahead(spot.due, now)}" if spot.due else ""
    return f"waits in {named(spot)} for the signal {names}{_answer(spot)}{due}"


def _doubt(spot: Spot, now: int) -> str:
    times = "once" if spot.asked == 1 else f"{spot.asked} times"
    asked = f", reconcile was asked {times}" if spot.asked else ""
    due = f", asked again {ahead(spot.due, now)}" if spot.due else ""
    return f"nobody knows whether {named(spot)} was done ({spot.doubt}){asked}{due}"


def _joining(spot: Spot, _now: int) -> str:
    if spot.kind == "basin":
        return f"is in {named(spot)}"
    names = [named(each) for each in spot.below[:3]]
    more = len(spot.below) + spot.more - len(names)
    told = ", ".join(names) + (f" and {more} more" if more else "")
    later = f"; {spot.later} wait until others have ended" if spot.later else ""
    return f"{named(spot)}: {spot.open} of {spot.count} branches are open ({told}){later}"


def _queue(spot: Spot, code: Code) -> str:
    body, where, out = spot.body or "flow", named(spot), spot.out or Out(stage="running")
    who = f" (now {', '.join(map(escape, out.before))})" if out.before else ""
    match code:
        case Code.WAITING_SLOT:
            return f"{body}() of {where} waits for one of {spot.slots} slots of its class{who}"
        case Code.WAITING_ALONE if out.alone:
            return f"{body}() of {where} is to be run alone, and waits until no other body runs{who}"
        case Code.WAITING_ALONE:
            return f"{body}() of {where} waits until a body that is run alone has ended{who}"
        case Code.WAITING_WORKER:
            return f"{body}() of {where} waits for a free thread"
        case Code.WRITING:
            return f"{body}() of {where} begins as soon as that is written to the store"
        case _:
            return f"{where} is next"


def _abandoned(spot: Spot, _now: int) -> str:
    bodies = "a body" if len(spot.lost) == 1 else f"{len(spot.lost)} bodies"
    return f"undo() of {named(spot)} waits until {bodies} given up in it came back"


_SAID: dict[Code, Callable[[Spot, int], str]] = {
    Code.POLL_WAIT: _poll,
    Code.RETRY_WAIT: _retry,
    Code.BODY_RUNNING: _running,
    Code.WAITING_SIGNAL: _signal,
    Code.IN_DOUBT: _doubt,
    Code.JOINING: _joining,
    Code.ABANDONED: _abandoned,
}
