"""What a forked worker keeps of the files that its parent has open: files to read, each with a position of its own.

In: the descriptors that the worker lives by. Out: the same numbers, behind which nothing of the parent's can be
written, moved or sent to: files are opened again to be read; sockets, pipes, terminals and the like become the null
device.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import weakref
from collections.abc import Collection
from pathlib import Path
from typing import Final

from symbiont_jit.identity import Identity, close_own, identify, is_still

__all__ = ["OWN", "LostDescriptorError", "OwnDescriptor", "give_up_descriptors", "lift_descriptor"]

#: Descriptors of the harness itself: this side's ends of all workers' pipes, and what it shares with each of them. No
#: worker gets those of another one, whatever it is permitted.
OWN: Final[set[tuple[int, Identity]]] = set()

_OPEN: Final = Path("/proc/self/fd")
_STANDARD: Final = 3
#: Devices that give something to read and nothing to do; every other one could be written to.
_DEVICES: Final = {os.makedev(1, 5): "/dev/zero", os.makedev(1, 8): "/dev/random", os.makedev(1, 9): "/dev/urandom"}


def lift_descriptor(number: int) -> int:
    """Return a descriptor of the same file that is none of standard input, output and error.

    A program that has closed those gets their numbers for whatever it opens next, and a worker's own would go over it.
    """
    if number >= _STANDARD:
        return number
    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _STANDARD)
    finally:
        os.close(number)


class LostDescriptorError(OSError):
    """Raised where this program has closed a descriptor of the harness, which is no worker's doing."""


class OwnDescriptor:
    """A descriptor of the harness itself, closed with this object.

    A program that becomes a daemon closes all that is open, and the number is given out again. So it is looked at
    what is behind the number before it is written to or closed.

    Args:
        number: The descriptor, which is this object's from now on; it may get another number.
    """

    def __init__(self, number: int) -> None:
        self.number = lift_descriptor(number)
        self._identity = identify(self.number)
        OWN.add((self.number, self._identity))
        # `__del__` would be too late: when the interpreter ends, it may run after the end of `os`.
        self.close = weakref.finalize(self, _close, self.number, self._identity)

    @property
    def is_whole(self) -> bool:
        """Whether the number still is what it was."""
        return is_still(self.number, self._identity)

    def require(self) -> int:
        """Return the number, to be read or written at once.

        Raises:
            LostDescriptorError: It is nothing, or somebody else's, by now.
        """
        if not self.is_whole:
            raise LostDescriptorError(errno.EBADF, "this program has closed what belongs to its workers")
        return self.number


def _close(number: int, identity: Identity) -> None:
    OWN.discard((number, identity))
    close_own(number, identity)


def give_up_descriptors(kept: Collection[int], granted: frozenset[str]) -> None:
    """Leave a process nothing of its parent's to write to.

    Args:
        kept: Descriptors that stay as they are.
        granted: The permissions of the process; with `write` files and devices stay, with `network` sockets stay.

    Raises:
        OSError: The system does not list what is open.
    """
    for number in sorted(map(int, os.listdir(_OPEN))):
        if number >= _STANDARD and number not in kept:
            with contextlib.suppress(OSError):
                _give_up(number, granted)


def _give_up(number: int, granted: frozenset[str]) -> None:
    found, flags = os.fstat(number), fcntl.fcntl(number, fcntl.F_GETFL)
    mode = found.st_mode
    if (number, (found.st_dev, found.st_ino)) in OWN:
        _replace(number, os.devnull)
    elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        if not ("write" in granted or flags & os.O_PATH):
            _reopen_to_read(number, stat.S_ISREG(mode))
    elif stat.S_ISSOCK(mode):
        if "network" not in granted:
            _replace(number, os.devnull)
    elif not (stat.S_ISCHR(mode) and "write" in granted) or os.isatty(number):
        _replace(number, _DEVICES.get(found.st_rdev, os.devnull))


def _reopen_to_read(number: int, has_position: bool) -> None:
    position = os.lseek(number, 0, os.SEEK_CUR) if has_position else 0
    try:
        _replace(number, str(_OPEN / str(number)))
    except OSError:  # The system hides the descriptors of some processes.
        _replace(number, os.devnull)
        return
    if has_position:
        os.lseek(number, position, os.SEEK_SET)


def _replace(number: int, path: str) -> None:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(opened, number, inheritable=False)
    os.close(opened)
