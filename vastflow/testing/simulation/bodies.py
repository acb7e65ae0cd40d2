"""Who plays in a simulated run?

River classes with every choice of bodies, `def` and `async def`, and an Atlantic of each kind: all do what their
scripts say and write down what they did.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from itertools import product
from typing import Any

from vastflow.drawing import Atlantic, River
from vastflow.errors import Continue, Fail, Retry, SaveRefused, SimulationStuck
from vastflow.testing.simulation.effects import Effect
from vastflow.testing.simulation.scripts import Script
from vastflow.testing.simulation.stage import Died, Stage, stage_of

__all__ = ["RIVERS", "SEAS", "Fatal", "Squall", "Storm"]


class Storm(Exception):  # noqa: N818 - what bodies raise has the names of its field
    """Something went wrong that may go well another time."""


class Squall(Storm):
    """A storm of a kind that no `retry_on` names by itself."""


class Fatal(Exception):  # noqa: N818 - the same
    """Something that need not be tried again."""


async def _act(self: River | Atlantic, body: str, water: Any) -> Any:
    stage = stage_of(self.flow_id)
    effect, script = stage.begin(self, body, water)
    await _pause(stage, effect, script, script.before)
    values = _write(stage, effect, script, water, self)
    if script.saves:
        try:
            await self.asave()
        except SaveRefused:
            stage.met["save refused"] += 1
        except asyncio.CancelledError:
            _cut(stage, effect)
            raise
        else:
            stage.saved(effect, values)
    stage.check_alive(effect)
    await _pause(stage, effect, script, script.after)
    return _answer(stage, effect, script)


async def _pause(stage: Stage, effect: Effect, script: Script, seconds: float) -> None:
    """Take so long; a stubborn body goes on when it is cancelled."""
    until = stage.now() + round(seconds * 1_000_000)
    while (left := until - stage.now()) > 0:
        try:
            await asyncio.sleep(left / 1_000_000)
        except asyncio.CancelledError:
            if stage.closing or not script.stubborn:
                _cut(stage, effect)
                raise
            stage.check_alive(effect)
            effect.cut = True
    stage.check_alive(effect)


def _cut(stage: Stage, effect: Effect) -> None:
    """Note that a body stops since it was asked to; what a close stops is interrupted."""
    stage.check_alive(effect)
    if not stage.closing:
        effect.cut = True
        stage.end(effect, "cancelled")


def _act_in_thread(self: River | Atlantic, body: str, water: Any) -> Any:
    stage = stage_of(self.flow_id)
    effect, script = stage.begin(self, body, water)
    values = _write(stage, effect, script, water, self)
    if script.saves:
        try:
            self.save()
        except SaveRefused:
            stage.met["save refused"] += 1
        except SimulationStuck:
            raise Died from None
        else:
            stage.saved(effect, values)
    stage.check_alive(effect)
    _hold_thread(stage, effect, script)
    return _answer(stage, effect, script)


def _hold_thread(stage: Stage, effect: Effect, script: Script) -> None:
    """Take some time; one thread at a time, since what happens meanwhile is done by this one."""
    if not script.before or stage.threads:
        return
    stage.threads += 1
    try:
        stage.runtime.wait(Future(), script.before if script.stubborn else min(script.before, 0.5))
    except TimeoutError:
        pass
    finally:
        stage.threads -= 1
    stage.check_alive(effect)


def _write(stage: Stage, effect: Effect, script: Script, water: Any, self: River | Atlantic) -> list[str]:
    for key in script.writes:
        effect.wrote[key] = water[key] = f"v{stage.seed}.{stage.log.next()}"
    if script.deletes is not None:
        water.pop(script.deletes, None)
        effect.wrote.pop(script.deletes, None)
    if script.takes and effect.body in {"flow", "cycle"}:
        for name in getattr(self, "signals", ()):
            if (taken := self.signal(name)) is not None:
                effect.took.append(taken)
    return list(effect.wrote.values())


def _answer(stage: Stage, effect: Effect, script: Script) -> Any:
    answer = script.answer
    if answer == "crash":
        if stage.die(f"in {effect.body}"):
            raise Died
        answer = "yes" if effect.body == "when" else "done"
    stage.end(effect, answer)
    return _say(answer, script)


def _say(answer: str, script: Script) -> Any:
    raised: Mapping[str, BaseException] = {
        "retry": Retry("again", after=script.wait),
        "continue": Continue("not yet", after=script.wait),
        "fail": Fail("no", code="no"),
        "error": (Squall if script.stubborn else Storm)("it blew"),
        "fatal": Fatal("for good"),
    }
    if answer in raised:
        raise raised[answer]
    return {"yes": True, "no": False, "bad": "bad"}.get(answer)


def _body(name: str, *, threaded: bool) -> Callable[[Any, Any], Any]:
    if threaded:

        def body(self: Any, water: Any) -> Any:
            return _act_in_thread(self, name, water)

        return body

    async def body_async(self: Any, water: Any) -> Any:
        return await _act(self, name, water)

    return body_async


def _named(extra: tuple[str, ...], how: str) -> str:
    return "".join(["Flow", *(name.title() for name in extra), how.title()])


def _river(extra: tuple[str, ...], how: str) -> type[River]:
    """Make a class with `flow` and these bodies; mixed: some of them wait, others hold a thread."""
    told: dict[str, Any] = {"__module__": __name__, "__doc__": "Plays its scripts.", "fail_on": (Fatal,)}
    for number, name in enumerate(("flow", *extra)):
        told[name] = _body(name, threaded=how == "threads" or (how == "mixed" and number % 2 == 0))
    if "cycle" in extra:
        told["cycle_times"] = 3
    return type(_named(extra, how), (River,), told)


def _sea(*, threaded: bool) -> type[Atlantic]:
    told = {name: _body(name, threaded=threaded) for name in ("success", "fail")}
    name = "ThreadedSea" if threaded else "Sea"
    return type(name, (Atlantic,), {"__module__": __name__, "__doc__": "Plays.", "fail_on": (Fatal,), **told})


_EXTRAS = ("when", "cycle", "undo", "reconcile")

RIVERS: Mapping[tuple[tuple[str, ...], str], type[River]] = {
    (extra, how): _river(extra, how)
    for chosen in product((False, True), repeat=len(_EXTRAS))
    for how in ("waits", "threads", "mixed")
    for extra in [tuple(name for name, wanted in zip(_EXTRAS, chosen, strict=True) if wanted)]
}
"""A class for each choice of bodies beside `flow`, and for how they are written."""

SEAS: tuple[type[Atlantic], ...] = (_sea(threaded=False), _sea(threaded=True))
