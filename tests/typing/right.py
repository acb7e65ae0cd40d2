"""Right uses: no type checker may say a word."""

# pyright: strict

from datetime import UTC, datetime, timedelta
from typing import Any

from vastflow.drawing import Andes, Atlantic, Basin, Headwaters, ParallelRiver, River, Secret, later
from vastflow.engine import Engine
from vastflow.engine.twins import AsyncEngine, AsyncFlow
from vastflow.errors import CommandRefused, Continue
from vastflow.ledger.reading import Event, FlowStatus


class Water(Headwaters):
    image: str
    vm: str = later()
    volume: str = later()
    size: int = 1


class View(Headwaters):
    vm: str = later()


class Roomy(Headwaters, value_limit=4 << 20, water_limit=64 << 20):
    password: Secret
    more: list[Secret] = later()


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


class Paid(River):
    password: Secret
    signals = ("paid",)
    cycle_interval = None

    def flow(self, water: Roomy) -> None:
        client: Any = self.resource("bank")
        client.ask(self.password.reveal(), water.password.reveal(), token=self.key)
        water["asked"] = 1
        self.save()

    def cycle(self, water: Roomy) -> None:
        amount: int | None = self.signal("paid")
        if amount is None:
            raise Continue("nobody has paid yet")
        water.more = [Secret(str(amount)), self.password]


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


roomy = Andes("roomy", Roomy) >> Paid(Secret("s3cr3t")) >> Attached()
paid = roomy.start(Roomy(password=Secret("x")), not_before="2h", deadline=datetime(2030, 1, 31, tzinfo=UTC))
text: str = paid.result().password.reveal()
done: list[bool | None] = [
    *(paid.cancel(), paid.pause(who="me"), paid.resume(who=None), paid.retry(), paid.retry("now", who="me")),
    paid.retry(attributes="now"),
    paid.skip("paid", who="me"),
    *(paid.complete("paid"), paid.complete("paid", more=[], who="me"), paid.complete("paid", stream=1, water=2)),
    paid.complete("paid", {"who": 1}, size=2),
    *(paid.set("size", 3), paid.set("size", None, who="me")),
    *(paid.signal("paid"), paid.signal("paid", 17, id="payment-1", who="me"), paid.signal("paid", {"a": 1}, "id")),
]


def told(refused: CommandRefused) -> tuple[str, str, str]:
    return refused.flow_id, refused.command, refused.reason


async def twins(engine: Engine) -> list[str]:
    async with AsyncEngine("memory:", max_flows=10, serve=True) as twin:
        begun: AsyncFlow[Water] = await twin.start(andes, Water(image="debian"), id="order-17", wait=1.0)
        many: list[AsyncFlow[Water]] = await twin.start_many(andes, [{"image": "debian"}])
        found: AsyncFlow[Water] = await twin.flow("order-17", Water)
        vms: list[str] = [(await begun).vm, (await many[0].result(1.0)).vm, (await found.result(timeout=None)).vm]
        status: FlowStatus = await begun.status()
        events: list[Event] = await begun.events()
        answers: list[bool | None] = [
            *(await begun.cancel(), await begun.retry("now", who="me"), await begun.skip("vm"), await begun.pause()),
            *(await begun.complete("vm", {"vm": "x"}, size=2), await begun.set("size", 3), await begun.resume()),
            await begun.signal("paid", 17, id="payment-1"),
        ]
        removed: int | None = await twin.gc(older_than="30d", states=["fail"])
        await twin.backup("copy.db")
        told = [status.state, (await begun.wait()).name, *(event.kind for event in events), str(answers), str(removed)]
        return [*vms, *told, *(each.id for each in await AsyncEngine.of(engine).flows(state="success"))]


engine = Engine("memory:")
removed: int | None = engine.gc(older_than=timedelta(days=30))
engine.backup("copy.db")
