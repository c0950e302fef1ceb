"""The revisions of functions that evolve together: one for a kernel, several for a group.

In: canonical texts and their object code. Out: numbered versions, of which one is active. All of them stay, as text and
object code; machine code is loaded when it is first needed, and unloaded by `prune` where nobody can be inside.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import re
import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import ObjectCode, check_object, compile_object, expect
from symbiont_jit.clock import stage
from symbiont_jit.dispatch.callable import CellCallable
from symbiont_jit.dispatch.cell import Cell
from symbiont_jit.dispatch.lease import Leases
from symbiont_jit.dispatch.python_body import PythonCode, compile_python
from symbiont_jit.errors import CandidateError, Diagnostic, KernelError
from symbiont_jit.frontend import Canonical, canonical_source
from symbiont_jit.frontend.guard import FLAGS, FRAMES, Guarded, allocates, frame_flags, guard, released
from symbiont_jit.kernel.glue import Stub, preprocess
from symbiont_jit.kernel.panics import Panic, PanicTable, panic_of
from symbiont_jit.kernel.threads import bound_names
from symbiont_jit.signature import NativeEntry, Signature, native_entry

__all__ = ["Lineage", "Memory", "Version"]

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


@dataclass(slots=True, eq=False, weakref_slot=True)
class Version:
    """One accepted text with its code, for all functions of a lineage.

    `bodies` are Python functions instead of object code, None for a function without one. `table` holds the addresses
    once they are known.
    """

    number: int
    source: str
    language: str = "c"
    origin: str = ""
    profile: str = "release"
    object_code: ObjectCode | None = None
    bodies: tuple[Body | None, ...] = ()
    table: Any = None
    was_active: bool = False
    identity: int = field(default_factory=itertools.count(1).__next__)
    code: Loaded | tuple[PythonCode | Stub, ...] | None = None


@dataclass(slots=True, eq=False)
class Lineage:
    """Versions, the active one, and the cells that lead to it.

    `callables` are the kernels, weakly; `slot` is the group's own cell, which holds the address of the active table: a
    swap is one store to it. A lineage of one needs no table, its kernel's cell holds the code's address.
    """

    profile: str
    flags: tuple[str, ...]
    signatures: list[Signature] = field(default_factory=list)
    callables: list[weakref.ref[CellCallable]] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    active: Version | None = None
    is_group: bool = False
    slot: Cell = field(default_factory=Cell)
    lock: threading.RLock = field(default_factory=threading.RLock)
    handles: weakref.WeakValueDictionary[tuple[int, int], Any] = field(default_factory=weakref.WeakValueDictionary)
    is_constant: bool = False
    panics: PanicTable = field(default_factory=PanicTable)
    leases: Leases = field(default_factory=Leases)
    _by_identity: weakref.WeakValueDictionary[int, Version] = field(default_factory=weakref.WeakValueDictionary)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)
    _sound: set[int] = field(default_factory=set)
    _stubs: dict[int, Stub] = field(default_factory=dict)
    _loads: int = 0

    @property
    def name(self) -> str:
        """For messages."""
        return ", ".join(repr(s.name) for s in self.signatures)

    # -- text and object code -----------------------------------------------------------------------------------

    def canonical(self, source: str | bytes) -> Canonical:
        """The canonical form of a candidate; raises `CandidateError`."""
        return canonical_source(source, self.signatures, preprocess)

    def object_code(self, canonical: Canonical, profile: str) -> ObjectCode:
        """A canonical text, compiled for a profile; raises `CandidateError`."""
        with stage("clang"):
            return self._compiled(canonical, profile)

    def _compiled(self, canonical: Canonical, profile: str) -> ObjectCode:
        entries = [e.symbol for e in self.entries]
        if profile == "release":
            code = self._released(canonical, entries)
            self._sound.add(hash(canonical.text))
            return code
        try:
            guarded = guard(canonical.text, self.signatures, profile)
        except CandidateError:
            self._check(canonical)  # what clang says of it is better known
            raise
        flags = (*self.flags, *FLAGS)
        if guarded.is_plain:
            self._check(canonical)
            with contextlib.suppress(CandidateError):  # nobody looks at the stack there, so it must need next to none
                plain = (*flags, f"-Wframe-larger-than={PLAIN_FRAME}")
                return compile_object(canonical.text, entries, plain, profile, self.after)
        return self._guarded(canonical, guarded, entries, profile)

    def _check(self, canonical: Canonical) -> None:
        """Raise what clang finds in a text as it is."""
        if hash(canonical.text) not in self._sound:
            check_object(canonical.text, self.flags, self.after)
            self._sound.add(hash(canonical.text))

    def _guarded(self, canonical: Canonical, guarded: Guarded, entries: Sequence[str], profile: str) -> ObjectCode:
        after = self.assertions + guarded.after
        for size in FRAMES:
            flags = (*self.flags, *FLAGS, *frame_flags(size))
            is_sound = hash(canonical.text) in self._sound
            try:
                code = compile_object(
                    *(guarded.text, entries, flags, profile, after, guarded.before, BOUND),
                    made_of=guarded.written,
                    is_sound=is_sound,
                )
            except CandidateError as error:
                self._check(canonical)  # its findings have the candidate's names and lines, and nothing beside
                if size == FRAMES[-1] or "stack frame size" not in str(error):
                    raise CandidateError(error.stage, map(_without_line, error.diagnostics), canonical.text) from None
            else:
                self._sound.add(hash(canonical.text))
                return code
        raise AssertionError("the last size was tried")

    def expect(self, units: int, profile: str) -> None:
        """Get ready to compile so many candidates at about the same time."""
        is_plain = profile == "release"
        guarded = (*self.flags, *FLAGS, *frame_flags(FRAMES[0]))
        expect(self.flags if is_plain else guarded, units)

    def _released(self, canonical: Canonical, entries: Sequence[str]) -> ObjectCode:
        if not allocates(canonical.text):
            return compile_object(canonical.text, entries, self.flags, "release", self.after)
        around = released(self.signatures)
        after = self.assertions + around.after
        return compile_object(canonical.text, entries, self.flags, "release", after, around.before, BOUND)

    @property
    def entries(self) -> list[NativeEntry]:
        """The native entry of each function."""
        return [native_entry(s) for s in self.signatures]

    @property
    def after(self) -> str:
        """The project's own C behind a canonical text."""
        return "".join(dict.fromkeys(part for e in self.entries for part in _statements(e.after)))

    @property
    def assertions(self) -> str:
        """The layout of the records, asserted."""
        return "".join(dict.fromkeys(part for e in self.entries for part in _statements(e.after)[:-1]))

    def compile(self, source: str | bytes, profile: str, origin: str) -> Version:
        """A candidate as a version; the one that exists where its canonical text is known."""
        canonical = self.canonical(source)
        with self.lock:
            known = self._known.get((canonical.text, profile))
        if known is not None:
            return self.versions[known]
        return self.register(canonical, self.object_code(canonical, profile), profile, origin)

    def register(self, canonical: Canonical, code: ObjectCode, profile: str, origin: str) -> Version:
        """Add compiled code, not active and not loaded; an equal version that exists is given back."""
        with self.lock:
            known = self._known.setdefault((canonical.text, profile), len(self.versions))
            if known < len(self.versions):
                return self.versions[known]
            version = Version(known, canonical.text, "c", origin, profile, code)
            self.versions.append(version)
            return version

    def version(self, number: Any) -> Version:
        """A version by its number; raises `KernelError` with what there is."""
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(self.versions):
            known = f"0 to {len(self.versions) - 1}" if self.versions else "none yet"
            raise KernelError(f"{self.name} has no revision {number!r}; there is {known}")
        return self.versions[number]

    # -- code and cells -----------------------------------------------------------------------------------------

    def addresses(self, version: Version) -> Sequence[int]:
        """The entries of a version's code, loaded now if it is not; valid while it is active or held."""
        with self.lock:
            if version.code is None:
                with stage("load"):
                    version.code = self._loaded(version)
                code = version.code
                found = code.addresses if isinstance(code, Loaded) else [c.address for c in code]
                # Readers of a table that was replaced may still be at it, so a reload changes it in place.
                version.table = version.table or (ctypes.c_uint64 * len(found))()
                version.table[:] = found
            addresses: Sequence[int] = version.table
            return addresses

    def _loaded(self, version: Version) -> Loaded | tuple[PythonCode | Stub, ...]:
        if version.object_code is None:
            pairs = enumerate(zip(version.bodies, self.signatures, strict=True))
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
        with self.lock:
            self._publish(version)
            self.active = version

    def _publish(self, version: Version) -> None:
        addresses = self.addresses(version)
        version.was_active = True
        self._leading.store(ctypes.addressof(version.table) if self.is_group else addresses[0])

    def require_code(self) -> None:
        """Make every cell lead to code: the active version's, or a stub that panics."""
        with self.lock:
            if self.active is not None:
                self._publish(self.active)
                return
            nothing = Version(-1, "", "python", bodies=(None,) * len(self.signatures))
            self._publish(nothing)
            _KEPT.append(nothing)

    @contextlib.contextmanager
    def lent(self, version: Version) -> Iterator[None]:
        """A version of somebody else's active, and afterwards what was. For worker processes."""
        before, leading = self.active, self._leading
        target = leading.target
        self.activate(version)
        try:
            yield
        finally:
            self.active = before
            leading.store(target)

    def is_ready(self) -> bool:
        """Whether calls lead to code."""
        return bool(self._leading.target)

    @property
    def _leading(self) -> Cell:
        """The cell that a swap stores to: the group's slot, or the only kernel's own."""
        if self.is_group:
            return self.slot
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
        sites = guard(found.source, self.signatures, found.profile).sites
        return panic_of(sites, *record[1:], found.source)

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
        argument, and for as long as a compiled function has one as a global; `idle` is the caller's word that none is.
        """
        with self.lock:
            held = set(self.held())
            may_be_running = not idle and (self.is_constant or self._is_in_use())
            gone = []
            for version in self.versions:
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
        return sorted({number for number, _ in list(self.handles)})

    def memory(self) -> Memory:
        """What the versions take."""
        with self.lock:
            stored = sum(
                len(v.source.encode()) + (len(v.object_code.data) if v.object_code else 0) for v in self.versions
            )
            loaded = [v.code for v in self.versions if v.code is not None]
            size = sum(c.size for c in loaded if isinstance(c, Loaded))
            return Memory(len(self.versions), stored, len(loaded), size, tuple(self.held()))


def _without_line(found: Diagnostic) -> Diagnostic:
    """A finding about the guarded text, in whose lines the candidate has no part."""
    message = re.sub(
        r"stack frame size \((\d+)\) exceeds limit \((\d+)\).*",
        r"local arrays take \1 bytes; at most \2",
        found.message,
    )
    return replace(found, message=message, line=0, column=0)


#: Bytes of stack that a function may take without being asked.
PLAIN_FRAME: Final = 4096

#: Names that guarded code leaves to be bound when it is loaded.
BOUND: Final = frozenset({"sj_panics", "sj_places", "sj_version", "sj_enlist", "sj_arena", "sj_report"})

# Tables of stubs that a slot points at: a reader may be at one at any time.
_KEPT: list[Version] = []


def _statements(text: str) -> list[str]:
    """Assertions line by line, so that a record of two functions is asserted once; a function in one piece."""
    lines = text.splitlines(keepends=True)
    assertions = [line for line in lines if line.startswith("_Static_assert")]
    return [*assertions, "".join(line for line in lines if not line.startswith("_Static_assert"))]
