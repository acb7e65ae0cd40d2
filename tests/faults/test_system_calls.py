"""What is asked of the kernel: is all synced that is answered, and is nothing written for flows that wait?"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("traced.py")
SECONDS = 30
WRITES = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,rename,unlink"
CALL = re.compile(r"^\d+ +(\w+)\((?:\d+<([^>]*)>)?")


def can_trace() -> bool:
    """Say whether there is a strace that may look at processes here."""
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, "-o", "/dev/null", "true"], check=False).returncode == 0


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str]]]:
    """Return the calls, each with the file it was about, by the last word that was said before."""
    if not can_trace():
        pytest.skip("there is no strace here, or it may not look at other processes")
    folder = tmp_path_factory.mktemp("traced")
    traced = [sys.executable, str(PROGRAM), f"sqlite:///{folder / 'flows.db'}", str(SECONDS)]
    strace = ["strace", "-f", "-y", "-e", f"trace={WRITES}", "-o", str(folder / "calls")]
    subprocess.run([*strace, *traced], check=True, timeout=200, stdout=subprocess.DEVNULL)

    found: dict[str, list[tuple[str, str]]] = {"": []}
    said = ""
    for line in (folder / "calls").read_text().splitlines():
        if mark := re.search(r'"MARK ([a-z ]+)\\n"', line):
            said = mark[1]
            found[said] = []
        elif call := CALL.match(line):
            found[said].append((call[1], Path(call[2] or "").name))
    return found


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.promise("10.6")
def test_for_a_thousand_flows_that_wait_nothing_is_written_but_the_beat(
    calls: dict[str, list[tuple[str, str]]],
) -> None:
    written = Counter(calls["idle"])

    beats = written[("fdatasync", "flows.db-wal")]
    assert set(written) == {("pwrite64", "flows.db-wal"), ("fdatasync", "flows.db-wal")}
    assert 1 <= beats <= SECONDS + 2
    assert written[("pwrite64", "flows.db-wal")] <= 4 * beats


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.promise("2.11", "11.2")
@pytest.mark.parametrize(("asked", "file"), [("busy", "flows.db-wal"), ("standing by", "flows.db-inbox")])
def test_what_a_start_writes_is_synced_before_it_returns(
    asked: str, file: str, calls: dict[str, list[tuple[str, str]]]
) -> None:
    mine = [call for call, about in calls[asked] if about == file]

    assert "fdatasync" in mine[mine.index("pwrite64") :]
