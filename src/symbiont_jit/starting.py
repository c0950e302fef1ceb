"""Starting what a system may have no room for at the moment: processes, and what they need.

In: a function that starts something. Out: what it returns, once the system has room.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

__all__ = ["FULL", "insist"]

_T = TypeVar("_T")

#: What the system says where it starts no more processes, has no memory for one, or opens no more files.
FULL: Final = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def insist(start: Callable[[], _T], waits: Sequence[float]) -> _T:
    """Start something, again after some waits where the system is full, as it may be for moments only.

    Args:
        start: Starts it.
        waits: The seconds before each further attempt; nobody who waits should hold a lock.

    Returns:
        What `start` returns.

    Raises:
        OSError: The system stays full, or refuses for another reason.
    """
    for seconds in waits:
        try:
            return start()
        except OSError as error:
            if error.errno not in FULL:
                raise
            time.sleep(seconds)
    return start()
