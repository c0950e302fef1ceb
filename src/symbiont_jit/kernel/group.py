"""Several functions that evolve together: one text supplies all of them, one store swaps all of them."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from symbiont_jit.dispatch.lease import Lease, remember_owner
from symbiont_jit.dispatch.numba.group import GroupType, group_type
from symbiont_jit.dispatch.numba.types import NumbaValue
from symbiont_jit.engine.engine import Engine
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import KernelError, UsageError
from symbiont_jit.kernel.evolvable import Evolvable
from symbiont_jit.kernel.from_python import body_and_signature, source_text
from symbiont_jit.kernel.html import html_of
from symbiont_jit.kernel.kernel import Kernel, lead_through_slot, make_member
from symbiont_jit.kernel.profiles import require_flags, require_on_panic, require_profile
from symbiont_jit.kernel.python_source import python_source
from symbiont_jit.kernel.revision import PinnedRevision, Revision, part_of
from symbiont_jit.lazy import lazy
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import Signature, require_agreeing_records

__all__ = ["Group", "GroupRevision", "declare_function", "revision_of"]


class GroupRevision(PinnedRevision):
    """One revision of a group, pinned: the machine code stays loaded for as long as this object lives.

    `revision["name"]` and `revision.name` are the handle of a function; iterating gives all of them.

    Args:
        engine: The engine of the group.
        info: The engine's record of the revision.
        handles: The handle of each function in this revision.

    Example:
        >>> revision = group.swap(source)
        >>> revision.step(x)
    """

    def __init__(self, engine: Engine, info: RevisionInfo, handles: Sequence[Revision]) -> None:
        self._engine = engine
        self._info = info
        self._handles = {h.signature.name: h for h in handles}

    def __getitem__(self, name: str) -> Revision:
        if name not in self._handles:
            raise KernelError(f"there is no function {name!r} in the group; there are {', '.join(self._handles)}")
        return self._handles[name]

    def __getattr__(self, name: str) -> Revision:
        """Return the function of a name in this revision, as a snapshot in compiled code does."""
        if name in self.__dict__.get("_handles", ()):
            return self._handles[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __iter__(self) -> Iterator[Revision]:
        return iter(self._handles.values())

    def __repr__(self) -> str:
        return f"<GroupRevision {self.number} of {', '.join(self._handles)} ({self.about})>"

    def _repr_html_(self) -> str:
        rows = {"functions": ", ".join(self._handles), "from": self.origin or "by hand", "profile": self.profile}
        return html_of(f"Revision {self.number} of a group", rows, self.source)


class Group(NumbaValue, Evolvable[GroupRevision]):
    """Functions that evolve as one unit: `@group.evolvable` declares each, `group.swap(text)` replaces all at once.

    A swap is one store. Who has seen a new body of one function sees no older body of another; and
    `group.snapshot()`, in compiled code, gives functions that are all of one revision. Declare all functions before the
    first is called or compiled.

    Args:
        profile: What sources are compiled for unless a call says otherwise: `safe` (the default), `checked`, `release`.
        flags: Further clang options that change how code is optimised, like `['-O2', '-ffast-math']`.
        on_panic: What follows when a call from Python panics: `raise` (the default), `zero` or `rollback`, as in
            `evolvable`.

    Raises:
        UsageError: The profile is no profile.

    Example:
        >>> group = sj.Group()
        >>> @group.evolvable
        ... def step(x: InOut[f64, "n"]) -> None: ...
        >>> @group.evolvable
        ... def energy(x: Array[f64, "n"]) -> f64: ...
        >>> group.swap(source)
    """

    def __init__(self, profile: str | None = None, flags: Sequence[str] = (), on_panic: str = "raise") -> None:
        options = require_profile(profile), require_flags(flags), require_on_panic(on_panic)
        self._engine = Engine(*options, has_snapshots=True)
        self._handles = weakref.WeakValueDictionary()
        self._bodies: list[Callable[..., Any] | None] = []
        self._sources: list[str | None] = []
        self.kernels: tuple[Kernel, ...] = ()

    @overload
    def evolvable(self, function: Callable[..., Any], /) -> Kernel: ...

    @overload
    def evolvable(self, /, *, source: str | bytes | Path | None = None) -> Callable[[Callable[..., Any]], Kernel]: ...

    def evolvable(
        self, function: Callable[..., Any] | None = None, /, *, source: str | bytes | Path | None = None
    ) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
        """Declare a function of the group by its annotations; its Python body is its part of revision 0.

        Args:
            function: A plain Python function, or one that Numba has compiled; a body of `...` is none.
            source: C text with this function, or a path to it. Once each function has one, all of them together are a
                revision, and active.

        Returns:
            The kernel of the function, whose revisions are those of the group; where options were given alone, a
            decorator that makes it.

        Raises:
            SignatureError: An annotation has no C form.
            CandidateError: The sources are not acceptable.
            UsageError: The group has a function of this name, or is in use already.
        """
        namespace = sys._getframe(1).f_locals  # Names in annotations are looked up where the function is declared.

        def declare(declared: Any) -> Kernel:
            body, signature = body_and_signature(declared, namespace)
            kernel = self._declare(signature, body, source_text(source))
            functools.update_wrapper(kernel, declared, assigned=("__module__", "__qualname__"), updated=())
            return kernel

        return declare if function is None else declare(function)

    def _declare(
        self, signature: Signature, body: Callable[..., Any] | None = None, source: str | bytes | None = None
    ) -> Kernel:
        if any(k.signature.name == signature.name for k in self.kernels):
            raise UsageError(f"the group has a function {signature.name!r} already; give this one another name")
        if not self._engine.is_unused:
            raise UsageError(f"the group is in use; declare {signature.name!r} before the first call, compile or swap")
        require_agreeing_records([*self.signatures, signature])
        kernel = make_member(self, self._engine, signature)
        self.kernels = (*self.kernels, kernel)
        for member in self.kernels if self._engine.functions.is_group else ():
            lead_through_slot(member)
        self._bodies.append(body)
        self._sources.append(source.decode("utf-8", "replace") if isinstance(source, bytes) else source)
        self._declare_revisions()
        return kernel

    def _declare_revisions(self) -> None:
        """Begin again with the bodies of all functions that there are, and with their C once each has some."""
        self.__dict__.pop("_translated", None)
        text = "\n".join(python_source(b) for b in self._bodies if b is not None)
        self._engine.declare_bodies(tuple(self._bodies), text, "declared bodies")
        sources = [source for source in self._sources if source is not None]
        if len(sources) == len(self.kernels):
            self._engine.declare_source("\n".join(sources))

    def __getitem__(self, name: str) -> Kernel:
        for kernel in self.kernels:
            if kernel.signature.name == name:
                return kernel
        known = ", ".join(k.signature.name for k in self.kernels) or "none yet"
        raise KernelError(f"there is no function {name!r} in the group; there are: {known}")

    def __iter__(self) -> Iterator[Kernel]:
        return iter(self.kernels)

    def snapshot(self) -> GroupRevision:
        """Return all functions as they are now, of one revision.

        In compiled code, where it costs nothing, `now = group.snapshot()` has an attribute for each function.

        Returns:
            The handle of the active revision.

        Raises:
            KernelError: There is no revision yet.
        """
        active = self.active
        if active is None:
            raise KernelError(f"the group of {self._engine.functions.name} has no revision yet; swap one in first")
        return active

    @property
    def c_prototype(self) -> str:
        """The C prototypes that a candidate has to implement, one a line."""
        return "\n".join(f"{s.c_prototype};" for s in self.signatures)

    @property
    def numba_type(self) -> GroupType:
        """The type in compiled code, which is that of every group of such functions."""
        return group_type(self.signatures)

    @property
    def _cell_address(self) -> int:
        """The address of what holds the active table, once there is one."""
        if not self.kernels:
            raise KernelError("the group has no functions; declare them with @group.evolvable")
        self._engine.require_code()
        return self._engine.activation.slot.address

    @property
    def _numba_lease(self) -> Lease:
        """The lease that compiled code has while it has the group."""
        return self._engine.activation.caller_refs.take(self, self._cell_address)

    def _keep_for_good(self) -> None:
        remember_owner(self._engine.activation.slot.address, self)
        for kernel in self.kernels:
            kernel._keep_for_good()

    @property
    def _target(self) -> CompileTarget:
        return CompileTarget(self, self._engine, None, self._handle, self._find_info, lambda: self._translated)

    @lazy
    def _translated(self) -> str | None:
        """What all Python bodies are in C; None where one of them is none, or has no C form."""
        return self._translate(self.kernels)

    def _make_handle(self, info: RevisionInfo) -> GroupRevision:
        return GroupRevision(self._engine, info, [kernel._handle(info) for kernel in self.kernels])

    def take_panic(self) -> Panic | None:
        """Take the last panic of any of the functions in this thread.

        Returns:
            The panic, which is forgotten then; None where there was none since the last call of this method.
        """
        return self._engine.take_panic()

    def _find_info(self, handle: Any) -> RevisionInfo | None:
        if isinstance(handle, Revision):
            return part_of(handle).info if part_of(handle).engine is self._engine else None
        is_own = isinstance(handle, GroupRevision) and handle._engine is self._engine
        return handle._info if is_own else None

    def __repr__(self) -> str:
        functions = "\n       ".join(str(s) for s in self.signatures) or "without functions yet"
        return f"<Group {functions}\n{self._describe_rows(self.c_prototype)}>"

    def _repr_html_(self) -> str:
        rows = {"functions": "; ".join(str(s) for s in self.signatures), "revisions": self.memory()}
        return html_of("Group", rows | {"active": self._describe_active()}, self.source)


def declare_function(group: Group, signature: Signature, body: Callable[..., Any] | None = None) -> Kernel:
    """Declare a function of a group by a signature and perhaps a Python body; raise what `evolvable` raises."""
    return group._declare(signature, body)


def revision_of(revision: GroupRevision) -> tuple[Engine, RevisionInfo]:
    """Return the engine and revision that a group's handle is of, for the rest of this package."""
    return revision._engine, revision._info
