"""What does the simulated cloud have, and how far is it?

Every change is a line of JSON, on disk before it is answered, so the cloud may be killed at any moment. How far a
resource has come is a matter of its age alone. Asked twice with the same token it does a thing once.
"""

import json
import os
import secrets
import threading
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from vastflow.clock import Clock

__all__ = ["KINDS", "Answer", "Resource", "Resources", "private_file"]

KINDS = ("vm", "volume")
"""What can be created."""

Answer = tuple[HTTPStatus, dict[str, str]]
"""What the cloud says: a status and a body."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing in the cloud.

    Attributes:
        id: its name, such as `vm-5f0c93a1`.
        kind: vm, volume or attachment.
        token: the client's token it was asked for with.
        made: when, in microseconds since 1970 UTC.
        building: how many microseconds it takes to become ready.
        parts: what an attachment attaches, vm and volume.
        deleted: whether it is gone.
    """

    id: str
    kind: str
    token: str
    made: int
    building: int
    parts: tuple[str, ...] = ()
    deleted: bool = False

    def state(self, now: int) -> str:
        """Return pending, building, ready, attached or deleted."""
        if self.deleted:
            return "deleted"
        age = now - self.made
        if age < self.building:
            return "pending" if age < self.building // 3 else "building"
        return "attached" if self.parts else "ready"


class Resources:
    """All resources, kept in a file; may be used by many threads at once."""

    def __init__(self, file: Path, clock: Clock, ready_after: float) -> None:
        """Read what an earlier process left in `file`; new resources are ready after so many seconds."""
        self._file = private_file(file)
        self._clock = clock
        self._building = int(ready_after * 1_000_000)
        self._lock = threading.Lock()
        self._by_id: dict[str, Resource] = {}
        self._by_token: dict[str, str] = {}
        for line in _whole_lines(file):
            self._take(_from_line(line))

    def create(self, kind: str, token: str) -> Answer:
        """Begin to build a vm or a volume, or tell of the one this token has begun."""
        if kind not in KINDS or not token:
            return _refused(HTTPStatus.BAD_REQUEST, f"a kind ({' or '.join(KINDS)}) and a token are needed")
        with self._lock:
            return self._once(kind, token, (), self._building)

    def attach(self, vm: str, volume: str, token: str) -> Answer:
        """Attach a volume to a vm, or tell of the attachment this token has made."""
        if not token:
            return _refused(HTTPStatus.BAD_REQUEST, "a token is needed")
        with self._lock:
            refusal = None if token in self._by_token else self._unfit(vm, "vm") or self._unfit(volume, "volume")
            return refusal or self._once("attachment", token, (vm, volume), 0)

    def tell(self, name: str) -> Answer:
        """Tell how far a resource is."""
        with self._lock:
            return self._told(self._by_id[name]) if name in self._by_id else _unknown(name)

    def delete(self, name: str) -> Answer:
        """Delete a resource and its attachments; deleting it again changes nothing."""
        with self._lock:
            if name not in self._by_id:
                return _unknown(name)
            for resource in [found for found in self._by_id.values() if name in (found.id, *found.parts)]:
                if not resource.deleted:
                    self._write(replace(resource, deleted=True))
            return self._told(self._by_id[name])

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _once(self, kind: str, token: str, parts: tuple[str, ...], building: int) -> Answer:
        known = self._by_id.get(self._by_token.get(token, ""))
        if known is None:
            name = f"{kind}-{secrets.token_hex(4)}"
            self._write(Resource(name, kind, token, self._clock.now(), building, parts))
            return self._told(self._by_id[name], HTTPStatus.CREATED)
        if (known.kind, known.parts) != (kind, parts):
            return _refused(HTTPStatus.CONFLICT, f"the token was used for {known.id}; take another for another request")
        return self._told(known)

    def _unfit(self, name: str, kind: str) -> Answer | None:
        """Say why this cannot be attached, if it cannot."""
        found = self._by_id.get(name)
        if found is None or found.kind != kind:
            return _refused(HTTPStatus.NOT_FOUND, f"there is no {kind} {name!r}")
        if (state := found.state(self._clock.now())) != "ready":
            return _refused(HTTPStatus.CONFLICT, f"{name} is {state}, not ready")
        if kind == "volume" and any(name in other.parts and not other.deleted for other in self._by_id.values()):
            return _refused(HTTPStatus.CONFLICT, f"{name} is attached already")
        return None

    def _told(self, resource: Resource, status: HTTPStatus = HTTPStatus.OK) -> Answer:
        return status, {"id": resource.id, "kind": resource.kind, "state": resource.state(self._clock.now())}

    def _write(self, resource: Resource) -> None:
        os.write(self._file, _to_line(resource))
        os.fsync(self._file)
        self._take(resource)

    def _take(self, resource: Resource) -> None:
        self._clock.hold(resource.made)
        self._by_id[resource.id] = resource
        self._by_token[resource.token] = resource.id


def private_file(path: Path) -> int:
    """Open a file that only its owner may read, for lines to be added, and return its descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines written whole, and cut off what a kill has left of one: it was never answered."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    os.truncate(path, whole)
    return data[:whole].splitlines()


def _to_line(resource: Resource) -> bytes:
    told = {name: getattr(resource, name) for name in Resource.__slots__}
    return json.dumps(told).encode() + b"\n"


def _from_line(line: bytes) -> Resource:
    told = json.loads(line)
    told["parts"] = tuple(told["parts"])
    return Resource(**told)


def _refused(status: HTTPStatus, why: str) -> Answer:
    return status, {"error": why}


def _unknown(name: str) -> Answer:
    return _refused(HTTPStatus.NOT_FOUND, f"there is no resource {name!r}")
