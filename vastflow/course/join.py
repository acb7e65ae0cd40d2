"""When does a parallel river pass, and when does it fail?

Decides only. A join counts down; which branches it merges, cancels and undoes are facts.
"""

from vastflow.course.delta import Clash, Sheet, merged
from vastflow.course.events import Rules
from vastflow.course.facts import Cancelled, Conflicted, Dropped, Failed, Failing, Joined, Undoing, What, Won
from vastflow.course.progress import Progress
from vastflow.course.records import Branch, JoinRecord
from vastflow.course.spread import leave_each, tolerated
from vastflow.course.states import ENDED, LIVE
from vastflow.course.undo import to_undo
from vastflow.drawing.chart import EachPlace, ParallelPlace
from vastflow.drawing.values import is_secret
from vastflow.errors import Failure

__all__ = ["consider_branch", "consider_join"]

_SHOWN = 120  # characters of a value in a message


def consider_branch(progress: Progress, join: JoinRecord, branch: Branch) -> What | None:
    """Return what follows for a branch that has ended: that it won, or is undone."""
    if branch.state not in ENDED or join.state not in LIVE:
        return None
    if join.race and _wins(join, branch):
        others = (each.number for each in progress.inside[join.address] if not each.ended)
        return Won(branch.number, tuple(others))
    if branch.scope is None and _is_lost(join, branch) and (queue := to_undo(progress, branch)):
        return Undoing(_why_lost(join, branch), branch.number, queue)
    return None


def _wins(join: JoinRecord, branch: Branch) -> bool:
    return join.winner is None and branch.state == "success" and not branch.plain


def _is_lost(join: JoinRecord, branch: Branch) -> bool:
    if join.race:
        return join.winner is not None and join.winner != branch.number
    return 0 < branch.rank <= tolerated(join)


def _why_lost(join: JoinRecord, branch: Branch) -> Failure:
    if branch.failure is not None:
        return branch.failure
    return Failure("cancelled", f"another branch of {join.address} was faster", join.address)


def consider_join(progress: Progress, join: JoinRecord, rules: Rules) -> What | None:
    """Return what follows from the ends of its branches, if anything does."""
    if join.state not in LIVE or join.count < 0:
        return None
    branches = progress.inside[join.address]
    if join.open:
        return _drop_the_rest(join) or _stop_the_rest(join, branches)
    return None if join.undoing else _ended(progress, join, branches, rules)


def _ended(progress: Progress, join: JoinRecord, branches: list[Branch], rules: Rules) -> What:
    """Return how it ends, since all its branches have."""
    if join.winner is not None:
        return Joined((join.winner,))
    was_cancelled = join.dropped or _any_cancelled(branches)
    over = not was_cancelled if join.race else join.failed > tolerated(join)
    if join.first is not None and over:
        return Failed(join.first)
    return Cancelled() if was_cancelled else _pass(progress, join, branches, rules)


def _any_cancelled(branches: list[Branch]) -> bool:
    return any(branch.state == "cancelled" for branch in branches)


def _drop_the_rest(join: JoinRecord) -> What | None:
    """Return that the items which were not begun never will be."""
    if join.dropped or not join.later():
        return None
    return Dropped(join.begun) if join.failing is not None or join.branch.in_cancelled() else None


def _stop_the_rest(join: JoinRecord, branches: list[Branch]) -> What | None:
    if isinstance(join.place, ParallelPlace) and join.place.join != "all":
        return None
    if join.first is None or join.failing is not None or join.failed <= tolerated(join):
        return None
    return Failing(join.first, tuple(branch.number for branch in branches if not branch.ended))


def _pass(progress: Progress, join: JoinRecord, branches: list[Branch], rules: Rules) -> What:
    if isinstance(join.place, EachPlace):
        return leave_each(progress, join, join.place, rules)
    passed = [] if join.race else [branch for branch in branches if branch.state == "success"]
    if join.place.on_conflict == "fail":
        _, clashes = merged(tips_of(passed), join.fork)
        if clashes:
            return Conflicted(_conflict(join, clashes[0], rules))
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
    stored = bytes(value)  # type: ignore[call-overload]  # msgspec.Raw is a buffer; its stub does not say so
    if rules.hidden(key) or is_secret(stored):
        return "wrote *****"
    text = stored.decode()
    return f"wrote {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}"
