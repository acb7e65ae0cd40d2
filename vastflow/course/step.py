"""What happens next?

One event in; the facts that follow, already applied, and the orders to give once those facts are on disk. Ends, joins
and cancels are considered first, what begins is considered last.
"""

from collections.abc import Iterable

from vastflow.course.apply import apply
from vastflow.course.consider import consider_begin, consider_end
from vastflow.course.decide import decide
from vastflow.course.events import Event, Rules
from vastflow.course.facts import Fact
from vastflow.course.note import note
from vastflow.course.orders import Order
from vastflow.course.progress import Progress

__all__ = ["fold", "step"]


def step(progress: Progress, event: Event, rules: Rules) -> tuple[list[Fact], list[Order]]:
    """Take one event; change the progress.

    Returns:
        The facts that follow, already applied, and the orders to give once they are written.

    Raises:
        CourseError: a move outside the table of states.
    """
    at = event.at if event.at > progress.last else progress.last  # noqa: FURB136  # max() costs as much as a fact
    facts = decide(progress, event, at, rules)
    note(progress, event, at, rules, decided=bool(facts))
    orders: list[Order] = []
    for fact in facts:
        apply(progress, fact)
    while progress.ends or progress.begins:
        more = (
            consider_end(progress, at, rules, orders) if progress.ends else consider_begin(progress, at, rules, orders)
        )
        for fact in more:
            apply(progress, fact)
            facts.append(fact)
    return facts, orders


def fold(progress: Progress, facts: Iterable[Fact]) -> Progress:
    """Apply facts that are already written; decides nothing and gives no orders."""
    for fact in facts:
        apply(progress, fact)
        progress.ends.clear()
        progress.begins.clear()
    return progress
