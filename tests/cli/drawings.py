"""What do the tests of the command line look at? Flows that end well, that fail, and that wait."""

from queue import SimpleQueue

from vastflow import Andes, Atlantic, Basin, Continue, Engine, Fail, Headwaters, River

polled: "SimpleQueue[str]" = SimpleQueue()


class Note(River):
    def flow(self, water: Headwaters) -> None:
        water["note"] = f"for {water.get('who', 'nobody')}"


class Wait(River):
    cycle_times, cycle_interval = 600, 0.01
    retry_times = 2

    def flow(self, water: Headwaters) -> None:
        water["asked"] = True

    def cycle(self, water: Headwaters) -> None:
        polled.put(self.flow_id)
        raise Continue("not yet" if water["asked"] else "never", after=3600)


class Refuse(River):
    def flow(self, water: Headwaters) -> None:
        raise Fail(f"the card\x1b[2J of {water.get('who', 'nobody')} was declined", code="declined")


class End(Atlantic):
    pass


good = Andes("good") >> Note() >> End()
bad = Andes("bad") >> (Basin("east", Note(), Refuse()) | Note().options(name="beside")) >> End()
waiting = Andes("waiting") >> Wait() >> Note() >> End()


def start_waiting(engine: Engine, flow_id: str) -> None:
    """Start a flow and return when it waits: it was polled, so that it flowed is on disk."""
    engine.start(waiting, id=flow_id)
    while polled.get(timeout=30) != flow_id:
        pass
