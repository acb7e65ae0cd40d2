from http import HTTPStatus
from pathlib import Path

import pytest

from vastflow.demo.resources import Answer, Resources

SECOND = 1_000_000


class Hands:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = 1_000 * SECOND

    def now(self) -> int:
        return self.at

    def hold(self, not_before: int) -> None:
        self.at = max(self.at, not_before)


class Site:
    """Resources that take 3 seconds, in a file, with a clock moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "resources.jsonl"
        self.clock = Hands()
        self.resources = Resources(self.file, self.clock, ready_after=3)

    def made(self, kind: str, token: str) -> str:
        return self.resources.create(kind, token)[1]["id"]

    def state(self, name: str) -> str:
        return self.resources.tell(name)[1]["state"]

    def reopened(self) -> Resources:
        self.resources.close()
        self.resources = Resources(self.file, self.clock, ready_after=60)
        return self.resources


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def refused(answer: Answer) -> tuple[HTTPStatus, str]:
    return answer[0], answer[1]["error"]


def test_a_resource_is_pending_then_building_then_ready(site: Site) -> None:
    vm = site.made("vm", "t1")

    seen = []
    for _ in range(5):
        seen.append(site.state(vm))
        site.clock.at += SECOND

    assert seen == ["pending", "building", "building", "ready", "ready"]


def test_the_same_token_gives_the_same_resource_and_another_another(site: Site) -> None:
    first, again, other = (site.resources.create("vm", token) for token in ("t1", "t1", "t2"))

    assert (first[0], again[0]) == (HTTPStatus.CREATED, HTTPStatus.OK)
    assert first[1]["id"] == again[1]["id"] != other[1]["id"]


def test_a_token_is_good_for_one_request_only(site: Site) -> None:
    vm = site.made("vm", "t1")

    status, why = refused(site.resources.create("volume", "t1"))

    assert status == HTTPStatus.CONFLICT
    assert vm in why


@pytest.mark.parametrize(("kind", "token"), [("boat", "t1"), ("vm", ""), ("", "t1")])
def test_a_creation_without_kind_or_token_is_refused(site: Site, kind: str, token: str) -> None:
    assert refused(site.resources.create(kind, token))[0] == HTTPStatus.BAD_REQUEST


def test_only_what_is_ready_is_attached_and_once_per_token(site: Site) -> None:
    vm, volume = site.made("vm", "t1"), site.made("volume", "t2")
    early = refused(site.resources.attach(vm, volume, "t3"))
    site.clock.at += 3 * SECOND

    first, again = (site.resources.attach(vm, volume, "t3") for _ in range(2))

    assert early == (HTTPStatus.CONFLICT, f"{vm} is pending, not ready")
    assert first[1] == again[1]
    assert site.state(first[1]["id"]) == "attached"


def test_a_volume_is_attached_to_one_vm_at_a_time(site: Site) -> None:
    vm, other, volume = site.made("vm", "t1"), site.made("vm", "t2"), site.made("volume", "t3")
    site.clock.at += 3 * SECOND
    site.resources.attach(vm, volume, "t4")

    taken = refused(site.resources.attach(other, volume, "t5"))
    site.resources.delete(vm)
    free = site.resources.attach(other, volume, "t6")

    assert taken == (HTTPStatus.CONFLICT, f"{volume} is attached already")
    assert free[0] == HTTPStatus.CREATED


def test_what_is_not_there_is_not_attached_told_or_deleted(site: Site) -> None:
    vm = site.made("vm", "t1")
    site.clock.at += 3 * SECOND
    missing = (
        site.resources.attach(vm, "volume-0", "t2"),
        site.resources.attach(vm, vm, "t2"),
        site.resources.tell("vm-0"),
        site.resources.delete("vm-0"),
    )

    assert {refused(answer)[0] for answer in missing} == {HTTPStatus.NOT_FOUND}
    assert refused(site.resources.attach(vm, vm, ""))[0] == HTTPStatus.BAD_REQUEST


def test_deleting_takes_attachments_along_and_may_come_twice(site: Site) -> None:
    vm, volume = site.made("vm", "t1"), site.made("volume", "t2")
    site.clock.at += 3 * SECOND
    attachment = site.resources.attach(vm, volume, "t3")[1]["id"]

    site.resources.delete(volume)
    again = site.resources.delete(volume)

    assert again[0] == HTTPStatus.OK
    assert [site.state(name) for name in (vm, volume, attachment)] == ["ready", "deleted", "deleted"]


def test_all_of_it_is_there_again_after_a_restart(site: Site) -> None:
    vm, volume = site.made("vm", "t1"), site.made("volume", "t2")
    site.clock.at += 3 * SECOND
    attachment = site.resources.attach(vm, volume, "t3")[1]["id"]
    site.resources.delete(volume)

    site.reopened()

    assert [site.state(name) for name in (vm, volume, attachment)] == ["ready", "deleted", "deleted"]
    assert site.made("vm", "t1") == vm


def test_half_a_line_left_by_a_kill_is_cut_off(site: Site) -> None:
    vm = site.made("vm", "t1")
    with site.file.open("ab") as file:
        file.write(b'{"id": "vm-half", "ki')

    site.reopened()
    other = site.made("vm", "t2")
    site.reopened()

    assert (site.state(vm), site.state(other)) == ("pending", "pending")


def test_a_clock_set_back_makes_nothing_younger_than_new(site: Site) -> None:
    vm = site.made("vm", "t1")
    site.clock.at -= 500 * SECOND

    site.reopened()

    assert site.clock.at == 1_000 * SECOND
    assert site.state(vm) == "pending"


def test_only_the_owner_may_read_the_file(site: Site) -> None:
    assert site.file.stat().st_mode & 0o777 == 0o600
