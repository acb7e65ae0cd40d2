"""Where do the bodies of the simulation play, when the process that runs them is a real one, and really dies?

The drawings, scripts and bodies are those of `vastflow.testing.simulation`; what they do is noted in a file, and they
take a fraction of the time.
"""

from typing import Any

from tests.crash.death import Death
from tests.crash.notes import Notes
from tests.crash.plan import Plan
from vastflow.drawing import Atlantic, River
from vastflow.runtime import Runtime
from vastflow.testing.simulation.effects import Effect, EffectLog
from vastflow.testing.simulation.scripts import Script
from vastflow.testing.simulation.stage import Stage

__all__ = ["RealStage"]


class RealStage(Stage):
    """One life of one real process."""

    def __init__(self, plan: Plan, runtime: Runtime, notes: Notes, death: Death) -> None:
        """Set the stage."""
        self._notes = notes
        super().__init__(plan.seed)
        self.runtime.close()
        self.runtime = runtime  # type: ignore[assignment]  # of which only the clock and `wait` are asked for
        self.log = _Log(notes)
        self._death = death
        self._pace = plan.pace

    @property
    def life(self) -> int:
        """Return the epoch under which this process serves."""
        return self._notes.epoch

    @life.setter
    def life(self, number: int) -> None:
        """Leave it to the store, which counts."""

    @property
    def threads(self) -> int:
        """Say that a thread may be held: here there are many."""
        return 0

    @threads.setter
    def threads(self, number: int) -> None:
        """Count none."""

    def die(self, where: str) -> bool:
        """Kill the process, if its death has come."""
        self._death.meet("body")
        return not where

    def begin(self, callee: River | Atlantic, body: str, water: Any) -> tuple[Effect, Script]:
        """Note that a body was called, and return what it is to do."""
        effect, script = super().begin(callee, body, water)
        call = (effect.address, body, effect.run, effect.attempt, effect.round, effect.key)
        self.note("begin", effect.order, effect.flow, *call, effect.saw)
        if script.saves:
            effect.wrote = _Noted(self, effect.order)
        wait = None if script.wait is None else script.wait * self._pace
        return effect, script._replace(before=script.before * self._pace, after=script.after * self._pace, wait=wait)

    def end(self, effect: Effect, answer: str) -> None:
        """Note how a call ended."""
        super().end(effect, answer)
        self.note("end", effect.order, answer, effect.cut, dict(effect.wrote), effect.took)

    def saved(self, effect: Effect, values: list[str]) -> None:
        """Note that a save returned; what it saved must be on disk by now."""
        super().saved(effect, values)
        self.note("saved", effect.order, values)

    def wrong(self, told: str) -> None:
        """Note that something is wrong."""
        self.note("wrong", told)

    def note(self, what: str, *told: object) -> None:
        """Add a line; this may be the moment at which the process dies."""
        lines = self._notes.write(self.now(), what, *told)
        self._death.meet("line", lines)


class _Log(EffectLog):
    """Gives numbers that no other life gives; what else it keeps dies with the process."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self.next = notes.number  # type: ignore[method-assign]  # the same question, answered for all lives


class _Noted(dict[str, str]):
    """What a body wrote that may save it: noted at once, since nobody knows whether it comes to its end."""

    def __init__(self, stage: RealStage, number: int) -> None:
        super().__init__()
        self._stage = stage
        self._number = number

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self._stage.note("wrote", self._number, key, value)
