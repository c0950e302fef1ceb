"""Panics as records of C -> panics in words, on the lines of the text that they happened in.

In: the panic table that guarded code writes to, and the revisions whose code was loaded. Out: `Panic`.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from symbiont_jit.engine.builds import instrument_text
from symbiont_jit.engine.functions import DeclaredFunctions
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.runtime.panics import Panic, PanicTable, panic_of

__all__ = ["PanicReader"]


@dataclass(slots=True, eq=False)
class PanicReader:
    """Reads one engine's panic table; a record names its revision by `identity`."""

    functions: DeclaredFunctions
    table: PanicTable = field(default_factory=PanicTable)
    _by_identity: weakref.WeakValueDictionary[int, RevisionInfo] = field(default_factory=weakref.WeakValueDictionary)

    def remember(self, info: RevisionInfo) -> None:
        """Know a revision whose code is about to be loaded."""
        self._by_identity[info.identity] = info

    def take(self, info: RevisionInfo | None = None) -> Panic | None:
        """The newest panic of this thread, in any revision or in one; it is forgotten."""
        record = self.table.take(None if info is None else info.identity)
        if record is None:
            return None
        found = info if info is not None else self._by_identity.get(record[0])
        if found is None:
            return Panic("unknown", "a candidate that is gone panicked")
        return panic_of(self._sites(found), *record[1:], found.source)

    def _sites(self, info: RevisionInfo) -> Any:
        """What each number in a record stands for: the places in the text that are checked."""
        return instrument_text(info.source, self.functions.signatures, info.profile).sites
