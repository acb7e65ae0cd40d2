"""What is in a flow's water, as far as it may be shown?

As it is stored, so that no class of the user's is needed; values under telling keys are masked, and so are the same
values where they stand in others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from rich.table import Column, Table

from vastflow.cli.output import make_table
from vastflow.cli.values import legible
from vastflow.cli.wording import plain
from vastflow.ledger import Reader
from vastflow.ledger.reading import Event, find, read_cargo, read_progress
from vastflow.log import Masker

__all__ = ["Veil", "water_lines", "water_of"]


class Veil:
    """Hides the secrets of one flow, under telling keys and wherever else their values stand.

    Args:
        known: all that is known of the flow's water, by key; also what it was before.
    """

    def __init__(self, *known: Mapping[str, Any]) -> None:
        """Look for the secrets."""
        self._masker = Masker()
        self._secrets = frozenset().union(*map(self._masker.secrets, known))

    def over(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by key without the secrets in them."""
        hidden: Any = self._masker.mask(values)
        return {key: self._without(value) for key, value in hidden.items()}

    def _without(self, value: Any) -> Any:
        match value:
            case str():
                return self._masker.text(value, self._secrets)
            case list():
                return [self._without(item) for item in value]
            case dict():
                return {key: self._without(item) for key, item in value.items()}
            case _:
                return value


def water_of(reader: Reader, flow_id: str, events: Sequence[Event]) -> tuple[dict[str, Any], Veil]:
    """Return a flow's water as it may be shown, and what hides its secrets.

    Of a parallel river or a basin under way the water is shown as it was before.

    Raises:
        StoreUnreadable: it cannot be read.
    """
    row = find(reader, flow_id)
    begun = _decoded(read_cargo(row).water)
    now = _decoded(read_progress(reader, row).root.tip.flat())
    veil = Veil(begun, now, *(event.details for event in events))
    return veil.over(now), veil


def water_lines(water: Mapping[str, Any]) -> Table:
    """Return the water as lines, a key each."""
    table = make_table(Column("WATER", no_wrap=True, overflow="fold"), Column("", overflow="fold"), head=True)
    for key, value in water.items():
        table.add_row(plain(key), plain(legible(value)))
    return table


def _decoded(stored: Mapping[str, bytes | msgspec.Raw]) -> dict[str, Any]:
    return {key: _value(value) for key, value in stored.items()}


def _value(stored: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(stored)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {"unreadable": bytes(stored)[:200].decode(errors="backslashreplace")}
