"""How does the simulated cloud serve its resources as a process of its own?

`python -m vastflow.demo.cloud --state DIR` speaks HTTP on the loopback interface to whoever knows the token it
leaves in DIR, writes down each request, and ends when nobody has asked anything for a while.
"""

import argparse
import fcntl
import json
import os
import secrets
import socketserver
import sys
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from vastflow.clock import Clock, SystemClock
from vastflow.demo.resources import Answer, Resources, private_file

__all__ = ["LOCK", "REQUESTS", "SIGN", "STATE", "main"]

SIGN = "cloud.json"
"""Where it says, while it listens, at which port and with which token."""

STATE = "resources.jsonl"
"""What it has."""

REQUESTS = "requests.jsonl"
"""What it was asked, a line each: at, method, path, asked, status, answer."""

LOCK = "cloud.lock"
"""Locked as long as the process lives."""

_HOST = "127.0.0.1"
_LONGEST_BODY = 65536


class _Server(ThreadingHTTPServer):
    """Listens, and knows whether it was left alone for its `timeout`."""

    def __init__(self, port: int, idle: float, serve: Callable[[str, str, dict[str, str]], Answer], token: str) -> None:
        super().__init__((_HOST, port), _Handler)
        self.timeout = idle
        self.left_alone = False
        self.serve = serve
        self.token = token

    def server_bind(self) -> None:
        """Bind without asking a name service what the loopback interface is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.socket.getsockname()[1]

    def handle_timeout(self) -> None:
        self.left_alone = True


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # it is called so above
        """Say nothing: requests are written down elsewhere."""

    def _answer(self) -> None:
        status, body = self._served()
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        if status is HTTPStatus.ACCEPTED:  # asked to stop; only now, or the answer would be cut off
            os._exit(0)  # all it knows is on disk, and it must bear to be killed anyway

    def _served(self) -> Answer:
        given = self.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            return HTTPStatus.UNAUTHORIZED, {"error": "the bearer token of this cloud is needed"}
        try:
            asked = self._asked()
        except ValueError as fault:
            return HTTPStatus.BAD_REQUEST, {"error": str(fault)}
        return self.server.serve(self.command, self.path, asked)

    def _asked(self) -> dict[str, str]:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 <= length <= _LONGEST_BODY:
            raise ValueError(f"a body has at most {_LONGEST_BODY} bytes")
        asked = json.loads(self.rfile.read(length) or b"{}")
        if not isinstance(asked, dict) or not all(isinstance(value, str) for value in asked.values()):
            raise ValueError("the body is a JSON object of texts")
        return asked


class _Cloud:
    """Answers requests out of its resources and writes each down before it is answered."""

    def __init__(self, folder: Path, ready_after: float, clock: Clock) -> None:
        self._resources = Resources(folder / STATE, clock, ready_after)
        self._requests = private_file(folder / REQUESTS)
        self._clock = clock

    def serve(self, method: str, path: str, asked: dict[str, str]) -> Answer:
        status, answer = self._done(method, path, asked)
        line = {"at": self._clock.now(), "method": method, "path": path, "asked": asked}
        os.write(self._requests, json.dumps({**line, "status": int(status), "answer": answer}).encode() + b"\n")
        return status, answer

    def _done(self, method: str, path: str, asked: dict[str, str]) -> Answer:
        match method, *map(unquote, path.strip("/").split("/")):
            case "POST", "resources":
                return self._resources.create(asked.get("kind", ""), asked.get("token", ""))
            case "POST", "attachments":
                return self._resources.attach(asked.get("vm", ""), asked.get("volume", ""), asked.get("token", ""))
            case "GET", "resources", name:
                return self._resources.tell(name)
            case "DELETE", "resources", name:
                return self._resources.delete(name)
            case rest:
                return self._of_itself(*rest)

    def _of_itself(self, method: str, *path: str) -> Answer:
        match method, path:
            case "GET", ("alive",):
                return HTTPStatus.OK, {}
            case "POST", ("stop",):
                return HTTPStatus.ACCEPTED, {}
            case _:
                return HTTPStatus.NOT_FOUND, {"error": f"there is nothing at {method} /{'/'.join(path)}"}


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until nobody asks any more; return 0, or 1 if another process serves this folder."""
    told = _arguments().parse_args(argv)
    told.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    ready = _detach() if told.detach else _nothing
    lock = private_file(told.state / LOCK)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write(f"another process serves the cloud in {told.state}; stop it first, or give another folder\n")
        return 1
    _serve(told, ready)
    return 0


def _serve(told: argparse.Namespace, ready: Callable[[], None]) -> None:
    token = secrets.token_urlsafe(32)
    cloud = _Cloud(told.state, told.ready_after, SystemClock())
    sign = told.state / SIGN
    with _Server(told.port, told.idle, cloud.serve, token) as server:
        try:
            _publish(sign, {"port": server.server_port, "token": token, "pid": os.getpid()})
            ready()
            while not server.left_alone:
                server.handle_request()
        finally:
            sign.unlink(missing_ok=True)


def _publish(path: Path, said: dict[str, object]) -> None:
    """Write the file whole or not at all, for its owner only."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    file = private_file(new)
    os.write(file, json.dumps(said).encode())
    os.close(file)
    new.replace(path)


def _detach() -> Callable[[], None]:
    """Go on as a second process, whose parent leaves as soon as what is returned is called."""
    heard, told = os.pipe()
    if os.fork():
        os.close(told)
        sys.exit(0 if os.read(heard, 1) else 1)
    os.close(heard)

    def ready() -> None:
        os.write(told, b"!")
        os.close(told)

    return ready


def _nothing() -> None:
    """Tell nobody."""


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vastflow.demo.cloud", description="A small simulated cloud.")
    parser.add_argument("--state", type=Path, required=True, help="the folder it keeps everything in")
    parser.add_argument("--port", type=int, default=0, help="where it listens; 0: any free port")
    parser.add_argument("--ready-after", type=float, default=3.0, help="seconds until a resource is ready")
    parser.add_argument("--idle", type=float, default=600.0, help="seconds without a request until it ends")
    parser.add_argument("--detach", action="store_true", help="go on in the background as soon as it listens")
    return parser


if __name__ == "__main__":
    sys.exit(main())
