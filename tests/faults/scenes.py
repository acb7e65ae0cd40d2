"""What do the tests of the faults share? Bodies that count, a store that is photographed, values to be told apart."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.engine.scenes import puts, river
from vastflow import River, storable
from vastflow.ledger.contract import Batch, Owner
from vastflow.ledger.memory import MemoryStore
from vastflow.runtime import Simulated

__all__ = [
    "EMOJI",
    "VALUES",
    "Photographed",
    "counted",
    "deepest",
    "exactly",
    "kinds",
    "moved",
    "puts_and",
    "raises_once",
]

EMOJI = "\N{WATER WAVE} \N{MOUNTAIN} \N{FAMILY}"


@storable
@dataclass(frozen=True)
class Disk:
    """A value of a user's own kind."""

    size: int
    tags: tuple[str, ...]


VALUES: dict[str, Any] = {
    "big": 2**60 + 1,
    "bigger": 2**200,
    "float": 1.0,
    "int": 1,
    "true": True,
    "bytes": b"\x00\xff",
    "moment": datetime(2026, 1, 1, 12, tzinfo=UTC),
    "naive": datetime(2026, 1, 1, 12),  # noqa: DTZ001 - one without a time zone must come back without one
    "span": timedelta(days=1, microseconds=1),
    "money": Decimal("1.10"),
    "id": UUID(int=7),
    "tuple": (1, [2, (3,)]),
    "set": {1, 2},
    "frozen": frozenset({"a"}),
    "own": Disk(20, ("ssd",)),
    "text": EMOJI,
    "order": {"z": 1, "a": 2},
    "none": None,
}


def exactly(value: Any) -> Any:
    """Return what tells two values apart although they are equal: their types, and the order of mappings."""
    if isinstance(value, dict):
        return dict, [(key, exactly(each)) for key, each in value.items()]
    inner = [exactly(each) for each in value] if isinstance(value, list | tuple) else None
    return type(value), inner, value


def counted(calls: Counter[str]) -> Any:
    """Return a body that counts itself, in the water and outside."""

    def body(self: Any, water: Any) -> None:
        calls[self.address] += 1
        key = f"n-{self.address}"
        water[key] = water.get(key, 0) + 1

    return body


def raises_once(error: BaseException) -> Any:
    """Return a body that raises this when it is called for the first time, and then does nothing."""
    left = [error]

    def body(_self: Any, _water: Any) -> None:
        if left:
            raise left.pop()

    return body


def deepest(failure: Any) -> Any:
    """Return the cause of all causes."""
    return deepest(failure.cause) if failure.cause is not None else failure


def puts_and(name: str, stream: River) -> Any:
    """Return a chain of a river that writes, and this."""
    return river("first", puts(**{name: name})) >> stream


def kinds(store: MemoryStore) -> list[str]:
    """Return which facts of flow one are on disk."""
    return [fact.kind for fact in store.facts("one")]


def moved(runtime: Simulated, moves: int) -> None:
    """Let so many things happen."""
    for _ in range(moves):
        runtime.pump()


class Photographed(MemoryStore):
    """A store that keeps what was on disk after every single write: what a process leaves that dies then."""

    def __init__(self) -> None:
        super().__init__()
        self.photos: list[MemoryStore] = []

    def take(self, name: str, now: int) -> Owner:
        owner = super().take(name, now)
        self._photograph()
        return owner

    def claim(self, flow_ids: Any, owner: Owner) -> None:
        super().claim(flow_ids, owner)
        self._photograph()

    def commit(self, batch: Batch) -> frozenset[str]:
        lost = super().commit(batch)
        self._photograph()
        return lost

    def _photograph(self) -> None:
        photo = MemoryStore()
        kept = {name: each for name, each in vars(self).items() if name not in {"photos", "_mutex"}}
        vars(photo).update(deepcopy(kept))
        self.photos.append(photo)
