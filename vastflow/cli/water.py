"""What is in a flow's water, as far as it may be shown?

As it is stored, so that no class of the user's is needed; values under telling keys are masked, and so are the same
values where they stand in others.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from rich.table import Column, Table

from vastflow.cli.output import make_table
from vastflow.cli.wording import plain
from vastflow.ledger import Reader
from vastflow.ledger.reading import find, read_progress
from vastflow.log import Masker

__all__ = ["masked", "water_lines", "water_of"]


def water_of(reader: Reader, flow_id: str) -> dict[str, Any]:
    """Return a flow's water; of a parallel river or basin under way what it was before.

    Raises:
        StoreUnreadable: it cannot be read.
    """
    flat = read_progress(reader, find(reader, flow_id)).root.tip.flat()
    return masked({key: msgspec.json.decode(value) for key, value in flat.items()})


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by key without the secrets in them."""
    masker = Masker()
    secrets = masker.secrets(values)
    hidden: Any = masker.mask(values)
    return {key: _without(masker, secrets, value) for key, value in hidden.items()}


def water_lines(water: Mapping[str, Any]) -> Table:
    """Return the water as lines, a key each."""
    table = make_table(Column("WATER", no_wrap=True, overflow="fold"), Column("", overflow="fold"), head=True)
    for key, value in water.items():
        table.add_row(plain(key), plain(json.dumps(value, ensure_ascii=False)))
    return table


def _without(masker: Masker, secrets: frozenset[str], value: Any) -> Any:
    match value:
        case str():
            return masker.text(value, secrets)
        case list():
            return [_without(masker, secrets, item) for item in value]
        case dict():
            return {key: _without(masker, secrets, item) for key, item in value.items()}
        case _:
            return value
