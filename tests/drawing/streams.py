"""The streams that the tests of drawings draw."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vastflow.drawing import Andes, Atlantic, Headwaters, River, later, launcher
from vastflow.drawing.parallel_river import Stream
from vastflow.errors import EngineError


class Water(Headwaters):
    image: str
    vm: str = later()
    volume: str = later()
    files: list[str] = later()
    rows: list[int] = later()


class Create(River):
    kind: str
    size: int = 1
    retry_times, cycle_interval, deadline = 3, "1s", "10m"

    def flow(self, water: Water) -> None:
        water[self.kind] = self.key

    async def cycle(self, water: Water) -> None:
        """Poll."""


class Attach(River):
    def flow(self, water: Any) -> None:
        """Attach."""


class Tag(River):
    tags: list[str]
    name = "tag-{tags[0]}"

    def flow(self, water: Headwaters) -> None:
        """Tag."""


class End(Atlantic):
    note: str = ""
    retry_times = 2

    def success(self, water: Water) -> None:
        """Be glad."""


def drawn(*streams: Stream, name: str = "test", water: type[Headwaters] = Headwaters) -> Andes[Any]:
    """Return a whole drawing of these streams."""
    andes: Andes[Any] = Andes(name, water)
    for stream in streams:
        andes.draw_stream(stream)
    return andes.draw_atlantic(End())


@contextmanager
def slot(other: launcher.Launcher | None) -> Iterator[None]:
    """Put another launcher into the slot (None: none), and afterwards the one that was there."""
    try:
        before: launcher.Launcher | None = launcher.launcher()
    except EngineError:
        before = None
    launcher.fill(other)
    try:
        yield
    finally:
        launcher.fill(before)
