"""Landlock by itself, without the filter of system calls: which files a process reaches that has restricted itself."""

import errno
import os
import socket
import sys
from pathlib import Path

import pytest

from symbiont_jit.isolate.landlock import landlock_version, restrict_files
from tests.child import in_child
from tests.isolate.served import ask

TRIES = {
    "write a file": lambda folder: os.open(folder / "file", os.O_WRONLY),
    "shorten a file": lambda folder: os.truncate(folder / "file", 0),
    "remove a file": lambda folder: os.unlink(folder / "file"),
    "make a file": lambda folder: os.open(folder / "new", os.O_CREAT | os.O_RDONLY),
    "make a folder": lambda folder: os.mkdir(folder / "new"),
    "remove a folder": lambda folder: os.rmdir(folder / "empty"),
    "make a link": lambda folder: os.symlink("file", folder / "new"),
    "link a file": lambda folder: os.link(folder / "file", folder / "new"),
    "rename a file": lambda folder: os.rename(folder / "file", folder / "new"),
    "move a file": lambda folder: os.rename(folder / "file", folder / "empty" / "file"),
    "make a pipe": lambda folder: os.mkfifo(folder / "new"),
    "make a socket": lambda folder: socket.socket(socket.AF_UNIX).bind(str(folder / "new")),
    "read what has passwords": lambda folder: os.open("/etc/shadow", os.O_RDONLY),
    "read about the kernel's modules": lambda folder: os.listdir("/sys/module"),
    "read a folder of nobody's": lambda folder: os.listdir("/var/lib"),
}
NEEDS = {"shorten a file": 3}
OPEN = {
    "read a file": lambda folder: (folder / "file").read_text(),
    "read a folder": lambda folder: os.listdir(folder),
    "read a module": lambda folder: Path(os.__file__).read_text()[:1],
    "read a library": lambda folder: os.listdir("/usr/lib"),
    "read a setting": lambda folder: Path("/etc/passwd").read_text()[:1],
    "read about processors": lambda folder: os.listdir("/sys/devices/system/cpu"),
    "read a device": lambda folder: os.close(os.open("/dev/urandom", os.O_RDONLY)),
    "read about itself": lambda folder: Path("/proc/self/status").read_text()[:1],
    "run a program": lambda folder: os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn("/bin/true", ["t"], {}), 0)[1]),
}


@pytest.fixture
def folder(tmp_path):
    """A folder with a file and an empty folder."""
    (tmp_path / "file").write_text("as it was")
    (tmp_path / "empty").mkdir()
    return tmp_path


def try_in_child(act, folder, granted):
    """The errno of something that a restricted process does, 0 where it works."""

    def work():
        restrict_files(frozenset(granted))
        try:
            act(folder)
        except OSError as error:
            return errno.errorcode[error.errno]
        return "works"

    return in_child(work)


def require(version):
    """Leave a test out where Landlock is too old."""
    if landlock_version() < version:
        pytest.skip("this Linux has no Landlock")


@pytest.mark.parametrize("name", TRIES)
def test_what_is_closed(name, folder):
    """Whatever changes a file, and all that Python does not read from, is refused, and nothing has happened."""
    require(NEEDS.get(name, 1))
    assert try_in_child(TRIES[name], folder, ()) in ("EACCES", "EXDEV")
    assert sorted(path.name for path in folder.iterdir()) == ["empty", "file"]
    assert (folder / "file").read_text() == "as it was"


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open(name, folder):
    """What Python reads from can be read, and what a permission for processes needs can be run."""
    require(1)
    assert try_in_child(OPEN[name], folder, ()) == "works"


@pytest.mark.parametrize("name", TRIES)
def test_what_permissions_open(name, folder):
    """With both permissions nothing is closed: what fails then fails for another reason."""
    require(1)
    assert try_in_child(TRIES[name], folder, ("read", "write")) not in ("EXDEV",)
    if name.startswith(("write", "make", "remove", "move")):
        require(2)
        assert try_in_child(TRIES[name], folder, ("write",)) in ("works", "EEXIST", "ENOENT", "EADDRINUSE")


@pytest.mark.parametrize("granted", [(), ("read",), ("write",), ("read", "write", "network", "processes")])
def test_the_memory_of_others_is_closed(granted, folder):
    """No permission opens the memory of the parent, to write or to read."""
    require(1)
    for flags in (os.O_RDWR, os.O_RDONLY):
        act = lambda _: os.open(f"/proc/{os.getppid()}/mem", flags)  # noqa: B023, E731
        assert try_in_child(act, folder, granted) == "EACCES"


def test_a_working_directory_that_was_removed(tmp_path):
    """Who stands in a folder that is no more is restricted like others."""
    require(1)

    def stand_nowhere(folder):
        os.mkdir(folder / "gone")
        os.chdir(folder / "gone")
        os.rmdir(folder / "gone")

    def work():
        stand_nowhere(tmp_path)
        restrict_files(frozenset())
        with pytest.raises(PermissionError) as refused:
            os.listdir("/var/lib")
        return errno.errorcode[refused.value.errno]

    assert in_child(work) == "EACCES"


def test_where_python_reads_from_is_readable(folder, monkeypatch):
    """A place of `sys.path` can be read, wherever it is."""
    require(1)
    monkeypatch.setattr(sys, "path", [*sys.path, "/var/lib"])
    assert try_in_child(TRIES["read a folder of nobody's"], folder, ()) == "works"


@pytest.mark.parametrize("name", ["read the parent's environment", "open the parent's memory", "read another's file"])
def test_what_landlock_closes(worker, tmp_path, name):
    """What Python does not read from is closed, and so is all that other processes are made of."""
    if not landlock_version():
        pytest.skip("this Linux has no Landlock")
    assert errno.errorcode.get(ask(worker, "refused", name, str(tmp_path))) == "EACCES"
