"""Memory between inaccessible pages: an access outside of an array crashes there, or is seen afterwards.

In: a dtype, a shape, and a side. Out: an array that touches an inaccessible page at its end or at its beginning; what
is left of its pages on the other side, the margin, is filled, and looked at after the call. This is a second net, for
code without checks: in a worker a crash is an outcome like any other. Pages are kept and used again.
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

__all__ = ["KEPT_BYTES", "PAGE", "Fences", "Margin", "fenced"]

PAGE: Final = mmap.PAGESIZE
#: Pages that are kept for the next array, in bytes.
KEPT_BYTES: Final = 64 << 20

_FILLING: Final = b"\xa5" * PAGE
_FILLED: Final = np.frombuffer(_FILLING, np.uint8)
_PROT_NONE: Final = 0


@dataclass(slots=True)
class Margin:
    """Bytes beside an array that belong to nobody."""

    memory: Any

    def fill(self) -> None:
        """Make it as it has to stay."""
        self.memory[:] = _FILLED[: self.memory.size]

    def was_written(self) -> bool:
        """Whether somebody has written to it; afterwards it is as before."""
        if self.memory.tobytes() == _FILLING[: self.memory.size]:
            return False
        self.fill()
        return True


class Fences:
    """Fenced memory for the arrays of one call: the next array of the same name and side may get the same pages."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, int, bool], Any] = {}
        self._kept = 0

    def array(self, name: str, dtype: Any, shape: tuple[int, ...], at_end: bool) -> tuple[Any, Margin] | None:
        """An array for the argument of this name, and its margin; None where no page can be made inaccessible."""
        if _protect() is None:
            return None
        size = dtype.itemsize * math.prod(shape)
        room = max(PAGE, -(-size // PAGE) * PAGE)
        pages = self._some(name, room, at_end)
        start = room - size if at_end else 0
        margin = Margin(pages[:start] if at_end else pages[size:])
        margin.fill()
        return np.ndarray(shape, dtype, pages, start), margin

    def _some(self, name: str, room: int, at_end: bool) -> Any:
        """Pages that were kept, or new ones."""
        pages = self._pages.get((name, room, at_end))
        if pages is None:
            pages = fenced(room)
            if self._kept + room > KEPT_BYTES:
                self._pages.clear()
                self._kept = 0
            if room <= KEPT_BYTES:
                self._pages[name, room, at_end] = pages
                self._kept += room
        return pages


def fenced(room: int) -> Any:
    """So many bytes between two inaccessible pages, as an array that keeps the mapping."""
    # Private, so that no fork shares it.
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
    """`mprotect(2)`, where there is one."""
    try:
        function: Any = ctypes.CDLL(None, use_errno=True).mprotect
    except (OSError, AttributeError, TypeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    call: Callable[[int, int, int], int] = function
    return call
