"""What flows over the border of a basin?

A copy of the parent's water flows in; nothing flows out but the outputs. What is missing fails the basin.
"""

from collections.abc import Mapping

import msgspec

from vastflow.course.delta import same
from vastflow.course.facts import Delta
from vastflow.drawing.chart import BasinPlace
from vastflow.errors import Failure

__all__ = ["flow_in", "flow_out"]


def flow_in(
    place: BasinPlace, address: str, water: Mapping[str, msgspec.Raw], added: Mapping[str, msgspec.Raw]
) -> dict[str, msgspec.Raw] | Failure:
    """Return the basin's own water, or the failure that an input is missing."""
    if place.inputs is None:
        return {**water, **added}
    missing = [key for key in place.inputs if key not in water]
    if missing:
        return _missing(address, "input", missing, "written before it, or leave it out of inputs=")
    return {**{inner: water[outer] for outer, inner in place.inputs.items()}, **added}


def flow_out(
    place: BasinPlace, address: str, water: Mapping[str, msgspec.Raw], outside: Mapping[str, msgspec.Raw]
) -> Delta | Failure:
    """Return what the basin changes in its parent's water, or the failure that an output is missing."""
    missing = [key for key in place.outputs if key not in water]
    if missing:
        return _missing(address, "output", missing, "written inside it, or leave it out of outputs=")
    out = {outer: water[inner] for inner, outer in place.outputs.items()}
    return Delta({key: value for key, value in out.items() if not same(value, outside.get(key))})


def _missing(address: str, what: str, keys: list[str], advice: str) -> Failure:
    named = ", ".join(repr(key) for key in keys)
    return Failure("error", f"basin {address}: the {what} {named} is not in the water: let it be {advice}", address)
