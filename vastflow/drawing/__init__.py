"""What is drawn?

The words of a drawing (Andes, River, ParallelRiver, Basin, Atlantic, Headwaters) and its flat form. Pure: nothing here
knows time, disk or threads.
"""

from vastflow.drawing.andes import Andes
from vastflow.drawing.atlantic import Atlantic
from vastflow.drawing.basin import Basin
from vastflow.drawing.bound import Bound, bind
from vastflow.drawing.call import Call
from vastflow.drawing.headwaters import Headwaters, later
from vastflow.drawing.laying import Laid, lay
from vastflow.drawing.parallel_river import ParallelRiver
from vastflow.drawing.river import River
from vastflow.drawing.storables import storable
from vastflow.secret import Secret

__all__ = [
    "Andes",
    "Atlantic",
    "Basin",
    "Bound",
    "Call",
    "Headwaters",
    "Laid",
    "ParallelRiver",
    "River",
    "Secret",
    "bind",
    "later",
    "lay",
    "storable",
]
