"""Machines that are made on request: a web app of several processes on one store, and no other server.

    pip install 'vastflow[web]'
    uvicorn --app-dir examples/web_app --workers 4 app:app

One of the processes serves the store and runs all flows; the others start flows, look at them and give commands as it
does. If it is killed, another one takes over within a second. Small machines are made at once, large ones when
somebody has said yes; whoever takes a request back gets what was made removed.

    curl -X POST localhost:8000/machines -H 'Idempotency-Key: m-1' --json '{"size": 64}'
    curl localhost:8000/machines/m-1
    curl -X POST localhost:8000/machines/m-1/answer --json '{"yes": true, "by": "grace"}'
    curl -X DELETE localhost:8000/machines/m-1

The store is the file in `MACHINES_STORE` (machines.db); the cloud is simulated by the folder in `MACHINES_CLOUD`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from vastflow import Andes, AsyncEngine, Atlantic, Continue, Fail, Headwaters, River, later
from vastflow.errors import CommandRefused, EngineBusy, FlowConflict, FlowNotFound

CLOUD = Path(os.environ.get("MACHINES_CLOUD", "cloud"))
LARGE = 16


class Water(Headwaters):
    size: int
    approver: str = later()
    machine: str = later()


class Approve(River):
    signals = ("answer",)
    cycle_interval = None  # nothing to ask: only the answer wakes it
    deadline = "3d"

    def when(self, water: Water) -> bool:
        return water.size > LARGE

    def flow(self, water: Water) -> None:
        print(f"May {self.flow_id} have {water.size} cores?")

    def cycle(self, water: Water) -> None:
        answer = self.signal("answer")
        if answer is None:
            raise Continue("nobody has answered yet")
        if not answer["yes"]:
            raise Fail(f"{answer['by']} said no")
        water.approver = answer["by"]


class Create(River):
    retry_times, retry_interval = 5, "2s"
    cycle_interval, deadline = "0.2s", "10m"

    def flow(self, water: Water) -> None:
        CLOUD.mkdir(exist_ok=True)
        water.machine = f"machine-{self.key}"  # the same key at each attempt: asked twice, it makes one
        (CLOUD / water.machine).touch()

    def cycle(self, water: Water) -> None:
        if not (CLOUD / water.machine).exists():
            raise Continue("the cloud does not know it yet")

    def undo(self, water: Water) -> None:
        (CLOUD / water.machine).unlink(missing_ok=True)


class Told(Atlantic):
    pass


machines = Andes("machine", Water) >> Approve() >> Create() >> Told()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncEngine(f"sqlite:///{os.environ.get('MACHINES_STORE', 'machines.db')}") as engine:
        app.state.engine = engine
        yield


app = FastAPI(title="Machines", lifespan=lifespan)


class Wanted(BaseModel):
    size: int


class Answer(BaseModel):
    yes: bool
    by: str


@app.post("/machines", status_code=202)
async def ask_for(wanted: Wanted, idempotency_key: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    flow = await engine().start(machines, id=idempotency_key, size=wanted.size, wait=5)
    return {"id": flow.id, "served_here": engine().serves, "process": os.getpid()}


@app.get("/machines")
async def list_all(limit: Annotated[int, Query(le=1000)] = 100) -> list[str]:
    return [flow.id for flow in await engine().flows(name=machines.name, limit=limit)]


@app.get("/machines/{flow_id}")
async def show(flow_id: str) -> dict[str, Any]:
    status = await (await engine().flow(flow_id)).status()
    rivers = {stream.address: stream.state for stream in status.streams}
    why = status.failure.message if status.failure is not None else status.stranded
    return {"id": flow_id, "state": status.state, "rivers": rivers, "why": why}


@app.post("/machines/{flow_id}/answer", status_code=202)
async def answer(flow_id: str, said: Answer) -> dict[str, Any]:
    flow = await engine().flow(flow_id)
    return {"done": await flow.signal("answer", said.model_dump(), who=said.by)}


@app.delete("/machines/{flow_id}", status_code=202)
async def take_back(flow_id: str) -> dict[str, Any]:
    return {"done": await (await engine().flow(flow_id)).cancel()}


def engine() -> AsyncEngine:
    found: AsyncEngine = app.state.engine
    return found


CODES = {FlowNotFound: 404, FlowConflict: 409, CommandRefused: 409, EngineBusy: 503}


@app.exception_handler(FlowNotFound)
@app.exception_handler(FlowConflict)
@app.exception_handler(CommandRefused)
@app.exception_handler(EngineBusy)
async def say(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, CODES[type(error)])
