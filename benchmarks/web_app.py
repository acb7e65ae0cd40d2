"""How long does a request take that starts a flow, 200 of them a second, in a web app of four processes on one store?

The requests come on schedule, whether those before have been answered or not; each is timed from the moment it was due.
Prints errors, latencies, and that all flows have ended.

python -m benchmarks.web_app [--rate 200] [--seconds 30] [--workers 4]
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

from vastflow.ledger import open_reader
from vastflow.ledger.contract import FlowQuery

APP = Path(__file__).parents[1] / "examples" / "web_app"
_PORT = 8765
_LONG = 60.0
_CONNECTIONS = 64
_ACCEPTED = 202


class Connection:
    """One connection, kept: a client so light that it leaves the processors to what is measured."""

    def __init__(self, port: int) -> None:
        """Connect when something is asked."""
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Send a request and return the code of its answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length is not None else 0)
        return int(head.split()[1])

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()


_BODY = b'{"size": 4}'
_HEAD = b"Host: app\r\nContent-Type: application/json\r\nContent-Length: "
_ASK = b"POST /machines HTTP/1.1\r\n" + _HEAD + b"%d\r\n\r\n%s" % (len(_BODY), _BODY)
_LOOK = b"GET /machines?limit=1 HTTP/1.1\r\nHost: app\r\n\r\n"


async def ask(free: "asyncio.LifoQueue[Connection]", due: float, times: list[float], errors: Counter[str]) -> None:
    """Ask for a machine on a connection that is free, and note how long after it was due that was answered."""
    connection = await free.get()
    try:
        code = await connection.ask(_ASK)
        if code != _ACCEPTED:
            errors[str(code)] += 1
    except (OSError, EOFError) as error:
        errors[type(error).__name__] += 1
    times.append(perf_counter() - due)
    free.put_nowait(connection)


async def load(port: int, rate: float, seconds: float) -> tuple[list[float], Counter[str]]:
    """Ask so often for so long; return the latencies, in seconds, and what went wrong."""
    times: list[float] = []
    errors: Counter[str] = Counter()
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    connections = [Connection(port) for _ in range(_CONNECTIONS)]
    for connection in connections:
        await until_it_answers(connection)
        free.put_nowait(connection)
    async with asyncio.TaskGroup() as group:
        begun = perf_counter()
        for number in range(round(rate * seconds)):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            group.create_task(ask(free, due, times, errors))
    for connection in connections:
        connection.close()
    return times, errors


async def until_it_answers(connection: Connection) -> None:
    """Wait until the app has begun."""
    while True:
        try:
            await connection.ask(_LOOK)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return


def begin(folder: Path, workers: int) -> "subprocess.Popen[bytes]":
    """Begin the app."""
    env = {**os.environ, "MACHINES_STORE": str(folder / "m.db"), "MACHINES_CLOUD": str(folder / "cloud")}
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(APP), "--port", str(_PORT), "app:app"]
    told = subprocess.DEVNULL
    return subprocess.Popen([*command, "--workers", str(workers)], env=env, stdout=told, stderr=told)  # noqa: S603  # our own


async def drain(store: Path, flows: int) -> Counter[str]:
    """Wait until so many flows have ended, and return how."""
    with closing(open_reader(f"sqlite:///{store}")) as reader:
        begun = perf_counter()
        while perf_counter() - begun < _LONG:
            ends = Counter(row.state for row in reader.flows(FlowQuery(limit=2 * flows)))
            if sum(ends[state] for state in ("success", "fail", "cancelled")) >= flows:
                break
            await asyncio.sleep(0.2)
        return ends


async def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="How long does a request take that starts a flow?")
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vastflow-web-") as name:
        process = begin(Path(name), asked.workers)
        try:
            times, errors = await load(_PORT, asked.rate, asked.seconds)
            ends = await drain(Path(name) / "m.db", len(times))
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, _LONG)
    times.sort()
    shown = ", ".join(f"{label} {1000 * times[int(share * (len(times) - 1))]:.1f}" for label, share in _SHARES)
    print(
        f"{len(times)} requests, {errors.total()} errors {dict(errors)}; median {1000 * median(times):.1f}, {shown} ms"
    )
    print(f"flows: {dict(ends)}")


_SHARES = (("p90", 0.9), ("p99", 0.99), ("most", 1.0))

if __name__ == "__main__":
    asyncio.run(main())
