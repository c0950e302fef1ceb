"""Which revision calls go to after one has panicked: the last one that has not.

In: revisions as they are activated. Out: records in the panic table's reach, by which the call that panics changes the
cells itself, in C, before it returns (`runtime/panics.c`). So a compiled loop has the older code at its next call.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from symbiont_jit.dispatch.cell import Cell, Table
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.runtime.layout import Fallback
from symbiont_jit.runtime.panics import PanicTable
from symbiont_jit.runtime.sources import NUMBERS
from symbiont_jit.uninterrupted import Step

__all__ = ["Fallbacks"]


@dataclass(slots=True, eq=False)
class Fallbacks:
    """The revisions that were activated last, newest first, each once; where calls do not fall back there are none.

    The records stay for as long as the engine, because a thread that panics may read any of them at any time.
    """

    panics: PanicTable
    is_on: bool
    history: tuple[RevisionInfo, ...] = ()
    _records: dict[int, Fallback] = field(default_factory=dict)

    def add_steps(self, info: RevisionInfo, table: Table, cells: Sequence[Cell]) -> list[Step]:
        """Return the steps that make a revision the newest, where `cells` lead to its table and code while active."""
        if not self.is_on or info.number < 0:
            return []
        record = self._records.setdefault(info.identity, Fallback(info.identity))
        targets = (table.address, table.target(0))
        for index, (cell, target) in enumerate(zip(cells, targets, strict=False)):
            record.cells[index], record.targets[index] = cell.address, target
        history = (info, *(other for other in self.history if other is not info))[: NUMBERS["SJ_FALLBACKS"]]
        records = [self._records[other.identity] for other in history]
        for newer, older in itertools.pairwise(records):
            newer.next = ctypes.addressof(older)
        records[-1].next = 0
        return [Step(setattr, self, "history", history), self.panics.fall_back_step(record)]

    def find_active(self, slot: Cell) -> RevisionInfo | None:
        """Return the revision whose table a slot leads to, where it is one of these."""
        tables = ((info, info.state.table) for info in self.history)
        return next((info for info, table in tables if table is not None and table.address == slot.target), None)
