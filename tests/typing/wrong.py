"""Wrong uses: behind each stands what mypy and what pyright say of its line."""

# pyright: strict

from vastflow.drawing import Andes, Atlantic, Headwaters, River, later


class Water(Headwaters):
    image: str
    vm: str = later()


class Other(Headwaters):
    number: int


class Create(River):
    kind: str
    size: int = 1

    def flow(self, water: Water) -> None:
        water.vm = 7
        print(water.vn)
        water.image.nothing()
        self.kind = "disk"
        print(self.keys)


class Slow(River):
    retry_times = "3"
    cycle_interval = [1]
    deadline = {"minutes": 10}
    durable = None
    retry_on = ConnectionError

    def flow(self, water: Water) -> None:
        self.key_for(7)


class End(Atlantic):
    retry_times = "3"

    def success(self, water: Water) -> None:
        self.progress("half")


Create()
Create("vm", "large")
Create(7)
Create(kind="vm", colour="blue")
Water()
Water(image=7)
Water(image="debian", vn="x")

andes = Andes("attach", Water) >> Create("vm") >> End()
andes.start(Other(number=1))
andes.start("debian")
andes.start(Water(image="debian"), id=17)
flow = andes.start(Water(image="debian"))
number: int = flow.result().vm
flow.result().nothing
Andes("attach", int)
andes >> 7
Create("vm") >> End()
Create("vm") | "volume"
Create >> End()
