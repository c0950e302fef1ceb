"""What is behind a number that the system gives out again: whether it still is what was opened, or started.

In: a descriptor or a process. Out: its identity, with which the number is compared before it is used. A program that
becomes a daemon closes all that is open, and opens files of its own, which get the same numbers; where SIGCHLD is
ignored, or something else waits for all children, so do processes.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["Identity", "close_own", "identify", "is_still", "read_birth", "read_status"]

#: The device and the number of a file, a pipe or a socket.
Identity = tuple[int, int]


def identify(number: int) -> Identity:
    """Return what is behind a number now; raise `OSError` where that is nothing."""
    found = os.fstat(number)
    return found.st_dev, found.st_ino


def is_still(number: int, identity: Identity) -> bool:
    """Whether a number still is what it was."""
    with contextlib.suppress(OSError):
        return identify(number) == identity
    return False


def close_own(number: int, identity: Identity) -> None:
    """Close a descriptor, unless its number is somebody else's by now."""
    if is_still(number, identity):
        os.close(number)


def read_status(process: int | str) -> list[str]:
    """Read what the system says of a process, from its state and its parent on; nothing where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def read_birth(process: int) -> str:
    """Read when a process has started, by which it is told from another one that gets its number.

    The text is empty where the system says nothing, and then also for all others.
    """
    return "".join(read_status(process)[19:20])
