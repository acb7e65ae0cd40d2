import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from vastflow.demo import Cloud, start_cloud, stop_cloud

Start = Callable[[float], Cloud]


def test_what_is_not_there_is_a_lookup_error(start: Start) -> None:
    cloud = start(3600)

    with pytest.raises(LookupError, match="there is no resource 'vm-0/ü x'"):
        cloud.state("vm-0/ü x")


def test_what_cannot_be_done_now_is_a_value_error_that_says_why(start: Start) -> None:
    cloud = start(3600)
    vm, volume = cloud.create("vm", "t1"), cloud.create("volume", "t2")

    with pytest.raises(ValueError, match=f"POST /attachments: {vm} is pending, not ready"):
        cloud.attach(vm, volume, "t3")


def test_a_request_the_cloud_does_not_understand_is_an_os_error(start: Start) -> None:
    with pytest.raises(OSError, match="a kind"):
        start(3600).create("boat", "t1")


def test_deleting_may_come_twice(start: Start) -> None:
    cloud = start(0)
    vm = cloud.create("vm", "t1")

    cloud.delete(vm)
    cloud.delete(vm)

    assert cloud.state(vm) == "deleted"


def test_without_a_cloud_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"start_cloud\(\)"):
        Cloud(tmp_path).create("vm", "t1")

    assert not Cloud(tmp_path).alive()


def test_a_cloud_that_has_gone_is_a_connection_error(tmp_path: Path) -> None:
    folder = tmp_path / "cloud"
    cloud = start_cloud(folder)
    shutil.copy(folder / "cloud.json", tmp_path / "kept.json")
    stop_cloud(folder)
    shutil.copy(tmp_path / "kept.json", folder / "cloud.json")

    with pytest.raises(ConnectionError, match="does not answer"):
        cloud.create("vm", "t1")


def test_a_cloud_that_cannot_start_says_where_the_reason_is(tmp_path: Path) -> None:
    (tmp_path / "resources.jsonl").mkdir()

    with pytest.raises(ConnectionError, match=r"cloud\.log says why"):
        start_cloud(tmp_path)

    assert "IsADirectoryError" in (tmp_path / "cloud.log").read_text("utf-8")


def test_proxies_of_the_environment_are_not_asked(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert start(0).create("vm", "t1").startswith("vm-")
