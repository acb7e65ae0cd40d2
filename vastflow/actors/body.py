"""How is a user's body called, and what does its answer mean?

The one place where user code runs: on a worker thread or as a task, never in an actor. It may raise anything; what
comes out is always an answer.
"""

import traceback
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from vastflow.actors.keeping import Keeping, Surroundings, delta_of
from vastflow.actors.messages import Answered, Call, Reported, Strand
from vastflow.course.events import Again, Answer, Broken, Chose, Done, NotYet, Raised
from vastflow.drawing import Atlantic, Headwaters, River
from vastflow.drawing.call import Call as Callee
from vastflow.drawing.headwaters import limits_of
from vastflow.errors import Continue, Fail, Failure, Retry, StoreUnreadable, WaterError
from vastflow.log import BodyFields, Masker, escape, in_body, leave

__all__ = ["call_body", "call_body_async"]

_LONGEST = 20_000  # characters that are kept: of a text the first, of a traceback the last, which say what happened


class _Body:
    """One call of one body: what it is given, and how its answer is told."""

    __slots__ = ("around", "began", "call", "kept", "water")

    def __init__(self, call: Call, around: Surroundings) -> None:
        self.call = call
        self.around = around
        self.began = around.clock.now()
        self.kept: Keeping | None = None
        self.water: Headwaters | None = None

    def prepare(self) -> Any:
        """Return the method that is to be called, on a `self` that knows this call."""
        call, flow = self.call, self.call.flow
        template = call.template or call.address
        view = flow.bound.view(template, call.body)
        extra, limits = flow.bound.extras(template), limits_of(flow.bound.water)
        self.water = view.open(call.water.flat(), limits=limits, place=call.address, extra=extra)
        self.kept = Keeping(call, self.water, self.around)
        stream: River | Atlantic = flow.streams[template].in_call(_callee(call, self.water, self.kept, self.around))
        return getattr(stream, call.body)

    def returned(self, value: object) -> Answer:
        """Return what the value says that the body returned."""
        if self.water is None or self.kept is None:
            return Done()
        return _returned(self.call, value, self.water, self.kept)

    def raised(self, error: BaseException) -> Answer:
        """Return what the exception says that the body raised; if it is of the store, the flow cannot go on."""
        if isinstance(error, StoreUnreadable):  # it is stranded before the answer comes, which then says nothing
            self.call.flow.supervisor.tell(Strand(self.call.flow, f"{self.call.address}: {error}"))
        return _raised(self.call, error, self.water, self.kept, self.around.masker)

    def told(self, answer: Answer) -> Answered:
        """Return the message that tells the answer."""
        return Answered(self.call.flow, self.call.address, self.call.ticket, answer, self.began)


def call_body(call: Call, around: Surroundings) -> Answered:
    """Call a `def` body and return what it answered."""
    token = in_body(BodyFields(call.flow.id, call.address, call.attempt, call.color, around.actor))
    body = _Body(call, around)
    try:
        method = body.prepare()
        answer = body.returned(method(body.water))
    except BaseException as raised:  # noqa: BLE001  # whatever a body raises touches its own flow only
        answer = body.raised(raised)
    finally:
        leave(token)
    return body.told(answer)


async def call_body_async(call: Call, around: Surroundings) -> Answered:
    """Call an `async def` body and return what it answered."""
    token = in_body(BodyFields(call.flow.id, call.address, call.attempt, call.color, around.actor))
    body = _Body(call, around)
    try:
        method = body.prepare()
        running: Coroutine[Any, Any, object] = method(body.water)
        answer = body.returned(await running)
    except BaseException as raised:  # noqa: BLE001  # whatever a body raises touches its own flow only
        answer = body.raised(raised)
    finally:
        leave(token)
    return body.told(answer)


def _callee(call: Call, water: Headwaters, kept: Keeping, around: Surroundings) -> Callee:
    flow, masker = call.flow, around.masker

    def report(share: float | None, text: str) -> None:
        told = _clean(str(text)[:_LONGEST], _secrets(call, water, masker), masker) if text else ""
        flow.supervisor.tell(Reported(flow, call.address, call.ticket, share, told))

    return Callee(
        flow_id=flow.id,
        uid=flow.progress.uid,
        address=call.address,
        body=call.body,
        attempt=call.attempt,
        run=call.run,
        round=flow.progress.round,
        cancelled=call.cancelling,
        report=report,
        failures=dict(flow.progress.failures),
        failure=call.failure,
        signal=kept.take,
        save=kept.save,
        asave=kept.asave,
        resource=around.resource,
    )


def _returned(call: Call, value: object, water: Headwaters, kept: Keeping) -> Answer:
    if call.body == "when":
        return _chosen(call, value, water)
    if value is None:
        return Done(delta_of(water), kept.took)
    named = type(value).__name__
    message = (
        f"{call.body}() returned a {named}, but a body's answer is None (done) or what it raises: put results into "
        f"the water and return None; raise Continue, Retry or Fail for the rest"
    )
    return Broken(Failure("bad-return", message, call.address, call.attempt))


def _chosen(call: Call, value: object, water: Headwaters) -> Answer:
    if value is True or value is False:
        return Chose(value, delta_of(water))
    named = type(value).__name__
    message = f"when() returned a {named}, but its answer is True (go on) or False (skip it): return one of the two"
    return Broken(Failure("bad-return", message, call.address, call.attempt))


def _raised(
    call: Call, raised: BaseException, water: Headwaters | None, kept: Keeping | None, masker: Masker
) -> Answer:
    try:
        return _said(call, raised, water, kept, masker)
    except BaseException as error:  # noqa: BLE001  # an exception of the user's may do anything when it is read
        text = f"{call.body}() raised a {type(raised).__name__} that cannot be read ({type(error).__name__})"
        return Raised(Failure("error", text, call.address, call.attempt, exception=_name(type(raised))))


def _said(call: Call, raised: BaseException, water: Headwaters | None, kept: Keeping | None, masker: Masker) -> Answer:
    match raised:
        case Continue() if water is not None and kept is not None:
            return _not_yet(call, raised, water, kept, masker)
        case Retry():
            return Again(_failure(call, raised, water, masker), raised.after)
        case Fail():
            return Broken(_failure(call, raised, water, masker))
        case _:
            return Raised(_failure(call, raised, water, masker))


def _not_yet(call: Call, said: Continue, water: Headwaters, kept: Keeping, masker: Masker) -> Answer:
    try:
        delta = delta_of(water)
    except Exception as error:  # noqa: BLE001  # what was mutated cannot be stored: that is the poll's failure
        return Raised(_failure(call, error, water, masker))
    reason = _text(said)
    secrets = _secrets(call, water, masker) if reason else frozenset[str]()
    return NotYet(_clean(reason, secrets, masker), said.progress, said.after, delta, kept.took)


def _failure(call: Call, raised: BaseException, water: Headwaters | None, masker: Masker) -> Failure:
    kind = type(raised)
    secrets = _secrets(call, water, masker)
    return Failure(
        kind="error",
        message=_clean(_text(raised), secrets, masker),
        address=call.address,
        attempt=call.attempt,
        code=_clean(str(raised.code), secrets, masker)
        if isinstance(raised, Fail) and raised.code is not None
        else None,
        exception=_name(kind),
        types=tuple(_name(each) for each in kind.__mro__ if each is not object),
        traceback=_clean(_traceback(raised)[-_LONGEST:], secrets, masker, lines=True),
    )


def _text(raised: BaseException) -> str:
    try:
        return str(raised)[:_LONGEST]
    except BaseException:  # noqa: BLE001  # an exception's own __str__ may raise
        return "(its text cannot be read)"


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _traceback(raised: BaseException) -> str:
    """Return the traceback from the user's own frame on."""
    frames: TracebackType | None = raised.__traceback__
    own = frames.tb_next if frames is not None and frames.tb_next is not None else frames
    try:
        return "".join(traceback.format_exception(type(raised), raised, own))
    except BaseException:  # noqa: BLE001  # an exception's own __str__ may raise
        return ""


def _clean(text: str, secrets: frozenset[str], masker: Masker, *, lines: bool = False) -> str:
    """Return a text without secrets and without control characters."""
    told = text.encode(errors="backslashreplace").decode()
    masked = masker.text(told, secrets)
    return "\n".join(escape(line) for line in masked.split("\n")) if lines else escape(masked)


def _secrets(call: Call, water: Headwaters | None, masker: Masker) -> frozenset[str]:
    """Return the secrets the body could know: of its parameters and of its water."""
    seen: dict[str, object] = {}
    held: Mapping[str, Any] = water if water is not None else {}
    for key in held:
        with suppress(WaterError, StoreUnreadable):
            seen[key] = held[key]
    return masker.secrets([vars(call.flow.streams[call.template or call.address]), seen])
