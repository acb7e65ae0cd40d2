"""When does a parallel river pass, and when does it fail?

Decides only. A join counts down; which branches it merges is a fact.
"""

from vastflow.course.delta import Clash, Sheet, merged
from vastflow.course.events import Rules
from vastflow.course.facts import Cancelled, Conflicted, Failed, Failing, Joined, What
from vastflow.course.progress import Branch, JoinRecord
from vastflow.course.states import ENDED
from vastflow.drawing.chart import ParallelPlace
from vastflow.errors import Failure

__all__ = ["consider_join"]

_SHOWN = 120  # characters of a value in a message
_ROUNDING = 1e-9  # 0.29 of 100 branches is 28.999999999999996 as floats go


def consider_join(record: JoinRecord, branches: list[Branch], rules: Rules) -> What | None:
    """Return what follows from the ends of its branches, if anything does."""
    if record.state in ENDED:
        return None
    if record.open:
        return _stop_the_rest(record, branches)
    if record.first is not None and record.failed > _tolerated(record.place):
        return Failed(record.first)
    if any(branch.state == "cancelled" for branch in branches):
        return Cancelled()
    return _pass(record, branches, rules)


def _stop_the_rest(record: JoinRecord, branches: list[Branch]) -> What | None:
    if record.first is None or record.failing is not None or record.failed <= _tolerated(record.place):
        return None
    return Failing(record.first, tuple(branch.number for branch in branches if branch.state not in ENDED))


def _tolerated(place: ParallelPlace) -> int:
    """Return how many branches may fail; a float is a share of them."""
    most = place.max_failures
    return int(most * len(place.branches) + _ROUNDING) if isinstance(most, float) else most


def _pass(record: JoinRecord, branches: list[Branch], rules: Rules) -> What:
    passed = [branch for branch in branches if branch.state == "success"]
    if record.place.on_conflict == "fail":
        _, clashes = merged(tips_of(passed), record.branch.tip)
        if clashes:
            return Conflicted(_conflict(record, clashes[0], rules))
    return Joined(tuple(branch.number for branch in passed))


def tips_of(branches: list[Branch]) -> list[Sheet]:
    """Return the sheets the branches have come to."""
    return [branch.tip for branch in branches]


def _conflict(record: JoinRecord, clash: Clash, rules: Rules) -> Failure:
    one, other = (f"{writing.by} {_show(clash.key, writing.value, rules)}" for writing in (clash.first, clash.second))
    message = (
        f"{record.address}: two branches wrote water[{clash.key!r}] differently: {one}; {other}. "
        'Let each write a key of its own, or draw the ParallelRiver with on_conflict="last"'
    )
    return Failure("conflict", message, record.address)


def _show(key: str, value: object, rules: Rules) -> str:
    if value is None:
        return "deleted it"
    if rules.hidden(key):
        return "wrote *****"
    text = bytes(value).decode()  # type: ignore[call-overload]  # msgspec.Raw is a buffer; its stub does not say so
    return f"wrote {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}"
