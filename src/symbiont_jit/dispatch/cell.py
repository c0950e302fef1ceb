"""The dispatch cell: eight bytes that hold the address of the active code, and a count of who may be reading them.

In: addresses. Out: an address that compiled loops read at every call. A reader does one acquire load and one
indirect call (`numba_types`); a swap is one store.
"""

from __future__ import annotations

import ctypes

__all__ = ["Cell"]


class Cell:
    """One aligned slot. Its own address never changes; what it holds may, at any moment.

    The eight bytes behind it count the compiled functions that were entered with this cell as an argument and have not
    returned: they may be inside the code that the slot holds, or held since they were entered.
    """

    __slots__ = ("_words", "address")

    def __init__(self, target: int = 0) -> None:
        # malloc aligns to 16 bytes, so the slot never straddles a cache line and a store to it is never torn.
        self._words = (ctypes.c_uint64 * 2)(target, 0)
        self.address = ctypes.addressof(self._words)
        if self.address % 8:
            raise MemoryError("the dispatch cell is not aligned to 8 bytes")

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        return self._words[0]

    @property
    def users(self) -> int:
        """How many compiled functions have been entered with this cell and have not returned."""
        return self._words[1]

    def store(self, target: int) -> None:
        """Send every later call to `target`.

        An aligned 8-byte store is atomic on every 64-bit machine Numba runs on. It also publishes the code: the
        loader changed the memory's protection by system calls before, which order all earlier writes.
        """
        self._words[0] = target
