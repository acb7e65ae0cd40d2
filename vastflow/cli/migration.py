"""How does a store of an earlier form become one of today's, from a shell?"""

import click

from vastflow.cli.source import store_option
from vastflow.engine.retention import taken
from vastflow.errors import StoreError
from vastflow.ledger import STORE_VARIABLE, open_store
from vastflow.ledger.migration import VERSION, print_sql
from vastflow.ledger.sqlite import SQLiteStore

__all__ = ["command"]


@click.command("migrate")
@click.option("--print-sql", "only_print", is_flag=True, help="Write the statements, and run none of them.")
@store_option
def command(url: str, *, only_print: bool) -> None:
    """Bring a store to the form this release writes.

    An engine does the same by itself when it serves the store. It is one transaction; no form leads back, so make a
    copy first: `vastflow backup`.
    """
    form = _form(url)
    if only_print:
        click.echo(print_sql(form).rstrip() if form < VERSION else f"-- This store has form {form} already.")
    elif form == VERSION:
        click.echo(f"The store has form {form} already, the one that this release writes.")
    else:
        with taken(url):
            click.echo(f"The store had form {form}, and has form {VERSION} now.")


def _form(url: str) -> int:
    store = open_store(url)
    try:
        if not isinstance(store, SQLiteStore):
            raise StoreError(f"a store in memory has no form; name another with --store URL or in {STORE_VARIABLE}")
        return store.version()
    finally:
        store.close()
