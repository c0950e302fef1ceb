"""The revisions of functions that evolve together: one for a kernel, several for a group.

In: canonical texts and their object code. Out: numbered versions, of which one is active. All of them stay, as text and
object code; machine code is loaded when it is first needed, and unloaded by `prune` where nobody can be inside.
"""

from __future__ import annotations

import contextlib
import itertools
import operator
import os
import threading
import weakref
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.dispatch.cell import Cell, Table
from symbiont_jit.dispatch.lease import Leases, remember_owner
from symbiont_jit.dispatch.numba.bodies import PythonCode, compile_python, compiler_lock, linked_bodies
from symbiont_jit.dispatch.python_entry import CellCallable
from symbiont_jit.engine.builds import BOUND, Builder
from symbiont_jit.engine.sites import pack_sites, unpack_sites
from symbiont_jit.engine.stubs import Stub
from symbiont_jit.errors import KernelError
from symbiont_jit.frontend import Canonical
from symbiont_jit.instrument.unit import guard
from symbiont_jit.runtime.panics import Panic, PanicTable, panic_of
from symbiont_jit.runtime.threads import bound_names
from symbiont_jit.signature import Signature
from symbiont_jit.stages import stage

__all__ = ["Hold", "Lineage", "Memory", "Version", "number_in"]

#: Every so many loads, what nobody can be running is unloaded.
PRUNE_EVERY: Final = 256

Body = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the revisions of a kernel or group take.

    `revisions` are stored with `stored_bytes` of source and object code; `loaded` of them have machine code in this
    process, `loaded_bytes` long; `held` are the numbers of those that somebody has a handle of.
    """

    revisions: int
    stored_bytes: int
    loaded: int
    loaded_bytes: int
    held: tuple[int, ...]

    def __str__(self) -> str:
        return (
            f"{self.revisions} revisions, {self.stored_bytes / 1024:.1f} KiB stored; "
            f"{self.loaded} loaded, {self.loaded_bytes / 1024:.1f} KiB of machine code"
        )


class Hold:
    """Somebody has a handle of a version, or the call that a handle made."""

    __slots__ = ("__weakref__",)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Entry:
    """A function of a version, as compiled code has it from a snapshot; Python gets the handle."""

    lineage: weakref.ref[Lineage]
    version: weakref.ref[Version]
    index: int

    @property
    def itself(self) -> Any:
        """The handle; compiled code that has the entry keeps what it belongs to."""
        lineage, version = self.lineage(), self.version()
        owner: Any = lineage.callables[self.index]() if lineage is not None else None
        assert owner is not None, "the lease of a group keeps its kernels"
        assert version is not None, "the group keeps its versions"
        return owner._handle(version)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Version:
    """One accepted text with its code, for all functions of a lineage.

    `sites` say what panics of its object code mean, packed; None where nobody has looked yet. `bodies` are Python
    functions instead of object code, None for a function without one; `compiled` are those as Numba
    has them, which call each other. `table` has a cell for each function once their addresses are known.
    """

    number: int
    source: str
    language: str = "c"
    origin: str = ""
    profile: str = "release"
    object_code: ObjectCode | None = None
    sites: bytes | None = None
    bodies: tuple[Body | None, ...] = ()
    compiled: tuple[Any, ...] = ()
    table: Table | None = None
    was_active: bool = False
    identity: int = field(default_factory=itertools.count(1).__next__)
    code: Loaded | tuple[PythonCode | Stub, ...] | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def about(self) -> str:
        """Language, profile and where it came from, on one line."""
        profile = [] if self.language == "python" else [self.profile]
        return ", ".join([self.language, *profile, " ".join(self.origin.split()) or "by hand"])


@dataclass(slots=True, eq=False, weakref_slot=True)
class Lineage:
    """Versions, the active one, and the cells that lead to it.

    `versions` are by number; a pickle brings only some, under their own numbers. `callables` are the kernels, weakly;
    `slot` is the group's own cell, which holds the address of the active table: a swap is one store to it. The kernel
    of a lineage of one has the code's address in its own cell; its slot serves the snapshots of a group of one.
    """

    profile: str
    flags: tuple[str, ...]
    signatures: list[Signature] = field(default_factory=list)
    callables: list[weakref.ref[CellCallable]] = field(default_factory=list)
    versions: dict[int, Version] = field(default_factory=dict)
    active: Version | None = None
    is_group: bool = False
    has_snapshots: bool = False
    slot: Cell = field(default_factory=Cell)
    lock: threading.RLock = field(default_factory=threading.RLock)
    handles: weakref.WeakValueDictionary[Any, Any] = field(default_factory=weakref.WeakValueDictionary)
    holds: weakref.WeakValueDictionary[int, Hold] = field(default_factory=weakref.WeakValueDictionary)
    is_constant: bool = False
    panics: PanicTable = field(default_factory=PanicTable)
    leases: Leases = field(default_factory=Leases)
    _by_identity: weakref.WeakValueDictionary[int, Version] = field(default_factory=weakref.WeakValueDictionary)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)
    _stubs: dict[int, Stub] = field(default_factory=dict)
    _loads: int = 0
    _is_loading: bool = False

    builder: Builder = field(init=False)

    def __post_init__(self) -> None:
        self.builder = Builder(self.signatures, self.flags)
        _LINEAGES.add(self)

    @property
    def name(self) -> str:
        """For messages."""
        return ", ".join(repr(s.name) for s in self.signatures) or "the group, which has no functions,"

    def compile(self, source: str | bytes, profile: str, origin: str) -> Version:
        """A candidate as a version; the one that exists where its canonical text is known."""
        canonical = self.builder.canonical(source)
        with self.lock:
            known = self._known.get((canonical.text, profile))
        if known is not None:
            return self.versions[known]
        build = self.builder.build(canonical, profile)
        return self.register(canonical, build.object_code, profile, origin, sites=build.sites)

    def register(
        self,
        canonical: Canonical,
        code: ObjectCode,
        profile: str,
        origin: str,
        number: int | None = None,
        sites: bytes | None = None,
    ) -> Version:
        """Add compiled code, not active and not loaded; an equal version that exists is given back."""
        with self.lock:
            known = self._known.get((canonical.text, profile))
            if known is not None:
                return self.versions[known]
            version = Version(self.free_number(number), canonical.text, "c", origin, profile, code, sites)
            self._known[canonical.text, profile] = version.number
            self.versions[version.number] = version
            return version

    def free_number(self, wanted: int | None = None) -> int:
        """A number for a new version: the wanted one, if no version has it and none a greater one; else the next."""
        following = next(reversed(self.versions), -1) + 1
        return following if wanted is None else max(wanted, following)

    @property
    def first(self) -> Version | None:
        """The version with the least number."""
        return next(iter(self.versions.values()), None)

    def version(self, number: Any) -> Version:
        """A version by its number; raises `KernelError` with what there is."""
        index = number_in(number)
        if index is None or index not in self.versions:
            raise KernelError(f"{self.name} has no revision {number!r}; there is {self._numbers()}")
        return self.versions[index]

    def _numbers(self) -> str:
        numbers = list(self.versions)
        if not numbers:
            return "none yet"
        is_whole = len(numbers) == numbers[-1] + 1
        return f"0 to {numbers[-1]}" if is_whole else " and ".join(map(str, numbers[-5:]))

    # -- code and cells -----------------------------------------------------------------------------------------

    def table(self, version: Version) -> Table:
        """The entries of a version's code, loaded now if it is not; they lead to code while it is active or held."""
        with self._for_loading(version):
            if version.table is None:
                # Readers of a table that was replaced may still be at it, so a reload changes it in place.
                version.table = Table(len(self.signatures), self.panics.address)
                for index, place in enumerate(version.table.places if self.has_snapshots else ()):
                    remember_owner(place, self._entry(version, index))
            if version.code is None:
                self._is_loading = True
                try:
                    with stage("load"):
                        version.code = self._loaded(version)
                finally:
                    self._is_loading = False
                code = version.code
                version.table.store(code.addresses if isinstance(code, Loaded) else [c.address for c in code])
            return version.table

    def _for_loading(self, version: Version) -> contextlib.AbstractContextManager[Any]:
        """Our lock; where Numba will have to compile, behind its own.

        Who compiles a loop that has a kernel as a global holds Numba's and asks for ours.
        """
        is_python = version.code is None and any(version.bodies)
        return _both(compiler_lock(), self.lock) if is_python else self.lock

    def _entry(self, version: Version, index: int) -> Entry:
        entry = Entry(weakref.ref(self), weakref.ref(version), index)
        version.entries += (entry,)
        return entry

    def compiled(self, version: Version) -> tuple[Any, ...]:
        """The Python bodies of a version as Numba has them; where they call each other, they call those."""
        if not version.compiled:
            version.compiled = linked_bodies(version.bodies, [reference() for reference in self.callables])
        return version.compiled

    def _loaded(self, version: Version) -> Loaded | tuple[PythonCode | Stub, ...]:
        if version.object_code is None:
            pairs = enumerate(zip(self.compiled(version), self.signatures, strict=True))
            return tuple(compile_python(b, s) if b is not None else self._stub(i) for i, (b, s) in pairs)
        self._loads += 1
        self._by_identity[version.identity] = version
        if self._loads % PRUNE_EVERY == 0:
            self.prune((version,))
        bound = {"sj_panics": self.panics.address, "sj_version": version.identity}
        if not BOUND.isdisjoint(version.object_code.needs):  # plain code needs no compiler to be loaded
            bound |= bound_names()
        return load(version.object_code, bound)

    def activate(self, version: Version) -> None:
        """Send all later calls to a version: one store."""
        with self._for_loading(version):
            self._publish(version)
            self.active = version

    def _publish(self, version: Version) -> None:
        table = self.table(version)
        version.was_active = True
        self._lead_to(table)

    def _lead_to(self, table: Table) -> None:
        self.slot.store(table.address)
        if not self.is_group:
            self._own_cell.store(table.target(0))

    def require_code(self) -> None:
        """Make every cell lead to code: the active version's, or a stub that panics."""
        if self.active is None:
            with self.lock:
                if not self.slot.target:
                    nothing = Version(-1, "", "python", bodies=(None,) * len(self.signatures))
                    self._publish(nothing)
                    _KEPT.append(nothing)
            return
        version = self.active
        with self._for_loading(version):
            # Where another one was activated meanwhile, that one is published; and a body that is being compiled may
            # name a function of its group, whose cell leads nowhere yet.
            if self.active is version and not self._is_loading:
                self._publish(version)

    @contextlib.contextmanager
    def lent(self, version: Version) -> Iterator[None]:
        """A version of somebody else's active, and afterwards what was. For worker processes."""
        before, cells = self.active, [self.slot, *([] if self.is_group else [self._own_cell])]
        targets = [cell.target for cell in cells]
        self.activate(version)
        try:
            yield
        finally:
            self.active = before
            for cell, target in zip(cells, targets, strict=True):
                cell.store(target)

    def is_ready(self) -> bool:
        """Whether calls lead to code."""
        return bool(self.slot.target)

    @property
    def _own_cell(self) -> Cell:
        """The cell of the only kernel."""
        owner = self.callables[0]()
        assert owner is not None, "a kernel keeps its lineage, and nobody else calls this"
        assert isinstance(owner._cell, Cell), "only members of a group have another one"
        return owner._cell

    def _stub(self, index: int) -> Stub:
        if index not in self._stubs:
            self._stubs[index] = Stub(self.signatures[index])
        return self._stubs[index]

    def take_panic(self, index: int, version: Version | None = None) -> Panic | None:
        """The newest panic of this thread (in a version), or of a function without a body; it is forgotten."""
        record = self.panics.take(None if version is None else version.identity)
        if record is None:
            message = self._stubs[index].take_panic() if version is None and index in self._stubs else None
            return None if message is None else Panic("unevolved", message)
        found = version if version is not None else self._by_identity.get(record[0])
        if found is None:
            return Panic("unknown", "a candidate that is gone panicked")
        if found.sites is None:  # the object code came alone, from a pickle or a search
            found.sites = pack_sites(guard(found.source, self.signatures, found.profile).sites)
        return panic_of(unpack_sites(found.sites), *record[1:], found.source)

    def warm(self) -> None:
        """Compile what calls from Python and panics need."""
        self.panics.take(None)
        bound_names()
        for reference in self.callables:
            owner = reference()
            if owner is not None:
                owner._python_call()

    # -- memory -------------------------------------------------------------------------------------------------

    def prune(self, keep: Collection[Version] = (), idle: bool = False) -> list[int]:
        """Unload what is not active, not kept, not held, and in which nobody can be; the numbers that went.

        A version that was active may still be running while a compiled function is under way that got a kernel as an
        argument, and for as long as a compiled function has one as a global; of those, which cannot be counted, `idle`
        is the caller's word that none is under way.
        """
        with self.lock:
            held = set(self.held())
            may_be_running = (self.is_constant and not idle) or self._is_in_use()
            gone = []
            for version in self.versions.values():
                is_wanted = version is self.active or version in keep or version.number in held
                if isinstance(version.code, Loaded) and not is_wanted and not (version.was_active and may_be_running):
                    code, version.code = version.code, None
                    version.was_active = False
                    code.close()
                    gone.append(version.number)
            return gone

    def _is_in_use(self) -> bool:
        owners = [owner for reference in self.callables if (owner := reference()) is not None]
        return self.slot.users > 0 or self.leases.are_out or any(owner._may_be_running for owner in owners)

    def held(self) -> list[int]:
        """The numbers of the versions that somebody has a handle of."""
        return sorted(number for number in list(self.holds) if number >= 0)

    def hold(self, version: Version) -> Hold:
        """What keeps a version's code for as long as anybody has it."""
        with self.lock:
            hold = self.holds.get(version.number)
            if hold is None or version.number < 0:
                hold = Hold()
                self.holds[version.number] = hold
            return hold

    def memory(self) -> Memory:
        """What the versions take."""
        with self.lock:
            stored = sum(
                len(v.source.encode()) + (len(v.object_code.data) if v.object_code else 0)
                for v in self.versions.values()
            )
            loaded = [v.code for v in self.versions.values() if v.code is not None]
            size = sum(c.size for c in loaded if isinstance(c, Loaded))
            return Memory(len(self.versions), stored, len(loaded), size, tuple(self.held()))


# Tables of stubs that a slot points at: a reader may be at one at any time.
_KEPT: list[Version] = []

_LINEAGES: weakref.WeakSet[Lineage] = weakref.WeakSet()


@contextlib.contextmanager
def _both(
    first: contextlib.AbstractContextManager[Any], second: contextlib.AbstractContextManager[Any]
) -> Iterator[None]:
    with first, second:
        yield


def _forked() -> None:
    """A lock that another thread of the parent holds would never be released here."""
    for lineage in list(_LINEAGES):
        lineage.lock = threading.RLock()
        lineage.leases.forked()
        for owner in filter(None, (reference() for reference in lineage.callables)):
            owner.forked()


os.register_at_fork(after_in_child=_forked)


def number_in(value: Any) -> int | None:
    """A revision's number, also as NumPy has it; None for anything else."""
    with contextlib.suppress(TypeError):
        return None if isinstance(value, bool) else operator.index(value)
    return None
