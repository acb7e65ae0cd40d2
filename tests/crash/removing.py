"""Which process is killed while it removes old flows?"""

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.crash.death import Death, watch_statements
from tests.crash.plan import Kill
from vastflow import Andes, Atlantic, Continue, Engine, River

__all__ = ["QUICK", "WAITING", "remove", "url_of"]


class Done(River):
    """Is done at once."""

    registered_as = "tests.crash.Done"

    def flow(self, water: Any) -> None:
        """Write a little."""
        water["done"] = self.flow_id


class Waits(River):
    """Waits."""

    registered_as = "tests.crash.Waits"
    cycle_interval, deadline = "9h", "9d"

    def flow(self, water: Any) -> None:
        """Write a little."""
        water["waits"] = self.flow_id

    def cycle(self, _water: Any) -> None:
        """Say that it is not done."""
        raise Continue("not yet")


class End(Atlantic):
    """An end at which nothing happens."""

    registered_as = "tests.crash.End"


QUICK = Andes("quick") >> Done() >> End()
WAITING = Andes("waiting") >> Waits() >> End()


def url_of(folder: Path) -> str:
    """Return where the store is."""
    return f"sqlite:///{folder / 'flows.db'}"


def remove(folder: Path, kill: Kill, said: Connection) -> None:
    """Serve the store, remove what has ended, and say how much that was; or die meanwhile."""
    watch_statements(Death(kill))
    with Engine(url_of(folder), serve=True) as engine:
        said.send(engine.gc(older_than=0))
