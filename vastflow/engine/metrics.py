"""How much does an engine do? Counters since it began to serve, and what it has under way at this moment.

For a monitoring system: as values, or as text in the format of Prometheus.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vastflow.actors.messages import Write
from vastflow.runtime import Stats

__all__ = ["GAUGES", "Counts", "Metrics", "to_prometheus"]

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What an engine has done since it was made, and what it has under way.

    Attributes:
        serves: whether it serves its store; if it stands by, all else is of the time before, or 0.
        trouble: whether the store cannot be written at present.
        flows: under way, those that wait included.
        running: bodies that run in threads.
        queued: bodies that wait for a thread.
        tasks: async bodies that run.
        threads: worker threads.
        abandoned: bodies that were given up and have not come back, in threads and as tasks.
        started: flows, by the name of their Andes.
        ended: flows, by the name of their Andes and their outcome.
        facts: by kind, such as flowed, retrying, failed, undone: what has happened.
    """

    serves: bool
    trouble: bool
    flows: int
    running: int
    queued: int
    tasks: int
    threads: int
    abandoned: int
    started: Mapping[str, int]
    ended: Mapping[tuple[str, str], int]
    facts: Mapping[str, int]

    def prometheus(self) -> str:
        """Return all of it as text in the format of Prometheus."""
        return to_prometheus(self)


GAUGES: Mapping[str, str] = MappingProxyType(
    {
        "serves": "Whether this engine serves its store.",
        "trouble": "Whether the store cannot be written at present.",
        "flows": "Flows under way.",
        "running": "Bodies that run in threads.",
        "queued": "Bodies that wait for a thread.",
        "tasks": "Async bodies that run.",
        "threads": "Worker threads.",
        "abandoned": "Bodies that were given up and have not come back.",
    }
)
"""What each number of this moment says, by its name."""


class Counts:
    """What has happened since an engine was made; written by one thread, read by any."""

    def __init__(self) -> None:
        """Have counted nothing."""
        self._started: Counter[str] = Counter()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._facts: Counter[str] = Counter()

    def written(self, writes: Iterable[Write], lost: frozenset[str]) -> None:
        """Count what is on disk now."""
        for write in writes:
            if write.flow.id not in lost:
                for fact in write.facts:
                    self._facts[fact.kind] += 1
                self._count_flow(write)

    def _count_flow(self, write: Write) -> None:
        if write.row is not None:
            self._started[write.flow.name] += 1
        if write.final == "ended" and write.move is not None:
            self._ended[write.flow.name, write.move.state] += 1

    def metrics(self, *, serves: bool, trouble: bool, flows: int, stats: Stats) -> Metrics:
        """Return all there is to tell."""
        return Metrics(
            serves=serves,
            trouble=trouble,
            flows=flows,
            running=stats.running,
            queued=stats.queued,
            tasks=stats.tasks,
            threads=stats.threads,
            abandoned=stats.abandoned + stats.abandoned_tasks,
            started=self._started.copy(),
            ended=self._ended.copy(),
            facts=self._facts.copy(),
        )


def to_prometheus(metrics: Metrics) -> str:
    """Return metrics as text in the format of Prometheus."""
    return "".join(f"{line}\n" for line in _lines(metrics))


def _lines(metrics: Metrics) -> Iterator[str]:
    for name, sentence in GAUGES.items():
        yield from _head(name, sentence, "gauge")
        yield f"vastflow_{name} {int(getattr(metrics, name))}"
    yield from _head("flows_started_total", "Flows begun.", "counter")
    for andes, number in sorted(metrics.started.items()):
        yield f"vastflow_flows_started_total{_labels(name=andes)} {number}"
    yield from _head("flows_ended_total", "Flows ended.", "counter")
    for (andes, outcome), number in sorted(metrics.ended.items()):
        yield f"vastflow_flows_ended_total{_labels(name=andes, outcome=outcome)} {number}"
    yield from _head("facts_total", "What has happened, by its kind.", "counter")
    for kind, number in sorted(metrics.facts.items()):
        yield f"vastflow_facts_total{_labels(kind=kind)} {number}"


def _head(name: str, sentence: str, kind: str) -> Iterator[str]:
    yield f"# HELP vastflow_{name} {sentence}"
    yield f"# TYPE vastflow_{name} {kind}"


def _labels(**labels: str) -> str:
    told = ",".join(f'{key}="{value.translate(_ESCAPES)}"' for key, value in labels.items())
    return f"{{{told}}}"
