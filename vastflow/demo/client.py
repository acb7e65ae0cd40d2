"""How does a flow speak to the simulated cloud?

Where the cloud listens is read anew for each request, so a cloud that was killed and started again is found.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

from vastflow.demo.resources import private_file

__all__ = ["Cloud", "start_cloud", "stop_cloud"]

_TIMEOUT = 10.0
_START = 60.0
_ERRORS = {401: PermissionError, 404: LookupError, 409: ValueError}


class Cloud:
    """The cloud whose process keeps its files in `folder`.

    A request raises LookupError for what is not there, ValueError for what cannot be done now, and ConnectionError
    if no cloud answers.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Keep where its files are; nothing is asked yet."""
        self.folder = Path(folder)

    def create(self, kind: str, token: str) -> str:
        """Begin to build a `vm` or a `volume` and return its id, the same for the same token."""
        return self._ask("POST", "/resources", {"kind": kind, "token": token})["id"]

    def state(self, name: str) -> str:
        """Return how far it is: pending, building, ready, attached (an attachment) or deleted."""
        return self._ask("GET", f"/resources/{quote(name, safe='')}")["state"]

    def attach(self, vm: str, volume: str, token: str) -> str:
        """Attach a ready volume to a ready vm and return the attachment's id, the same for the same token."""
        return self._ask("POST", "/attachments", {"vm": vm, "volume": volume, "token": token})["id"]

    def delete(self, name: str) -> None:
        """Delete it; deleting it again changes nothing."""
        self._ask("DELETE", f"/resources/{quote(name, safe='')}")

    def alive(self) -> bool:
        """Say whether it answers."""
        try:
            self._ask("GET", "/alive")
        except (OSError, PermissionError):
            return False
        return True

    def stop(self) -> None:
        """Ask it to end."""
        self._ask("POST", "/stop")

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, str]:
        port, token = self._found()
        connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        try:
            connection.request(method, path, json.dumps(body or {}), {"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            answer: dict[str, str] = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as fault:
            raise ConnectionError(f"the cloud in {self.folder} does not answer ({fault}); is it started?") from fault
        finally:
            connection.close()
        if response.status >= 400:  # noqa: PLR2004  # all refusals of HTTP
            raise _ERRORS.get(response.status, OSError)(f"{method} {path}: {answer.get('error', response.status)}")
        return answer

    def _found(self) -> tuple[int, str]:
        try:
            sign = json.loads((self.folder / "cloud.json").read_bytes())
            return int(sign["port"]), str(sign["token"])
        except FileNotFoundError:
            raise ConnectionError(f"no cloud listens in {self.folder}; start one with start_cloud()") from None


def start_cloud(folder: str | os.PathLike[str], ready_after: float = 3.0, idle: float = 600.0) -> Cloud:
    """Start the cloud's process, unless it runs, and return when it listens.

    It belongs to no terminal and is nobody's child, so neither Ctrl-C nor the death of this process reaches it.

    Args:
        folder: where it keeps everything; made if it is not there.
        ready_after: seconds until a resource is ready.
        idle: seconds without a request after which it ends by itself.
    """
    cloud = Cloud(folder)
    cloud.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _held(cloud.folder / "start.lock"):
        if not cloud.alive():
            _spawn(cloud.folder, ready_after, idle)
    return cloud


def stop_cloud(folder: str | os.PathLike[str]) -> None:
    """End the cloud's process, if it runs, and return when it has ended; what it has stays on disk."""
    cloud = Cloud(folder)
    if cloud.alive():
        cloud.stop()
        with _held(cloud.folder / "cloud.lock"):
            (cloud.folder / "cloud.json").unlink(missing_ok=True)


def _spawn(folder: Path, ready_after: float, idle: float) -> None:
    command = [sys.executable, "-m", "vastflow.demo.cloud", "--detach", "--state", str(folder)]
    command += ["--ready-after", str(ready_after), "--idle", str(idle)]
    output = private_file(folder / "cloud.log")
    try:
        ran = subprocess.run(  # noqa: S603  # our own module, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            timeout=_START,
            check=False,
        )
    finally:
        os.close(output)
    if ran.returncode:
        raise ConnectionError(f"the cloud did not start; {folder / 'cloud.log'} says why")


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock that another process may hold, waiting for it to be let go."""
    file = private_file(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
