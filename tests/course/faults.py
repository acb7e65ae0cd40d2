"""Which faults are planted in the course, to see whether the model or a death finds them?

Each is a text replacement in the one page of a copy where the text stands; it must be there, or the list is out of
date.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """A fault: each of these texts becomes the other."""

    changes: tuple[tuple[str, str], ...]


def fault(*texts: str) -> Fault:
    """Return a fault from pairs: what stands there, what is to stand there."""
    return Fault(tuple(zip(texts[::2], texts[1::2], strict=True)))


FAULTS: dict[str, Fault] = {
    # a river's attempts
    "one retry too many": fault("if river.spent >= waits.times and not free:", "if river.spent > waits.times:"),
    "the retry count is not stored": fault("river.spent += not what.free", "river.spent += 0"),
    "fail_on is ignored": fault(
        "return types.isdisjoint(fail_on) and not types.isdisjoint(retry_on)", "return not types.isdisjoint(retry_on)"
    ),
    "retry_on is ignored": fault(
        "return types.isdisjoint(fail_on) and not types.isdisjoint(retry_on)", "return types.isdisjoint(fail_on)"
    ),
    "exhausted without a retry": fault('failure.kind == "timeout" or not river.spent', 'failure.kind == "timeout"'),
    "Continue from flow is done": fault("return Failed(not_allowed(record, record.now.body))", "return Flowed()"),
    "an attempt keeps its own wait": fault(
        "river.key(uid), rules.jitter, after), failure, free)", "river.key(uid), rules.jitter), failure, free)"
    ),
    "the backoff has no bound": fault("_CENTURY if most is None else most)", "_CENTURY)"),
    "the backoff never grows": fault("interval * _power(backoff, power)", "interval"),
    "a when that said True is asked again": fault(
        "river.chosen = True", "river.chosen = not river.chosen and river.run > 1"
    ),
    "what a skipping when wrote is lost": fault(
        "Chosen(delta) if yes else Skipped(delta)", "Chosen(delta) if yes else Skipped()"
    ),
    # time
    "a late answer is accepted": fault(
        "            self.abandoned = (*self.abandoned, self.ticket)\n        self.back()", "            return"
    ),
    "the deadline is refilled by an attempt": fault(
        "    river.attempt += 1\n    river.spent",
        "    river.attempt += 1\n    river.turn = fact.at\n    river.now.alarm = 0\n    river.spent",
    ),
    "a deadline is not watched": fault("orders.append(Alarm(river, due, river.now.alarm))", "pass"),
    "a timeout of flow is no doubt": fault(
        'if body == "flow" and record.doubtful:\n        return [doubt', 'if body == "never":\n        return [doubt'
    ),
    "reconcile is asked for ever": fault("ASKED_MOST = 10", "ASKED_MOST = 10_000"),
    # its polls
    "one poll too many": fault("and polls >= anchor.cycle_times", "and polls > anchor.cycle_times"),
    "cycle_errors is not reset": fault("river.failed_polls = what.failed", "river.failed_polls += what.failed and 1"),
    "one failed poll too many": fault(
        "record.failed_polls >= record.anchor.cycle_errors", "record.failed_polls > record.anchor.cycle_errors"
    ),
    "polls are not reset at a new attempt": fault(
        "    river.polls = river.failed_polls = river.now.polls = river.now.tried = 0",
        "    pass",
        "    river.first = 0\n    river.polls = river.failed_polls = river.now.polls = 0",
        "    river.first = 0",
    ),
    "polls that say not yet are not counted": fault("now.polls += not now.extra", "pass"),
    "a late poll is made up for": fault(
        "schedule.due(schedule.past(at) + 1) if after is None", "schedule.due(schedule.past(at)) if after is None"
    ),
    "a Retry from a cycle polls on": fault(
        'case "cycling":\n            return "cycle"', 'case "cycling" | "retrying":\n            return "cycle"'
    ),
    # signals
    "a signal is taken twice": fault(" if each.number not in numbers]", "]"),
    "a signal wakes nobody": fault("now.extra = now.sees > now.seen and due > woken", "now.extra = False"),
    "a poll because of a signal is charged": fault(
        "return record.now.polls + (not record.now.extra)", "return record.now.polls + 1"
    ),
    # joins
    "a join is counted twice": fault("            above.failed += 1\n", "            above.failed += 2\n"),
    "a conflict is ignored": fault("if clashes:", "if not clashes and False:"),
    "a conflict is found where there is none": fault(
        "return bytes(one) == bytes(other) or canonical(bytes(one)) == canonical(bytes(other))",
        "return bytes(one) == bytes(other)",
    ),
    "a delete is not merged": fault("            drop.append(key)", "            continue"),
    "the earlier drawn wins": fault("total[key] = writing", "total.setdefault(key, writing)"),
    "the first cause is the last": fault("branch.cause < above.cause", "branch.cause > above.cause"),
    "a failed branch is merged": fault(
        '[] if join.race else [branch for branch in branches if branch.state == "success"]', "branches"
    ),
    "one failure too many is tolerated": fault(
        "join.failing is not None or join.failed <= tolerated(join)",
        "join.failing is not None or join.failed <= tolerated(join) + 1",
    ),
    "siblings are not cancelled": fault("inside[number].cancelled = True", "pass"),
    "what is cancelled is tried again": fault(
        "return self.branch.in_cancelled() and not self.unstoppable",
        "return self.branch.cancelled and not self.unstoppable",
    ),
    "any keeps a loser's delta": fault(
        "return Joined((join.winner,))",
        'return Joined(tuple(each.number for each in branches if each.state == "success"))',
    ),
    "a skipped branch wins": fault(" and not branch.plain\n", "\n"),
    "a loser is not undone": fault("return join.winner is not None and join.winner != branch.number", "return False"),
    "a tolerated branch is not undone": fault("return 0 < branch.rank <= tolerated(join)", "return False"),
    "settle cancels": fault('join.place.join != "all"', 'join.place.join == "any"'),
    # each
    "the limit is ignored": fault("join.open - later < limit:", "join.open - later < 1_000:"),
    "dropped items are begun": fault("or join.dropped or join.failing is not None or join.branch.in_cancelled()", ""),
    "what is collected is out of order": fault(
        "for branch in progress.inside.get(join.address, ())]",
        "for branch in reversed(progress.inside.get(join.address, []))]",
    ),
    # basins
    "a basin sees all": fault("    if place.inputs is None:", "    if True:"),
    "a basin lets everything out": fault(
        "    out = {outer: water[inner] for inner, outer in place.outputs.items()}",
        "    out = {**water, **{outer: water[inner] for inner, outer in place.outputs.items()}}",
    ),
    "a missing output is left out": fault(
        "missing = [key for key in place.outputs if key not in water]",
        "missing = list[str]()",
        "for inner, outer in place.outputs.items()}",
        "for inner, outer in place.outputs.items() if inner in water}",
    ),
    "a basin keeps its parent's failure kind": fault(
        'kind = cause.kind if cause is not None else "error"', 'kind = "error"'
    ),
    "a basin is not undone before its next attempt": fault(
        "and (again or basin.place.continue_on_failure)", "and basin.place.continue_on_failure"
    ),
    "a basin is tried again in a cancelled part": fault(
        "again = left and not basin.branch.in_cancelled()", "again = left"
    ),
    # cancel, pause
    "an atomic river is cut by a cancel": fault("return self.anchor.atomic and self.begun > 0", "return False"),
    "the grace does not wait for atomic rivers": fault(
        "grace = 0 if _atomics_around(progress, river) else at", "grace = at"
    ),
    "a pause holds nothing": fault(
        "    if progress.held:\n        _hold",
        "    if progress.poison is not None:\n        _hold",
    ),
    # undo
    "the undo order is wrong": fault("found.sort(key=_begun, reverse=True)", "found.sort(key=_begun)"),
    "undo runs for a river that never began": fault(
        "if record.begun and record.state in _DONE", "if record.state in _DONE"
    ),
    "what an undo wrote is not seen by the next": fault(
        "    river.undo_failure = None\n    river.branch.ebb = over(river.branch.ebb, what.delta)",
        "    river.undo_failure = None",
    ),
    "an undo is tried too often": fault(
        "if retries >= river.anchor.undo_times:", "if retries > river.anchor.undo_times:"
    ),
    "an undo does not wait for its hung thread": fault(
        "return None if now.abandoned or progress.held else", "return None if progress.held else"
    ),
    # rounds
    "a new round keeps what was undone": fault("record.state not in _UNDONE and", "True and"),
    "a new round begins everything anew": fault(
        '    if record.state not in {"success", "skipped"}:\n        return False', "    return False"
    ),
    "a river whose polls ran out begins anew": fault(
        'return river.state == "fail" and river.first > 0', "return False and river.first > 0"
    ),
    # the end
    "the Atlantic is tried again for ever": fault(
        "record.attempt - 1 >= record.place.retry.times", "record.attempt < 0"
    ),
    "fail() sees too little": fault("return lay(branch.tip, _unmerged(progress, record), record.address)", "pass"),
    "success() runs whatever the outcome": fault('"success" if progress.outcome == "success" else "fail"', '"success"'),
    "a flow ends well though its Atlantic did not": fault(
        '"fail" if what.failure else progress.outcome or "fail"', 'progress.outcome or "fail"'
    ),
}

# Found only where the process dies.
AT_DEATH: dict[str, Fault] = {
    "a timer is lost on restart": fault(
        "    record = progress.records[branch.here()]\n    progress.begins.append(record)\n",
        "    record = progress.records[branch.here()]\n"
        '    if record.state != "retrying":\n        progress.begins.append(record)\n',
    ),
    "an undo is skipped after a crash": fault(
        "record = progress.records[branch.scope.queue[branch.scope.position]]\n        progress.begins.append(record)",
        "pass",
    ),
    "the outcome is decided twice": fault(
        'progress.state not in {"init", "running"} or',
        'progress.state not in {"init", "running", "undoing", "ending"} or',
    ),
    "budgets are refilled by a restart": fault("river.now.polls = max(river.polls,", "river.now.polls = min(0,"),
    "the deadline is refilled by a restart": fault(
        "due = river.turn + after_seconds(river.anchor.deadline", "due = at + after_seconds(river.anchor.deadline"
    ),
    "a restart asks no join and no basin again": fault(
        "        progress.ends.append(record)\n    for inner", "        pass\n    for inner"
    ),
    "a restart forgets the Atlantic": fault(
        '    if progress.state == "ending":\n        progress.begins.append(progress.mouth)',
        '    if progress.state == "ending":\n        pass',
    ),
    "a crash is no doubt": fault(
        "if isinstance(record, RiverRecord) and record.live and record.out and record.doubtful", "if False"
    ),
    "a restart enters a basin again": fault("if basin.entered or ", "if "),
}

# planted by somebody who had not read how they are hunted
FAULTS |= {
    "a later begin overwrites the first": fault(
        "river.begun = river.begun or progress.number", "river.begun = progress.number"
    ),
    "a branch that failed before another won is not undone": fault(
        "progress.ends += [each for each in progress.inside[fact.address] if each.ended]",
        'progress.ends += [each for each in progress.inside[fact.address] if each.state == "success"]',
    ),
    "a tolerated branch is collected half done": fault(
        'return dict(branch.tip.flat()) if branch.state == "success" else {}',
        "return dict(branch.tip.flat()) if branch.ended else {}",
    ),
    "a Retry from reconcile after a timeout is free": fault(
        'free=river.doubt == "crash")', 'free=river.doubt != "raised")'
    ),
    "no deadline is watched in a pause": fault(
        "if river.anchor.deadline is not None and (over",
        "if river.anchor.deadline is not None and not progress.paused and (over",
    ),
}

QUICK = ("one retry too many", "any keeps a loser's delta", "siblings are not cancelled", "the undo order is wrong")
