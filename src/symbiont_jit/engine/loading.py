"""Revision -> machine code in this process.

In: a revision. Out: object code that was loaded and bound, or what Numba made of Python bodies, with a stub for each
function that has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.dispatch.numba.bodies import PythonCode, compile_python, link_bodies
from symbiont_jit.engine.functions import DeclaredFunctions
from symbiont_jit.engine.panic_reader import PanicReader
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.engine.stubs import Stub
from symbiont_jit.runtime.faults import install_handlers
from symbiont_jit.runtime.library import BOUND, bound_names

__all__ = ["Loader"]


@dataclass(slots=True, eq=False)
class Loader:
    """Makes machine code of revisions; the stubs that it made for functions without a body are made once."""

    functions: DeclaredFunctions
    panics: PanicReader
    _stubs: dict[int, Stub] = field(default_factory=dict)

    def load(self, info: RevisionInfo) -> Loaded | tuple[PythonCode | Stub, ...]:
        """Load the code of a revision; raise `KernelError` where Numba cannot compile a body."""
        if info.object_code is None:
            return self._compile_bodies(info)
        self.panics.remember(info)
        return load(info.object_code, self._find_addresses(info.object_code, info.identity))

    def _find_addresses(self, code: ObjectCode, identity: int) -> dict[str, int]:
        """Return the addresses that instrumented code leaves open; plain code has none and needs no compiler."""
        bound = {"sj_panics": self.panics.table.address, "sj_revision": identity}
        if BOUND.isdisjoint(code.needs):
            return bound
        install_handlers()
        return {**bound, **bound_names()}

    def _compile_bodies(self, info: RevisionInfo) -> tuple[PythonCode | Stub, ...]:
        pairs = enumerate(zip(self.link(info), self.functions.signatures, strict=True))
        return tuple(compile_python(b, s) if b is not None else self._stub(i) for i, (b, s) in pairs)

    def link(self, info: RevisionInfo) -> tuple[Any, ...]:
        """Return the Python bodies of a revision as functions of Numba, which call each other without a cell."""
        if not info.state.linked:
            info.state.linked = link_bodies(info.bodies, self.functions.callables())
        return info.state.linked

    def _stub(self, index: int) -> Stub:
        known = self._stubs.get(index)
        return known or self._stubs.setdefault(index, self._make_stub(index))

    def _make_stub(self, index: int) -> Stub:
        return Stub(self.functions.signatures[index], index, self.panics.table.address)
