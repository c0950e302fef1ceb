"""What a forked worker keeps of the files that its parent has open."""

import errno
import os
import socket

import pytest

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
