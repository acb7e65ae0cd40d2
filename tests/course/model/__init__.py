"""What should a flow do, as said by docs/semantics.md and by nothing else?

A model in virtual time (microseconds from 0). Whatever lives on by itself (the flow, a branch, what comes from outside)
is a process: a generator that yields a function telling when it wants to go on. It knows a drawing's flat form, and no
line of how flows are really run. Numbers in brackets are paragraphs.
"""

from tests.course.model.clockwork import Tie
from tests.course.model.flows import Expected, Round, expect

__all__ = ["Expected", "Round", "Tie", "expect"]
