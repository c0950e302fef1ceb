"""The user's object for one function: called from Python and Numba, and its body replaced while that goes on."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.dispatch.python_entry import CellCallable, ctypes_pointer
from symbiont_jit.dispatch.vectorcall import VectorCall
from symbiont_jit.engine.revisions import Lineage, Version
from symbiont_jit.engine.stubs import Pointer, preprocess, vectorcall
from symbiont_jit.errors import UsageError
from symbiont_jit.frontend.from_c import declared_in
from symbiont_jit.instrument.unit import allocates
from symbiont_jit.kernel.declare import source_text
from symbiont_jit.kernel.evolvable import Evolving, flags_of, profile_of
from symbiont_jit.kernel.frozen import Frozen
from symbiont_jit.kernel.html import OwnDoc, html_of
from symbiont_jit.kernel.python_source import python_source
from symbiont_jit.kernel.revision import Revision
from symbiont_jit.kernel.scipy import low_level_callable
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import Signature

if TYPE_CHECKING:
    from symbiont_jit.kernel.group import Group

__all__ = ["Kernel", "Panic"]


class Kernel(CellCallable, Evolving[Revision]):
    """An evolvable function: call it from Python, or from Numba as a global or an argument.

    Made by `@evolvable`, `Kernel.from_c` or `@group.evolvable`. All revisions stay; the cell points at the active one,
    and a swap is one store that compiled loops see at their next call. What a member of a group does to its revisions,
    it does to those of the group: a text supplies all functions, and all change together.
    """

    def __init__(
        self,
        signature: Signature,
        body: Callable[..., Any] | None = None,
        source: str | bytes | None = None,
        profile: str | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        if not isinstance(signature, Signature):
            raise UsageError(
                f"Kernel takes a Signature, not {signature!r:.60}; make a kernel of C text with Kernel.from_c(text), "
                f"of a function with @evolvable"
            )
        self._join(signature, Lineage(profile_of(profile), flags_of(flags)))
        lineage = self._lineage
        if body is not None:
            declared = Version(0, python_source(body), "python", "declared body", bodies=(body,))
            lineage.versions[0] = declared
            lineage.active = declared
        if source is not None:
            self.activate(self.compile(source, origin="declared source"))

    def _join(self, signature: Signature, lineage: Lineage, group: Group | None = None) -> None:
        super().__init__(signature, lineage.panics.address)
        self.group = group
        self._lineage = lineage
        self._index = len(lineage.signatures)
        self._pointer: Pointer | None = None
        lineage.signatures.append(signature)
        lineage.callables.append(weakref.ref(self))
        self.__name__ = signature.name

    # `help(kernel)` shows what it is now; `help(Kernel)` shows the class.
    __doc__ = OwnDoc(__doc__, lambda kernel: kernel._described())

    def _described(self) -> str:
        shown = f"{self.signature}\n{self._shown_rows(self.c_prototype)}"
        return f"{self.signature.doc}\n\n{shown}" if self.signature.doc else shown

    @classmethod
    def member_of(cls, group: Group, signature: Signature, lineage: Lineage) -> Kernel:
        """A kernel whose revisions are those of a group."""
        made = cls.__new__(cls)
        made._join(signature, lineage, group)
        return made

    def lead_through(self, slot: Cell, index: int) -> None:
        """Call what a group's slot leads to, from the first call on."""
        self._cell = MemberCell(slot, index, self._lineage.panics.address)
        self.__dict__.pop("numba_type", None)

    @classmethod
    def from_c(
        cls,
        source: str | bytes | Path,
        name: str | None = None,
        *,
        profile: str | None = None,
        flags: Sequence[str] = (),
    ) -> Kernel:
        """A kernel with the signature of a C function, which is its revision 0.

        `name` says which function, where the text defines several that are not static. Lengths come first, as
        `int64_t`, in the order in which the arrays name them; an array is written `const double x[n]`. What is const is
        read, what is not is read and written; `T *p` is one value. A path is read, as by `@evolvable`. Raises
        `CandidateError` for the text and `SignatureError` for a function that no kernel can have, with what to write
        instead.
        """
        text = source_text(source)
        return cls(declared_in(text, name, preprocess), source=text, profile=profile, flags=flags)

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def c_prototype(self) -> str:
        """The C prototype a candidate has to implement."""
        return self.signature.c_prototype

    @property
    def address(self) -> int:
        """A C function pointer of the C prototype that never changes and always goes to the active revision.

        It stays valid for as long as the process lives. For ctypes, cffi, Cython and C; lengths are not checked there.
        """
        self._require_code()
        with self._lineage.lock:  # two threads that ask at a time get the same one
            if self._pointer is None:
                self._keep_for_good()
                self._pointer = Pointer(self.signature, self._cell)
            return self._pointer.address

    @functools.cached_property
    def ctypes(self) -> Any:
        """The same as a ctypes function with its argument types; complex numbers by value are more than ctypes can."""
        return ctypes_pointer(self.signature)(self.address)

    def low_level_callable(self, kind: str | None = None, *, user_data: Any = None) -> Any:
        """A `scipy.LowLevelCallable` that always goes to the active revision.

        `kind` is `quad`, `generic_filter` or `generic_filter1d`; by default what the signature fits. `user_data` is an
        array that is passed as the kernel's last argument; it is kept, and what is written to it later is seen. Where
        SciPy passes another number of values than the kernel takes, `quad` gets NaN and filters fail. Raises
        `UsageError` with the signatures that SciPy takes.
        """
        self._require_code()
        self._keep_for_good()
        return low_level_callable(self.signature, self._cell, kind, user_data)

    def freeze(self, revision: Revision | int | None = None) -> Frozen:
        """A revision (by default the active one) that Numba links into its callers and inlines: no cell, no call.

        It stays what it is through swaps and `prune`. Numba compiles each caller for it. Its code is
        that of `release`: a frozen revision has no checks, whatever profile it was compiled for.
        """
        chosen = self._lineage.active if revision is None else self._chosen(revision)
        if chosen is None and revision is None:
            raise UsageError(f"{self.signature.name!r} has no revision to freeze; swap one in first")
        if chosen is None:
            raise UsageError(f"{revision!r} is not a revision of {self.signature.name!r}")
        if chosen.language == "python" and chosen.bodies[self._index] is None:
            raise UsageError(f"{self.signature.name!r} has no body in revision {chosen.number}; freeze another one")
        if chosen.language == "c" and allocates(chosen.source):
            raise UsageError(
                f"revision {chosen.number} of {self.signature.name!r} allocates memory, which inlined code cannot; "
                f"call the handle itself, at the speed of the kernel"
            )
        return Frozen(self._handle(chosen), self._lineage, self._index)

    def take_panic(self) -> Panic | None:
        """The last panic in this thread since it was last asked for, and forget it."""
        return self._lineage.take_panic(self._index)

    def __repr__(self) -> str:
        return f"<Kernel {self.signature}\n{self._shown_rows(self.c_prototype)}>"

    def _repr_html_(self) -> str:
        rows = {
            "signature": self.signature,
            "C prototype": self.c_prototype,
            "active": self._shown_active(),
            "revisions": self.memory(),
        }
        return html_of(f"Kernel {self.signature.name}", rows, self.source)

    # -- for what it is made of ---------------------------------------------------------------------------------

    def _handle(self, version: Version) -> Revision:
        if version.number < 0:
            return Revision(self._lineage, version, self._index)
        key = (version.number, self._index)
        with self._lineage.lock:
            handle: Revision | None = self._lineage.handles.get(key)
            if handle is None:
                handle = self._lineage.handles[key] = Revision(self._lineage, version, self._index)
            return handle

    def _version(self, handle: Any) -> Version | None:
        is_own = isinstance(handle, Revision) and handle._lineage is self._lineage
        return handle._of if is_own else None

    def _require_code(self) -> None:
        if not self._cell.target or not self._lineage.is_ready():
            self._lineage.require_code()

    def _vectorcall(self) -> VectorCall | None:
        return vectorcall(self.signature, self._cell.is_member)

    @property
    def _code_owner(self) -> Any:
        return self._lineage

    def _keep_for_good(self) -> None:
        super()._keep_for_good()
        self._lineage.is_constant = True

    def __reduce__(self) -> tuple[Any, ...]:
        from symbiont_jit.kernel.pickling import pickled_kernel

        return pickled_kernel(self)

    def sent(self, has_main: bool) -> tuple[Any, ...]:
        """What pickles this for a fresh interpreter: by name, else with its first revision."""
        from symbiont_jit.kernel.pickling import pickled_by_name, pickled_kernel, require_first

        by_name = pickled_by_name(self, has_main)
        if by_name is None:
            require_first(self._lineage)
        return by_name or pickled_kernel(self)
