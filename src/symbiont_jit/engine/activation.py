"""The code life of revisions: which are loaded, which one calls go to, and what may be unloaded.

In: revisions. Out: addresses in cells and tables that calls go through. Machine code is loaded when it is first needed,
and unloaded by `prune` where nobody can be inside.

Lock order: Numba's compiler lock first, the engine's second. A thread that compiles a caller of a kernel already holds
Numba's lock when it asks for the engine's; the other order deadlocks.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from _thread import get_ident
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.backend.loader import Loaded
from symbiont_jit.dispatch.cell import Cell, Table
from symbiont_jit.dispatch.lease import CallerRefs, remember_owner
from symbiont_jit.dispatch.numba.bodies import compiler_lock
from symbiont_jit.engine.fallback import Fallbacks
from symbiont_jit.engine.functions import DeclaredFunctions
from symbiont_jit.engine.loading import Loader
from symbiont_jit.engine.revisions import RevisionInfo, Revisions
from symbiont_jit.stages import stage
from symbiont_jit.uninterrupted import Step, take_at_once

__all__ = ["Activation", "SnapshotMember"]

#: After this many loads, code that nobody can be running is unloaded.
PRUNE_EVERY: Final = 256


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class SnapshotMember:
    """A function of a revision as compiled code has it from a snapshot; Python gets the handle."""

    functions: weakref.ref[DeclaredFunctions]
    revision: weakref.ref[RevisionInfo]
    index: int

    @property
    def python_object(self) -> Any:
        """The handle. Compiled code that has the cell keeps the group, which keeps its kernels and revisions."""
        functions, revision = self.functions(), self.revision()
        assert functions is not None, "the group keeps its functions"
        assert revision is not None, "the group keeps its revisions"
        return functions.handle(self.index, revision)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Activation:
    """Loads revisions, publishes one of them to callers, and unloads those that nobody needs.

    `slot` is a group's own cell, which holds the address of the active table: a swap is one store to it. A kernel that
    is alone has the code's address in its own cell; its slot serves the snapshots of a group of one. `is_constant` says
    that a compiled function has a kernel as a global: calls through that cannot be counted.
    """

    functions: DeclaredFunctions
    revisions: Revisions
    loader: Loader
    has_snapshots: bool
    fallbacks: Fallbacks
    slot: Cell = field(default_factory=Cell)
    caller_refs: CallerRefs = field(default_factory=CallerRefs)
    _active: RevisionInfo | None = None
    is_constant: bool = False
    _loads: int = 0
    _compiling_thread: int = 0

    def __post_init__(self) -> None:
        _ACTIVATIONS.add(self)

    @property
    def active(self) -> RevisionInfo | None:
        """The revision that calls go to: the one activated last, unless it has panicked and calls fell back."""
        return self.fallbacks.find_active(self.slot) or self._active

    def begin_with(self, info: RevisionInfo | None) -> None:
        """Let a revision be the active one, or none, before there is code that calls could go to."""
        self._active = info

    # -- loading ------------------------------------------------------------------------------------------------

    def table(self, info: RevisionInfo) -> Table:
        """Return the entries of a revision's code, loaded now if needed; valid while it is active or pinned."""
        state = info.state
        while state.code is None or state.table is None:
            with compiler_lock() if any(info.bodies) else contextlib.nullcontext():
                if state.code is None:
                    self._keep(info, self._load(info))
        return state.table

    def _keep(self, info: RevisionInfo, code: Any) -> None:
        """Make loaded code the revision's, unless another thread was quicker: what came second goes.

        No lock of the engine is held while code is loaded: a finaliser that runs on the thread that does it may want
        it.
        """
        state = info.state
        with self.functions.lock:
            if state.code is None:
                table = state.table or self._make_table(info)
                # Readers of a table that was published may still be at it, so a reload changes it in place.
                steps = (Step(setattr, state, "table", table), Step(setattr, state, "code", code))
                take_at_once((*table.store_steps(_addresses(code)), *steps))

    def _make_table(self, info: RevisionInfo) -> Table:
        table = Table(len(self.functions.signatures), self.loader.panics.table.address)
        if self.has_snapshots:
            functions, revision = weakref.ref(self.functions), weakref.ref(info)
            info.state.members = tuple(SnapshotMember(functions, revision, i) for i in range(len(table.places)))
            for place, member in zip(table.places, info.state.members, strict=True):
                remember_owner(place, member)
        return table

    def _load(self, info: RevisionInfo) -> Any:
        """Load the code of a revision; now and then, unload what nobody needs to make room for it."""
        if info.object_code is not None:
            self._loads += 1
            if self._loads % PRUNE_EVERY == 0:
                self.prune((info,))
        with stage("load"):
            if not any(info.bodies):
                return self.loader.load(info)
            self._compiling_thread = get_ident()  # Whoever compiles bodies holds Numba's lock.
            try:
                return self.loader.load(info)
            finally:
                self._compiling_thread = 0

    # -- publishing ---------------------------------------------------------------------------------------------

    def activate(self, info: RevisionInfo) -> None:
        """Send all later calls to a revision: one store."""
        if self.fallbacks.is_on and self._active is not None and not self.is_ready():
            self.require_code()  # Calls can fall back to what was declared active too.
        while not self._publish(info, lambda: True, Step(setattr, self, "_active", info)):
            self.table(info)

    def _publish(self, info: RevisionInfo, is_wanted: Callable[[], bool], *further: Step) -> bool:
        """Let the cells lead to a revision where that is still wanted; False where its code has to be loaded first."""
        with self.functions.lock:
            if not is_wanted():
                return True
            state = info.state
            if state.code is None or state.table is None:
                return False
            state.was_active = True
            cells, targets = self._cells(), (state.table.address, state.table.target(0))
            stores = [cell.store_step(target) for cell, target in zip(cells, targets, strict=False)]
            take_at_once((*stores, *further, *self.fallbacks.add_steps(info, state.table, cells)))
            return True

    def _cells(self) -> list[Cell]:
        """Return the cells that a swap changes: the slot, and the own cell of a kernel that is alone."""
        return [self.slot] if self.functions.is_group else [self.slot, self.functions.cells[0]]

    def require_code(self) -> None:
        """Make every cell lead to code: the active revision's, or stubs that panic."""
        info = self.active
        if info is None:
            self._publish_stubs()
            return
        # Another thread may activate a revision meanwhile, and publishes it then. And a body that is being compiled may
        # name a function of its group, whose cell leads nowhere yet.
        while not self._publish(info, lambda: self.active is info and self._compiling_thread != get_ident()):
            self.table(info)

    def _publish_stubs(self) -> None:
        stubs = RevisionInfo(-1, "", "python", bodies=(None,) * len(self.functions.signatures))
        self.table(stubs)
        _KEPT.append(stubs)
        self._publish(stubs, lambda: not self.slot.target)

    @contextlib.contextmanager
    def temporarily_active(self, info: RevisionInfo) -> Iterator[None]:
        """Make a revision active, and put everything back afterwards; only worker processes do this."""
        cells = self._cells()
        active, targets = self._active, [cell.target for cell in cells]
        self.activate(info)
        try:
            yield
        finally:
            stores = (cell.store_step(target) for cell, target in zip(cells, targets, strict=True))
            take_at_once((*stores, Step(setattr, self, "_active", active)))

    def is_ready(self) -> bool:
        """Whether calls lead to code."""
        return bool(self.slot.target)

    # -- unloading ----------------------------------------------------------------------------------------------

    def prune(self, keep: Collection[RevisionInfo] = (), idle: bool = False) -> list[int]:
        """Unload the revisions that are not active, kept, pinned or in use, and return their numbers.

        A revision that was active may still be running while a compiled function is under way that got a kernel as an
        argument, and for as long as a compiled function has one as a global; of those, which cannot be counted, `idle`
        is the caller's word that none is under way.
        """
        with self.functions.lock:
            pinned = {*self.revisions.pinned_numbers()}
            may_be_running = (self.is_constant and not idle) or self._is_in_use()
            idle_code = [info for info in self.revisions if _can_unload(info, may_be_running)]
            gone = [info for info in idle_code if not self._is_wanted(info, keep, pinned)]
            codes = [_take_code(info) for info in gone]
        for code in codes:  # Giving memory back may wait for another thread, which may want the engine's lock.
            code.close()
        return [info.number for info in gone]

    def _is_wanted(self, info: RevisionInfo, keep: Collection[RevisionInfo], pinned: set[int]) -> bool:
        return info is self.active or info in keep or info.number in pinned or info in self.fallbacks.history

    def _is_in_use(self) -> bool:
        """Whether compiled code has the group or one of its kernels, or a call from Python is under way."""
        callers = self.functions.living_callables()
        return self.slot.users > 0 or self.caller_refs.are_out or any(c._may_be_running for c in callers)

    # -- forks --------------------------------------------------------------------------------------------------

    def begin_anew_after_fork(self) -> None:
        """Forget what a thread of the parent was at, which does not exist here, and the lock that it had."""
        self.functions.lock, self._compiling_thread = threading.RLock(), 0


def _addresses(code: Any) -> list[int]:
    return list(code.addresses) if isinstance(code, Loaded) else [part.address for part in code]


def _can_unload(info: RevisionInfo, may_be_running: bool) -> bool:
    """Whether a revision has code of ours, and nobody can be inside it through a kernel."""
    return isinstance(info.state.code, Loaded) and not (info.state.was_active and may_be_running)


def _take_code(info: RevisionInfo) -> Loaded:
    code, info.state.code = info.state.code, None
    info.state.was_active = False
    assert isinstance(code, Loaded)
    return code


# These records hold tables of stubs that slots point at, and a reader may be at one at any time.
_KEPT: list[RevisionInfo] = []

_ACTIVATIONS: weakref.WeakSet[Activation] = weakref.WeakSet()


def _begin_anew_after_fork() -> None:
    for activation in list(_ACTIVATIONS):
        activation.begin_anew_after_fork()


os.register_at_fork(after_in_child=_begin_anew_after_fork)
