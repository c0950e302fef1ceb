"""The user's object for one function: called from Python and Numba, and its body replaced while that goes on."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.dispatch.python_entry import CellCallable, PanicWatch, ctypes_pointer
from symbiont_jit.dispatch.vectorcall import VectorCall
from symbiont_jit.engine.engine import DECLARED, Engine, RevisionPart
from symbiont_jit.engine.freezing import freezing_problem
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.engine.stubs import Trampoline, vectorcall
from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import UsageError
from symbiont_jit.frontend.from_c import read_signature
from symbiont_jit.kernel.evolvable import Evolvable
from symbiont_jit.kernel.from_python import source_text
from symbiont_jit.kernel.frozen import Frozen
from symbiont_jit.kernel.html import InstanceDoc, html_of
from symbiont_jit.kernel.profiles import require_flags, require_on_panic, require_profile
from symbiont_jit.kernel.python_source import python_source
from symbiont_jit.kernel.revision import Revision, part_of
from symbiont_jit.kernel.scipy import low_level_callable
from symbiont_jit.lazy import lazy
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import Signature

__all__ = ["Kernel", "lead_through_slot", "make_member"]


class Kernel(CellCallable, Evolvable[Revision]):
    """An evolvable function: call it from Python, or from Numba as a global or an argument.

    `@evolvable`, `Kernel.from_c` and `@group.evolvable` make kernels. All revisions stay; the cell points at the active
    one, and a swap is one store that compiled loops see at their next call. The revisions of a member of a group are
    those of the group: a text supplies all functions, and all change together.

    Args:
        signature: The name, the parameters and the result.
        body: A Python function that Numba compiles at its first use: revision 0 and the reference.
        source: C text: the next revision, and active.
        profile: What sources are compiled for unless a call says otherwise: `safe` (the default), `checked`, `release`.
        flags: Further clang options that change how code is optimised, like `['-O2', '-ffast-math']`.
        on_panic: What follows when a call from Python panics: `raise` (the default), `zero` or `rollback`, as in
            `evolvable`.

    Raises:
        UsageError: The signature is none, or the profile is no profile.
        CandidateError: The source is not acceptable.

    Example:
        >>> @sj.evolvable
        ... def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64: ...
        >>> dot.swap(source)
        >>> dot(np.ones(8), np.ones(8))
        8.0
    """

    def __init__(
        self,
        signature: Signature,
        body: Callable[..., Any] | None = None,
        source: str | bytes | None = None,
        profile: str | None = None,
        flags: Sequence[str] = (),
        on_panic: str = "raise",
    ) -> None:
        if not isinstance(signature, Signature):
            raise UsageError(
                f"Kernel takes a Signature, not {signature!r:.60}; make a kernel of C text with Kernel.from_c(text), "
                f"of a function with @evolvable"
            )
        self._join(Engine(require_profile(profile), require_flags(flags), require_on_panic(on_panic)), signature)
        if body is not None:
            self._engine.declare_bodies((body,), python_source(body), "declared body")
        if source is not None:
            self.activate(self.compile(source, origin=DECLARED))

    def _join(self, engine: Engine, signature: Signature, group: Evolvable[Any] | None = None) -> None:
        """Become the next function of an engine, which is the kernel's own or a group's."""
        cell = Cell(panics=engine.panics.table.address)
        super().__init__(signature, cell)
        self.group = group
        self._engine = engine
        self._handles = weakref.WeakValueDictionary()
        self._trampolines: list[Trampoline] = []
        self._index = engine.functions.add(signature, cell, self, self._handle)
        self.__name__ = signature.name

    # `help(kernel)` shows what the kernel is now; `help(Kernel)` shows the class.
    __doc__ = InstanceDoc(__doc__, lambda kernel: kernel._describe())

    def _describe(self) -> str:
        shown = f"{self.signature}\n{self._describe_rows(self.c_prototype)}"
        return f"{self.signature.doc}\n\n{shown}" if self.signature.doc else shown

    @classmethod
    def from_c(
        cls,
        source: str | bytes | Path,
        name: str | None = None,
        *,
        profile: str | None = None,
        flags: Sequence[str] = (),
        on_panic: str = "raise",
    ) -> Kernel:
        """Make a kernel with the signature of a C function, which is its revision 0.

        Lengths come first, as `int64_t`, in the order in which the arrays name them; an array is written
        `const double x[n]`. What is const is read, what is not is read and written; `T *p` is one value.

        Args:
            source: C text, or a path to it.
            name: Which function it is, where the text defines several that are not static.
            profile: `safe` (the default), `checked` or `release`.
            flags: Further clang options that change how code is optimised, like `['-O2', '-ffast-math']`.
            on_panic: What follows when a call from Python panics: `raise` (the default), `zero` or `rollback`, as in
                `evolvable`.

        Returns:
            The kernel, whose active revision is the text.

        Raises:
            CandidateError: The text is not acceptable.
            SignatureError: No kernel can have such a function; the message says what to write instead.

        Example:
            >>> square = sj.Kernel.from_c("double square(double x) { return x * x; }")
        """
        text = source_text(source)
        signature = read_signature(text, name, preprocess)
        return cls(signature, source=text, profile=profile, flags=flags, on_panic=on_panic)

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def c_prototype(self) -> str:
        """The C prototype a candidate has to implement."""
        return self.signature.c_prototype

    @property
    def address(self) -> int:
        """A C function pointer of the C prototype that never changes and always goes to the active revision.

        The pointer stays valid for as long as the process lives. It is for ctypes, cffi, Cython and C, which do not
        check lengths.
        """
        self._require_code()
        if not self._trampolines:
            self._keep_for_good()
            # Of several that are made at the same time the first is everybody's, and none ever goes.
            self._trampolines.append(Trampoline(self.signature, self._cell))
        return self._trampolines[0].address

    @lazy
    def ctypes(self) -> Any:
        """The `address` as a ctypes function with its types; raises `UsageError` for complex numbers by value."""
        return ctypes_pointer(self.signature)(self.address)

    def low_level_callable(self, kind: str | None = None, *, user_data: Any = None) -> Any:
        """Make a `scipy.LowLevelCallable` that always goes to the active revision.

        Where SciPy passes another number of values than the kernel takes, `quad` gets NaN and filters fail.

        Args:
            kind: `quad`, `generic_filter` or `generic_filter1d`; by default what the signature fits.
            user_data: An array that is passed as the kernel's last argument; it is kept, and what is written to it
                later is seen.

        Returns:
            The callable, which SciPy calls without Python.

        Raises:
            UsageError: SciPy is not installed, or takes no callback of this signature; the message says which it takes.
        """
        self._require_code()
        self._keep_for_good()
        return low_level_callable(self.signature, self._cell, kind, user_data)

    def freeze(self, revision: Revision | int | None = None) -> Frozen:
        """Return a revision that Numba links into its callers and inlines: no cell, no call.

        The frozen revision stays what it is through swaps and `prune`, and Numba compiles each caller for it. Its code
        is that of `release`: it has no checks, whatever profile the revision was compiled for.

        Args:
            revision: A handle or a number; by default the active revision.

        Returns:
            An object that compiled functions take as a global or an argument.

        Raises:
            KernelError: There is no revision of this number.
            UsageError: The argument is no revision of this kernel, or the revision has no body or allocates memory.
        """
        chosen = self._engine.active if revision is None else self._choose(revision)
        if chosen is None and revision is None:
            raise UsageError(f"{self.signature.name!r} has no revision to freeze; swap one in first")
        if chosen is None:
            raise UsageError(f"{revision!r} is not a revision of {self.signature.name!r}")
        problem = freezing_problem(RevisionPart(self._engine, chosen, self._index))
        if problem is not None:
            raise UsageError(problem)
        return Frozen(self._handle(chosen))

    def take_panic(self) -> Panic | None:
        """Take the last panic of any revision in this thread.

        Returns:
            The panic, which is forgotten then; None where there was none since the last call of this method.
        """
        return self._engine.take_panic()

    def __repr__(self) -> str:
        return f"<Kernel {self.signature}\n{self._describe_rows(self.c_prototype)}>"

    def _repr_html_(self) -> str:
        rows = {
            "signature": self.signature,
            "C prototype": self.c_prototype,
            "active": self._describe_active(),
            "revisions": self.memory(),
        }
        return html_of(f"Kernel {self.signature.name}", rows, self.source)

    # -- from Python ------------------------------------------------------------------------------------------------

    @lazy
    def _translated(self) -> str | None:
        """What the Python body is in C, or all bodies of the group are; None where there is none, or no C form."""
        return self._translate([self]) if self.group is None else self.group._translated

    # -- for what it is made of ---------------------------------------------------------------------------------

    @property
    def _target(self) -> CompileTarget:
        signature = self.signature if self.group is None else None
        return CompileTarget(self, self._engine, signature, self._handle, self._find_info, lambda: self._translated)

    def _make_handle(self, info: RevisionInfo) -> Revision:
        return Revision(RevisionPart(self._engine, info, self._index))

    def _find_info(self, handle: Any) -> RevisionInfo | None:
        is_own = isinstance(handle, Revision) and part_of(handle).engine is self._engine
        return part_of(handle).info if is_own else None

    def _require_code(self) -> None:
        if not (self._cell.target and self._engine.activation.is_ready()):
            self._engine.activation.require_code()

    def _vectorcall(self) -> VectorCall | None:
        return vectorcall(self.signature, self._cell.is_member)

    @property
    def _panic_watch(self) -> PanicWatch | None:
        return self._engine.watch

    @property
    def _code_owner(self) -> Any:
        return self._engine

    def _keep_for_good(self) -> None:
        super()._keep_for_good()
        self._engine.activation.is_constant = True


def make_member(group: Evolvable[Any], engine: Engine, signature: Signature) -> Kernel:
    """Make a kernel whose revisions are those of a group."""
    made = Kernel.__new__(Kernel)
    made._join(engine, signature, group)
    return made


def lead_through_slot(member: Kernel) -> None:
    """Let a member call what its group's slot leads to, from the first call on."""
    engine = member._engine
    member._cell = MemberCell(engine.activation.slot, member._index, engine.panics.table.address)
    member.__dict__.pop("numba_type", None)
