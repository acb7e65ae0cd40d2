"""An order: reserve stock, take payment, ship. If it cannot be shipped, what was done is undone, the last thing first.

    python examples/order_with_undo.py

A webhook tells that it is paid: a signal. If none comes, polling finds out. Two orders are placed; one is shipped, the
other cannot be. What a pretend shop was asked to do for each is printed (what failed, vastflow says on stderr as well).
"""

from vastflow import Andes, Atlantic, Continue, Engine, Fail, Headwaters, River, later


class Shop:
    """What a real program asks over the network."""

    def __init__(self, answers: str) -> None:
        """Answer so, one letter after another, when asked whether it is paid."""
        self.answers = iter(answers)
        self.journal: list[str] = []
        self.refunded: set[str] = set()

    def is_paid(self) -> bool:
        return next(self.answers, "n") == "y"

    def refund(self, token: str) -> None:
        if token not in self.refunded:  # asked again with the same token, it sends no money a second time
            self.refunded.add(token)
            self.journal.append("refund")


shops = {"teapot": Shop("n"), "piano": Shop("nny")}


class Water(Headwaters):
    item: str  # needed at start
    receipt: str = later()  # written by a river


class Reserve(River):
    def flow(self, water: Water) -> None:
        shops[water.item].journal.append("reserve")

    def undo(self, water: Water) -> None:  # called if the flow fails later, or is cancelled
        shops[water.item].journal.append("release")


class Pay(River):
    signals = ("paid",)  # wakes the cycle at once
    cycle_interval, cycle_times = "0.1s", 600  # and without it, the cycle asks

    def flow(self, water: Water) -> None:
        shops[water.item].journal.append("charge")

    def cycle(self, water: Water) -> None:
        if receipt := self.signal("paid"):
            water.receipt = receipt
        elif shops[water.item].is_paid():
            water.receipt = "found by asking"
        else:
            raise Continue("not paid yet")

    def undo(self, water: Water) -> None:
        shops[water.item].refund(token=self.key_for("refund"))


class Ship(River):
    def flow(self, water: Water) -> None:
        if water.item == "piano":
            raise Fail("it does not fit into the van")
        shops[water.item].journal.append("ship")


class Ordered(Atlantic):
    def success(self, water: Water) -> None:
        shops[water.item].journal.append(f"thank them (receipt: {water.receipt})")

    def fail(self, water: Water) -> None:
        shops[water.item].journal.append(f"tell them: {self.failure.message}")


andes = Andes("order", Water) >> Reserve() >> Pay() >> Ship() >> Ordered()

with Engine("memory:") as engine:
    orders = {item: engine.start(andes, item=item, id=f"order-{item}") for item in shops}
    orders["teapot"].signal("paid", "R-17", id="webhook-1")  # what a web server does; kept if it comes early

    for item, flow in orders.items():
        print(f"{item}: {flow.wait().state}")
        for line in shops[item].journal:
            print(f"  {line}")
