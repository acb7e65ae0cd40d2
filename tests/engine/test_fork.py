"""Is an engine of no use in the child of a fork, and unharmed in the parent?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, threading
from vastflow import Andes, Atlantic, Engine, River
from vastflow.engine import default_engine
from vastflow.errors import EngineClosed, EngineForked

class Puts(River):
    def flow(self, water):
        water["pid"] = os.getpid()

class End(Atlantic):
    pass

andes = Andes("forked") >> Puts() >> End()
parent = os.getpid()
engine, by_default = Engine(sys.argv[1]), default_engine()
flow = engine.flow(engine.start(andes, id="one").id)
flow.result(20)
child = os.fork()
if not child:
    refused = []
    for ask in (flow.status, flow.events, flow.result, flow.wait, flow.cancel, engine.flows,
                lambda: engine.flow("one"), lambda: engine.start(andes), lambda: engine.start_many(andes, [{}])):
        try:
            ask()
        except EngineForked as error:
            refused.append("os.register_at_fork" in str(error) and isinstance(error, EngineClosed))
    print("refused", refused == [True] * 9, engine.closed, engine.close(), flush=True)
    mine = Engine(sys.argv[1])
    print("own", mine.serves, mine.start(andes, id="two").result(20)["pid"] == parent, flush=True)
    print("default", default_engine() is not by_default, andes.start().result(20)["pid"] == parent, flush=True)
    mine.close()
    sys.exit(0)
print("child", os.waitpid(child, 0)[1], flush=True)
print("parent", engine.serves, engine.start(andes).result(20)["pid"] == parent, by_default.serves, flush=True)
other = Engine(sys.argv[1])
print("lock", other.serves, engine.close(), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.promise("11.3")
def test_after_a_fork_the_childs_engine_raises_and_the_parents_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(PROGRAM)
    url = f"sqlite:///{tmp_path}/flows.db"
    environment = {**os.environ, "VASTFLOW_STORE": f"sqlite:///{tmp_path}/default.db"}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script), url]

    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=environment)

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "refused True True True",
        "own False True",
        "default True True",
        "child 0",
        "parent True True True",
        "lock False True",
    ]
