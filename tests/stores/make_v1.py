"""How was `v1.db` made? By this script, once; the file is never made anew, since old files must open for ever."""

import sys
from contextlib import closing
from pathlib import Path

from vastflow.ledger.contract import Batch, FactRow, FlowRow, Move
from vastflow.ledger.sqlite import SQLiteStore

BEGAN = 1_795_000_000_000_000
SECOND = 1_000_000
CHART = "d" * 64


def flows(epoch: int) -> list[FlowRow]:
    """Return a flow that ended well, one that runs, and one with every column set."""
    return [
        FlowRow(
            id="order-1",
            uid="0b7c5c9a-5d0c-4f0e-9a39-6c7a5b1f0001",
            name="attach-volume",
            started=BEGAN,
            changed=BEGAN,
            owner="engine",
            epoch=epoch,
            chart=CHART,
            cargo=b'{"water":{"image":"debian"}}',
        ),
        FlowRow(
            id="order-2",
            uid="0b7c5c9a-5d0c-4f0e-9a39-6c7a5b1f0002",
            name="attach-volume",
            started=BEGAN + SECOND,
            changed=BEGAN + SECOND,
            owner="engine",
            epoch=epoch,
            chart=CHART,
            cargo=b"{}",
        ),
        FlowRow(
            id="über \U0001f30a",
            uid="0b7c5c9a-5d0c-4f0e-9a39-6c7a5b1f0003",
            name="Löschen",
            state="undoing",
            outcome="fail",
            stranded="no class",
            flags=b'["cancelling","paused"]',
            started=BEGAN + 2 * SECOND,
            changed=BEGAN + 3 * SECOND,
            tags=b'{"team":"storage"}',
            not_before=BEGAN + 4 * SECOND,
            deadline=BEGAN + 5 * SECOND,
            owner="engine",
            epoch=epoch,
            chart=CHART,
            rules=1,
            version=1,
            cargo=bytes(range(256)),
            parent="order-1",
            priority=-3,
            labels=b'{"a":"b"}',
        ),
    ]


def facts(epoch: int) -> list[FactRow]:
    """Return three facts of the first flow and one of the second, all columns set."""
    return [
        FactRow("order-1", 1, 1, "", 1, 0, "started", BEGAN, epoch, "", 1, b"{}"),
        FactRow("order-1", 2, 1, "east/create-vm", 1, 2, "flowed", BEGAN + SECOND, epoch, "", 1, b'{"delta":{}}'),
        FactRow("order-1", 3, 1, "", 1, 1, "ended", BEGAN + 2 * SECOND, epoch, "ada", 1, bytes(range(256))),
        FactRow("order-2", 1, 1, "", 1, 0, "started", BEGAN + SECOND, epoch, "", 1, b"{}"),
    ]


def main(path: Path) -> None:
    """Make the store: two openings, so that there are two periods."""
    with closing(SQLiteStore(path)) as store:
        owner = store.take("engine", BEGAN)
        end = Move("order-1", "success", "success", "", b"[]", BEGAN + 2 * SECOND, BEGAN + 2 * SECOND)
        store.commit(
            Batch(owner.epoch, 1, {CHART: b'{"v":1}'}, flows(owner.epoch), facts(owner.epoch), [end]),
        )
        store.beat(owner.epoch, BEGAN + 3 * SECOND)
    with closing(SQLiteStore(path)) as store:
        owner = store.take("engine", BEGAN + 10 * SECOND)
        store.claim(["order-2"], owner)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
