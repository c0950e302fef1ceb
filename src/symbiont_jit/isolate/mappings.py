"""What a forked worker keeps of the memory that its parent shares with others: copies of its own.

In: the permissions of the process. Out: the same addresses with the same values, where nothing that is written reaches
a file or another process. A file that is mapped to be written (`numpy.memmap`), shared memory and the like would
otherwise be the parent's own.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["own_shared_mappings"]

_FIXED: Final = 0x10
_FAILED: Final = ctypes.c_void_p(-1).value
#: The most bytes of one mapping that are copied where no file has them; of longer ones the worker has zeros.
MAX_COPIED: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class _Mapping:
    """A line of `/proc/self/maps`."""

    begin: int
    size: int
    offset: int
    device: int
    inode: int
    path: str

    @property
    def is_device(self) -> bool:
        """Whether hardware is behind it, which is left alone."""
        return self.path.startswith(("/dev/", "[")) and not self.path.startswith(("/dev/shm/", "/dev/zero"))  # noqa: S108


def own_shared_mappings(granted: frozenset[str], own: str) -> None:
    """Put private mappings in place of those that are shared and can be written.

    Args:
        granted: The permissions of the process; with `write` the user's mappings stay.
        own: The name of the harness's mappings, of which none stays.
    """
    for mapping in list(_shared_mappings()):
        if own in mapping.path or not ("write" in granted or mapping.is_device):
            _replace(mapping)


def _shared_mappings() -> Iterator[_Mapping]:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
            place, rights, offset, device, inode, *path = line.split(None, 5)
            if rights[1] == "w" and rights[3] == "s":
                begin, end = (int(number, 16) for number in place.split("-"))
                major, minor = (int(number, 16) for number in device.split(":"))
                where = os.makedev(major, minor)
                yield _Mapping(begin, end - begin, int(offset, 16), where, int(inode), path[0] if path else "")


def _replace(mapping: _Mapping) -> None:
    """Map the file again, or a copy of the bytes, at the same address; nobody but this thread runs yet."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    rights = mmap.PROT_READ | mmap.PROT_WRITE
    file = _open_again(mapping)
    if file is not None:
        flags = mmap.MAP_PRIVATE | _FIXED
        libc.mmap(mapping.begin, mapping.size, rights, flags, file, mapping.offset)
        os.close(file)
        return
    data = ctypes.string_at(mapping.begin, mapping.size) if mapping.size <= MAX_COPIED else b""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _FIXED
    if libc.mmap(mapping.begin, mapping.size, rights, flags, -1, 0) != _FAILED:
        ctypes.memmove(mapping.begin, data, len(data))


def _open_again(mapping: _Mapping) -> int | None:
    """Open the file behind a mapping to be read; None where there is none, or another one of its name."""
    if not mapping.inode or mapping.path.endswith(" (deleted)"):
        return None
    try:
        file = os.open(mapping.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    found: Any = os.fstat(file)
    if found.st_ino == mapping.inode and found.st_dev == mapping.device:
        return file
    os.close(file)
    return None
