"""What searches, metrics and the model loop need of a kernel or group: more than its user sees.

In: the user's object. Out: its `CompileTarget`. The object itself stays opaque here: it is handed to the user's metric,
and handles of revisions are handed back to the user.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.dispatch.numba.from_numba import with_options
from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.engine import Engine
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.errors import KernelError, UsageError
from symbiont_jit.frontend import Canonical
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import Signature

__all__ = ["CompileTarget", "Reduced", "TargetOwner", "register_spawn_reducer", "target_of"]

Reduced = tuple[Callable[..., Any], tuple[Any, ...]]


class TargetOwner:
    """The user's object, a kernel or a group; `target_of` is the way to what it does for the rest of the package."""

    __slots__ = ()

    @property
    @abstractmethod
    def _target(self) -> CompileTarget:
        """The face for the rest of the package; the underscore keeps it out of the user's completion list."""


def target_of(owner: Any) -> CompileTarget:
    """Return the compile target of a kernel or group; raise `UsageError` for anything else."""
    if not isinstance(owner, TargetOwner):
        raise UsageError(f"kernel is made by @evolvable or is a Group, not {owner!r:.80}")
    return owner._target


@dataclass(frozen=True, slots=True, eq=False)
class CompileTarget:
    """The kernel or group that candidates are compiled for, registered with and measured in.

    `owner` is the user's kernel or group; `signature` is that of a kernel which is alone, and None where several
    functions evolve together. A *handle* is the user's object for one revision; `make_handle` and `find_info` go from
    the engine's record of a revision to its handle and back (None for what is no handle of this owner); `translate`
    says what a Python body is in C (None where it has no C form).
    """

    owner: Any
    engine: Engine
    signature: Signature | None
    make_handle: Callable[[RevisionInfo], Any]
    find_info: Callable[[Any], RevisionInfo | None]
    translate: Callable[[], str | None] = lambda: None

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """The signatures that a candidate has to supply, in the order of their declaration."""
        return tuple(self.engine.functions.signatures)

    @property
    def name(self) -> str:
        """The names of all functions, for messages."""
        return " + ".join(s.name for s in self.signatures)

    @property
    def profile(self) -> str:
        """The profile that sources are compiled for unless another one is given."""
        return self.engine.profile

    # -- text to revisions --------------------------------------------------------------------------------------

    def canonical(self, source: str | bytes) -> Canonical:
        """Return the canonical form of a candidate; raise `CandidateError` where it has none."""
        return self.engine.builder.canonical(source)

    def build(self, canonical: Canonical, profile: str = "release") -> Build:
        """Compile a canonical text for a profile; raise `CandidateError` where clang or the checks refuse it."""
        return self.engine.build(canonical, profile)

    def prewarm(self, compilers: int, profile: str) -> None:
        """Start compilers for so many candidates that come at about the same time; a later call with 1 ends that."""
        self.engine.builder.prewarm(compilers, profile)

    def register(self, build: Build, origin: str = "") -> Any:
        """Register compiled code, neither active nor loaded, and return its handle; an equal revision is given back."""
        return self.make_handle(self.engine.revisions.register(build, origin))

    def compile(self, source: str | bytes, profile: str, origin: str = "") -> Any:
        """Compile and register a text, without activating it, and return its handle; raise `CandidateError`."""
        return self.make_handle(self.engine.compile(source, profile, origin))

    def candidate(self, build: Build) -> Any:
        """Return the handle of compiled code that is not registered; the code goes with the handle."""
        return self.make_handle(RevisionInfo.of_build(build, -1, "candidate"))

    @property
    def c_sources(self) -> list[str]:
        """The canonical C of all revisions in the order they were registered; else what Python bodies are in C."""
        if self.is_translated:
            translated = self.translate()
            return [] if translated is None else [translated]
        return [info.source for info in self.engine.revisions if info.language == "c"]

    @property
    def reference(self) -> str:
        """The text of the Python bodies that say what to compute; nothing where the first revision is none, or C."""
        first = self.engine.revisions.first
        return "" if first is None or first.language == "c" else first.source

    @property
    def current(self) -> str | None:
        """The active C, as its author wrote it, or what the Python bodies are in C; None where there is none."""
        active = self.engine.active
        return active.author_text if active is not None and active.language == "c" else self.translate()

    @property
    def is_translated(self) -> bool:
        """Whether no revision is C, so that what there is of it was made of Python bodies."""
        return not any(info.language == "c" for info in self.engine.revisions)

    @property
    def first(self) -> Any | None:
        """The handle of the first revision, which is the reference; None where there is no revision yet."""
        first = self.engine.revisions.first
        return None if first is None else self.make_handle(first)

    def make_otherwise(self, option: str) -> Any | None:
        """Return a handle of the first revision's Python bodies, with an option of Numba's set; None where it is C."""
        first = self.engine.revisions.first
        if first is None or first.language != "python":
            return None
        bodies = tuple(None if body is None else with_options(body, **{option: True}) for body in first.bodies)
        return self.make_handle(RevisionInfo(-1, first.source, "python", option, bodies=bodies))

    # -- calls --------------------------------------------------------------------------------------------------

    @property
    def active(self) -> Any | None:
        """The handle of the revision that calls go to; None before the first."""
        return None if self.engine.active is None else self.make_handle(self.engine.active)

    @property
    def active_build(self) -> Build | None:
        """The compiled code of the active revision, in its profile; None where it is a Python body or nothing."""
        info = self.engine.active
        if info is None or info.object_code is None:
            return None
        return Build(self.canonical(info.author_text), info.profile, info.object_code, info.sites)

    def activate(self, handle: Any) -> Any:
        """Send all later calls to a revision, and give its handle back."""
        self.engine.activation.activate(self._require_info(handle))
        return handle

    @contextlib.contextmanager
    def temporarily_active(self, handle: Any) -> Iterator[Any]:
        """Yield the owner with a candidate active, and put everything back afterwards.

        Only workers do this: a candidate's code goes with its handle, so no other thread may be inside of it then.
        """
        with self.engine.activation.temporarily_active(self._require_info(handle)):
            yield self.owner

    def _require_info(self, handle: Any) -> RevisionInfo:
        info = self.find_info(handle)
        if info is None:
            raise KernelError(f"{handle!r} is not a revision of {self.engine.functions.name}")
        return info

    def warm(self) -> None:
        """Compile now what calls from Python and panics need: where the code will run, no compiler may be started."""
        self.engine.warm()

    def limit_steps(self, steps: int | None) -> None:
        """Let each call of `checked` code make so many steps of loops; more are a panic. None ends that."""
        self.engine.panics.table.limit(steps)

    @property
    def panic_count(self) -> int:
        """The number of calls that have panicked so far, in all threads."""
        return self.engine.panics.table.count

    def take_panic_of(self, handle: Any) -> Panic | None:
        """Take the newest panic of a revision's code in this thread, whichever function panicked; it is forgotten."""
        return self.engine.take_panic(self._require_info(handle))

    def take_raised_panic(self) -> Panic | None:
        """Take the panic that was last raised in Python by a call, also where somebody has caught it."""
        panic, self.engine.raised = self.engine.raised, None
        return panic

    # -- other processes ----------------------------------------------------------------------------------------

    def reduce_for_spawn(self, has_main: bool) -> Reduced:
        """Reduce the owner for a fresh interpreter, as `__reduce__` does; `has_main`: it can import `__main__`.

        By its name where a module has it; else by value, and never without its first revision, which is the reference:
        where that cannot be pickled, `pickle.PicklingError` is raised.
        """
        reducer = next(r for kind, r in _SPAWN_REDUCERS.items() if isinstance(self.owner, kind))
        return reducer(self.owner, has_main)


_SPAWN_REDUCERS: Final[dict[type, Callable[[Any, bool], Reduced]]] = {}


def register_spawn_reducer(kind: type, reducer: Callable[[Any, bool], Reduced]) -> None:
    """Say how objects of a kind are pickled for a fresh interpreter, as `copyreg.pickle` says for every pickle."""
    _SPAWN_REDUCERS[kind] = reducer
