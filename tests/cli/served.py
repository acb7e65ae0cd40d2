"""What does a worker serve in the tests? A flow that says on stdout when it begins, and waits as long as it is told."""

import os
import threading

from vastflow import Andes, Atlantic, Headwaters, River


class Dwell(River):
    registered_as = "tests.cli.Dwell"

    def flow(self, water: Headwaters) -> None:
        os.write(1, f"begin {self.flow_id} {self.attempt}\n".encode())
        threading.Event().wait(water["seconds"])
        water["done"] = True


class End(Atlantic):
    registered_as = "tests.cli.End"


dwelling = Andes("dwelling") >> Dwell() >> End()
