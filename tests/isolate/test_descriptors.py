"""What a forked worker keeps of the files that its parent has open."""

import errno
import os
import resource
import socket
from pathlib import Path

import pytest

from symbiont_jit.errors import UsageError
from symbiont_jit.isolate import descriptors
from symbiont_jit.isolate.sandbox import FILES
from symbiont_jit.isolate.worker import Worker


@pytest.fixture
def opened(tmp_path):
    """What a parent may have open: a file at a position, both ends of a pipe, and a socket."""
    path = tmp_path / "file"
    path.write_text("0123456789")
    file = os.open(path, os.O_RDWR)
    os.lseek(file, 4, os.SEEK_SET)
    reader, writer = os.pipe()
    here, there = socket.socketpair()
    yield {"file": file, "reader": reader, "writer": writer, "socket": there.fileno(), "other end": here}
    for descriptor in (file, reader, writer):
        os.close(descriptor)
    here.close()
    there.close()


def reach(descriptors):
    """What a worker gets of its parent's file, and from writing to all descriptors."""
    found = os.read(descriptors["file"], 2).decode()
    outcomes = {}
    for name, descriptor in descriptors.items():
        try:
            outcomes[name] = os.write(descriptor, b"overwritten")
        except OSError as error:
            outcomes[name] = errno.errorcode[error.errno]
    return found, outcomes


def test_nothing_that_is_open_can_be_written(opened):
    """A forked worker reads on in a file of the parent's, which moves nothing there, and writes to nothing."""
    other_end = opened.pop("other end")
    other_end.setblocking(False)
    worker = Worker(reach)
    try:
        found, outcomes = worker.ask(opened, 10.0).value
    finally:
        worker.close()
    assert found == "45"
    assert outcomes == dict.fromkeys(opened, "EBADF")
    assert os.lseek(opened["file"], 0, os.SEEK_CUR) == 4
    assert os.pread(opened["file"], 20, 0) == b"0123456789"
    with pytest.raises(BlockingIOError):
        other_end.recv(1)


def write_to(numbers):
    """What comes of writing to descriptors."""
    return reach({"file": os.open("/dev/zero", os.O_RDONLY), **numbers})[1]


@pytest.mark.parametrize("device", ["/dev/full", "/dev/urandom"])
def test_no_device_can_be_written(device):
    """A device that the parent has open does nothing that a worker says."""
    opened = os.open(device, os.O_WRONLY)
    worker = Worker(write_to)
    try:
        assert worker.ask({device: opened}, 10.0).value[device] == "EBADF"
    finally:
        worker.close()
        os.close(opened)


def test_a_worker_opens_no_thousands_of_files():
    """Each pipe is memory of the kernel's, which no limit of memory counts."""
    worker = Worker(lambda _: list(resource.getrlimit(resource.RLIMIT_NOFILE)))
    try:
        assert max(worker.ask(None, 10.0).value) <= FILES + FILES // 2
    finally:
        worker.close()


def test_a_system_that_does_not_list_what_is_open(monkeypatch):
    """A forked worker that cannot give up what its parent has open does not begin, and says what to do."""
    monkeypatch.setattr(descriptors, "_OPEN", Path("/proc/none"))
    worker = Worker(reach)
    with pytest.raises(UsageError, match="/proc/none is missing: mount /proc, or use start_method='spawn'"):
        worker.ask(None, 10.0)
    worker.close()
