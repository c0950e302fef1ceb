"""The built-in score: how many times faster than the reference a candidate is that agrees with it.

In: what the user declares (`Speedup`). Out: in a worker, a `PreparedSpeedup`, which runs, compares and measures one
candidate after the other. What is timed is compared too, at the addresses at which it is timed. The clock of their
deadline stops while they do not run: while inputs are drawn, copied and compared, and the reference is called.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.agreement import Outcome, Tolerance, poison_outputs
from symbiont_jit.evaluate.evaluation import Status
from symbiont_jit.evaluate.inputs import Draws, Inputs, require_inputs
from symbiont_jit.evaluate.metric import MetricResult, make_panicked, make_wrong
from symbiont_jit.evaluate.timing import Harness, Stopwatch, median
from symbiont_jit.isolate.child import counted, enter_phase, uncounted
from symbiont_jit.signature import Signature

__all__ = ["PreparedSpeedup", "Speedup"]

#: How many drawn inputs a candidate is checked on: at least, and at most while they stay cheap.
CHECK_CALLS: Final = (2, 64)
#: On how many of them the code without checks is tried, which is tried on many more if it is a finalist.
RELEASE_CALLS: Final = 16
CONFIRM_CALLS: Final = (3, 500)
CONFIRM_SECONDS: Final = 0.3
#: How many drawn inputs are timed, as long as they are small: a scalar kernel's time depends on its argument.
TIMED_CASES: Final = 16
TIMED_BYTES: Final = 1 << 18
CHECK_SECONDS: Final = 0.02
ROUNDS: Final = 5
CONFIRM_ROUNDS: Final = 15
#: A candidate this much slower than the best is not worth more rounds.
HOPELESS: Final = 0.8
#: A reference whose batch takes longer than this is measured once for each candidate.
SLOW_NS: Final = 2_000_000
#: The longest that the rounds of one candidate take together, in nanoseconds.
LONG_NS: Final = 5e8
KEPT_CASES: Final = 6
#: In how many kinds of places arrays lie where results are compared.
PLACES: Final = 3
DEADLINE: Final = 2.0
DEADLINE_CALLS: Final = 60


@dataclass(frozen=True, slots=True)
class Speedup:
    """Reference time over candidate time, for candidates that agree with the reference on fresh inputs.

    The reference is revision 0: the Python body as Numba compiles it, or the first C source. Time is CPU time of the
    calling thread. Results agree when `|got - expected| <= atol + rtol * |expected|` for every element. Arrays of one
    tuple that overlap do so in every call.

    Args:
        inputs: A callable of a NumPy `Generator` that returns one tuple of arguments, or a list of such tuples.
        rtol: The relative tolerance; by default 1e-9 for float64 and complex128, 1e-4 for float32 and complex64, and 0
            for everything else.
        atol: The absolute tolerance; by default `rtol` times the largest finite magnitude that the reference gives.

    Raises:
        UsageError: `inputs` is neither a callable nor a list with tuples, or a tolerance is no number of at least 0.

    Example:
        `Speedup(lambda rng: (rng.random(1000), rng.random(1000)))` for a kernel of two vectors.
    """

    inputs: Inputs
    rtol: float | None = None
    atol: float | None = None

    def __post_init__(self) -> None:
        require_inputs(self.inputs)
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            if value is not None and not value >= 0:
                raise UsageError(f"{name} is a number of at least 0, not {value!r}")

    def prepare(self, target: CompileTarget, entropy: int) -> PreparedSpeedup:
        """Compile the reference and the harness, and check inputs against the signature.

        Args:
            target: A kernel with a reference; it is no member of a group.
            entropy: What the inputs to be timed are drawn with.

        Returns:
            What evaluates candidates, in this process or in one that is forked from it.

        Raises:
            UsageError: There is no reference, or the inputs do not fit the signature.
        """
        signature = target.signature
        if signature is None:
            raise UsageError("Speedup measures one function; for a group, give a callable of the group as the metric")
        if target.first is None:
            raise UsageError(f"{signature.name!r} has neither a Python body nor source=..., so there is no reference")
        draws = Draws(self.inputs, signature)
        first = draws.first()
        for number in range(1, draws.listed or 0):
            draws.draw([entropy], number)
        harness = Harness(signature)
        reference = _Reference(target.first, _as_measured(target, target.first), harness, signature)
        size = sum(v.nbytes for v in first if isinstance(v, np.ndarray))
        count = max(1, min(TIMED_CASES, TIMED_BYTES // max(size, 1)))
        tests = _Tests.draw(draws, reference, [entropy], min(count, draws.listed or count))
        call = tests.watch.batch(reference.timed_entry, len(tests.known)) * 1e-9
        deadline = DEADLINE + DEADLINE_CALLS * call
        return PreparedSpeedup(draws, harness, reference, Tolerance(self.rtol, self.atol), tests, entropy, deadline)


def _as_measured(target: CompileTarget, first: Any) -> Any:
    """Return the revision of the reference that is timed: C without checks, as the candidates are."""
    if target.engine.revisions.first is None or target.engine.revisions.first.language != "c":
        return first
    return target.candidate(target.build(target.canonical(first.source)))


@dataclass(frozen=True, slots=True)
class _Case:
    """One call's arguments as they are given, and what the reference's call leaves and returns."""

    given: tuple[Any, ...]
    expected: Outcome


@dataclass(frozen=True, slots=True)
class _Reference:
    """The reference's code, and the code of it that is timed; the handles keep it loaded."""

    handle: Any
    timed: Any
    harness: Harness
    signature: Signature

    @property
    def entry(self) -> int:
        """The address of the reference's code."""
        address: int = self.handle.entry_address
        return address

    @property
    def timed_entry(self) -> int:
        """The address of the code that is timed."""
        address: int = self.timed.entry_address
        return address

    def solve(self, values: Sequence[Any], seed: Sequence[int]) -> _Case:
        """Call the reference with inputs; pure output buffers are filled with noise before."""
        given = self.harness.prepare(values).values
        poison_outputs(self.signature, given, seed)
        arguments = self.harness.prepare(given)
        return _Case(given, Outcome(arguments.values, self.harness.call(self.entry, arguments)))


@dataclass(frozen=True, slots=True)
class _Tests:
    """The cases that candidates are timed on, and the stopwatch that has them."""

    known: list[_Case]
    watch: Stopwatch

    @classmethod
    def draw(cls, draws: Draws, reference: _Reference, seed: Sequence[int], count: int) -> _Tests:
        """Draw so many tuples of arguments, and call the reference with each."""
        known = [reference.solve(draws.draw(seed, number), seed) for number in range(count)]
        return cls(known, reference.harness.stopwatch([case.given for case in known]))


@dataclass(slots=True)
class PreparedSpeedup:
    """The score of one kernel's candidates, in the process that measures them.

    `tests` are what every candidate is timed on, drawn with `entropy`; `deadline` is the time in seconds that one gets.
    """

    draws: Draws
    harness: Harness
    reference: _Reference
    tolerance: Tolerance
    tests: _Tests
    entropy: int
    deadline: float
    _reference_calls: int = 1
    _reference_ns: list[float] = field(default_factory=list)
    _cases: list[_Case] = field(default_factory=list)
    _listed: list[_Case] = field(default_factory=list)
    _drawn: list[_Case] = field(default_factory=list)
    _panics: int = 0

    def evaluate(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> MetricResult:
        """Compare the checked code's results on inputs nobody has seen; then time the release code."""
        with uncounted():
            enter_phase("running it with checks")
            self._panics = target.panic_count
            problem = self._find_disagreement(target, checked.entry_address, seed)
            panic = target.take_panic_of(checked)
            if panic is not None:
                return make_panicked(panic)
            enter_phase("comparing its results without checks")
            problem = problem or self._check_release(target, candidate.entry_address)
            if problem is not None:
                return make_wrong(problem)
            enter_phase("measuring it")
            return self._time(candidate.entry_address, best)

    def confirm(
        self, target: CompileTarget, entries: Sequence[int], seed: Sequence[int], rounds: int = CONFIRM_ROUNDS
    ) -> list[MetricResult]:
        """Measure several entries and the reference in turns, all on new inputs, and check the entries on many more.

        Args:
            target: The worker's copy of the kernel.
            entries: The addresses of the candidates' code.
            seed: What inputs are drawn with.
            rounds: How often each of them is measured.

        Returns:
            One result for each entry.
        """
        with uncounted():
            self._panics = target.panic_count
            self.tests = _Tests.draw(self.draws, self.reference, seed, len(self.tests.known))
            self._reference_ns = []
            self._measure_reference()
            results = [self._find_first_timed(entry) for entry in entries]
            calls = [self._calibrate(entry) for entry in entries]
            times: list[list[float]] = [[] for _ in entries]
            references = []
            for _ in range(rounds):
                references.append(self.watch.batch(self.reference.timed_entry, self._reference_calls))
                for i, entry in enumerate(entries):
                    times[i].append(self._measure(entry, calls[i]))
                    results[i] = results[i] or self._find_timed_difference()
            for i, entry in enumerate(entries):
                results[i] = results[i] or self._check_drawn(target, entry, seed, CONFIRM_CALLS, CONFIRM_SECONDS)
        return [
            _make_valid(tuple(references), tuple(own)) if problem is None else make_wrong(problem)
            for problem, own in zip(results, times, strict=True)
        ]

    def draw(self, seed: Sequence[int], count: int) -> None:
        """Draw inputs without any candidate; raise `UsageError` where they do not fit, or cannot be drawn."""
        with uncounted():
            for number in range(count if self.draws.listed is None else 0):
                self.draws.draw(seed, number)

    @property
    def watch(self) -> Stopwatch:
        """The stopwatch of what candidates are timed on."""
        return self.tests.watch

    # -- time ---------------------------------------------------------------------------------------------------

    def _measure_reference(self) -> None:
        if not self._reference_ns:
            self._reference_calls = self.watch.calibrate(self.reference.timed_entry)
            self._reference_ns = [self.watch.batch(self.reference.timed_entry, self._reference_calls) for _ in range(3)]

    def _calibrate(self, entry: int) -> int:
        with counted():
            return self.watch.calibrate(entry)

    def _measure(self, entry: int, calls: int) -> float:
        with counted():
            return self.watch.batch(entry, calls)

    def _time(self, entry: int, best: float | None) -> MetricResult:
        """Time candidate and reference in turns; a slow reference has its turn once, and its recent times count too."""
        self._measure_reference()
        problem = self._find_first_timed(entry)
        calls = self._calibrate(entry) if problem is None else 0
        times: list[float] = []
        for turn in range(ROUNDS if problem is None else 0):
            if turn == 0 or self._reference_ns[-1] * self._reference_calls < SLOW_NS:
                self._reference_ns.append(self.watch.batch(self.reference.timed_entry, self._reference_calls))
            times.append(self._measure(entry, calls))
            problem = self._find_timed_difference()
            hopeless = best is not None and median(self._reference_ns) / max(min(times), 1e-3) < HOPELESS * best
            if problem is not None or hopeless or sum(times) * calls > LONG_NS:
                break
        self._reference_ns = self._reference_ns[-2 * ROUNDS :]
        if problem is not None:
            return make_wrong(problem)
        return _make_valid(tuple(self._reference_ns), tuple(times))

    def _find_first_timed(self, entry: int) -> str | None:
        """Run a first batch, and describe its first difference from the reference's results; None for none."""
        self._measure(entry, 1)
        return self._find_timed_difference()

    def _find_timed_difference(self) -> str | None:
        """Describe the first difference of the timed calls from the reference's; None where there is none."""
        if self.watch.is_known():
            return None
        problem = self._compare_timed() or self.watch.find_trespass()
        if problem is None:
            self.watch.remember()
        else:
            self.watch.put_back()
            problem = f"in the calls that are timed, {problem}"
        return problem

    def _compare_timed(self, count: int | None = None) -> str | None:
        for call in self.watch.calls(count):
            found = self._find_difference(self.tests.known[call.case], Outcome(call.values, call.result), False)
            if found is not None:
                return found
        return None

    # -- agreement ----------------------------------------------------------------------------------------------

    def _find_disagreement(self, target: CompileTarget, entry: int, seed: Sequence[int]) -> str | None:
        """Describe the first difference of checked code from the reference's results; None where there is none.

        A list of inputs is checked whole, and what is timed is always checked, also at the addresses at which it is
        timed. Drawn inputs are new for each candidate; where the reference is slow, some are from earlier candidates,
        whose expected results are known already.
        """
        problem = self._check_drawn(target, entry, seed) or self._check_known(target, entry)
        return problem or self._check_where_timed(target, entry)

    def _check_release(self, target: CompileTarget, entry: int) -> str | None:
        """Describe the first difference of release code on what its checked code ran on, in other places."""
        cases = enumerate(self._drawn[:RELEASE_CALLS])
        drawn = (self._check_case(target, entry, case, number) for number, case in cases)
        return next((problem for problem in drawn if problem is not None), None) or self._check_known(target, entry)

    def _check_where_timed(self, target: CompileTarget, entry: int) -> str | None:
        """Describe the first difference of one call in each place in which calls are timed."""
        with counted():
            self.watch.run_once(entry)
        has_panicked = target.panic_count != self._panics
        problem = None if has_panicked else self._compare_timed(self.watch.cases) or self.watch.find_trespass()
        self.watch.put_back()
        return "the call panicked" if has_panicked else problem

    def _check_known(self, target: CompileTarget, entry: int) -> str | None:
        """Describe the first difference on the inputs that are timed, and on a list of inputs."""
        known = self.tests.known
        while len(known) + len(self._listed) < (self.draws.listed or 0):
            number = len(known) + len(self._listed)
            self._listed.append(self.reference.solve(self.draws.draw([self.entropy], number), [self.entropy]))
        # What is timed is called where it is timed besides. Its values would tell the next candidate what to return.
        timed = (self._check_case(target, entry, case, i % 2, bool(self.draws.listed)) for i, case in enumerate(known))
        others = (self._check_case(target, entry, case, i) for i, case in enumerate(self._listed))
        problems = itertools.chain(timed, others)
        return next((problem for problem in problems if problem is not None), None)

    def _check_drawn(
        self,
        target: CompileTarget,
        entry: int,
        seed: Sequence[int],
        calls: tuple[int, int] = CHECK_CALLS,
        seconds: float = CHECK_SECONDS,
    ) -> str | None:
        """Describe the first difference on drawn inputs: as many as fit into some seconds, within two limits."""
        self._drawn = []
        if self.draws.listed is not None:
            return None
        started = time.perf_counter()
        for number in range(calls[1]):
            is_slow = time.perf_counter() - started > seconds
            if is_slow and number >= calls[0]:
                break
            case = self._pick_earlier_case(seed, number) if is_slow else None
            if case is None:
                case = self.reference.solve(self.draws.draw(seed, number), seed)
                self._cases = [*self._cases[-(KEPT_CASES - 1) :], case]
            self._drawn.append(case)
            problem = self._check_case(target, entry, case, number + 1)
            if problem is not None:
                return problem
        return None

    def _pick_earlier_case(self, seed: Sequence[int], number: int) -> _Case | None:
        others = self._cases[:-1]
        return others[hash((*seed, number)) % len(others)] if others else None

    def _check_case(
        self, target: CompileTarget, entry: int, case: _Case, turn: int, has_values: bool = True
    ) -> str | None:
        """Describe the first difference in one case, called with arrays in one of three kinds of places, by turns.

        They end at an inaccessible page, or begin at one, or lie where arrays are timed.
        """
        if turn % PLACES == PLACES - 1:
            with counted():
                found = self.watch.call_at(entry, case.given, turn)
            if found is not None:
                call, trespass = found
                has_panicked = target.panic_count != self._panics
                problem = self._find_difference(case, Outcome(call.values, call.result)) or trespass
                self.watch.put_back()
                return "the call panicked" if has_panicked else problem
        given = self.harness.prepare_guarded(case.given, turn % 2 == 0)
        with counted():
            result = self.harness.call(entry, given)
        if target.panic_count != self._panics:
            return "the call panicked"
        beside = given.find_trespass()
        if beside is not None:
            return f"the call wrote outside of {beside!r}"
        return self._find_difference(case, Outcome(given.values, result), has_values)

    def _find_difference(self, case: _Case, got: Outcome, has_values: bool = True) -> str | None:
        return self.tolerance.find_difference(self.reference.signature, case.expected, got, has_values)


def _make_valid(reference_ns: tuple[float, ...], candidate_ns: tuple[float, ...]) -> MetricResult:
    score = median(reference_ns) / max(median(candidate_ns), 1e-3)
    return MetricResult(Status.VALID, score, {"speedup": score}, reference_ns=reference_ns, candidate_ns=candidate_ns)
