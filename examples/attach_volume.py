"""A VM and a volume, created side by side, polled until both are ready, then attached.

    python examples/attach_volume.py

Kill it half-way (kill -9) and start it again: it goes on with the same VM. Start it once more when it is done, and it
says what it did, since `id` names this order. The flow is on disk in attach_volume.db; the cloud is a small simulated
one, a process of its own which keeps its state in attach_volume_cloud/.
"""

from vastflow import Andes, Atlantic, Continue, Engine, Headwaters, River, later
from vastflow.demo import start_cloud, stop_cloud

CLOUD = "attach_volume_cloud"
STORE = "sqlite:///attach_volume.db"

cloud = start_cloud(CLOUD, ready_after=2)


class Water(Headwaters):
    image: str  # needed at start
    vm: str = later()  # written by some river
    volume: str = later()


class Create(River):
    kind: str  # a parameter, stored with the flow
    name = "create-{kind}"
    retry_times, cycle_interval, cycle_times = 3, "1s", 600

    def flow(self, water: Water) -> None:
        water[self.kind] = cloud.create(self.kind, token=self.key)  # the same key in every attempt: made once

    def cycle(self, water: Water) -> None:  # holds no thread while it waits
        if (state := cloud.state(water[self.kind])) != "ready":
            raise Continue(state)


class Attach(River):
    retry_times = 3

    def flow(self, water: Water) -> None:
        cloud.attach(water.vm, water.volume, token=self.key)


class Attached(Atlantic):
    def success(self, water: Water) -> None:
        print(f"{water.volume} is attached to {water.vm}")

    def fail(self, water: Water) -> None:
        print(f"no volume for {water.image}: {self.failure}")


andes = Andes("attach-volume", Water) >> (Create("vm") | Create("volume")) >> Attach() >> Attached()

with Engine(STORE) as engine:
    flow = engine.start(andes, image="debian", id="order-17")
    print(f"order-17 has its volume: {flow.result().volume}")

stop_cloud(CLOUD)
