"""How does an actor get a thread, a wake-up and an answer?"""

from vastflow.runtime.contract import Actor, Lane, Ref, Running, Runtime, Stats, Timer
from vastflow.runtime.real import Real
from vastflow.runtime.simulated import Simulated

__all__ = ["Actor", "Lane", "Real", "Ref", "Running", "Runtime", "Simulated", "Stats", "Timer"]
