"""The dispatch cell: eight bytes that hold the address of the active code, and a count of who may be reading them.

In: addresses. Out: an address that compiled loops read at every call. A reader does one acquire load and one
indirect call (`numba_types`); a swap is one store. The functions of a group share one slot, which holds the address of
a table with a cell for each: a swap of all is one store too.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

__all__ = ["CELL_BYTES", "Cell", "MemberCell", "Table"]

_WORDS_OF_CELL: Final = 4
CELL_BYTES: Final = 8 * _WORDS_OF_CELL


class _Words:
    """Aligned words of memory: two that differ by kind, between them a count of users; the fourth is a panic table."""

    __slots__ = ("_words", "address")

    #: Whether a reader goes through a slot and a table.
    is_member = False

    def __init__(self, *words: int) -> None:
        # malloc aligns to 16 bytes, so a word never straddles a cache line and a store to it is never torn.
        self._words = (ctypes.c_uint64 * len(words))(*words)
        self.address = ctypes.addressof(self._words)
        if self.address % 8:
            raise MemoryError("the dispatch cell is not aligned to 8 bytes")

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        raise NotImplementedError

    @property
    def panics(self) -> int:
        """The address of the table in which calls through this cell leave their panics; 0 for none."""
        return self._words[3]

    @property
    def users(self) -> int:
        """How many calls from Python have been entered with this cell and have not returned.

        They may be inside the code that it leads to, or led to since they were entered. Compiled code that has the cell
        holds a lease of its owner instead.
        """
        return self._words[1]


class Cell(_Words):
    """One slot. Its own address never changes; what it holds may, at any moment."""

    __slots__ = ()

    def __init__(self, target: int = 0, panics: int = 0) -> None:
        super().__init__(target, 0, 0, panics)

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        return self._words[0]

    def store(self, target: int) -> None:
        """Send every later call to `target`.

        An aligned 8-byte store is atomic on every 64-bit machine Numba runs on. It also publishes the code: the
        loader changed the memory's protection by system calls before, which order all earlier writes.
        """
        self._words[0] = target


class MemberCell(_Words):
    """A place in the table that a group's slot points at: the slot's address, a count of users, an offset."""

    __slots__ = ("_slot",)

    is_member = True

    def __init__(self, slot: Cell, index: int, panics: int = 0) -> None:
        super().__init__(slot.address, 0, CELL_BYTES * index, panics)
        self._slot = slot

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        table = self._slot.target
        return ctypes.c_uint64.from_address(table + self._words[2]).value if table else 0


class Table:
    """The entries of one revision of several functions, each a cell that never leads anywhere else."""

    __slots__ = ("_words", "address")

    def __init__(self, count: int, panics: int = 0) -> None:
        self._words = (ctypes.c_uint64 * (_WORDS_OF_CELL * count))(*([0, 0, 0, panics] * count))
        self.address = ctypes.addressof(self._words)

    def store(self, targets: Sequence[int]) -> None:
        """Give every entry its code; code that was unloaded and is loaded again lies elsewhere."""
        self._words[::_WORDS_OF_CELL] = list(targets)

    def target(self, index: int) -> int:
        """The code of an entry."""
        return self._words[_WORDS_OF_CELL * index]

    @property
    def places(self) -> range:
        """The address of each entry."""
        return range(self.address, self.address + ctypes.sizeof(self._words), CELL_BYTES)
