"""Panics as records of C -> panics in words, on the lines of the text that they happened in.

In: the panic table that instrumented code writes to, the revisions whose code was loaded, and the declared functions.
Out: `Panic`.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

from symbiont_jit.engine.functions import DeclaredFunctions
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.runtime.checks import UNEVOLVED
from symbiont_jit.runtime.panics import Panic, PanicReport, PanicTable, panic_of, unpack_sites
from symbiont_jit.runtime.sources import NUMBERS

__all__ = ["PanicReader"]


@dataclass(slots=True, eq=False)
class PanicReader:
    """Reads one engine's panic table; a record names its revision by `identity`."""

    functions: DeclaredFunctions
    table: PanicTable = field(default_factory=PanicTable)
    _by_identity: weakref.WeakValueDictionary[int, RevisionInfo] = field(default_factory=weakref.WeakValueDictionary)

    def remember(self, info: RevisionInfo) -> None:
        """Remember a revision whose code is about to be loaded, so that its panics can be read."""
        self._by_identity[info.identity] = info

    def take(self, info: RevisionInfo | None = None) -> Panic | None:
        """Take the newest panic of this thread out of the table: of any revision, or of one."""
        report = self.table.take(None if info is None else info.identity)
        return None if report is None else self.panic_of(report)

    def panic_of(self, report: PanicReport) -> Panic:
        """Put a report into words."""
        if report.revision == NUMBERS["SJ_ANY_REVISION"]:
            return Panic("unknown", "the panics of other threads replaced this one")
        if report.site == UNEVOLVED:
            name = self.functions.signatures[report.a].name
            return Panic("unevolved", f"{name!r} has no body yet; give it one with swap(), source= or a search")
        found = self._by_identity.get(report.revision)
        if found is None:
            return Panic("unknown", "a candidate that is gone panicked")
        return panic_of(unpack_sites(found.sites), report.site, report.a, report.b, found.author_text)
