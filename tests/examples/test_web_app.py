"""Does a web app of several processes on one store start, show, answer and take back, though its server is killed?"""

import asyncio
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.engine.scenes import LONG
from tests.engine.standing import until
from vastflow.ledger.lock import holder

APP = Path(__file__).parents[2] / "examples" / "web_app"
WORKERS = 4


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """Import the app."""
    spec = importlib.util.spec_from_file_location("app", APP / "app.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["app"] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture
async def client(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the app in this process."""
    monkeypatch.setenv("MACHINES_STORE", str(tmp_path / "machines.db"))
    monkeypatch.setattr(module, "CLOUD", tmp_path / "cloud")
    transport = httpx.ASGITransport(module.app)
    async with (
        module.app.router.lifespan_context(module.app),
        httpx.AsyncClient(transport=transport, base_url="http://app") as made,
    ):
        yield made


async def state(client: httpx.AsyncClient, flow_id: str, *wanted: str) -> Mapping[str, Any]:
    """Return how a machine stands once it is in one of these states."""
    async with asyncio.timeout(LONG):
        while True:
            with suppress(httpx.TransportError):  # whoever was asked was killed
                asked = await client.get(f"/machines/{flow_id}")
                if asked.status_code == 200 and (found := asked.json())["state"] in wanted:
                    return dict(found)
            await asyncio.sleep(0.02)


async def test_a_machine_is_made_shown_answered_for_and_taken_back(client: httpx.AsyncClient, tmp_path: Path) -> None:
    small = (await client.post("/machines", json={"size": 4})).json()["id"]
    large = await client.post("/machines", json={"size": 64}, headers={"Idempotency-Key": "m-1"})
    again = await client.post("/machines", json={"size": 64}, headers={"Idempotency-Key": "m-1"})
    refused = (await client.post("/machines", json={"size": 65})).json()["id"]

    assert (large.status_code, large.json()["id"], again.json()["id"]) == (202, "m-1", "m-1")
    assert (await state(client, small, "success"))["rivers"]["create"] == "success"
    assert set((await client.get("/machines")).json()) == {small, "m-1", refused}
    assert (await client.post("/machines/m-1/answer", json={"yes": True, "by": "grace"})).json() == {"done": True}
    assert (await state(client, "m-1", "success"))["rivers"] == {
        "approve": "success",
        "create": "success",
        "~": "success",
    }
    await client.post(f"/machines/{refused}/answer", json={"yes": False, "by": "alan"})
    assert (await state(client, refused, "fail"))["why"] == "alan said no"
    third = (await client.post("/machines", json={"size": 66})).json()["id"]
    assert (await client.delete(f"/machines/{third}")).json() == {"done": True}
    await state(client, third, "cancelled")
    assert len(list((tmp_path / "cloud").iterdir())) == 2


async def test_what_is_wrong_is_answered_by_its_code(client: httpx.AsyncClient) -> None:
    await client.post("/machines", json={"size": 4}, headers={"Idempotency-Key": "m-1"})
    await state(client, "m-1", "success")

    asked = [
        await client.get("/machines/nobody"),
        await client.post("/machines", json={"size": 5}, headers={"Idempotency-Key": "m-1"}),
        await client.delete("/machines/m-1"),
        await client.post("/machines", json={"size": "large"}),
    ]

    assert [each.status_code for each in asked] == [404, 409, 409, 422]
    assert "there is no flow 'nobody'" in asked[0].json()["detail"]


class Site:
    """The app as it is run: some processes behind one port."""

    def __init__(self, folder: Path) -> None:
        """Begin it."""
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.store, self.cloud = folder / "machines.db", folder / "cloud"
        self.log = (folder / "log").open("w")
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(APP), "--port", str(port), "app:app"]
        env = {**os.environ, "MACHINES_STORE": str(self.store), "MACHINES_CLOUD": str(self.cloud)}
        self.process = subprocess.Popen(
            [*command, "--workers", str(WORKERS)], env=env, stdout=self.log, stderr=self.log, cwd=folder
        )

    def kill_server(self) -> int:
        """Kill the process that serves the store, and return its number once another one serves it."""
        until(lambda: holder(str(self.store)))
        killed = holder(str(self.store))
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda: holder(str(self.store)) not in {None, killed})
        return killed

    def find_locked(self) -> list[str]:
        """Return what was logged about locks."""
        return [line for line in Path(self.log.name).read_text().splitlines() if "locked" in line]

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(LONG)
        finally:
            self.process.kill()
            self.log.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Run the app."""
    made = Site(tmp_path)
    yield made
    made.close()


async def ask_for(url: str, number: int) -> int:
    """Ask for a machine until that is answered, on a connection of its own; return which process did."""
    async with httpx.AsyncClient(base_url=url, timeout=LONG) as client:
        while True:
            with suppress(httpx.TransportError):  # whoever was asked was killed: ask again, with the same key
                asked = await client.post(
                    "/machines", json={"size": number % 32}, headers={"Idempotency-Key": f"m-{number}"}
                )
                assert asked.status_code == 202, asked.text
                return int(asked.json()["process"])
            await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.promise("11.1", "11.2", "11.3")
async def test_four_processes_go_on_when_the_one_that_serves_is_killed(site: Site) -> None:
    first = await asyncio.gather(*(ask_for(site.url, number) for number in range(60)))
    killed = await asyncio.to_thread(site.kill_server)
    second = await asyncio.gather(*(ask_for(site.url, number) for number in range(60, 120)))

    async with httpx.AsyncClient(base_url=site.url, timeout=LONG) as client:
        large = [f"m-{number}" for number in range(120) if number % 32 > 16]
        small = [f"m-{number}" for number in range(120) if number % 32 <= 16]
        for flow_id in large[::2]:
            await client.post(f"/machines/{flow_id}/answer", json={"yes": True, "by": "grace"})
        for flow_id in large[1::2]:
            await client.delete(f"/machines/{flow_id}")
        made = [(await state(client, each, "success"))["state"] for each in (*small, *large[::2])]
        gone = [(await state(client, each, "cancelled"))["state"] for each in large[1::2]]
        listed = (await client.get("/machines?limit=1000")).json()

    assert len(set(first)) > 1
    assert killed not in second
    assert len(listed) == len(made) + len(gone) == 120
    assert len(list(site.cloud.iterdir())) == len(made)
    assert site.find_locked() == []
