"""How does a fact about a parallel river, an `each` or a basin change the progress?

Applies only.
"""

from vastflow.course.chain import begin_items, cancel_branches, end, pass_on, reach
from vastflow.course.delta import lay, merged, spring
from vastflow.course.facts import Conflicted, Continued, Dropped, Entered, Expanded, Fact, Failing, Joined, Left, Won
from vastflow.course.join import tips_of
from vastflow.course.meant import basin_at, branches_at, each_at, join_at, record_at
from vastflow.course.progress import Progress
from vastflow.course.records import Branch
from vastflow.course.spread import read_items
from vastflow.course.states import check_stream

__all__ = ["conflicted", "continued", "dropped", "entered", "expanded", "failing", "joined", "left", "won"]


def expanded(progress: Progress, fact: Fact, what: Expanded) -> None:
    """It is known how many branches there are."""
    join, place = each_at(progress, fact.address)
    join.count = join.open = what.count
    join.fork.forked = True
    progress.inside[fact.address] = []
    read_items(join, place)
    begin_items(progress, join)
    progress.ends.append(join)


def failing(progress: Progress, fact: Fact, what: Failing) -> None:
    """Too many branches failed: the others are cancelled."""
    join = join_at(progress, fact.address)
    join.failing = what.failure
    branches_at(progress, join, what.branches)
    cancel_branches(progress, join, what.branches)


def won(progress: Progress, fact: Fact, what: Won) -> None:
    """A branch was the first to succeed: the others are cancelled, and those that have ended are looked at again."""
    join = join_at(progress, fact.address)
    join.winner = what.branch
    branches_at(progress, join, what.branches)
    cancel_branches(progress, join, what.branches)
    progress.ends += [each for each in progress.inside[fact.address] if each.ended]


def dropped(progress: Progress, fact: Fact, what: Dropped) -> None:
    """The items that were not begun never will be."""
    join = join_at(progress, fact.address)
    join.dropped = True
    join.open -= join.count - what.first + len(join.again)
    join.again.clear()
    progress.ends.append(join)


def joined(progress: Progress, fact: Fact, what: Joined) -> None:
    """It passed."""
    join = join_at(progress, fact.address)
    delta, _ = merged(tips_of(branches_at(progress, join, what.branches)), join.fork)
    join.branch.tip = lay(join.branch.tip, delta, fact.address)
    end(progress, join, "success")


def conflicted(progress: Progress, fact: Fact, what: Conflicted) -> None:
    """Its branches wrote one key differently."""
    progress.failures[fact.address] = what.failure
    end(progress, join_at(progress, fact.address), "fail", what.failure)


def entered(progress: Progress, fact: Fact, what: Entered) -> None:
    """Water flowed into a basin."""
    basin = basin_at(progress, fact.address)
    basin.entered = True
    if basin.state == "retrying":
        basin.state = check_stream(basin.address, basin.state, "running")
    for earlier in progress.inside.get(fact.address, ()):
        _forget_failures(progress, earlier)
    inside = Branch(basin.place.streams, basin, 0, f"{basin.address}/", spring(what.water, fact.address))
    progress.inside[fact.address] = [inside]
    reach(progress, inside)


def _forget_failures(progress: Progress, branch: Branch) -> None:
    """Let nothing in a branch count as failed: it begins anew."""
    for position in range(branch.cursor + 1):
        address = branch.at(position)
        progress.failures.pop(address, None)
        for inner in progress.inside.get(address, ()):
            _forget_failures(progress, inner)


def left(progress: Progress, fact: Fact, what: Left) -> None:
    """A basin or an `each` let out what it lets out."""
    record = record_at(progress, fact.address)
    record.branch.tip = lay(record.branch.tip, what.delta, fact.address)
    end(progress, record, "success")


def continued(progress: Progress, fact: Fact, what: Continued) -> None:
    """A basin failed, and the chain goes on behind it."""
    basin = basin_at(progress, fact.address)
    basin.state = check_stream(basin.address, basin.state, "fail")
    basin.failure = what.failure
    progress.failures[fact.address] = what.failure
    pass_on(progress, basin, plain=False)
