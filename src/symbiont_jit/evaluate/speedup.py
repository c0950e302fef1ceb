"""The built-in score: how many times faster than the reference a candidate is that agrees with it.

In: what the user declares (`Speedup`). Out: in a worker, a `PreparedSpeedup`, which runs, compares and measures one
candidate after the other, and the finalists side by side. The clock of their deadline stops while they do not run:
while inputs are drawn, copied and compared, and the reference is called.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.agreement import Agrees, Tolerance, find_disagreement, list_outputs
from symbiont_jit.evaluate.cases import MEASURING, Reference, TimedCases, as_measured
from symbiont_jit.evaluate.checker import Checker
from symbiont_jit.evaluate.confirm import SPEEDUP, confirm_finalists
from symbiont_jit.evaluate.derive import DerivedInputs
from symbiont_jit.evaluate.evaluation import Status
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.inputs import Draws, Inputs, require_inputs
from symbiont_jit.evaluate.metric import MetricResult, make_panicked, make_wrong
from symbiont_jit.evaluate.timing import median
from symbiont_jit.evaluate.unseen import Suspect, look_closer
from symbiont_jit.isolate.child import enter_phase, run_clock, stop_clock
from symbiont_jit.options import is_number, require
from symbiont_jit.signature import Signature

__all__ = ["PreparedSpeedup", "Speedup"]

#: How many drawn inputs are timed, as long as they and their calls are small: a scalar kernel's time depends on its
#: argument. A candidate is called some fifty times with each of them besides, and its deadline is for sixty calls.
TIMED_CASES: Final = 16
TIMED_BYTES: Final = 1 << 18
TIMED_NS: Final = 1e7
ROUNDS: Final = 5
#: A candidate this much slower than the best is not worth more rounds.
HOPELESS: Final = 0.8
#: A reference whose batch takes longer than this is measured once for each candidate.
SLOW_NS: Final = 2_000_000
#: The longest that the rounds of one candidate take together, in nanoseconds.
LONG_NS: Final = 5e8
DEADLINE: Final = 2.0
DEADLINE_CALLS: Final = 60


@dataclass(frozen=True, slots=True)
class Speedup:
    """Reference time over candidate time, for candidates that agree with the reference on fresh inputs.

    The reference is revision 0: the Python body as Numba compiles it, or the first C source. Time is CPU time of the
    calling thread. Results agree when `|got - expected| <= atol + rtol * |expected|` for every element, and integers
    when they are equal. Arrays of one tuple that overlap do so in every call.

    Args:
        inputs: A callable of a NumPy `Generator` that returns one tuple of arguments, or a list of such tuples. By
            default arguments are derived from the signature: normally distributed numbers, small integers, and besides
            arrays of a usual size, which are timed, those of 0, 1, 7, 65 and other lengths at the edges, as far as the
            Python body takes them.
        rtol: The relative tolerance; by default 1e-9 for float64 and complex128, 1e-4 for float32 and complex64, and 0
            for everything else.
        atol: The absolute tolerance; by default 64 units in the last place of each element's natural scale: how large
            the numbers are that it is made of, which is measured by moving the arguments by some units in the last
            place. A large element elsewhere makes no difference.
        agrees: A function in place of tolerances, for results that are random or sets: of the tuple of arguments, of
            what the reference gave and of what the candidate gave. It returns whether they agree, or a text that says
            why not. What a call gave is its result, or the array that it may write, or a tuple of several.

    Raises:
        UsageError: `inputs` is neither a callable nor a list with tuples, a tolerance is no number of at least 0, or
            `agrees` is no function, or does not agree with the reference itself.

    Example:
        `Speedup(lambda rng: (rng.random(1000), rng.random(1000)))` for a kernel of two vectors.
    """

    inputs: Inputs | None = None
    rtol: float | None = None
    atol: float | None = None
    agrees: Agrees | None = None

    def __post_init__(self) -> None:
        if self.inputs is not None:
            require_inputs(self.inputs)
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            is_tolerance = value is None or (is_number(value) and value >= 0)
            require(is_tolerance, f"{name} is a number of at least 0, not {value!r:.80}")
        if self.agrees is None:
            return
        require(callable(self.agrees), f"agrees is a function of arguments, expected and got, not {self.agrees!r:.80}")
        is_alone = self.rtol is None and self.atol is None
        require(is_alone, "agrees= judges in place of rtol= and atol=; give one or the other")

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
        draws = Draws(DerivedInputs(signature) if self.inputs is None else self.inputs, signature)
        careful = target.make_otherwise("boundscheck") if self.inputs is None else None
        first = draws.first()
        for number in range(1, draws.listed or 0):
            draws.draw([entropy], number)
        harness = Harness(signature)
        timed = as_measured(target, target.first)
        checks = (careful, 0 if careful is None else careful.entry_address)  # A worker has no time to compile it.
        reference = Reference(target.first, timed, harness, signature, *checks)
        size = sum(v.nbytes for v in first if isinstance(v, np.ndarray))
        once = TimedCases.draw(draws, reference, [entropy], 1).watch.batch(reference.timed_entry, 1)
        count = max(1, min(TIMED_CASES, TIMED_BYTES // max(size, 1), int(TIMED_NS / max(once, 1.0))))
        cases = TimedCases.draw(draws, reference, [entropy], min(count, draws.listed or count))
        call = cases.watch.batch(reference.timed_entry, len(cases.known)) * 1e-9
        if self.agrees is not None:
            self._require_agreement(self.agrees, signature, cases)
        _warn_of_sameness(signature, cases)
        tolerance = Tolerance(self.rtol, self.atol)
        checker = Checker(draws, harness, reference, tolerance, cases, entropy, self.agrees)
        return PreparedSpeedup(checker, DEADLINE + DEADLINE_CALLS * call)

    @staticmethod
    def _require_agreement(agrees: Agrees, signature: Signature, timed: TimedCases) -> None:
        """Raise `UsageError` where the reference does not agree with itself; what the function raises is the user's."""
        for case in timed.known:
            problem = find_disagreement(signature, agrees, case.given, case.expected, case.expected)
            if problem:
                raise UsageError(f"agrees= finds that the reference disagrees with itself: {problem}")


def _warn_of_sameness(signature: Signature, timed: TimedCases) -> None:
    """Warn of a reference that gives the same for all inputs, or no number: any text that does so would be right."""
    known = [[np.asarray(part) for part in list_outputs(signature, case.expected)] for case in timed.known]
    if all(part.dtype.kind in "fc" and np.isnan(part).all() for parts in known for part in parts if part.size):
        said = "nothing but NaN"
    elif len(known) > 1 and _count_different(known) == 1 < _count_different([case.given for case in timed.known]):
        said = "the same result for different arguments"
    else:
        return
    warnings.warn(f"the reference of {signature.name!r} gives {said}; any text that does so is right", stacklevel=5)


def _count_different(tuples: Sequence[Sequence[Any]]) -> int:
    """Count the tuples of arrays that differ in their bits."""
    return len({b"".join(part.tobytes() for part in parts) for parts in tuples})


@dataclass(slots=True)
class PreparedSpeedup:
    """The score of one kernel's candidates, in the process that measures them.

    `deadline` is the time in seconds that one candidate gets; `turn` is the number of the next one.
    """

    checker: Checker
    deadline: float
    turn: int = 0
    _reference_calls: int = 1
    _reference_ns: list[float] = field(default_factory=list)

    @property
    def first_name(self) -> str:
        """The name of the score that decides."""
        return SPEEDUP

    @property
    def reference(self) -> Reference:
        """What candidates are compared with."""
        return self.checker.reference

    def evaluate(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> MetricResult:
        """Compare the checked code's results on inputs nobody has seen; then time the release code."""
        with stop_clock():
            enter_phase("running it with checks")
            if self.checker.renew(self.turn):
                self._reference_ns = []
            self.checker.begin(target)
            problem = self.checker.find_disagreement(checked.entry_address, seed)
            panic = target.take_panic_of(checked)
            if panic is not None:
                return make_panicked(panic, has_values=self.checker.may_tell_values)
            enter_phase("comparing its results without checks")
            problem = problem or self.checker.find_release_disagreement(candidate.entry_address)
            if problem is not None:
                found = make_wrong(*self.checker.explain(problem, checked.entry_address, seed))
                target.take_panic_of(checked)  # Smaller calls may have panicked, which is no finding of its own.
                return found
            enter_phase(MEASURING)
            return self._time(candidate.entry_address, checked.entry_address, best, seed)

    def confirm(
        self, target: CompileTarget, peers: Mapping[str, Any], entries: Sequence[tuple[int, int]], seed: Sequence[int]
    ) -> list[MetricResult]:
        """Measure several entries side by side with what they are compared with, and check them on many more inputs.

        Args:
            target: The worker's copy of the kernel.
            peers: Handles of what finalists are compared with besides the reference, by name.
            entries: The addresses of each candidate's code without checks, and with them.
            seed: What inputs are drawn with; nobody has seen them.

        Returns:
            One result for each entry.
        """
        with stop_clock():
            self.checker.draw_timed(seed)
            self._reference_ns = []
            self.checker.begin(target)
            return confirm_finalists(self.checker, target, peers, entries, seed)

    def draw(self, seed: Sequence[int], count: int) -> None:
        """Draw inputs, and call the reference alone; raise `UsageError` where one of both does not go."""
        draws = self.checker.draws
        with stop_clock():
            for number in range(count if draws.listed is None else 0):
                self.reference.solve_drawn(draws, seed, number)

    def _time(self, entry: int, checked: int, best: float | None, seed: Sequence[int]) -> MetricResult:
        """Time candidate and reference in turns; a slow reference has its turn once, and its recent times count too."""
        watch, reference = self.checker.timed.watch, self.reference.timed_entry
        if not self._reference_ns:
            self._reference_calls = watch.calibrate(reference)
            self._reference_ns = [watch.batch(reference, self._reference_calls) for _ in range(3)]
        calls, times = 1, list[float]()
        problem = self._measure(entry, 1, [])
        if problem is None:
            with run_clock():
                calls = watch.calibrate(entry)
        for turn in range(ROUNDS if problem is None else 0):
            if turn == 0 or self._reference_ns[-1] * self._reference_calls < SLOW_NS:
                self._reference_ns.append(watch.batch(reference, self._reference_calls))
            problem = self._measure(entry, calls, times)
            hopeless = best is not None and median(self._reference_ns) / max(min(times), 1e-3) < HOPELESS * best
            if problem is not None or hopeless or sum(times) * calls > LONG_NS:
                break
        self._reference_ns = self._reference_ns[-2 * ROUNDS :]
        if problem is not None:
            return make_wrong(problem)
        found = _make_valid(tuple(self._reference_ns), tuple(times))
        is_best = best is None or found.scores[SPEEDUP] > best
        if not is_best:
            return found
        return self._doubt(found, Suspect(entry, checked, median(times), median(self._reference_ns)), seed)

    def _doubt(self, found: MetricResult, suspect: Suspect, seed: Sequence[int]) -> MetricResult:
        """Look whether what would be the best keeps answers, and whether it is as fast on new arguments."""
        doubt = look_closer(self.checker, suspect, [self.checker.entropy, *seed])
        if doubt.problem is not None:
            return make_wrong(doubt.problem)
        return _make_valid(found.reference_ns, tuple(ns * doubt.loss for ns in found.candidate_ns))

    def _measure(self, entry: int, calls: int, times: list[float]) -> str | None:
        """Time a batch, and describe its first difference from the reference's results; None for none."""
        watch = self.checker.timed.watch
        with run_clock():
            times.append(watch.batch(entry, calls))
        return self.checker.find_timed_difference(watch)


def _make_valid(reference_ns: tuple[float, ...], candidate_ns: tuple[float, ...]) -> MetricResult:
    score = median(reference_ns) / max(median(candidate_ns), 1e-3)
    return MetricResult(Status.VALID, score, {SPEEDUP: score}, reference_ns=reference_ns, candidate_ns=candidate_ns)
