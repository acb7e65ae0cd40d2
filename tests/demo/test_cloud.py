import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from vastflow.demo import Cloud, start_cloud, stop_cloud

Start = Callable[[float], Cloud]


def sign(cloud: Cloud) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((cloud.folder / "cloud.json").read_bytes())
    return said


def ended(folder: Path) -> None:
    """Return when the cloud's process has ended: it holds this lock as long as it lives."""
    with (folder / "cloud.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def asked(cloud: Cloud, path: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (cloud.folder / "requests.jsonl").read_bytes().splitlines()]
    return [line for line in lines if line["path"] == path]


def raw(cloud: Cloud, method: str, path: str, body: str, token: str) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", sign(cloud)["port"], timeout=30)
    connection.request(method, path, body, {"Authorization": token} if token else {})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_a_vm_and_a_volume_become_ready_and_are_attached(start: Start) -> None:
    cloud = start(0.3)
    vm, volume = cloud.create("vm", "t1"), cloud.create("volume", "t2")

    seen = [cloud.state(volume)]
    while seen[-1] != "ready":
        seen.append(cloud.state(volume))
    attachment = cloud.attach(vm, volume, "t3")

    assert list(dict.fromkeys(seen)) in (["pending", "building", "ready"], ["building", "ready"], ["ready"])
    assert cloud.state(attachment) == "attached"


def test_asked_again_with_the_same_token_it_does_it_once(start: Start) -> None:
    cloud = start(0)

    vms = {cloud.create("vm", "t1") for _ in range(3)}
    volume = cloud.create("volume", "t2")
    attachments = {cloud.attach(next(iter(vms)), volume, "t3") for _ in range(3)}

    assert len(vms) == len(attachments) == 1


def test_each_request_is_written_down_before_it_is_answered(start: Start) -> None:
    cloud = start(3600)

    vm = cloud.create("vm", "t1")
    cloud.create("vm", "t1")

    lines = asked(cloud, "/resources")
    assert [(line["status"], line["answer"]["id"], line["asked"]["token"]) for line in lines] == [
        (201, vm, "t1"),
        (200, vm, "t1"),
    ]


def test_killed_and_started_again_it_has_what_it_had(start: Start) -> None:
    cloud = start(3600)
    vm = cloud.create("vm", "t1")
    before = sign(cloud)

    os.kill(before["pid"], signal.SIGKILL)
    ended(cloud.folder)
    dead = cloud.alive()
    start(0)

    assert not dead
    assert sign(cloud)["pid"] != before["pid"]
    assert cloud.create("vm", "t1") == vm
    assert cloud.state(vm) == "pending"


def test_a_second_start_finds_the_one_that_runs(start: Start) -> None:
    first = sign(start(3600))

    second = sign(start(3600))

    assert first == second


def test_a_second_process_in_the_same_folder_is_refused(start: Start) -> None:
    cloud = start(3600)
    command = [sys.executable, "-m", "vastflow.demo.cloud", "--state", str(cloud.folder)]

    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)

    assert ran.returncode == 1
    assert "another process serves the cloud" in ran.stderr
    assert cloud.alive()


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic wrong", "Bearer \u00e9"])
def test_without_its_token_nobody_is_served(start: Start, token: str) -> None:
    cloud = start(3600)

    status, answer = raw(cloud, "POST", "/resources", '{"kind": "vm", "token": "t1"}', token)

    assert status == 401
    assert "bearer token" in answer["error"]
    assert asked(cloud, "/resources") == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "Expecting property name"),
        ("[]", "the body is a JSON object of texts"),
        ('"vm"', "the body is a JSON object of texts"),
        ('{"kind": "vm", "token": 1}', "the body is a JSON object of texts"),
        (json.dumps({"kind": "vm", "token": "t" * 70_000}), "a body has at most 65536 bytes"),
    ],
)
def test_a_body_that_is_no_object_of_texts_is_refused(start: Start, body: str, why: str) -> None:
    cloud = start(3600)

    status, answer = raw(cloud, "POST", "/resources", body, f"Bearer {sign(cloud)['token']}")

    assert status == 400
    assert why in answer["error"]


def test_it_listens_on_the_loopback_address_only(start: Start) -> None:
    port = sign(start(3600))["port"]

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=30)


def test_its_files_are_for_their_owner_only(start: Start) -> None:
    cloud = start(3600)
    cloud.create("vm", "t1")

    modes = {path.name: path.stat().st_mode & 0o777 for path in cloud.folder.iterdir()}

    assert {"cloud.json", "resources.jsonl", "requests.jsonl"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_it_belongs_to_another_session_and_is_nobodys_child(start: Start) -> None:
    cloud = start(3600)
    pid = sign(cloud)["pid"]

    assert os.getsid(pid) != os.getsid(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_it_ends_when_nobody_asks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vastflow.demo.cloud", "--state", str(tmp_path), "--idle", "0.1"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert not (tmp_path / "cloud.json").exists()


def test_stopped_it_ends_leaves_its_state_and_may_be_stopped_twice(tmp_path: Path) -> None:
    cloud = start_cloud(tmp_path, ready_after=3600)
    vm = cloud.create("vm", "t1")

    stop_cloud(tmp_path)
    stop_cloud(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    again = start_cloud(tmp_path)
    state = again.state(vm)
    stop_cloud(tmp_path)

    assert "cloud.json" not in left
    assert "resources.jsonl" in left
    assert state == "pending"
