"""What a forked worker keeps of the memory that its parent shares with others: copies of its own.

In: the permissions of the process. Out: the same addresses with the same values, where nothing that is written reaches
a file or another process. A file that is mapped (`numpy.memmap`), shared memory and the like would otherwise be the
parent's own, also where they are mapped to be read: `mprotect` makes a mapping writable whose file was opened so.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["FAILED", "memory_library", "own_shared_mappings"]

#: What `mmap` and `mremap` return where they fail.
FAILED: Final = ctypes.c_void_p(-1).value
_NO_RESERVE: Final = 0x4000
#: Flags of `mremap`: the bytes get another address, which is given.
_MOVE: Final = 1 | 2
_RIGHTS: Final = {"r": mmap.PROT_READ, "w": mmap.PROT_WRITE, "x": mmap.PROT_EXEC}
#: The most bytes of one mapping that are copied where no file has them; of longer ones the worker has zeros.
MAX_COPIED: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class _Mapping:
    """A line of `/proc/self/maps`."""

    begin: int
    size: int
    rights: int
    offset: int
    device: int
    inode: int
    path: str

    @property
    def is_device(self) -> bool:
        """Whether hardware is behind it, which is left alone; `/dev` also has the names of memory."""
        if not self.path.startswith("/dev/") or self.path.startswith("/dev/zero"):
            return False
        try:
            return stat.S_ISCHR(os.stat(self.path).st_mode)
        except OSError:
            return not self.path.endswith(" (deleted)")


def own_shared_mappings(granted: frozenset[str], own: str) -> None:
    """Put private mappings in place of those that are shared, with the same protection.

    Args:
        granted: The permissions of the process; with `write` the user's mappings stay.
        own: The name of the harness's mappings, of which none stays.

    Raises:
        OSError: The system has no memory for a copy, or does not say what is mapped.
    """
    for mapping in list(_shared_mappings()):
        if own in mapping.path or not ("write" in granted or mapping.is_device):
            _replace(mapping)


def _shared_mappings() -> Iterator[_Mapping]:
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        place, rights, offset, device, inode, *path = line.split(None, 5)
        if rights[3] == "s":
            begin, end = (int(number, 16) for number in place.split("-"))
            protection = sum(_RIGHTS.get(letter, 0) for letter in rights[:3])
            where = os.makedev(*(int(number, 16) for number in device.split(":")))
            about = int(offset, 16), where, int(inode), path[0] if path else ""
            yield _Mapping(begin, end - begin, protection, *about)


def _replace(mapping: _Mapping) -> None:
    """Map the file again, or a copy of the bytes, at the same address; nobody but this thread runs yet.

    It is made elsewhere and then moved, so that nothing is lost where it cannot be made.
    """
    libc = memory_library()
    made = _map_file(libc, mapping) or _map_copy(libc, mapping)
    if libc.mremap(made, mapping.size, mapping.size, _MOVE, mapping.begin) == FAILED:
        raise OSError(ctypes.get_errno(), f"memory that is shared cannot be replaced ({mapping.path})")


def memory_library() -> ctypes.CDLL:
    """Load the C library with the types of its functions for memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p]
    libc.process_vm_readv.restype = ctypes.c_ssize_t
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return libc


def _map_file(libc: ctypes.CDLL, mapping: _Mapping) -> int | None:
    """Map the file behind a mapping so that it is not written, and copy nothing; None where it cannot be had."""
    file = _open_again(mapping)
    if file is None:
        return None
    try:
        made = libc.mmap(None, mapping.size, mapping.rights, mmap.MAP_PRIVATE, file, mapping.offset)
    finally:
        os.close(file)
    return None if made == FAILED else int(made)


def _map_copy(libc: ctypes.CDLL, mapping: _Mapping) -> int:
    """Map a copy of the bytes, as far as there are any: a file may have become shorter than its mapping."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    made = libc.mmap(None, mapping.size, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
    if made == FAILED:
        raise OSError(ctypes.get_errno(), f"no memory for a copy of what is shared ({mapping.path})")
    if mapping.size <= MAX_COPIED:
        libc.mprotect(mapping.begin, mapping.size, mapping.rights | mmap.PROT_READ)
        _copy(libc, mapping.begin, made, mapping.size)
    libc.mprotect(made, mapping.size, mapping.rights)
    return int(made)


class _Bytes(ctypes.Structure):
    """Where bytes are, and how many (`struct iovec`)."""

    _fields_ = (("begin", ctypes.c_void_p), ("size", ctypes.c_size_t))


def _copy(libc: ctypes.CDLL, begin: int, target: int, size: int) -> None:
    """Copy what can be read; the system reads it, because a fault here would end the process."""
    done = 0
    while done < size:
        part = _Bytes(target + done, size - done), _Bytes(begin + done, size - done)
        copied = libc.process_vm_readv(os.getpid(), ctypes.byref(part[0]), 1, ctypes.byref(part[1]), 1, 0)
        if copied < 0 and ctypes.get_errno() != errno.EFAULT:  # Somebody's sandbox refuses the call.
            ctypes.memmove(target + done, begin + done, size - done)
            return
        done += copied if copied > 0 else mmap.PAGESIZE


def _open_again(mapping: _Mapping) -> int | None:
    """Open the file behind a mapping to be read; None where there is none, or another one of its name."""
    if not mapping.inode or mapping.path.endswith(" (deleted)"):
        return None
    try:
        file = os.open(mapping.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    found = os.fstat(file)
    if found.st_ino == mapping.inode and found.st_dev == mapping.device:
        return file
    os.close(file)
    return None
