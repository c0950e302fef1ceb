"""What is behind the number of a descriptor: whether it still is what was opened.

In: a descriptor. Out: its identity, with which the number is compared before it is read, written or closed. A program
that becomes a daemon closes all that is open, and opens files of its own, which get the same numbers.
"""

from __future__ import annotations

import contextlib
import os

__all__ = ["Identity", "close_own", "identify", "is_still"]

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
