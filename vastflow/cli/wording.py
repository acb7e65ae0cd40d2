"""How is it said: times, states, counts, failures?

One line each, without control characters, since names and texts come from outside.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.text import Text

from vastflow.errors import Failure
from vastflow.ledger.reading import StreamStatus
from vastflow.log import escape

__all__ = [
    "address",
    "clock_time",
    "due_time",
    "failed",
    "failed_because",
    "moment",
    "of_poll",
    "of_try",
    "one_line",
    "plain",
    "remark",
    "short_moment",
    "standing",
    "state",
    "took",
]

_HALF_A_DAY = timedelta(hours=12)
_STYLES = {
    "success": "green",
    "fail": "bold red",
    "stranded": "bold red",
    "cancelled": "yellow",
    "retrying": "yellow",
    "in-doubt": "yellow",
    "undoing": "yellow",
    "undone": "yellow",
    "undo-failed": "bold red",
    "running": "cyan",
    "cycling": "cyan",
    "ending": "cyan",
}


def plain(text: str, style: str = "") -> Text:
    """Return a text from outside as it is shown: nothing in it steers the terminal."""
    return Text(escape(text), style)


def address(stream: StreamStatus) -> Text:
    """Return where a stream stands, indented by its depth."""
    return plain("  " * stream.depth + stream.address + (" (Atlantic)" if stream.kind == "atlantic" else ""))


def state(named: str) -> Text:
    """Return a state in its colour."""
    return plain(named, _STYLES.get(named, "dim"))


def standing(stream: StreamStatus) -> str:
    """Return the state a stream is shown in: an Atlantic whose body ended well has ended, whatever the flow has."""
    return "ended" if stream.kind == "atlantic" and stream.state == "success" else stream.state


def took(seconds: float) -> str:
    """Return a span of time in at most two units."""
    whole = round(seconds)
    if round(seconds, 2) < 10:  # noqa: PLR2004  # below, the fraction says something
        return f"{max(seconds, 0.0):.2f} s"
    if whole < 60:  # noqa: PLR2004  # seconds of a minute
        return f"{seconds:.1f} s"
    minutes, seconds_left = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004  # minutes of an hour
        return f"{minutes} min {seconds_left:02} s"
    hours, minutes_left = divmod(minutes, 60)
    if hours < 24:  # noqa: PLR2004  # hours of a day
        return f"{hours} h {minutes_left:02} min"
    return f"{hours // 24} d {hours % 24} h"


def moment(at: datetime) -> str:
    """Return a time in this machine's time zone, which is named by its offset."""
    return _zoned(at.astimezone().isoformat(" ", "seconds"))


def short_moment(at: datetime, now: datetime) -> str:
    """Return a time where there is little room: the hour if it is less than half a day away, else the day."""
    return clock_time(at) if abs(now - at) < _HALF_A_DAY else moment(at)[:10]


def due_time(at: datetime, now: datetime) -> str:
    """Return when something is due: the time of day, with its day if that is not near."""
    return clock_time(at) if abs(now - at) < _HALF_A_DAY else moment(at)


def clock_time(at: datetime) -> str:
    """Return the time of day in this machine's time zone, which is named by its offset."""
    return moment(at)[11:]


def _zoned(told: str) -> str:
    return told.removesuffix("+00:00") + "Z" if told.endswith("+00:00") else told


def of_try(stream: StreamStatus) -> str:
    """Return which attempt of how many it is at; empty if it never began."""
    return f"{stream.attempt} of {stream.attempts}" if stream.attempt else ""


def of_poll(stream: StreamStatus) -> str:
    """Return which poll of how many was made last; empty if there was none."""
    if not stream.polls:
        return ""
    return f"{stream.polls} of {stream.cycle_times}" if stream.cycle_times else str(stream.polls)


def failed(failure: Failure, here: str = "") -> str:
    """Return a failure in one line, without what is behind it; where it failed is left out if that is `here`."""
    ours = failure.exception.startswith("vastflow.errors.")  # `Fail` says nothing that its reason does not say
    name = "" if ours else failure.exception.rpartition(".")[2]
    place = failure.address if failure.address != here else ""
    line = ": ".join(filter(None, (place, failure.kind, name, failure.message)))
    code = f" ({failure.code})" if failure.code else ""
    return escape(" ".join(f"{line}{code}".split()))


def failed_because(failure: Failure) -> str:
    """Return a failure in one line, with all that is behind it."""
    line = failed(failure)
    return f"{line}, because of {failed_because(failure.cause)}" if failure.cause is not None else line


def one_line(text: str) -> Text:
    """Return a text that is cut off rather than wrapped where there is no room for it."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def remark(stream: StreamStatus) -> str:
    """Return what there is to say about a stream beside its state."""
    return ", ".join(filter(None, _remarks(stream)))


def _remarks(stream: StreamStatus) -> Iterator[str]:
    yield _branches(stream)
    yield _undo(stream)
    if stream.state == "in-doubt":
        yield f"{stream.doubt}, asked {stream.asked} times" if stream.asked else stream.doubt
    if stream.queued:
        yield "waits for its turn"
    if stream.abandoned:
        yield f"{stream.abandoned} abandoned"
    why = stream.undo_failure or stream.failure
    if why is not None and stream.state != "success":
        yield failed(why, stream.address)
        return
    yield escape(stream.answer) if stream.state == "cycling" else ""
    if stream.share is not None and stream.state != "success":
        yield f"{stream.share:.0%}"


def _branches(stream: StreamStatus) -> str:
    """Return how the branches of an `each` stand."""
    counts = stream.branches
    if counts is None or not counts.count:
        return ""
    parts = ("running", "failed", "cancelled", "undone", "waiting")
    told = [f"{number} {name}" for name in parts if (number := getattr(counts, name))]
    return ", ".join((f"{counts.done} of {counts.count} done", *told))


def _undo(stream: StreamStatus) -> str:
    """Return which try of its undo a stream is at, if it is not the first."""
    return f"undo {stream.undo_attempt} of {stream.undo_attempts}" if stream.undo_attempt > 1 else ""
