"""Right uses: no type checker may say a word."""

# pyright: strict

from datetime import timedelta
from typing import Any

from vastflow.drawing import Andes, Atlantic, Basin, Headwaters, ParallelRiver, River, later
from vastflow.errors import Continue


class Water(Headwaters):
    image: str
    vm: str = later()
    volume: str = later()
    size: int = 1


class View(Headwaters):
    vm: str = later()


class Create(River):
    kind: str
    size: int = 1
    retry_times, cycle_interval, deadline = 3, "1s", "10m"

    def flow(self, water: Water) -> None:
        water[self.kind] = f"{self.kind}-{self.key}"

    def cycle(self, water: Water) -> None:
        told: list[Any] = [water.vm, water["vm"], water.get("vm")]
        if not told:
            raise Continue("not yet")

    def undo(self, water: View) -> None:
        del water["vm"]


class Larger(Create):
    color = "blue"
    cycle_interval = "2s"
    factor: float = 2.0


class Plain(River):
    retry_interval = 0.5
    deadline = 60
    retry_on = (ConnectionError, TimeoutError)
    name = "plain"

    def when(self, water: Headwaters) -> bool:
        return "vm" in water

    async def flow(self, water: Headwaters) -> None:
        self.check_cancelled()
        self.progress(0.5, "half")
        await self.asave()
        water["anything"] = [1, 2]

    def update(self, attr: Any, _water: Any) -> None:
        attr.retry_times = 5


class Loose(River):
    def flow(self, w: Any) -> None:
        w.put("a", 1)


class Attached(Atlantic):
    retry_times = 2

    def success(self, water: Water) -> None:
        water.vm = water.vm.upper()

    async def fail(self, water: Water) -> None:
        water.vm = f"{self.failure.message}, {len(self.failures)}"


andes = Andes("attach", Water) >> (Create("vm") | Create(kind="volume", size=2)) >> Plain() >> Attached()
flow = andes.start(Water(image="debian"), id="order-17", tags={"a": "b"}, not_before=timedelta(hours=1))
volume: str = flow.result().volume
image: str = flow.result(timeout=1.0).image
result_size: int = flow.result().size
again = andes.start(image="debian")
name: str = again.id


async def waited() -> str:
    return (await flow).vm


free = (
    Andes("free")
    .draw_headwaters({"image": "debian"})
    .draw_stream(ParallelRiver(Plain(), Loose(), join="any", max_failures=0.5).append(Plain()))
    .draw_stream(ParallelRiver.each("files", Larger("vm", factor=3), item="file", limit=2, collect=["rows"]))
    .draw_stream(Basin("east", Plain() >> Loose(), inputs={"vm": "machine"}, outputs=["vm"], retry_interval="5s"))
    .draw_atlantic(Attached())
)
anything: Any = free.start({"image": "debian"}).result()["whatever"]
named: Create = Create("vm").options(name="east", retry_times=5)
