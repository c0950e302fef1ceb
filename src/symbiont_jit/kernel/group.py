"""Several functions that evolve together: one text supplies all of them, one store swaps all of them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from symbiont_jit.dispatch.lease import Lease, remember_owner
from symbiont_jit.dispatch.numba.group import GroupType, group_type
from symbiont_jit.dispatch.numba.types import NumbaValue
from symbiont_jit.engine.revisions import Lineage, Version
from symbiont_jit.errors import KernelError, UsageError
from symbiont_jit.kernel.declare import body_and_signature
from symbiont_jit.kernel.evolvable import Evolving, flags_of, profile_of
from symbiont_jit.kernel.html import html_of
from symbiont_jit.kernel.kernel import Kernel
from symbiont_jit.kernel.python_source import python_source
from symbiont_jit.kernel.revision import Registered, Revision
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import Signature, require_agreeing_records

__all__ = ["Group", "GroupRevision"]


class GroupRevision(Registered):
    """One revision of a group, pinned: `revision["name"]` is each function's handle, and holding it keeps the code."""

    def __init__(self, lineage: Lineage, version: Version, handles: Sequence[Revision]) -> None:
        self._lineage = lineage
        self._of = version
        self._handles = {h.signature.name: h for h in handles}

    def __getitem__(self, name: str) -> Revision:
        if name not in self._handles:
            raise KernelError(f"there is no function {name!r} in the group; there are {', '.join(self._handles)}")
        return self._handles[name]

    def __getattr__(self, name: str) -> Revision:
        """`revision.name`, as of a snapshot in compiled code."""
        if name in self.__dict__.get("_handles", ()):
            return self._handles[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __iter__(self) -> Iterator[Revision]:
        return iter(self._handles.values())

    def __reduce__(self) -> tuple[Any, ...]:
        from symbiont_jit.kernel.pickling import pickled_group_revision

        return pickled_group_revision(self)

    def __repr__(self) -> str:
        return f"<GroupRevision {self.number} of {', '.join(self._handles)} ({self.about})>"

    def _repr_html_(self) -> str:
        rows = {"functions": ", ".join(self._handles), "from": self.origin or "by hand", "profile": self.profile}
        return html_of(f"Revision {self.number} of a group", rows, self.source)


class Group(NumbaValue, Evolving[GroupRevision]):
    """Functions that evolve as one unit: `@group.evolvable` declares each, `group.swap(text)` replaces all at once.

    A swap is one store. Who has seen a new body of one function sees no older body of another; and
    `group.snapshot()`, in compiled code, gives functions that are all of one revision. Declare all functions before the
    first is called or compiled.
    """

    def __init__(self, profile: str | None = None, flags: Sequence[str] = ()) -> None:
        self._lineage = Lineage(profile_of(profile), flags_of(flags), has_snapshots=True)
        self._bodies: list[Callable[..., Any] | None] = []
        self.kernels: tuple[Kernel, ...] = ()
        self._leases = self._lineage.leases

    def evolvable(self, function: Callable[..., Any], /) -> Kernel:
        """Declare a function of the group by its annotations; its Python body is its part of revision 0.

        Raises `SignatureError` for annotations with no C form, `UsageError` once the group has been used.
        """
        body, signature = body_and_signature(function, sys._getframe(1).f_locals)
        kernel = self.declare(signature, body)
        functools.update_wrapper(kernel, function, assigned=("__module__", "__qualname__"), updated=())
        return kernel

    def declare(self, signature: Signature, body: Callable[..., Any] | None = None) -> Kernel:
        """The same for a signature and a Python body, if there is one."""
        lineage = self._lineage
        if any(k.signature.name == signature.name for k in self.kernels):
            raise UsageError(f"the group has a function {signature.name!r} already; give this one another name")
        is_bare = len(lineage.versions) <= (1 if self.has_python_body else 0)
        if not is_bare or lineage.slot.target or lineage.holds or self._leases.were_out:
            raise UsageError(f"the group is in use; declare {signature.name!r} before the first call, compile or swap")
        require_agreeing_records([*lineage.signatures, signature])
        kernel = Kernel.member_of(self, signature, lineage)
        self.kernels = (*self.kernels, kernel)
        lineage.is_group = len(self.kernels) > 1
        if lineage.is_group:
            for index, member in enumerate(self.kernels):
                member.lead_through(lineage.slot, index)
        self._bodies.append(body)
        self._register_bodies()
        return kernel

    def _register_bodies(self) -> None:
        if not any(self._bodies):
            return
        source = "\n".join(python_source(b) for b in self._bodies if b is not None)
        version = Version(0, source, "python", "declared bodies", bodies=tuple(self._bodies))
        self._lineage.versions = {0: version}
        self._lineage.active = version

    def __getitem__(self, name: str) -> Kernel:
        for kernel in self.kernels:
            if kernel.signature.name == name:
                return kernel
        known = ", ".join(k.signature.name for k in self.kernels) or "none yet"
        raise KernelError(f"there is no function {name!r} in the group; there are: {known}")

    def __iter__(self) -> Iterator[Kernel]:
        return iter(self.kernels)

    def snapshot(self) -> GroupRevision:
        """All functions as they are now, of one revision; in compiled code the same, without cost.

        There, `now = group.snapshot()` gives something with an attribute for each function.
        """
        active = self.active
        if active is None:
            raise KernelError(f"the group of {self._lineage.name} has no revision yet; swap one in first")
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
        if not self._lineage.is_ready():
            self._lineage.require_code()
        return self._lineage.slot.address

    @property
    def _numba_lease(self) -> Lease:
        """What compiled code holds of the group."""
        return self._leases.take(self, self._cell_address)

    def _keep_for_good(self) -> None:
        remember_owner(self._lineage.slot.address, self)
        for kernel in self.kernels:
            kernel._keep_for_good()

    def _handle(self, version: Version) -> GroupRevision:
        with self._lineage.lock:
            handle: GroupRevision | None = self._lineage.handles.get(version.number)
            if handle is None or version.number < 0:
                handle = GroupRevision(self._lineage, version, [k._handle(version) for k in self.kernels])
                self._lineage.handles[version.number] = handle
            return handle

    def take_panic(self) -> Panic | None:
        """The last panic of any of the functions in this thread since it was last asked for, and forget it."""
        return self._lineage.take_panic(0)

    def _version(self, handle: Any) -> Version | None:
        is_own = isinstance(handle, GroupRevision | Revision) and handle._lineage is self._lineage
        return handle._of if is_own else None

    def __repr__(self) -> str:
        functions = "\n       ".join(str(s) for s in self.signatures) or "without functions yet"
        return f"<Group {functions}\n{self._shown_rows(self.c_prototype)}>"

    def _repr_html_(self) -> str:
        rows = {"functions": "; ".join(str(s) for s in self.signatures), "revisions": self.memory()}
        return html_of("Group", rows | {"active": self._shown_active()}, self.source)

    def __reduce__(self) -> tuple[Any, ...]:
        from symbiont_jit.kernel.pickling import pickled_group

        return pickled_group(self)

    def sent(self, has_main: bool) -> tuple[Any, ...]:
        """What pickles this for a fresh interpreter: by a member's name, else with its first revision."""
        from symbiont_jit.kernel.pickling import pickled_by_name, pickled_group, require_first

        named = (pickled_by_name(kernel, has_main, is_group=True) for kernel in self.kernels)
        by_name = next((reduced for reduced in named if reduced is not None), None)
        if by_name is None:
            require_first(self._lineage)
        return by_name or pickled_group(self)
