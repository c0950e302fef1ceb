"""Which files a worker reaches: Landlock, a rule of Linux (5.13 and newer) that a process makes for itself.

In: the permissions of the process, and the places that Python reads from. Out: a thread, and all that it starts, that
can open nothing else, and that cannot look into processes outside (`/proc/PID/mem`, `environ`). The system calls have
no function in the C library: https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from typing import Final

__all__ = ["landlock_version", "restrict_files"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH, _VERSION, _NO_NEW_PRIVS = 1, 1, 38

#: Rights of the first version: EXECUTE, READ_FILE and READ_DIR.
READING: Final = 1 << 0 | 1 << 2 | 1 << 3
#: WRITE_FILE, REMOVE_DIR to MAKE_SYM; then REFER of version 2 and TRUNCATE of version 3.
WRITING: Final = (1 << 1) | sum(1 << bit for bit in range(4, 13))
_REFER: Final = 1 << 13
_LATER: Final = ((2, _REFER), (3, 1 << 14))
#: MAKE_BLOCK, which a domain that closes nothing has a rule for, because there are none without any.
_SOMETHING: Final = 1 << 11

#: Where the system's libraries and devices are, and what it says of itself.
SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/bin", "/opt", "/proc/self", "/proc/sys"),
    *("/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm"),
)
#: The settings that libraries read; others, as `shadow`, have passwords, which Linux lets a worker of root read.
SETTINGS: Final = tuple(
    f"/etc/{name}"
    for name in (
        "alternatives ca-certificates ca-certificates.conf crypto-policies debian_version default/locale fonts "
        "gai.conf group host.conf hostname hosts inputrc ld.so.cache ld.so.conf ld.so.conf.d locale.alias locale.conf "
        "localtime lsb-release machine-id magic matplotlibrc mime.types nsswitch.conf OpenCL os-release passwd "
        "pki/tls/certs pki/ca-trust protocols redhat-release resolv.conf services ssl/certs ssl/openssl.cnf terminfo "
        "timezone vulkan"
    ).split()
)
SYSTEM_FILES: Final = (
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems", "/proc/uptime"),
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
)
#: Where the system tells of processes: what a worker starts reads there of itself. The memory and the environment of
#: processes outside are closed there, too.
PROCESSES: Final = "/proc"
#: Where named memory lies that processes share, which is no business of one that has no processes.
SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108  to read only


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def landlock_version() -> int:
    """Return the version of Landlock that the system has; 0 where it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)))


def restrict_files(granted: frozenset[str]) -> None:
    """Let this thread, and what it starts, open only what Python needs, to read; this cannot be undone.

    Also with all permissions it is in a domain of its own, from which the memory of processes outside is closed.

    Args:
        granted: The permissions of the process; with `read` it may read anything, with `write` change anything.
    """
    version = landlock_version()
    closed = (0 if "read" in granted else READING) | (0 if "write" in granted else _writing_rights(version))
    opened = _open_rights(version, granted)
    if not version:
        return
    libc = ctypes.CDLL(None)
    rules = _Ruleset(closed | opened)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(ctypes.sizeof(rules)), 0)
    if ruleset < 0:
        return
    shared = [SHARED_MEMORY] if {"write", "processes"} & granted else []
    places = (*_readable_places(), *shared, *([PROCESSES] if "processes" in granted else []))
    for place, rights in (*((each, closed & READING) for each in places), ("/", opened)):
        with contextlib.suppress(OSError):
            _allow(libc, ruleset, place, rights)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _open_rights(version: int, granted: frozenset[str]) -> int:
    """Name rights that hold everywhere, so that a domain which closes nothing can exist, and files can be moved."""
    if "write" not in granted:
        return 0
    return _SOMETHING | (_REFER if version >= 2 else 0)  # Every domain refuses to move files to another folder.


def _writing_rights(version: int) -> int:
    return WRITING | sum(right for since, right in _LATER if version >= since)


def _readable_places() -> Iterator[str]:
    yield from SYSTEM
    yield from SETTINGS
    yield from SYSTEM_FILES
    yield from {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    yield from (place or "." for place in sys.path)
    # The working directory may have been removed, and then has no name: its dot may still be opened, or not.
    yield from (".", "/tmp", "/var/tmp", os.environ.get("TMPDIR", "/tmp"))  # noqa: S108  to read only


def _allow(libc: ctypes.CDLL, ruleset: int, place: str, rights: int) -> None:
    """Allow something beneath a folder, or for a file; a rule that allows nothing is none."""
    descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        is_folder = os.path.isdir(place)
        rule = _PathBeneath(rights if is_folder else rights & ~(1 << 3), descriptor)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
