"""One revision of one function: a handle that is called like the kernel and stays what it is."""

from __future__ import annotations

from typing import Any

from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.dispatch.python_entry import CellCallable
from symbiont_jit.dispatch.vectorcall import PythonCall
from symbiont_jit.engine.revisions import Lineage, Version
from symbiont_jit.engine.stubs import python_call
from symbiont_jit.kernel.html import html_of
from symbiont_jit.kernel.inspect import asm_of, llvm_of, remarks_of
from symbiont_jit.runtime.panics import Panic

__all__ = ["Registered", "Revision"]


class Registered:
    """One registered text of a kernel or a group, pinned: what it is and where it is from."""

    _lineage: Lineage
    _of: Version

    @property
    def number(self) -> int:
        """Its number within the kernel or group."""
        return self._of.number

    @property
    def source(self) -> str:
        """Canonical C (of a group, of all functions), or the Python bodies."""
        return self._of.source

    @property
    def language(self) -> str:
        """`c` or `python`."""
        return self._of.language

    @property
    def origin(self) -> str:
        """Who proposed it."""
        return self._of.origin

    @property
    def profile(self) -> str:
        """What it was compiled for."""
        return self._of.profile

    @property
    def about(self) -> str:
        """Language, profile and where it came from, on one line."""
        return self._of.about

    @property
    def object_code(self) -> ObjectCode | None:
        """What was compiled; None for Python."""
        return self._of.object_code

    def inspect_llvm(self) -> str:
        """The optimised LLVM IR, at most 1 MiB of it (of a group, of all functions; of Python, Numba's)."""
        return llvm_of(self._lineage, self._of)

    def inspect_asm(self) -> str:
        """The machine code as assembly, at most 1 MiB of it (of a group, of all functions; of Python, Numba's)."""
        return asm_of(self._lineage, self._of)

    def inspect_remarks(self) -> str:
        """What clang's optimiser did and did not do with the text, by line and column of `source`; at most 200 remarks.

        Each line is `line:column: pass, done | not done | because: message`. They are about the text without the checks
        of its profile. Raises `KernelError` for a Python body.
        """
        return remarks_of(self._lineage, self._of)


class Revision(CellCallable, Registered):
    """One accepted, compiled body of a kernel, pinned; holding it keeps its machine code loaded.

    `number` counts from 0 within the kernel, `source` is canonical C (or Python, see `language`), `origin` says who
    proposed it, `object_code` is what was compiled (None for Python).
    """

    def __init__(self, lineage: Lineage, version: Version, index: int = 0) -> None:
        super().__init__(lineage.signatures[index], lineage.panics.address)
        self._lineage = lineage
        self._of = version
        self._index = index
        self._hold = lineage.hold(version)
        # A member's handle is of the member's type: it has a slot of its own, which holds its table for good.
        self._slot = Cell()
        if lineage.is_group:
            self._cell = MemberCell(self._slot, index, lineage.panics.address)

    @property
    def c_prototype(self) -> str:
        """The C prototype of the function."""
        return self.signature.c_prototype

    @property
    def entry_address(self) -> int:
        """The address of the native entry; valid while this revision is held."""
        self._require_code()
        return self._cell.target

    def take_panic(self) -> Panic | None:
        """The last panic of this revision in this thread since it was last asked for; release code has none."""
        return self._lineage.take_panic(self._index, self._of)

    def _require_code(self) -> None:
        if not self._cell.target:
            table = self._lineage.table(self._of)
            if isinstance(self._cell, MemberCell):
                self._slot.store(table.address)
            else:
                self._cell.store(table.target(self._index))

    @property
    def _code_owner(self) -> Any:
        return self._lineage, self._of, self._slot, self._hold

    def _python_call(self) -> PythonCall | None:
        return python_call(self.signature, self._cell.is_member)

    def __repr__(self) -> str:
        return f"<Revision {self.number} of {self.signature.name} ({self.about})>"

    def _repr_html_(self) -> str:
        return html_of(repr(self), self._rows(), self.source)

    def _rows(self) -> dict[str, Any]:
        return {
            "signature": self.signature,
            "C prototype": self.c_prototype,
            "from": self.origin or "by hand",
            "profile": self.profile,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        from symbiont_jit.kernel.pickling import pickled_revision

        return pickled_revision(self)
