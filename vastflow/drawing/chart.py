"""What is a drawing once it is laid flat?

Classes, names, attributes and nesting as plain immutable records with canonical bytes and a hash; no user class is
needed to read it. What differs from flow to flow (water, parameters, what `update` changed) is in `Cargo`.
"""

import hashlib
from typing import Literal

import msgspec

from vastflow.errors import StoreTooNew, StoreUnreadable

__all__ = [
    "Anchor",
    "BasinPlace",
    "Cargo",
    "Chain",
    "Chart",
    "EachPlace",
    "Mouth",
    "ParallelPlace",
    "Place",
    "RiverPlace",
    "Waits",
]

VERSION = 1


class Waits(msgspec.Struct, frozen=True):
    """How often and after which waits something is tried again.

    Attributes:
        times: attempts after the first.
        interval: seconds before the next attempt.
        backoff: what the interval is multiplied with each time.
        max_interval: seconds the interval never exceeds; None for no bound.
    """

    times: int = 0
    interval: float = 1.0
    backoff: float = 2.0
    max_interval: float | None = 60.0


class Anchor(msgspec.Struct, frozen=True):
    """The attributes of one river, as they were when it was drawn; durations in seconds.

    Attributes:
        retry: its retries.
        cycle: its polls; `times` is None where polls are not counted, `interval` None where only signals wake it.
        retry_on: names (`module.QualifiedName`) of exceptions that are tried again.
        fail_on: names of exceptions that are not.
    """

    retry: Waits = Waits()
    cycle_interval: float | None = 1.0
    cycle_backoff: float = 1.0
    cycle_max_interval: float | None = None
    cycle_times: int | None = None
    cycle_errors: int = 3
    deadline: float | None = None
    timeout: float | None = None
    retry_on: tuple[str, ...] = ("builtins.Exception",)
    fail_on: tuple[str, ...] = ()
    atomic: bool = False
    durable: bool = True
    at_most_once: bool = False
    undo_times: int = 10
    undo_interval: float = 10.0
    undo_deadline: float = 3600.0
    signals: tuple[str, ...] = ()
    max_running: int | None = None


class RiverPlace(msgspec.Struct, frozen=True, tag="river", tag_field="kind"):
    """A river in the chart.

    Attributes:
        name: unique in its basin, `each` or flow.
        river: the registered name of its class.
        bodies: which of when, flow, cycle, undo, reconcile the class has, in this order.
        anchor: its attributes.
        color: its label, its own or its basin's.
    """

    name: str
    river: str
    bodies: tuple[str, ...]
    anchor: Anchor
    color: str | None = None


class ParallelPlace(msgspec.Struct, frozen=True, tag="parallel", tag_field="kind"):
    """Branches side by side; `branches` are chains, in drawing order. Its name is no part of addresses inside it."""

    name: str
    branches: "tuple[Chain, ...]"
    join: Literal["all", "settle", "any"] = "all"
    max_failures: int | float = 0
    on_conflict: Literal["fail", "last"] = "fail"


class EachPlace(msgspec.Struct, frozen=True, tag="each", tag_field="kind"):
    """One branch for each element of `water[key]`; `collect` maps a branch's key to the key its list gets."""

    name: str
    key: str
    item: str
    streams: "Chain"
    limit: int | None = None
    collect: dict[str, str] = {}
    max_failures: int | float = 0


class BasinPlace(msgspec.Struct, frozen=True, tag="basin", tag_field="kind"):
    """A sub-flow with water of its own.

    Attributes:
        inputs: parent key -> key inside; None: all of the parent's water.
        outputs: key inside -> parent key.
        added: the keys that `water=` adds inside; their values are in the cargo, under the basin's address.
        retry: how often the whole is tried again.
    """

    name: str
    streams: "Chain"
    inputs: dict[str, str] | None = None
    outputs: dict[str, str] = {}
    added: tuple[str, ...] = ()
    continue_on_failure: bool = False
    retry: Waits = Waits()
    color: str | None = None


Place = RiverPlace | ParallelPlace | EachPlace | BasinPlace
Chain = tuple[Place, ...]


class Mouth(msgspec.Struct, frozen=True):
    """The Atlantic in the chart: the registered name of its class and how its bodies are tried again."""

    name: str
    atlantic: str
    retry: Waits = Waits()
    retry_on: tuple[str, ...] = ("builtins.Exception",)
    fail_on: tuple[str, ...] = ()


class Chart(msgspec.Struct, frozen=True):
    """A whole drawing laid flat.

    Attributes:
        name: the Andes' name.
        water: the registered name of the water's class, for people.
        streams: the chain from the spring to the sea.
        mouth: where it ends.
        version: of this form.
    """

    name: str
    water: str
    streams: Chain
    mouth: Mouth
    version: int = VERSION

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: JSON, fields and keys sorted."""
        return _ENCODER.encode(self)

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Chart":
        """Return the chart that was stored as these bytes.

        Raises:
            StoreTooNew: it was written by a newer release.
            StoreUnreadable: it is no chart.
        """
        try:
            version = _VERSIONED.decode(stored).version
            if version <= VERSION:
                return _DECODER.decode(stored)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            message = f"a stored chart cannot be read ({error}): restore it from a backup, or remove its flows"
            raise StoreUnreadable(message) from error
        message = f"a stored chart has version {version}, this release reads up to {VERSION}: install a newer vastflow"
        raise StoreTooNew(message)


class Cargo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one flow brings to its chart, all by address.

    Attributes:
        water: the starting water, encoded values by key.
        parameters: encoded parameters of each river (and of the Atlantic, under `~`) and the added water of each
            basin; what has none is left out.
        anchors: attributes that `update` changed, whole.
        span: how long a round may take, microseconds, if its deadline was given as a duration; 0 if not.
    """

    water: dict[str, msgspec.Raw] = {}
    parameters: dict[str, dict[str, msgspec.Raw]] = {}
    anchors: dict[str, Anchor] = {}
    span: int = 0


class _Versioned(msgspec.Struct):
    version: int


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Chart)
_VERSIONED = msgspec.json.Decoder(_Versioned)
