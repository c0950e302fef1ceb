"""Memory between inaccessible pages: an access outside of an array crashes there, or is seen afterwards.

In: a dtype, a shape, and a side. Out: an array that touches an inaccessible page at its end or at its beginning. The
bytes that are left of its pages on the other side, its red zone, are filled, and compared after the call. The guard
pages are a second net, for code without checks: in a worker a crash is an outcome like any other. Pages are kept and
used again.
"""

from __future__ import annotations

import ctypes
import functools
import math
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

__all__ = ["KEPT_BYTES", "PAGE", "GuardedArrays", "RedZone", "map_guarded_bytes"]

PAGE: Final = mmap.PAGESIZE
#: Pages that are kept for the next array, in bytes.
KEPT_BYTES: Final = 64 << 20

_FILLING: Final = b"\xa5" * PAGE
_FILLED: Final = np.frombuffer(_FILLING, np.uint8)
_PROT_NONE: Final = 0


@dataclass(slots=True)
class RedZone:
    """The bytes beside an array that no call may touch."""

    memory: Any

    def fill(self) -> None:
        """Give the bytes the pattern that they have to keep."""
        self.memory[:] = _FILLED[: self.memory.size]

    def was_written(self) -> bool:
        """Whether the bytes have lost their pattern since they were filled; they are filled again."""
        if self.memory.tobytes() == _FILLING[: self.memory.size]:
            return False
        self.fill()
        return True


class GuardedArrays:
    """Guarded memory for the arrays of one call at a time.

    An array may get the pages of an earlier array of the same name and side, so only the latest one is good.
    """

    def __init__(self) -> None:
        self._pages: dict[tuple[str, int, bool], Any] = {}
        self._kept = 0

    def array(self, name: str, dtype: Any, shape: tuple[int, ...], at_end: bool) -> tuple[Any, RedZone] | None:
        """Place an array between guard pages.

        Args:
            name: The argument that the array is for.
            dtype: A NumPy dtype.
            shape: The array's shape.
            at_end: Whether the array's end touches the inaccessible page, or its beginning does.

        Returns:
            The array, with arbitrary contents, and its red zone; None where no page can be made inaccessible.
        """
        if _protect() is None:
            return None
        size = dtype.itemsize * math.prod(shape)
        room = max(PAGE, -(-size // PAGE) * PAGE)
        pages = self._take_bytes(name, room, at_end)
        start = room - size if at_end else 0
        zone = RedZone(pages[:start] if at_end else pages[size:])
        zone.fill()
        return np.ndarray(shape, dtype, pages, start), zone

    def _take_bytes(self, name: str, room: int, at_end: bool) -> Any:
        """Return the kept bytes of an earlier array of this name, size and side, or new ones."""
        pages = self._pages.get((name, room, at_end))
        if pages is None:
            pages = map_guarded_bytes(room)
            if self._kept + room > KEPT_BYTES:
                self._pages.clear()
                self._kept = 0
            if room <= KEPT_BYTES:
                self._pages[name, room, at_end] = pages
                self._kept += room
        return pages


def map_guarded_bytes(room: int) -> Any:
    """Map bytes between two inaccessible pages.

    Args:
        room: The number of bytes, a multiple of `PAGE`.

    Returns:
        An array of bytes that keeps the mapping.

    Raises:
        OSError: The system refuses to make a page inaccessible.
    """
    # The mapping is private, so that no forked process shares it.
    mapping = mmap.mmap(-1, room + 2 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    whole = np.frombuffer(mapping, np.uint8)
    protect = _protect()
    assert protect is not None
    for page in (whole.ctypes.data, whole.ctypes.data + PAGE + room):
        if protect(page, PAGE, _PROT_NONE) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    return whole[PAGE : PAGE + room]


@functools.cache
def _protect() -> Callable[[int, int, int], int] | None:
    """Return the function `mprotect(2)` of the C library, or None where the library has none."""
    try:
        function: Any = ctypes.CDLL(None, use_errno=True).mprotect
    except (OSError, AttributeError, TypeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    call: Callable[[int, int, int], int] = function
    return call
