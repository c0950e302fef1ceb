"""What a kernel and a group have in common: revisions that are compiled, activated, listed and pruned."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, Unpack

from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.engine.revisions import Lineage, Memory, Version, number_in
from symbiont_jit.errors import KernelError, UsageError
from symbiont_jit.frontend import Canonical
from symbiont_jit.kernel.inspect import asm_of, llvm_of, remarks_of
from symbiont_jit.kernel.revision import Registered
from symbiont_jit.runtime.interrupt import interrupt
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import Signature

if TYPE_CHECKING:
    from symbiont_jit.llm.budget import Budget
    from symbiont_jit.llm.lane import Check, EvolveResult, Options
    from symbiont_jit.llm.lanes import LaneOptions, LaneOutcome, LaneStream
    from symbiont_jit.llm.limiter import Gate

__all__ = ["Evolving", "flags_of", "profile_of"]

PROFILES: Final = ("safe", "checked", "release")

Handle = TypeVar("Handle")


class Evolving(Generic[Handle]):
    """Functions whose bodies are replaced while the program runs; a handle is one revision of them."""

    _lineage: Lineage

    @abstractmethod
    def _handle(self, version: Version) -> Handle:
        """The handle of a version."""

    @abstractmethod
    def _version(self, handle: Any) -> Version | None:
        """The version of a handle of this lineage; None for anything else."""

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """The signatures of all functions that evolve together, in the order of their declaration."""
        return tuple(self._lineage.signatures)

    @property
    def profile(self) -> str:
        """The profile that sources are compiled with unless another one is given."""
        return self._lineage.profile

    @property
    def flags(self) -> tuple[str, ...]:
        """Further clang options."""
        return self._lineage.flags

    @property
    def revisions(self) -> Sequence[Handle]:
        """Handles of all revisions in the order they were registered; holding them keeps their code."""
        return tuple(self._handle(v) for v in list(self._lineage.versions.values()))

    @property
    def active(self) -> Handle | None:
        """The revision that calls go to; None before the first."""
        active = self._lineage.active
        return None if active is None else self._handle(active)

    @property
    def source(self) -> str | None:
        """The source of the active revision: canonical C, or the Python body."""
        return self._lineage.active.source if self._lineage.active else None

    @property
    def has_python_body(self) -> bool:
        """Whether revision 0 is the decorated function's own body."""
        first = self._lineage.first
        return first is not None and first.language == "python"

    def revision(self, number: int) -> Handle:
        """The handle of a revision: it is called like the kernel and stays what it is. Raises `KernelError`."""
        return self._handle(self._lineage.version(number))

    def inspect_llvm(self) -> str:
        """The optimised LLVM IR of the active revision, at most 1 MiB; raises `KernelError` where there is none."""
        return llvm_of(self._lineage, self._require_active())

    def inspect_asm(self) -> str:
        """The assembly of the active revision, at most 1 MiB; raises `KernelError` where there is none."""
        return asm_of(self._lineage, self._require_active())

    def inspect_remarks(self) -> str:
        """What clang's optimiser did with the active revision's text, and why not more: at most 200 lines.

        Each line is `line:column: pass, done | not done | because: message`, in lines of `source`. Raises `KernelError`
        where no revision is active, or a Python body.
        """
        return remarks_of(self._lineage, self._require_active())

    def _require_active(self) -> Version:
        active = self._lineage.active
        if active is None:
            raise KernelError(f"{self._lineage.name} has no revision to inspect; swap one in first")
        return active

    def _shown_active(self) -> str:
        active = self._lineage.active
        if active is None:
            return "no body yet"
        return f"revision {active.number}: {active.about} ({len(self._lineage.versions)} registered)"

    def _shown_rows(self, prototypes: str) -> str:
        """The C prototypes and the active revision, for `repr` and `help`."""
        indented = prototypes.replace("\n", "\n          ")
        return f"  in C:   {indented}\n  active: {self._shown_active()}"

    # -- what changes it ----------------------------------------------------------------------------------------

    def compile(self, source: str | bytes, profile: str | None = None, *, origin: str = "") -> Handle:
        """Validate and compile a candidate and register it, without activating it.

        Text that is canonically the same as an earlier revision's gives that revision. Raises `CandidateError`.
        """
        return self._handle(self._lineage.compile(source, profile_of(profile or self.profile), origin))

    def swap(self, source: str | bytes, profile: str | None = None) -> Handle:
        """Validate, compile, register and activate; raises `CandidateError` and then changes nothing."""
        return self.activate(self.compile(source, profile))

    def activate(self, revision: Any) -> Handle:
        """Send all later calls to a revision, given by its handle or number: one store, after loading it if need be."""
        version = self._chosen(revision)
        if version is None:
            raise KernelError(f"{revision!r} is not a revision of {self._lineage.name}; compile its source here first")
        self._lineage.activate(version)
        return self._handle(version)

    def _chosen(self, revision: Any) -> Version | None:
        """The version of a number or a handle; None for what is neither, or another kernel's."""
        is_number = isinstance(revision, int) or number_in(revision) is not None
        return self._lineage.version(revision) if is_number else self._version(revision)

    # -- what writes it -----------------------------------------------------------------------------------------

    def evolve(
        self,
        agent: Any,
        prompt: str,
        *,
        attempts: int | None = None,
        budget: Budget | None = None,
        check: Check | None = None,
        profile: str | None = None,
        system: str | None = None,
    ) -> EvolveResult:
        """Let a model write the body: ask, compile, check, correct, until an answer is accepted, and activate that.

        `agent` is an `sj.Agent` or an async function of chat messages; `attempts` (10) and `budget` bound what it may
        cost. `check(source)` judges a candidate that compiles: it returns an `Evaluation` (`check=evolution.evaluate`,
        which runs it in a worker), None where it is right, or a text that says what is wrong. Raises `EvolveError`,
        whose `trace` has everything that happened.
        """
        from symbiont_jit.llm.lanes import LaneOptions, run

        options = LaneOptions(attempts=attempts, budget=budget, check=check, profile=profile, system=system)
        return run(self.aevolve(agent, prompt, **options))

    async def aevolve(self, agent: Any, prompt: str, **options: Unpack[LaneOptions]) -> EvolveResult:
        """`evolve` for code that has an event loop."""
        from symbiont_jit.llm.lanes import evolve

        return await evolve(self, agent, prompt, self._options(**options), self.activate)

    def evolve_batch(
        self,
        agent: Any,
        prompts: Sequence[str],
        *,
        max_in_flight: int | Gate | None = None,
        **options: Unpack[LaneOptions],
    ) -> list[LaneOutcome]:
        """One lane a prompt, all at the same time; what is accepted is registered, nothing activated.

        The outcomes are in the order of the prompts; one that failed has an `error` and touches no other. The options
        are those of `evolve`, and `budget` is that of each lane. At most `max_in_flight` (32) requests are under way at
        a time.
        """
        lanes = self.evolve_stream(agent, prompts, max_in_flight=max_in_flight, **options)
        return sorted(lanes, key=lambda lane: lane.index)

    async def aevolve_batch(
        self,
        agent: Any,
        prompts: Sequence[str],
        *,
        max_in_flight: int | Gate | None = None,
        **options: Unpack[LaneOptions],
    ) -> list[LaneOutcome]:
        """`evolve_batch` for code that has an event loop."""
        lanes = self.evolve_stream(agent, prompts, max_in_flight=max_in_flight, **options)
        return sorted([lane async for lane in lanes], key=lambda lane: lane.index)

    def evolve_stream(
        self,
        agent: Any,
        prompts: Sequence[str],
        *,
        max_in_flight: int | Gate | None = None,
        **options: Unpack[LaneOptions],
    ) -> LaneStream:
        """The lanes of `evolve_batch` as they finish, for `for` and `async for`."""
        from symbiont_jit.llm.lanes import stream

        return stream(self, agent, prompts, self._options(**options), max_in_flight)

    def _options(
        self,
        attempts: int | None = None,
        budget: Budget | None = None,
        check: Check | None = None,
        profile: str | None = None,
        system: str | None = None,
    ) -> Options:
        from symbiont_jit.llm.budget import Budget
        from symbiont_jit.llm.lane import Options

        chosen = budget or Budget()
        chosen = replace(chosen, attempts=attempts) if attempts is not None else chosen
        active = self._lineage.active
        current = active.source if active is not None and active.language == "c" else None
        return Options(profile_of(profile or self.profile), chosen, check, current, system)

    def prune(self, keep: Any = (), *, idle: bool = False) -> list[int]:
        """Unload machine code that nobody needs; the numbers of the revisions that went. All stay registered.

        Kept are the active revision, those in `keep` (one or several handles or numbers), those somebody holds a handle
        of, and those that may be running: while compiled code has a kernel or a call from Python is under way, and for
        good where a compiled function has one as a global. `idle=True` is the caller's word that no thread is
        inside a function of the last kind; where that is wrong the process crashes.
        """
        is_one = isinstance(keep, Registered) or number_in(keep) is not None or not isinstance(keep, Iterable)
        kept = [self._chosen(r) for r in ((keep,) if is_one else keep)]
        if None in kept:
            raise KernelError(f"keep={keep!r}: not all of these are revisions of {self._lineage.name}")
        return self._lineage.prune([v for v in kept if v is not None], idle)

    def interrupt(self) -> int:
        """End the calls of `safe` and `checked` code that are under way, in any thread: they panic and return zero.

        Returns how many there were. Needs Linux; then on the process handles a real-time signal.
        """
        self._lineage.panics.stop(True)
        try:
            return interrupt(self._lineage.panics.address)
        finally:
            self._lineage.panics.stop(False)

    def memory(self) -> Memory:
        """What the revisions take: stored, loaded, held."""
        return self._lineage.memory()

    # -- for searches -------------------------------------------------------------------------------------------

    def canonical(self, source: str | bytes) -> Canonical:
        """The canonical form of a candidate; raises `CandidateError`."""
        return self._lineage.builder.canonical(source)

    def object_code(self, canonical: Canonical, profile: str = "release") -> ObjectCode:
        """A canonical text, compiled for a profile; raises `CandidateError`."""
        return self._lineage.builder.object_code(canonical, profile)

    def register(self, canonical: Canonical, code: ObjectCode, profile: str = "release", origin: str = "") -> Handle:
        """Add compiled code as a revision, not active and not loaded; an equal one that exists is given back."""
        return self._handle(self._lineage.register(canonical, code, profile, origin))

    def expect(self, units: int, profile: str) -> None:
        """Get ready to compile so many candidates at about the same time; one ends that."""
        self._lineage.builder.prewarm(units, profile)

    def warm(self) -> None:
        """Compile now what calls from Python and panics need: where the code will run, no compiler may be started."""
        self._lineage.warm()

    def limit_steps(self, steps: int | None) -> None:
        """Let each call of `checked` code make so many steps of loops; more are a panic. None ends that."""
        self._lineage.panics.limit(steps)

    def candidate(self, canonical: Canonical, code: ObjectCode, profile: str = "release") -> Handle:
        """Compiled code as a revision that is not registered."""
        return self._handle(Version(-1, canonical.text, origin="candidate", profile=profile, object_code=code))

    @abstractmethod
    def sent(self, has_main: bool) -> tuple[Any, ...]:
        """What pickles this for a fresh interpreter, as `__reduce__` does; `has_main`: it can import `__main__`.

        By its name where a module has it; else by value, and never without its first revision, which is the reference:
        where that cannot be pickled, `pickle.PicklingError` is raised.
        """

    @property
    def panic_count(self) -> int:
        """How many calls have panicked so far, in all threads."""
        return self._lineage.panics.count

    def take_panic_of(self, revision: Any) -> Panic | None:
        """The newest panic of a revision's code in this thread, whichever function panicked; it is forgotten."""
        version = self._version(revision)
        assert version is not None, "a revision of this lineage"
        return self._lineage.take_panic(0, version)

    @contextlib.contextmanager
    def lent(self, revision: Any) -> Iterator[Any]:
        """With a candidate active; afterwards everything is as it was. For worker processes."""
        version = self._version(revision)
        assert version is not None, "a candidate is made by `candidate`"
        with self._lineage.lent(version):
            yield self


def profile_of(name: str | None) -> str:
    """A profile's name; raises `UsageError` for one that does not exist."""
    if name is None or name in PROFILES:
        return name or "safe"
    raise UsageError(f"there is no profile {name!r}; use one of {', '.join(PROFILES)}")


def flags_of(flags: Sequence[str]) -> tuple[str, ...]:
    """Clang options as a tuple; raises `UsageError` for anything else."""
    if isinstance(flags, str) or not all(isinstance(f, str) for f in flags):
        raise UsageError(f"flags is a list of clang options like ['-O2'], not {flags!r}")
    return tuple(flags)
