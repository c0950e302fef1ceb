"""What a kernel or a group stands on: text in, compiled revisions, one of them active, panics out.

In: signatures, then candidate texts. Out: revisions, and cells that lead to one of them. An engine ties four owners
together: `Builder` (text to object code), `Revisions` (numbers, known texts, pins), `Activation` (what is loaded and
called) and `PanicReader`. It knows no model and no metric, and nothing of the objects that users have.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from symbiont_jit.backend.loader import Loaded
from symbiont_jit.dispatch.python_entry import PanicWatch
from symbiont_jit.engine.activation import Activation
from symbiont_jit.engine.builds import Build, Builder
from symbiont_jit.engine.fallback import Fallbacks
from symbiont_jit.engine.functions import DeclaredFunctions
from symbiont_jit.engine.loading import Loader
from symbiont_jit.engine.panic_reader import PanicReader
from symbiont_jit.engine.revisions import PythonBody, RevisionInfo, Revisions
from symbiont_jit.errors import PanicError, ToolchainError
from symbiont_jit.frontend import Canonical
from symbiont_jit.runtime.interrupt import interrupt
from symbiont_jit.runtime.library import bound_names, watch_panics
from symbiont_jit.runtime.panics import Panic, PanicReport, make_report

__all__ = ["DECLARED", "Engine", "Memory", "OnPanic", "RevisionPart"]

#: The origin of C that functions were declared with.
DECLARED: Final = "declared source"


class OnPanic(enum.StrEnum):
    """What follows when a call from Python panics."""

    #: `PanicError` is raised.
    RAISE = "raise"
    #: The call returns zero, as it does from compiled code.
    ZERO = "zero"
    #: `PanicError` is raised; calls go to the last revision that has not panicked, those from compiled code too.
    ROLL_BACK = "rollback"


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory that the revisions of a kernel or group take; `str()` is one line.

    Attributes:
        revisions: How many revisions are stored.
        stored_bytes: The bytes of all source, object code and sites.
        loaded: How many revisions have machine code in this process.
        loaded_bytes: The bytes of that machine code.
        held: The numbers of the revisions that somebody has a handle of.
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


@dataclass(frozen=True, slots=True, eq=False)
class RevisionPart:
    """The function and the revision that a handle stands for."""

    engine: Engine
    info: RevisionInfo
    index: int


@dataclass(slots=True, eq=False, weakref_slot=True)
class Engine:
    """The functions that evolve together, with all their revisions.

    `profile` is what sources are compiled for unless a caller says otherwise; `flags` are further clang options;
    `on_panic` is what follows when a call from Python panics; `has_snapshots` says that compiled code can take the
    functions of one moment, as it can of a group. `raised` is the panic that was last raised in Python.
    """

    profile: str
    flags: tuple[str, ...]
    on_panic: OnPanic = OnPanic.RAISE
    has_snapshots: bool = False
    functions: DeclaredFunctions = field(init=False, default_factory=DeclaredFunctions)
    builder: Builder = field(init=False)
    revisions: Revisions = field(init=False)
    panics: PanicReader = field(init=False)
    loader: Loader = field(init=False)
    activation: Activation = field(init=False)
    raised: Panic | None = None

    def __post_init__(self) -> None:
        self.builder = Builder(self.functions.signatures, self.flags)
        self.revisions = Revisions(self.functions)
        self.panics = PanicReader(self.functions)
        self.loader = Loader(self.functions, self.panics)
        fallbacks = Fallbacks(self.panics.table, self.on_panic is OnPanic.ROLL_BACK)
        self.activation = Activation(self.functions, self.revisions, self.loader, self.has_snapshots, fallbacks)

    # -- text to revisions --------------------------------------------------------------------------------------

    def compile(self, source: str | bytes, profile: str, origin: str) -> RevisionInfo:
        """Compile a candidate as a revision that is not active; an equal one that exists is given back.

        Raises:
            CandidateError: The text is not acceptable.
        """
        canonical = self.builder.canonical(source)
        known = self.revisions.find(canonical, profile)
        if known is not None:
            return known
        return self.revisions.register(self.build(canonical, profile), origin)

    def build(self, canonical: Canonical, profile: str) -> Build:
        """Compile a canonical text for a profile; raise `CandidateError` where clang or the checks refuse it."""
        return self.builder.build(canonical, profile)

    def declare_bodies(self, bodies: tuple[PythonBody | None, ...], source: str, origin: str) -> None:
        """Begin again with Python bodies as the first revision and the active one, or with none at all."""
        self.revisions.clear()
        self.activation.begin_with(self.revisions.add_bodies(bodies, source, origin) if any(bodies) else None)

    def declare_source(self, source: str | bytes) -> None:
        """Let C be the next revision and the active one, before anything is called; raise `CandidateError`."""
        self.activation.begin_with(self.compile(source, self.profile, DECLARED))

    @property
    def is_unused(self) -> bool:
        """Whether nothing was compiled or called yet, but what was declared, so that functions can still be added."""
        has_only_declared = all(info.object_code is None or info.origin == DECLARED for info in self.revisions)
        was_seen = self.activation.is_ready() or self.revisions.has_pins or self.activation.caller_refs.were_out
        return has_only_declared and not was_seen

    # -- calls --------------------------------------------------------------------------------------------------

    @property
    def active(self) -> RevisionInfo | None:
        """The revision that calls go to; None before the first."""
        return self.activation.active

    def require_code(self) -> None:
        """Make sure that calls lead to code."""
        if not self.activation.is_ready():
            self.activation.require_code()

    def warm(self) -> None:
        """Compile what calls from Python and panics need; where the code will run, no compiler may be started."""
        self.panics.table.take(None)
        bound_names()
        for caller in self.functions.living_callables():
            caller._vectorcall()

    def take_panic(self, info: RevisionInfo | None = None) -> Panic | None:
        """Take the newest panic of this thread: in a revision, or in any; it is forgotten."""
        return self.panics.take(info)

    @property
    def watch(self) -> PanicWatch | None:
        """What looks after calls from Python and raises their panics; None where nothing is raised.

        Where there is no compiler for the project's own C, there is no code that could panic either.
        """
        with contextlib.suppress(ToolchainError):
            watch_panics()
            return None if self.on_panic is OnPanic.ZERO else self
        return None

    def call(self, call: Callable[[], Any]) -> Any:
        """Make a call, and raise `PanicError` where it panics; who gets the error has the panic, which is forgotten."""
        result, report = self.panics.table.watch(call)
        if report is not None:
            self._raise(report)
        return result

    def raise_panic(self, found: int, revision: int, site: int, a: int, b: int) -> None:
        """Raise `PanicError` for what C has taken out of the table after a call."""
        report = make_report(found, revision, site, a, b)
        assert report is not None, "there is a panic"
        self._raise(report)

    def _raise(self, report: PanicReport) -> NoReturn:
        self.raised = self.panics.panic_of(report)
        raise PanicError(self.raised)

    def interrupt(self) -> int:
        """End all instrumented calls that are under way, and return how many threads were inside one."""
        return interrupt(self.panics.table.address)

    # -- memory -------------------------------------------------------------------------------------------------

    def prune(self, keep: Collection[RevisionInfo] = (), idle: bool = False) -> list[int]:
        """Unload what nobody needs, as `Activation.prune` says, and return the numbers of the revisions that went."""
        return self.activation.prune(keep, idle)

    def memory(self) -> Memory:
        """Measure what the revisions take."""
        with self.functions.lock:
            revisions = list(self.revisions)
            loaded = [info.state.code for info in revisions if info.state.code is not None]
            stored = sum(info.stored_bytes for info in revisions)
            size = sum(code.size for code in loaded if isinstance(code, Loaded))
            return Memory(len(revisions), stored, len(loaded), size, tuple(self.revisions.pinned_numbers()))
