"""Which flow does `vastflow demo` show?

A VM and a volume are created side by side, polled until both are ready, and attached. `examples/attach_volume.py` is
the same in a user's hands.
"""

from vastflow.demo.client import Cloud
from vastflow.demo.interruption import pass_by
from vastflow.drawing import Andes, Atlantic, Headwaters, River, later
from vastflow.errors import Continue, Fail

__all__ = ["RIVERS", "Attach", "Attached", "Create", "Water", "attach_volume"]

RIVERS = ("create-vm", "create-volume", "attach")
"""The addresses of the rivers, at which the demo can be killed."""


class Water(Headwaters):
    """What the rivers read and write."""

    image: str
    cloud: str  # the folder in which the cloud says where it listens
    vm: str = later()
    vm_state: str = later()
    volume: str = later()
    volume_state: str = later()
    attachment: str = later()


class Create(River):
    """Create something in the cloud, and poll until it is ready."""

    kind: str
    name = "create-{kind}"
    retry_times, cycle_interval, cycle_times = 3, 0.5, 600

    def flow(self, water: Water) -> None:
        """Ask for it; the key is the same in every attempt, so the cloud makes it once."""
        water[self.kind] = Cloud(water.cloud).create(self.kind, token=self.key)

    def cycle(self, water: Water) -> None:
        """Ask how far it is; what is written only changes the water when it is something new."""
        state = Cloud(water.cloud).state(water[self.kind])
        water[f"{self.kind}_state"] = state
        pass_by(self.address)
        if state == "deleted":
            raise Fail(f"{water[self.kind]} was deleted", code="deleted")
        if state != "ready":
            raise Continue(state)


class Attach(River):
    """Attach the volume to the VM."""

    retry_times = 3

    def flow(self, water: Water) -> None:
        """Attach; if nobody could write down that it was done, it is asked again and the cloud knows the key."""
        water.attachment = Cloud(water.cloud).attach(water.vm, water.volume, token=self.key)
        pass_by(self.address)


class Attached(Atlantic):
    """The end; there is nobody to be told but who watches."""


attach_volume = Andes("attach-volume", Water) >> (Create("vm") | Create("volume")) >> Attach() >> Attached()
"""The drawing."""
