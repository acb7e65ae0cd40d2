"""Which store is meant by a URL?

`sqlite:///vastflow.db` is a file beside the process, `sqlite:////var/lib/app/flows.db` one with a whole path, `memory:`
what ends with its process.
"""

import os
from urllib.parse import parse_qsl, unquote

from vastflow.errors import StoreError
from vastflow.ledger.connection import SYNCHRONOUS
from vastflow.ledger.contract import Reader, Store
from vastflow.ledger.memory import MemoryStore
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader

__all__ = ["DEFAULT_URL", "STORE_VARIABLE", "default_url", "open_reader", "open_store"]

STORE_VARIABLE = "VASTFLOW_STORE"
"""The variable of the environment that names the store."""

DEFAULT_URL = "sqlite:///vastflow.db"
"""The store that is used when none is named."""

_FORMS = "sqlite:///vastflow.db (beside the process), sqlite:////var/lib/app/flows.db (a whole path) or memory:"
_SQLITE = "sqlite:///"


def default_url() -> str:
    """Return the URL of the store that is used when none is named: the environment's, else a file in this folder."""
    return os.environ.get(STORE_VARIABLE) or DEFAULT_URL


def open_store(url: str) -> Store:
    """Return the store of this URL, not yet taken.

    Raises:
        StoreError: the URL is not one of a store.
    """
    if url == "memory:":
        return MemoryStore()
    path, options = _parts(url)
    return SQLiteStore(path, **options)


def open_reader(url: str) -> Reader:
    """Return a reader of the store of this URL; never makes a store.

    Raises:
        StoreError: the URL is not one of a store, or there is none.
    """
    if url == "memory:":
        raise StoreError("a store in memory can be read only through the engine that made it; use a sqlite:/// store")
    path, _ = _parts(url)
    reader = SQLiteReader(path)
    reader.check()
    return reader


def _parts(url: str) -> tuple[str, dict[str, str]]:
    path, _, query = url.removeprefix(_SQLITE).partition("?")
    if not url.startswith(_SQLITE) or path in {"", ":memory:"}:
        raise StoreError(f"{url!r} is not the URL of a store; {_hint(url)}")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - {"synchronous"}:
        raise StoreError(f"{url!r} has unknown options: {', '.join(sorted(unknown))}; there is {_option()}")
    return unquote(path), options


def _hint(url: str) -> str:
    if url.startswith(("postgres:", "postgresql:")):
        return "PostgreSQL is not built yet; say sqlite:///vastflow.db"
    if url.startswith("sqlite:"):
        return f"say {_FORMS}"
    if "://" not in url and url:
        return f"for a file say sqlite:///{url}"
    return f"say {_FORMS}"


def _option() -> str:
    return f"?synchronous= with {', '.join(SYNCHRONOUS)}"
