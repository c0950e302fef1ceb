"""One revision of one function: a handle that is called like the kernel and stays what it is."""

from __future__ import annotations

from typing import Any

from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.dispatch.python_entry import CellCallable, PanicWatch
from symbiont_jit.dispatch.vectorcall import VectorCall
from symbiont_jit.engine.engine import Engine, RevisionPart
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.engine.stubs import vectorcall
from symbiont_jit.kernel.html import html_of
from symbiont_jit.kernel.inspect import describe_remarks, print_asm, print_llvm
from symbiont_jit.runtime.panics import Panic

__all__ = ["PinnedRevision", "Revision", "part_of"]


class PinnedRevision:
    """A registered text of a kernel or a group, pinned: what the text is and where it comes from."""

    _engine: Engine
    _info: RevisionInfo

    @property
    def number(self) -> int:
        """The revision's number within the kernel or group, from 0."""
        return self._info.number

    @property
    def source(self) -> str:
        """The canonical C (of a group, of all functions), or the Python bodies."""
        return self._info.source

    @property
    def language(self) -> str:
        """The language of the source: `c` or `python`."""
        return self._info.language

    @property
    def origin(self) -> str:
        """The name of who proposed the text."""
        return self._info.origin

    @property
    def profile(self) -> str:
        """The profile that the text was compiled for."""
        return self._info.profile

    @property
    def about(self) -> str:
        """Language, profile and where the text came from, on one line."""
        return self._info.about

    @property
    def object_code(self) -> ObjectCode | None:
        """The object code that was compiled; None for Python."""
        return self._info.object_code

    @property
    def author_text(self) -> str:
        """The text as its author wrote it, whose lines panics and remarks count."""
        return self._info.author_text

    def inspect_llvm(self) -> str:
        """Return the optimised LLVM IR as text, at most 1 MiB of it.

        The IR of a group's revision has all functions; that of a Python body is Numba's.
        """
        return print_llvm(self._engine, self._info)

    def inspect_asm(self) -> str:
        """Return the machine code as assembly, at most 1 MiB of it.

        The assembly of a group's revision has all functions; that of a Python body is Numba's.
        """
        return print_asm(self._engine, self._info)

    def inspect_remarks(self) -> str:
        """Say what clang's optimiser did and did not do with the text, without the checks of its profile.

        Returns:
            At most 200 lines of the form `line:column: pass, done | not done | because: message`, which count the lines
            of `author_text`.

        Raises:
            KernelError: The revision is a Python body.
        """
        return describe_remarks(self._engine, self._info)


class Revision(CellCallable, PinnedRevision):
    """One accepted, compiled body of a kernel, pinned: its machine code stays loaded for as long as this object lives.

    It is called like the kernel, from Python and from Numba, and stays what it is when the kernel is swapped.

    Args:
        part: The function and the revision; `kernel.compile`, `kernel.swap` and `kernel.revision` make the object.

    Example:
        >>> old, new = kernel.active, kernel.compile(source)
        >>> old(x, y), new(x, y)
    """

    def __init__(self, part: RevisionPart) -> None:
        panics = part.engine.panics.table.address
        # A member's handle is of the member's type: it has a slot of its own, which holds its table for good.
        self._slot = Cell()
        is_member = part.engine.functions.is_group
        cell = MemberCell(self._slot, part.index, panics) if is_member else Cell(panics=panics)
        super().__init__(part.engine.functions.signatures[part.index], cell)
        self._part = part
        self._engine = part.engine
        self._info = part.info
        self._pin = part.engine.revisions.pin(part.info)

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
        """Take the last panic of this revision in this thread.

        Returns:
            The panic, which is forgotten then; None where there was none since the last call of this method. Code of
            `release` never panics.
        """
        return self._part.engine.take_panic(self._info)

    def _require_code(self) -> None:
        if not self._cell.target:
            table = self._part.engine.activation.table(self._info)
            if isinstance(self._cell, MemberCell):
                self._slot.store(table.address)
            else:
                self._cell.store(table.target(self._part.index))

    @property
    def _panic_watch(self) -> PanicWatch | None:
        return self._engine.watch

    @property
    def _code_owner(self) -> Any:
        return self._part, self._slot, self._pin

    def _vectorcall(self) -> VectorCall | None:
        return vectorcall(self.signature, self._cell.is_member)

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


def part_of(revision: Revision) -> RevisionPart:
    """Return which function of which revision a handle is of, for the rest of this package."""
    return revision._part
