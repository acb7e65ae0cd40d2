"""Is a store whole?

SQLite says whether its file is; here it is also asked whether the rows belong together.
"""

import sqlite3

from vastflow.ledger.query import SQL

__all__ = ["faults_of"]

_BELONGING = {
    "lost_facts": "{} facts belong to no flow",
    "lost_cargoes": "{} cargoes belong to no flow",
    "missing_cargoes": "{} flows have no cargo, so they cannot go on",
    "missing_charts": "{} flows have no chart, so they cannot go on",
}


def faults_of(link: sqlite3.Connection, *, quick: bool = False) -> list[str]:
    """Return what is wrong with the store, a sentence each.

    Args:
        link: a connection to it.
        quick: do not compare the indexes with their tables, which is most of the work.
    """
    try:
        said = [row[0] for row in link.execute("PRAGMA quick_check" if quick else "PRAGMA integrity_check")]
        faults = [str(line) for line in said if line != "ok"]
        return faults or _strays(link)
    except sqlite3.Error as error:
        return [f"it cannot be checked: {error}"]


def _strays(link: sqlite3.Connection) -> list[str]:
    counts = {name: link.execute(SQL[name]).fetchone()[0] for name in _BELONGING}
    return [sentence.format(counts[name]) for name, sentence in _BELONGING.items() if counts[name]]
