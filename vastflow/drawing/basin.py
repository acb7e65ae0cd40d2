"""What is a sub-flow with water of its own?

A Basin: a copy of the water flows in, and nothing flows out but its outputs.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from vastflow.drawing.attributes import BASIN, read, waits_of
from vastflow.drawing.chart import Waits
from vastflow.drawing.durations import Duration
from vastflow.drawing.parallel_river import Gathering, Stream, check_name, refuse, renames, taken
from vastflow.drawing.parameters import detached

__all__ = ["Basin"]


class Basin(Gathering):
    """A sub-flow whose water is completely its own.

    Args:
        name: what it is called; part of the addresses inside.
        streams: what flows in it, one after another.
        inputs: keys that flow in, or a mapping that renames them; None for all.
        outputs: keys that flow out, or a mapping that renames them.
        water: values that are added inside.
        continue_on_failure: its failure is recorded and the flow goes on.
        color: a label that everything in it inherits.
        retry_times: how often the whole is tried again.
        retry_interval: wait before that.
        retry_backoff: what that wait is multiplied with each time.
        retry_max_interval: what it never exceeds.
    """

    name: str
    inputs: tuple[tuple[str, str], ...] | None
    outputs: tuple[tuple[str, str], ...]
    water: Mapping[str, Any]
    continue_on_failure: bool
    color: str | None
    retry: Waits

    def __init__(  # noqa: PLR0913  # one call says all there is to say
        self,
        name: str,
        *streams: Stream,
        inputs: Iterable[str] | Mapping[str, str] | None = None,
        outputs: Iterable[str] | Mapping[str, str] = (),
        water: Mapping[str, Any] | None = None,
        continue_on_failure: bool = False,
        color: str | None = None,
        retry_times: int = 0,
        retry_interval: Duration = 1.0,
        retry_backoff: float = 2.0,
        retry_max_interval: Duration | None = 60.0,
    ) -> None:
        """Draw the streams, one after another, in a basin.

        Raises:
            DrawingError: an argument is not possible.
            AttributeFault: an attribute is not possible.
        """
        super().__init__(name=name, is_drawn=False)
        check_name(self, name)
        told = {
            "continue_on_failure": continue_on_failure,
            "color": color,
            "retry_times": retry_times,
            "retry_interval": retry_interval,
            "retry_backoff": retry_backoff,
            "retry_max_interval": retry_max_interval,
        }
        told = {name: read(BASIN, str(self), name, value) for name, value in told.items()}
        self.__dict__.update(
            inputs=None if inputs is None else renames(self, "inputs", inputs),
            outputs=renames(self, "outputs", outputs),
            water=_added(self, water),
            continue_on_failure=told["continue_on_failure"],
            color=told["color"],
            retry=waits_of(told),
            streams=tuple(taken(stream, str(self)) for stream in streams),
        )


def _added(basin: Basin, water: object) -> dict[str, Any]:
    if water is None:
        return {}
    if not isinstance(water, Mapping) or not all(type(key) is str and key for key in water):
        refuse(str(basin), f"water={water!r} is no mapping with text keys: write water={{'region': 'east'}}")
    return {key: detached(value) for key, value in water.items()}
