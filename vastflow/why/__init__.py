"""Why has a flow not gone further, in one sentence and a tree of reasons?"""

from vastflow.why.around import Around, Silent, StoreTrouble
from vastflow.why.codes import MEANING, Code
from vastflow.why.live import Out, Situation, Spot
from vastflow.why.reason import Reason, Why
from vastflow.why.tree import tell_why

__all__ = [
    "MEANING",
    "Around",
    "Code",
    "Out",
    "Reason",
    "Silent",
    "Situation",
    "Spot",
    "StoreTrouble",
    "Why",
    "tell_why",
]
