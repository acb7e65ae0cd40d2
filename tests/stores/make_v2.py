"""How were `v2.db` and `v2.db-inbox` made? By this script, once; never anew, since old files must open for ever.

The store holds the flows of `v1b.db`, in which everything happens that can happen, and answers to letters; the inbox
holds the letters that have none yet, and one whose answer was stored just before its server died.
"""

import shutil
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from vastflow.ledger.contract import Answer, Batch, FlowQuery
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.ledger.sqlite_reader import SQLiteReader

BEGAN = 1_795_000_000_000_000
DONE = b'{"what":"done","reason":"","error":""}'
REFUSED = b'{"what":"refused","reason":"it has ended","error":"CommandRefused"}'


def letters(path: Path) -> str:
    """Put letters in, and return the id of the inbox."""
    with closing(Inbox(path)) as inbox:
        first = inbox.put("cancel", "paid", b"{}", "ann", BEGAN)
        inbox.put("cancel", "won", b"{}", "ann", BEGAN + 1)
        inbox.put("signal", "waiting", b'{"name":"paid"}', "", BEGAN + 2)
        inbox.put("start", "\u00fcber \U0001f30a", bytes(range(256)), "ann", BEGAN + 3)
        inbox.remove([first])
        return inbox.id


def main(path: Path) -> None:
    """Make both."""
    inbox = letters(path)
    with TemporaryDirectory() as folder, closing(SQLiteStore(path)) as store:
        old = SQLiteReader(shutil.copy(Path(__file__).with_name("v1b.db"), folder))
        rows = old.flows(FlowQuery(limit=1000))[::-1]
        owner = store.take("engine", min(row.started for row in rows))
        charts = {row.chart: old.chart(row.chart) or b"" for row in rows}
        flows = [replace(row, epoch=owner.epoch, owner=owner.name) for row in rows]
        facts = [fact._replace(epoch=owner.epoch) for row in rows for fact in old.facts(row.id)]
        answers = [Answer(inbox, 1, "paid", BEGAN, REFUSED), Answer(inbox, 2, "won", BEGAN + 9, DONE)]
        store.commit(Batch(owner.epoch, 1, charts, flows, facts, answers=answers))
        store.beat(owner.epoch, store.latest())
        old.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
