"""What did somebody write as KEY=VALUE?

A value is read as JSON where it is JSON: `count=3` is a number, `ready=true` is true, `note=ready` a text, and so is
`note='"3"'`.
"""

import json
from collections.abc import Iterable
from typing import Any

import click

__all__ = ["texts", "value", "values"]


def value(written: str) -> Any:
    """Return what a text means: JSON where it is JSON, else the text itself."""
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return written


def values(written: Iterable[str]) -> dict[str, Any]:
    """Return values by key.

    Raises:
        click.UsageError: one of the texts is no KEY=VALUE.
    """
    return {key: value(told) for key, told in texts(written).items()}


def texts(written: Iterable[str]) -> dict[str, str]:
    """Return texts by key.

    Raises:
        click.UsageError: one of the texts is no KEY=VALUE.
    """
    found: dict[str, str] = {}
    for each in written:
        key, sign, told = each.partition("=")
        if not key or not sign:
            raise click.UsageError(f"{each!r} is not KEY=VALUE")
        found[key] = told
    return found
