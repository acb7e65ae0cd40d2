"""A flow is drawn, runs on actors, is on disk, is killed with SIGKILL, and goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vastflow.engine import Engine

SCRIPT = """
import os, sys
from pathlib import Path
from vastflow import Andes, Atlantic, Engine, Headwaters, River, later

EFFECTS = Path(sys.argv[2])

def effect(line: str) -> None:
    with EFFECTS.open("a") as effects:
        effects.write(line + "\\n")
        effects.flush()
        os.fsync(effects.fileno())

class Water(Headwaters):
    vm: str = later()
    attached: str = later()

class Create(River):
    registered_as = "milestone.Create"
    def flow(self, water: Water) -> None:
        effect("create")
        water.vm = "vm-1"

class Attach(River):
    registered_as = "milestone.Attach"
    def flow(self, water: Water) -> None:
        effect("attach")
        if sys.argv[3] == "die":
            os.kill(os.getpid(), 9)
        water.attached = water.vm + "!"

class End(Atlantic):
    registered_as = "milestone.End"
    def success(self, water: Water) -> None:
        effect("success")

andes = Andes("milestone", Water) >> Create() >> Attach() >> End()

if __name__ == "__main__":
    with Engine(sys.argv[1]) as engine:
        flow = engine.start(andes, id="one") if sys.argv[3] == "die" else engine.flow("one")
        print(flow.result(30)["attached"])
"""


def run(folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), f"sqlite:///{folder}/flows.db", str(folder / "effects"), how]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=dict(os.environ))


@pytest.mark.promise("10.2", "10.5", "10.10")
def test_a_flow_killed_half_way_goes_on_after_what_it_had_recorded(tmp_path: Path) -> None:
    killed = run(tmp_path, "die")
    resumed = run(tmp_path, "go on")

    assert killed.returncode == -signal.SIGKILL
    assert resumed.stdout == "vm-1!\n", resumed.stderr
    assert (tmp_path / "effects").read_text().split() == ["create", "attach", "attach", "success"]
    with Engine(f"sqlite:///{tmp_path}/flows.db") as engine:
        assert engine.flow("one").status().outcome == "success"
