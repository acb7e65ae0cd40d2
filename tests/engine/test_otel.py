"""Is what happens to flows one trace each, and are the engine's numbers told to whoever collects them?"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.engine.scenes import LONG, calling, drawn, nothing, puts, raises, river
from tests.engine.standing import Crew, until
from vastflow import Continue, Engine, Fail
from vastflow.otel import instrument


class Collected:
    """What OpenTelemetry was told."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])

    def watch(self, engine: Engine) -> None:
        instrument(engine, tracer_provider=self.tracers, meter_provider=self.meters)

    def spans(self, number: int) -> list[ReadableSpan]:
        """Return the spans once there are so many, in the order in which they ended."""
        until(lambda: len(self.exporter.get_finished_spans()) >= number)
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.end_time or 0)

    def numbers(self) -> dict[tuple[str, str], int]:
        """Return all numbers, by name and attributes."""
        found: dict[tuple[str, str], int] = {}
        data = self.reader.get_metrics_data()
        assert data is not None
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        told = ",".join(f"{key}={value!s}" for key, value in sorted((point.attributes or {}).items()))
                        found[metric.name, told] = int(point.value)  # type: ignore[union-attr]  # no histograms here
        return found


@pytest.fixture
def collected() -> Collected:
    """Return who collects."""
    return Collected()


def test_a_flow_is_a_trace_and_each_body_a_span_of_it(crew: Crew, collected: Collected) -> None:
    engine = crew.engine()
    collected.watch(engine)

    engine.start(drawn(river("a", puts(a=1)), river("b", raises(lambda: Fail("no"))), name="two"), id="one").wait(LONG)

    a, b, flow = collected.spans(3)
    assert [span.name for span in (a, b, flow)] == ["a", "b", "two"]
    assert len({span.context.trace_id for span in (a, b, flow) if span.context}) == 1
    assert [span.status.is_ok for span in (a, b, flow)] == [True, False, False]
    assert b.status.description == "no"
    assert (flow.attributes or {})["vastflow.flow"] == "one"
    assert (flow.attributes or {})["vastflow.state"] == "fail"
    assert (
        (flow.start_time or 0) <= (a.start_time or 0) <= (a.end_time or 0) <= (b.end_time or 0) <= (flow.end_time or 0)
    )


def test_the_spans_of_a_flow_are_one_trace_also_after_a_restart(crew: Crew, collected: Collected) -> None:
    done = [False]
    slow = river(
        "slow",
        nothing,
        raises(lambda: Continue("no") if not done[0] else Fail("enough")),
        cycle_interval=0.05,
        cycle_times=9999,
    )
    andes = drawn(slow, name="lasting")
    first = crew.engine()
    collected.watch(first)
    first.start(andes, id="one")
    collected.spans(1)
    first.close()
    done[0] = True
    second = crew.engine()
    collected.watch(second)
    second.flow("one").wait(LONG)

    spans = collected.spans(3)

    assert [span.name for span in spans] == ["slow", "slow", "lasting"]
    assert len({span.context.trace_id for span in spans if span.context}) == 1


def test_the_numbers_of_the_engine_are_collected(crew: Crew, collected: Collected) -> None:
    engine = crew.engine()
    collected.watch(engine)
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda _: engine.start(drawn(river("a", calling(lambda *_: None)), name="x")).result(LONG), range(3)
            )
        )

    found = collected.numbers()

    assert found["vastflow.serves", ""] == 1
    assert found["vastflow.flows.started", "name=x"] == 3
    assert found["vastflow.flows.ended", "name=x,outcome=success"] == 3
    assert found["vastflow.facts", "kind=flowed"] == 3


@pytest.mark.promise("12.5")
def test_no_secret_is_in_a_span(crew: Crew, collected: Collected) -> None:
    engine = crew.engine()
    collected.watch(engine)
    andes = drawn(river("a", raises(lambda: Fail("token=sesame-9"))), name="x")

    engine.start(andes, {"api_token": "sesame-9"}, id="one").wait(LONG)

    assert "sesame" not in "".join(span.to_json() for span in collected.spans(2))
