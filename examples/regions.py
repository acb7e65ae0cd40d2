"""One rollout in three regions at once; each region has its own water, so the same keys do not meet.

    python examples/regions.py

A Basin lets nothing out but its outputs, here each under the name of its region.
"""

from vastflow import Andes, Atlantic, Basin, Engine, Headwaters, River


class Deploy(River):
    def flow(self, water: Headwaters) -> None:
        water["address"] = f"{water['service']}.{water['region']}.example"


class Check(River):
    def flow(self, water: Headwaters) -> None:
        water["checked"] = f"{water['address']} answers"


class Publish(River):
    def flow(self, water: Headwaters) -> None:
        water["published"] = sorted(key for key in water if key.endswith("_address"))


class Rolled(Atlantic):
    def success(self, water: Headwaters) -> None:
        print(f"published {', '.join(water['published'])}")


def region(name: str) -> Basin:
    return Basin(name, Deploy(), Check(), water={"region": name}, outputs={"address": f"{name}_address"})


andes = Andes("rollout") >> (region("east") | region("north") | region("west")) >> Publish() >> Rolled()

with Engine("memory:") as engine:
    flow = engine.start(andes, service="shop")
    for key, value in sorted(flow.result().items()):
        print(f"{key} = {value}")
