"""The dispatch cell: the address of the active code, with a count of who may be reading it.

In: addresses. Out: an address that compiled loops read at every call. A reader does one acquire load and one indirect
call (`numba/types.py`); a swap is one store. The functions of a group share one slot, which holds the address of a
table with a cell for each: a swap of all is one store too.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

from symbiont_jit.uninterrupted import Step

__all__ = ["CELL_BYTES", "Cell", "CellLayout", "MemberCell", "Table", "offset_of"]


class CellLayout(ctypes.Structure):
    """The four words of a cell; `cell.h` declares them for C and says what each means."""

    _fields_ = (
        ("target", ctypes.c_uint64),
        ("users", ctypes.c_uint64),
        ("offset", ctypes.c_uint64),
        ("panics", ctypes.c_uint64),
    )


CELL_BYTES: Final = ctypes.sizeof(CellLayout)


def offset_of(field: str) -> int:
    """Return how many bytes a field of a cell lies behind the cell's address."""
    offset: int = getattr(CellLayout, field).offset
    return offset


class _CellMemory:
    """Aligned memory of one cell, at an address that never changes."""

    __slots__ = ("_cell", "address")

    #: Whether a reader goes through a slot and a table.
    is_member = False

    def __init__(self, target: int, offset: int, panics: int) -> None:
        # malloc aligns to 16 bytes, so a word never straddles a cache line and a store to it is never torn.
        self._cell = CellLayout(target, 0, offset, panics)
        self.address = ctypes.addressof(self._cell)
        if self.address % 8:
            raise MemoryError("the dispatch cell is not aligned to 8 bytes")

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        raise NotImplementedError

    @property
    def panics(self) -> int:
        """The address of the table in which calls through this cell leave their panics; 0 for none."""
        return int(self._cell.panics)

    def count_panics(self) -> int:
        """Count the panics in that table so far, of all threads and all cells."""
        return ctypes.c_int64.from_address(self.panics).value if self.panics else 0

    @property
    def users(self) -> int:
        """The number of calls from Python that have entered through this cell and have not returned.

        These calls may be inside any code that the cell has led to since they entered. Compiled code is not counted: it
        holds a lease of the owner while it has the cell.
        """
        return int(self._cell.users)


class Cell(_CellMemory):
    """A cell that leads to code itself: its own address never changes; what it holds may, at any moment."""

    __slots__ = ()

    def __init__(self, target: int = 0, panics: int = 0) -> None:
        super().__init__(target, 0, panics)

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        return int(self._cell.target)

    def store(self, target: int) -> None:
        """Send every later call to `target`.

        An aligned 8-byte store is atomic on every 64-bit machine Numba runs on. It also publishes the code: the
        loader changed the memory's protection by system calls before, which order all earlier writes.
        """
        self._cell.target = target

    def store_step(self, target: int) -> Step:
        """Return `store` as a step for `take_at_once`."""
        return Step(setattr, self._cell, "target", target)


class MemberCell(_CellMemory):
    """A member of a group: it leads through the group's slot to its own entry of the active table."""

    __slots__ = ("_slot",)

    is_member = True

    def __init__(self, slot: Cell, index: int, panics: int = 0) -> None:
        super().__init__(slot.address, CELL_BYTES * index, panics)
        self._slot = slot

    @property
    def target(self) -> int:
        """The address that the next call goes to; 0 where there is none yet."""
        table = self._slot.target
        return int(CellLayout.from_address(table + self._cell.offset).target) if table else 0


class Table:
    """The entries of one revision of several functions, each a cell that never leads anywhere else."""

    __slots__ = ("_cells", "address")

    def __init__(self, count: int, panics: int = 0) -> None:
        self._cells = (CellLayout * count)(*(CellLayout(0, 0, 0, panics) for _ in range(count)))
        self.address = ctypes.addressof(self._cells)

    def store_steps(self, targets: Sequence[int]) -> list[Step]:
        """Return the steps that give every entry its code; code that is loaded again lies elsewhere."""
        return [Step(setattr, cell, "target", target) for cell, target in zip(self._cells, targets, strict=True)]

    def target(self, index: int) -> int:
        """Return the address of an entry's code."""
        return int(self._cells[index].target)

    @property
    def places(self) -> range:
        """The address of each entry."""
        return range(self.address, self.address + ctypes.sizeof(self._cells), CELL_BYTES)
