"""The functions that evolve together: the one of a kernel, or all of a group.

In: signatures and the Python objects that call the functions. Out: what the rest of the engine knows of them. Those
objects are held weakly: they hold the engine, so that whoever has a revision does not keep its kernel.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from symbiont_jit.dispatch.cell import Cell
from symbiont_jit.dispatch.python_entry import CellCallable
from symbiont_jit.signature import Signature

__all__ = ["DeclaredFunctions"]


@dataclass(slots=True, eq=False, weakref_slot=True)
class DeclaredFunctions:
    """Signatures in the order of their declaration, and for each the cell and the Python object that calls it.

    `lock` is the engine's only lock; the child of a fork replaces it, so nobody keeps a reference to it.
    """

    signatures: list[Signature] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _callables: list[weakref.ref[CellCallable]] = field(default_factory=list)
    _handle_makers: list[weakref.WeakMethod[Callable[[Any], Any]]] = field(default_factory=list)

    def add(self, signature: Signature, cell: Cell, caller: CellCallable, make_handle: Callable[[Any], Any]) -> int:
        """Add a function and return its index; `make_handle` is a method of `caller` that makes a revision's handle."""
        self.signatures.append(signature)
        self.cells.append(cell)
        self._callables.append(weakref.ref(caller))
        self._handle_makers.append(weakref.WeakMethod(make_handle))
        return len(self.signatures) - 1

    @property
    def name(self) -> str:
        """The names of all functions, for messages."""
        return ", ".join(repr(s.name) for s in self.signatures) or "the group, which has no functions,"

    @property
    def is_group(self) -> bool:
        """Whether calls go through a slot and a table, as they do where there are several functions."""
        return len(self.signatures) > 1

    def callables(self) -> list[CellCallable | None]:
        """Return the Python object of each function; None where nobody has it any more."""
        return [reference() for reference in self._callables]

    def living_callables(self) -> list[CellCallable]:
        """Return the Python objects that somebody has."""
        return [found for found in self.callables() if found is not None]

    def handle(self, index: int, revision: Any) -> Any:
        """Return the handle that a function's Python object makes of a revision."""
        make_handle = self._handle_makers[index]()
        assert make_handle is not None, "whoever asks for a handle keeps the kernel"
        return make_handle(revision)
