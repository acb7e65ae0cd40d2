"""How do flows show in OpenTelemetry? A trace for each flow, a span for each body, and the numbers of the engine.

    stop = vastflow.otel.instrument(engine)

All spans of a flow are in one trace, whichever process ran them and however often it was killed: the trace's id is made
from the flow's own. Needs `vastflow[otel]`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TracerProvider,
    set_span_in_context,
)

import vastflow
from vastflow.clock import from_moment
from vastflow.engine import Engine
from vastflow.engine.hooks import Notice
from vastflow.engine.metrics import GAUGES, Metrics
from vastflow.errors import VastflowError

__all__ = ["instrument"]

_BODIES = frozenset({"flowed", "cycled", "retrying", "failed", "undone", "undofailed"})
_FAILED = frozenset({"retrying", "failed", "undofailed"})


def instrument(
    engine: Engine, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> Callable[[], None]:
    """Let an engine tell OpenTelemetry what it does.

    Args:
        engine: which; what its flows do is told while it serves its store.
        tracer_provider: where spans go; None for the global one.
        meter_provider: where metrics go; None for the global one.

    Returns:
        What ends the telling of spans.
    """
    provider = tracer_provider or trace.get_tracer_provider()
    tracer = provider.get_tracer("vastflow", vastflow.__version__)
    _observe(engine, meter_provider or metrics.get_meter_provider())
    return engine.on("*", _Spans(engine, tracer).heard)


class _Spans:
    """Makes a span of each body that has ended, and one of each flow."""

    def __init__(self, engine: Engine, tracer: Tracer) -> None:
        self._engine = engine
        self._tracer = tracer

    def heard(self, notice: Notice) -> None:
        """Make a span, if this is the end of something that took time."""
        if notice.event.kind in _BODIES:
            self._body(notice)
        elif notice.event.kind == "ended":
            self._flow(notice)

    def _body(self, notice: Notice) -> None:
        event = notice.event
        began = event.details.get("began")
        start = began * 1000 if isinstance(began, int) and began else _nanoseconds(event.at)
        attributes: dict[str, str | int] = {
            "vastflow.attempt": event.attempt,
            "vastflow.run": event.run,
            "vastflow.kind": event.kind,
        }
        failure = event.details.get("failure") if event.kind in _FAILED else None
        self._span(notice, event.address, start, attributes, failure)

    def _flow(self, notice: Notice) -> None:
        try:
            status = self._engine.flow(notice.flow).status()
        except VastflowError:  # removed meanwhile, or the engine has closed
            return
        attributes: dict[str, str | int] = {
            "vastflow.state": status.state,
            "vastflow.facts": status.facts,
            "vastflow.round": notice.event.round,
        }
        failure = {"message": status.failure.message} if status.failure is not None else None
        self._span(notice, notice.name, _nanoseconds(status.started), attributes, failure)

    def _span(self, notice: Notice, name: str, start: int, attributes: Mapping[str, str | int], failure: Any) -> None:
        span = self._tracer.start_span(
            name,
            context=set_span_in_context(NonRecordingSpan(_context_of(notice.flow))),
            attributes={"vastflow.flow": notice.flow, "vastflow.name": notice.name, **attributes},
            start_time=start,
        )
        if failure is not None:
            told = str(failure.get("message", "")) if isinstance(failure, Mapping) else ""
            span.set_status(Status(StatusCode.ERROR, told))
        span.end(_nanoseconds(notice.event.at))


def _context_of(flow_id: str) -> SpanContext:
    """Return what all spans of a flow have as their parent, the same in every process."""
    digest = hashlib.sha256(flow_id.encode()).digest()
    trace_id, span_id = int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _nanoseconds(at: datetime) -> int:
    return from_moment(at) * 1000


def _observe(engine: Engine, provider: MeterProvider) -> None:
    """Have counters and gauges asked for whenever somebody collects them."""
    meter = provider.get_meter("vastflow", vastflow.__version__)
    for name, sentence in GAUGES.items():
        meter.create_observable_gauge(f"vastflow.{name}", [_asked(engine, partial(_gauge, name))], description=sentence)
    for name, sentence, look in _COUNTERS:
        meter.create_observable_counter(f"vastflow.{name}", [_asked(engine, look)], description=sentence)


Look = Callable[[Metrics], Iterator[Observation]]


def _asked(engine: Engine, look: Look) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _options: list(look(engine.metrics()))


def _gauge(name: str, found: Metrics) -> Iterator[Observation]:
    yield Observation(int(getattr(found, name)))


def _started(found: Metrics) -> Iterator[Observation]:
    for name, number in found.started.items():
        yield Observation(number, {"name": name})


def _ended(found: Metrics) -> Iterator[Observation]:
    for (name, outcome), number in found.ended.items():
        yield Observation(number, {"name": name, "outcome": outcome})


def _facts(found: Metrics) -> Iterator[Observation]:
    for kind, number in found.facts.items():
        yield Observation(number, {"kind": kind})


_COUNTERS: tuple[tuple[str, str, Look], ...] = (
    ("flows.started", "Flows begun.", _started),
    ("flows.ended", "Flows ended.", _ended),
    ("facts", "What has happened, by its kind.", _facts),
)
