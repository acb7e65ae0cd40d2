"""Which faults are planted in the course, to see whether the model finds them?

Each is a text replacement in a page of a copy; the real line must be there, or the list is out of date.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """A fault: on this page, each of these texts becomes the other."""

    page: str
    changes: tuple[tuple[str, str], ...]


def fault(page: str, *texts: str) -> Fault:
    """Return a fault from pairs: what stands there, what is to stand there."""
    return Fault(page, tuple(zip(texts[::2], texts[1::2], strict=True)))


FAULTS: dict[str, Fault] = {
    # a river's attempts
    "one retry too many": fault("river", "if retries >= waits.times:", "if retries > waits.times:"),
    "fail_on is ignored": fault(
        "river",
        "return types.isdisjoint(fail_on) and not types.isdisjoint(retry_on)",
        "return not types.isdisjoint(retry_on)",
    ),
    "retry_on is ignored": fault(
        "river",
        "return types.isdisjoint(fail_on) and not types.isdisjoint(retry_on)",
        "return types.isdisjoint(fail_on)",
    ),
    "exhausted without a retry": fault(
        "river",
        'rewrite(failure, "retries-exhausted") if retries else failure',
        'rewrite(failure, "retries-exhausted")',
    ),
    "Continue from flow is done": fault("river", "return Failed(_not_allowed(record))", "return Flowed()"),
    "an attempt keeps its own wait": fault("river", "return Retrying(at + after_seconds(after), failure)", "pass"),
    "the backoff has no bound": fault("schedule", "_CENTURY if most is None else most)", "_CENTURY)"),
    "the backoff never grows": fault("schedule", "interval * _power(backoff, power)", "interval"),
    # its polls
    "one poll too many": fault("river", "and polls >= anchor.cycle_times", "and polls > anchor.cycle_times"),
    "cycle_errors is not reset": fault(
        "apply", "river.failed_polls = what.failed", "river.failed_polls += what.failed and 1"
    ),
    "one failed poll too many": fault(
        "river", "record.failed_polls >= record.anchor.cycle_errors", "record.failed_polls > record.anchor.cycle_errors"
    ),
    "polls are not reset at a new attempt": fault(
        "apply", "river.polls = river.failed_polls = river.now.polls = 0", "pass"
    ),
    "polls that say not yet are not counted": fault("note", "record.now.polls += 1", "pass"),
    "a failed poll moves the schedule": fault(
        "river", "next_poll(polls_of(record, uid, rules), at, None)", "at + after_seconds(1.0)"
    ),
    "a late poll is made up for": fault(
        "river",
        "schedule.due(schedule.past(at) + 1) if after is None",
        "schedule.due(schedule.past(at)) if after is None",
    ),
    "the water of a poll is dropped": fault("river", "0, answer.delta)]", "0)]"),
    "a Retry from a cycle polls on": fault(
        "consider", '"cycle" if river.state == "cycling"', '"cycle" if river.polls or river.first'
    ),
    # joins
    "a conflict is ignored": fault("join", "if clashes:", "if not clashes and False:"),
    "a conflict is found where there is none": fault(
        "delta",
        "return bytes(one) == bytes(other) or canonical(bytes(one)) == canonical(bytes(other))",
        "return bytes(one) == bytes(other)",
    ),
    "a delete is not merged": fault("delta", "            drop.append(key)", "            continue"),
    "the earlier drawn wins": fault("delta", "total[key] = writing", "total.setdefault(key, writing)"),
    "the first cause is the last": fault("chain", "branch.cause < above.cause", "branch.cause > above.cause"),
    "a failed branch is merged": fault(
        "join", 'branch for branch in branches if branch.state == "success"', "branch for branch in branches"
    ),
    "a join passes before its last branch ended": fault("join", "    if record.open:", "    if record.open > 1:"),
    "one failure too many is tolerated": fault(
        "join", "record.failed <= _tolerated(record.place)", "record.failed <= _tolerated(record.place) + 1"
    ),
    "siblings are not cancelled": fault("apply", "branch.cancelled = True", "pass"),
    "what is cancelled is tried again": fault(
        "river", "    if record.branch.in_cancelled():", "    if record.branch.cancelled and False:"
    ),
    "only the innermost part is cancelled": fault(
        "progress", "branch = branch.above.branch if branch.above is not None else None", "branch = None"
    ),
    "a chain goes on in a cancelled part": fault(
        "consider", "    if river.branch.in_cancelled():", "    if river.branch.in_cancelled() and river.now.doing:"
    ),
    # basins
    "a basin sees all": fault("crossing", "    if place.inputs is None:", "    if True:"),
    "a basin lets everything out": fault(
        "crossing",
        "    out = {outer: water[inner] for inner, outer in place.outputs.items()}",
        "    out = {**water, **{outer: water[inner] for inner, outer in place.outputs.items()}}",
    ),
    "a missing output is left out": fault(
        "crossing",
        "missing = [key for key in place.outputs if key not in water]",
        "missing = list[str]()",
        "for inner, outer in place.outputs.items()}",
        "for inner, outer in place.outputs.items() if inner in water}",
    ),
    "a basin keeps its parent's failure kind": fault(
        "consider", 'kind = cause.kind if cause is not None else "error"', 'kind = "error"'
    ),
    # the end
    "the Atlantic is tried again for ever": fault(
        "outcome", "record.attempt - 1 >= record.place.retry.times", "record.attempt < 0"
    ),
    "fail() sees too little": fault("apply", "progress.root.tip = sea_sheet(progress, progress.root)", "pass"),
    "success() runs whatever the outcome": fault(
        "consider", '"success" if progress.outcome == "success" else "fail"', '"success"'
    ),
    "the Atlantic's failure changes the outcome": fault(
        "apply",
        "    if what.failure is not None:\n",
        '    if what.failure is not None:\n        progress.outcome = "fail"\n',
    ),
    "a flow ends well though its Atlantic did not": fault(
        "apply", '"fail" if what.failure else progress.outcome or "fail"', 'progress.outcome or "fail"'
    ),
    "the outcome is decided with the first end": fault(
        "chain",
        "elif branch.cursor + 1 < len(branch.chain):",
        "elif branch.above and branch.cursor + 1 < len(branch.chain):",
    ),
}

# Found only where the process dies.
AT_DEATH: dict[str, Fault] = {
    "a restart asks no join and no basin again": fault(
        "chain", "            progress.ends.append(record)", "            pass"
    ),
    "a restart forgets the flow itself": fault("note", "progress.ends.append(None)", "pass"),
    "a restart forgets the Atlantic": fault("note", "        progress.begins.append(progress.mouth)", "        pass"),
    "a restart enters a basin again": fault("consider", "    if basin.entered or ", "    if "),
}

QUICK = ("one retry too many", "a conflict is ignored", "siblings are not cancelled")
