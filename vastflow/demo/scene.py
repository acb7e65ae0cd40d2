"""Where does one demo take place, and what has become of it?

In a folder: the store, the log, and the cloud with its own folder in it. Whoever comes later finds all of it there.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from vastflow.demo.client import start_cloud, stop_cloud
from vastflow.demo.cloud import REQUESTS
from vastflow.demo.flow import Water, attach_volume
from vastflow.engine import Engine, Flow
from vastflow.ledger import open_reader
from vastflow.ledger.reading import find

__all__ = ["FLOW", "Made", "Scene"]

FLOW = "demo"
"""The id of the demo's flow."""


@dataclass(frozen=True, slots=True)
class Made:
    """Something that is in the cloud: how often it was asked for, and how often it was made."""

    id: str
    asked: int
    made: int


@dataclass(frozen=True, slots=True)
class Scene:
    """The folder of one demo."""

    folder: Path

    @classmethod
    def new(cls) -> Self:
        """Return a scene in a new temporary folder."""
        return cls(Path(tempfile.mkdtemp(prefix="vastflow-demo-")))

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Return the scene in a folder, which is made if it is not there."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder.resolve())

    @property
    def has_store(self) -> bool:
        """Whether a demo was begun here."""
        return self.store.exists()

    @property
    def store(self) -> Path:
        """The file of its store."""
        return self.folder / "vastflow.db"

    @property
    def url(self) -> str:
        """The URL of its store."""
        return f"sqlite:///{quote(str(self.store))}"

    @property
    def cloud(self) -> Path:
        """The folder of its cloud."""
        return self.folder / "cloud"

    @property
    def log(self) -> Path:
        """The file of its log lines."""
        return self.folder / "demo.log"

    def start_cloud(self, ready_after: float) -> None:
        """Start the cloud, unless it runs; what it makes is ready after so many seconds."""
        start_cloud(self.cloud, ready_after)

    def stop_cloud(self) -> None:
        """End the cloud, if it runs."""
        stop_cloud(self.cloud)

    def begin(self, engine: Engine) -> Flow[Water]:
        """Start the flow."""
        return engine.start(attach_volume, image="debian", cloud=str(self.cloud), id=FLOW)

    def go_on(self, engine: Engine) -> Flow[Water]:
        """Return the flow that was begun here; the engine has gone on with it already."""
        return Flow(engine, FLOW, Water)

    def check(self) -> None:
        """Check that a demo was begun here.

        Raises:
            StoreError: there is no store in this folder.
            FlowNotFound: there is no demo in it.
        """
        reader = open_reader(self.url)
        try:
            find(reader, FLOW)
        finally:
            reader.close()

    def made(self) -> list[Made]:
        """Return what the cloud has made, by its own list of requests."""
        found: dict[str, list[int]] = {}
        for request in self._requests():
            if request["method"] == "POST" and "id" in request["answer"]:
                found.setdefault(request["answer"]["id"], []).append(request["status"])
        return [Made(name, len(statuses), statuses.count(HTTPStatus.CREATED)) for name, statuses in found.items()]

    def _requests(self) -> Iterator[dict[str, Any]]:
        file = self.cloud / REQUESTS
        data = file.read_bytes() if file.exists() else b""
        whole = data.rfind(b"\n") + 1  # the cloud may be writing the last one
        return map(json.loads, data[:whole].splitlines())
