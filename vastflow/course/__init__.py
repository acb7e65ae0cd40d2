"""What happens next in a flow? Pure: no time, no disk, no threads."""

from vastflow.course.events import Rules
from vastflow.course.facts import Fact
from vastflow.course.progress import Progress
from vastflow.course.step import fold, step

__all__ = ["Fact", "Progress", "Rules", "fold", "step"]
