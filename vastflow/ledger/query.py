"""Where does the SQL stand?

In `sqlite.sql` and `inbox.sql`, beside this page: each statement named by the line above it, `-- name: insert_fact`.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

__all__ = ["SQL", "named", "read_sql"]

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def named(text: str) -> dict[str, str]:
    """Return the statements of an SQL text by name; comments are left out."""
    _, *parts = _NAME.split(text)
    return dict(zip(parts[::2], (_bare(part) for part in parts[1::2]), strict=True))


def read_sql(page: str) -> Mapping[str, str]:
    """Return the statements on an SQL page of this folder by name."""
    return MappingProxyType(named(files("vastflow.ledger").joinpath(page).read_text(encoding="utf-8")))


def _bare(part: str) -> str:
    return "\n".join(line for line in part.splitlines() if line.strip() and not line.startswith("--"))


SQL = read_sql("sqlite.sql")
