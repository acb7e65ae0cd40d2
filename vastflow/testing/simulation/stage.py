"""Where does a simulated run take place?

What bodies, store and script share beside the engine: the log of effects, the runtime, and how the process dies.
"""

import random
from collections import Counter
from typing import Any

from vastflow.drawing import Atlantic, River
from vastflow.errors import VastflowError
from vastflow.runtime import Simulated
from vastflow.testing.simulation.effects import Effect, EffectLog
from vastflow.testing.simulation.scripts import Script, script_of

__all__ = ["Died", "Stage", "stage_of"]

_KILLERS = 0.04  # share of seeds in which the `flow` of one river kills its process

_stages: dict[str, "Stage"] = {}


class Died(BaseException):
    """The process is dead; whoever meets this is no more."""


class Stage:
    """One run: everything that outlives the engine.

    Attributes:
        chance: the seed's own.
        runtime: the one of this life.
        life: from 1.
        dead: the process has died and was not started again yet.
        closing: it is being closed in order.
        deaths: how often it may still die.
        trouble: how much more often than usual bodies do not end well.
        met: how often everything was met, for the census.
    """

    def __init__(self, seed: int) -> None:
        """Set the stage; nobody plays yet."""
        self.seed = seed
        self.chance = random.Random(f"stage of {seed}")  # noqa: S311 - chance to be repeated, no secret
        self.log = EffectLog()
        self.runtime = Simulated(seed)
        self.life = 1
        self.dead = False
        self.closing = False
        self.deaths = self.chance.choice((0, 1, 1, 2, 3, 5))
        self.trouble = self.chance.choice((0.0, 0.3, 1.0, 1.0, 2.0))
        self.met: Counter[str] = Counter()
        self._killer = f"r{self.chance.randint(1, 3)}" if self.chance.random() < _KILLERS else ""
        if self._killer:
            self.deaths = 6
        self.threads = 0
        self._calls: Counter[str] = Counter()

    def odds(self, share: float) -> bool:
        """Draw whether something happens that happens in this share of cases."""
        return self.chance.random() < share

    def play(self, flow_id: str) -> None:
        """Let the bodies of this flow find their stage."""
        _stages[flow_id] = self

    def leave(self) -> None:
        """Let nobody find it any more."""
        for flow_id in [name for name, stage in _stages.items() if stage is self]:
            del _stages[flow_id]

    def now(self) -> int:
        """Return microseconds."""
        return self.runtime.clock.now()

    def die(self, where: str) -> bool:
        """Kill the process, if it may still die; nothing of it happens any more."""
        if self.deaths <= 0 or self.dead:
            return False
        self.deaths -= 1
        self.dead = True
        self.met[f"crash {where}"] += 1
        self.runtime.crash()
        return True

    def begin(self, callee: River | Atlantic, body: str, water: Any) -> tuple[Effect, Script]:
        """Note that a body was called, and return what it is to do."""
        effect = Effect(
            callee.flow_id,
            callee.address,
            body,
            callee.run,
            callee.attempt,
            callee.round,
            callee.key,
            self.log.next(),
            self.life,
            self.now(),
            saw=dict(water),
        )
        self.log.effects.append(effect)
        self.met[f"body {body}"] += 1
        called = f"{self.seed} {effect.flow} {effect.address} {body} {effect.run} {effect.attempt}"
        self._calls[called] += 1
        own = callee.address.rpartition("/")[2] if body not in {"success", "fail"} else "sea"
        script = script_of(f"{called} {self._calls[called]}", body, own, self.trouble)
        return effect, script._replace(answer="crash") if own == self._killer and body == "flow" else script

    def end(self, effect: Effect, answer: str) -> None:
        """Note how a call ended; one of a dead process did not."""
        if self.lives(effect):
            effect.answer = answer
            effect.ended = self.now()
            effect.over = self.log.next()
            self.met[f"answer {effect.body} {answer}"] += 1

    def lives(self, effect: Effect) -> bool:
        """Say whether the process that made this call is still alive."""
        return effect.life == self.life and not self.dead

    def check_alive(self, effect: Effect) -> None:
        """Raise what nobody hears if the process has died meanwhile."""
        if not self.lives(effect):
            raise Died

    def saved(self, effect: Effect, values: list[str]) -> None:
        """Note that a save returned; what it saved must be on disk by now."""
        if self.lives(effect):
            effect.saved += values
            lost = [value for value in values if value not in self.log.values]
            if lost:
                self.log.wrongs.append(f"{effect.address}: save() returned, but {lost} is not on disk")


def stage_of(flow_id: str) -> Stage:
    """Return the stage on which a flow plays.

    Raises:
        VastflowError: on none.
    """
    if flow_id not in _stages:
        raise VastflowError(f"flow {flow_id!r} belongs to no simulation that is under way")
    return _stages[flow_id]
