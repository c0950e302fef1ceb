"""What a forked worker keeps of the files that its parent has open: files to read, each with a position of its own.

In: the descriptors that the worker lives by. Out: the same numbers, behind which nothing of the parent's can be
written, moved or sent to: files are opened again to be read; sockets, pipes, terminals and the like become the null
device.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final

__all__ = ["OWN", "give_up_descriptors"]

#: Descriptors of the harness itself: this side's ends of all workers' pipes, and what it shares with each of them. No
#: worker gets those of another one, whatever it is permitted.
OWN: Final[set[int]] = set()

_OPEN: Final = Path("/proc/self/fd")
_STANDARD: Final = 3


def give_up_descriptors(kept: Collection[int], granted: frozenset[str]) -> None:
    """Leave a process nothing of its parent's to write to, as far as the system lists what is open.

    Args:
        kept: Descriptors that stay as they are.
        granted: The permissions of the process; with `write` files stay, with `network` sockets stay.
    """
    with contextlib.suppress(OSError):
        for number in sorted(map(int, os.listdir(_OPEN))):
            if number >= _STANDARD and number not in kept:
                with contextlib.suppress(OSError):
                    _give_up(number, granted if number not in OWN else frozenset())


def _give_up(number: int, granted: frozenset[str]) -> None:
    mode, flags = os.fstat(number).st_mode, fcntl.fcntl(number, fcntl.F_GETFL)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        if not ("write" in granted or flags & os.O_PATH):
            _reopen_to_read(number, stat.S_ISREG(mode))
    elif stat.S_ISSOCK(mode):
        if "network" not in granted:
            _replace(number, os.devnull)
    elif not stat.S_ISCHR(mode) or os.isatty(number):
        _replace(number, os.devnull)


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
