"""What a kernel and a group have in common: revisions that are compiled, activated, listed and pruned."""

from __future__ import annotations

import contextlib
import copyreg
import weakref
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from symbiont_jit.engine.engine import Engine, Memory
from symbiont_jit.engine.revisions import RevisionInfo, revision_number
from symbiont_jit.errors import KernelError, UsageError
from symbiont_jit.kernel.evolve import ModelWritten
from symbiont_jit.kernel.from_python import source_text
from symbiont_jit.kernel.inspect import describe_remarks, print_asm, print_llvm
from symbiont_jit.kernel.profiles import require_profile
from symbiont_jit.kernel.revision import PinnedRevision
from symbiont_jit.kernel.translating import translate_bodies
from symbiont_jit.signature import Signature

__all__ = ["Evolvable"]

Handle = TypeVar("Handle")


class Evolvable(ModelWritten, Generic[Handle]):
    """Functions whose bodies are replaced while the program runs; a handle is one revision of them."""

    _engine: Engine
    _handles: weakref.WeakValueDictionary[int, Any]

    def __init_subclass__(cls, **options: Any) -> None:
        """Pickle a user's subclass as the class that it is derived from."""
        super().__init_subclass__(**options)
        reducers = [copyreg.dispatch_table[base] for base in cls.__mro__ if base in copyreg.dispatch_table]
        if reducers:
            copyreg.pickle(cls, reducers[0])

    @abstractmethod
    def _make_handle(self, info: RevisionInfo) -> Handle:
        """Make a new handle of a revision."""

    @abstractmethod
    def _find_info(self, handle: Any) -> RevisionInfo | None:
        """Return the revision of a handle of this object; None for anything else."""

    def _handle(self, info: RevisionInfo) -> Handle:
        """Return the handle of a revision: one object for all who have it at a time, but for candidates."""
        if info.number < 0:
            return self._make_handle(info)
        with self._engine.functions.lock:
            handle: Handle | None = self._handles.get(info.number)
            if handle is None:
                handle = self._handles[info.number] = self._make_handle(info)
            return handle

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """The signatures of all functions that evolve together, in the order of their declaration."""
        return tuple(self._engine.functions.signatures)

    @property
    def profile(self) -> str:
        """The profile that sources are compiled with unless another one is given: `safe`, `checked` or `release`."""
        return self._engine.profile

    @property
    def flags(self) -> tuple[str, ...]:
        """Further clang options."""
        return self._engine.flags

    @property
    def revisions(self) -> Sequence[Handle]:
        """Handles of all revisions in the order they were registered; holding them keeps their code."""
        return tuple(map(self._handle, self._engine.revisions))

    @property
    def active(self) -> Handle | None:
        """The handle of the revision that calls go to; None before the first."""
        active = self._engine.active
        return None if active is None else self._handle(active)

    @property
    def source(self) -> str | None:
        """The C of the active revision: its canonical text, or what its Python bodies are in C.

        It is the Python text where that has no C form (`sj.translate` says why), and None before the first revision.
        """
        active = self._engine.active
        if active is None or active.language == "c":
            return None if active is None else active.source
        return self._translated or active.source

    @property
    @abstractmethod
    def _translated(self) -> str | None:
        """What all Python bodies are in C; None where one of them is none, or has no C form."""

    def _translate(self, kernels: Sequence[Any]) -> str | None:
        """Translate the Python bodies of the first revision; None where it is C, or there is none."""
        first = self._engine.revisions.first
        if first is None or first.language == "c" or None in first.bodies:
            return None
        with contextlib.suppress(UsageError):  # A `TranslationError`, or no function to be translated.
            return translate_bodies(kernels)
        return None

    def revision(self, number: int) -> Handle:
        """Return the handle of a revision, which is called like the kernel and stays what it is.

        Args:
            number: The revision's number, from 0.

        Returns:
            The handle; the revision's code stays loaded for as long as the handle lives.

        Raises:
            KernelError: There is no such revision; the message says which there are.
        """
        return self._handle(self._engine.revisions.get(number))

    def inspect_llvm(self) -> str:
        """Return the optimised LLVM IR of the active revision as text, at most 1 MiB of it.

        Raises:
            KernelError: There is no active revision.
        """
        return print_llvm(self._engine, self._require_active())

    def inspect_asm(self) -> str:
        """Return the machine code of the active revision as assembly, at most 1 MiB of it.

        Raises:
            KernelError: There is no active revision.
        """
        return print_asm(self._engine, self._require_active())

    def inspect_remarks(self) -> str:
        """Say what clang's optimiser did with the active revision's text, and why not more.

        Returns:
            At most 200 lines of the form `line:column: pass, done | not done | because: message`, which count the lines
            of the text as its author wrote it.

        Raises:
            KernelError: There is no active revision, or it is a Python body.
        """
        return describe_remarks(self._engine, self._require_active())

    def _require_active(self) -> RevisionInfo:
        active = self._engine.active
        if active is None:
            raise KernelError(f"{self._engine.functions.name} has no revision to inspect; swap one in first")
        return active

    def _describe_active(self) -> str:
        active = self._engine.active
        if active is None:
            return "no body yet"
        return f"revision {active.number}: {active.about} ({len(self._engine.revisions)} registered)"

    def _describe_rows(self, prototypes: str) -> str:
        """Return the C prototypes and the active revision, for `repr` and `help`."""
        indented = prototypes.replace("\n", "\n          ")
        return f"  in C:   {indented}\n  active: {self._describe_active()}"

    # -- what changes it ----------------------------------------------------------------------------------------

    def compile(self, source: str | bytes | Path, profile: str | None = None, *, origin: str = "") -> Handle:
        """Validate and compile a candidate and register it, without activating it.

        Args:
            source: C text that supplies every function, or the path of a file of it.
            profile: `safe`, `checked` or `release`; by default the kernel's own.
            origin: Who proposed the text, for `revision.origin`.

        Returns:
            The handle of the new revision, or of an earlier one whose text is canonically the same.

        Raises:
            CandidateError: The text is not acceptable; its diagnostics say why and where.
            UsageError: The file cannot be read.
        """
        text = source_text(source) if isinstance(source, Path) else source
        return self._handle(self._engine.compile(text, require_profile(profile or self.profile), origin))

    def swap(self, source: str | bytes | Path, profile: str | None = None) -> Handle:
        """Validate and compile a candidate, register it and send all later calls to it.

        Args:
            source: C text that supplies every function, or the path of a file of it.
            profile: `safe`, `checked` or `release`; by default the kernel's own.

        Returns:
            The handle of the active revision.

        Raises:
            CandidateError: The text is not acceptable; calls go where they went before.
        """
        return self.activate(self.compile(source, profile))

    def activate(self, revision: Any) -> Handle:
        """Send all later calls to a revision: one store, after loading it if need be.

        Args:
            revision: A handle of this kernel or group, or a number.

        Returns:
            The handle of the active revision.

        Raises:
            KernelError: The argument is no revision of this object.
        """
        info = self._choose(revision)
        if info is None:
            name = self._engine.functions.name
            raise KernelError(f"{revision!r} is not a revision of {name}; compile its source here first")
        self._engine.activation.activate(info)
        return self._handle(info)

    def _choose(self, revision: Any) -> RevisionInfo | None:
        """Return the revision of a number or a handle; None for what is neither, or another kernel's."""
        is_number = isinstance(revision, int) or revision_number(revision) is not None
        return self._engine.revisions.get(revision) if is_number else self._find_info(revision)

    def interrupt(self) -> int:
        """End the calls of `safe` and `checked` code that are under way, in any thread: they panic and return zero.

        From then on the process handles a real-time signal.

        Returns:
            How many threads were inside a call.

        Raises:
            UsageError: The platform is not Linux.
        """
        return self._engine.interrupt()

    @property
    def step_limit(self) -> int | None:
        """How many steps of loops and recursions a call of `checked` code may make before it panics (`endless`).

        It is 5,000,000,000 unless you set it, some seconds of steps; None lets calls take as long as they like. `safe`
        and `release` code counts no steps.

        Raises:
            UsageError: What it is set to is no number above 0 and not None.

        Example:
            >>> kernel.step_limit = 1_000_000
        """
        return self._engine.panics.table.steps

    @step_limit.setter
    def step_limit(self, steps: int | None) -> None:
        if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps <= 0):
            raise UsageError(f"a limit of steps is a number above 0 or None, not {steps!r}")
        self._engine.panics.table.limit(steps)

    # -- memory -------------------------------------------------------------------------------------------------

    def prune(self, keep: Any = (), *, idle: bool = False) -> list[int]:
        """Unload machine code that nobody needs; all revisions stay registered, and are loaded again when needed.

        Kept are the active revision, those that somebody holds a handle of, and those that may be running: while
        compiled code has a kernel or a call from Python is under way, and for good where a compiled function has a
        kernel as a global.

        Args:
            keep: What is to stay in any case: one or several handles or numbers.
            idle: Your word that no thread is inside a compiled function that has a kernel as a global; where that is
                wrong the process crashes.

        Returns:
            The numbers of the revisions whose code went.

        Raises:
            KernelError: `keep` has what is no revision of this object.
        """
        is_one = isinstance(keep, PinnedRevision) or revision_number(keep) is not None or not isinstance(keep, Iterable)
        kept = [self._choose(r) for r in ((keep,) if is_one else keep)]
        if None in kept:
            raise KernelError(f"keep={keep!r}: not all of these are revisions of {self._engine.functions.name}")
        return self._engine.prune([info for info in kept if info is not None], idle)

    def memory(self) -> Memory:
        """Measure what the revisions take, in numbers and bytes: stored, loaded, held."""
        return self._engine.memory()
