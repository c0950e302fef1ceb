"""The dispatch cell: eight bytes that hold the address of the active code.

In: addresses. Out: an address that compiled loops read at every call. A reader does one acquire load and one
indirect call (`numba_types`); a swap is one store.
"""

from __future__ import annotations

import ctypes

__all__ = ["Cell"]


class Cell:
    """One aligned 8-byte slot. Its own address never changes; what it holds may, at any moment."""

    __slots__ = ("_slot", "address")

    def __init__(self, target: int = 0) -> None:
        # malloc aligns to 16 bytes, so the slot never straddles a cache line and a store to it is never torn.
        self._slot = ctypes.c_uint64(target)
        self.address = ctypes.addressof(self._slot)
        if self.address % 8:
            raise MemoryError("the dispatch cell is not aligned to 8 bytes")

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        return self._slot.value

    def store(self, target: int) -> None:
        """Send every later call to `target`.

        An aligned 8-byte store is atomic on every 64-bit machine Numba runs on. It also publishes the code: the
        loader changed the memory's protection by system calls before, which order all earlier writes.
        """
        self._slot.value = target
