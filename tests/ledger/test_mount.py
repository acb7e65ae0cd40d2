"""Is a file on another machine known as such?"""

import pytest

from vastflow.ledger.mount import network_type, type_of

MOUNTS = [
    "/dev/vda / ext4 rw,relatime 0 0",
    "server:/home /home nfs4 rw 0 0",
    "/dev/vdb /home/local xfs rw 0 0",
    "//server/share /mnt/our\\040files cifs rw 0 0",
    "tmpfs /home/local/run tmpfs rw 0 0",
    "server:/run /home/local/run nfs rw 0 0",
]


@pytest.mark.promise("10.6")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/flows.db", "ext4"),
        ("/home/ada/flows.db", "nfs4"),
        ("/home/local/flows.db", "xfs"),
        ("/home/locals/flows.db", "nfs4"),
        ("/homes/flows.db", "ext4"),
        ("/mnt/our files/flows.db", "cifs"),
        ("/home/local/run/flows.db", "nfs"),
    ],
)
def test_the_innermost_and_latest_mount_says_what_a_path_lies_on(path: str, kind: str) -> None:
    assert type_of(path, MOUNTS) == kind


def test_without_a_mount_that_holds_it_nobody_can_tell() -> None:
    assert type_of("/var/flows.db", ["server:/home /home nfs4 rw 0 0"]) is None


def test_memory_and_local_disks_are_no_network() -> None:
    assert network_type("/proc/self") is None
