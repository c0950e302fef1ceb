"""The user's score: the built-in speed-up against the reference, or any callable on the kernel.

In: a kernel and entry addresses of reference and candidate, inside a worker. Out: a `MetricResult`. A metric may raise
or return nonsense; then the candidate is wrong, and the search goes on.
"""

from __future__ import annotations

import inspect
import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import Diagnostic, PanicError, Stage, UsageError
from symbiont_jit.evaluate.agreement import Outcome, Tolerance, poison_outputs
from symbiont_jit.evaluate.evaluation import Status
from symbiont_jit.evaluate.timing import Harness, Stopwatch, median
from symbiont_jit.isolate.child import enter_phase
from symbiont_jit.isolate.permissions import describe_refusals, forget_tries
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import check_arguments

__all__ = ["CallableMetric", "Metric", "MetricResult", "Speedup", "as_metric"]

Inputs = Callable[[np.random.Generator], Sequence[Any]] | Sequence[Sequence[Any]]

#: How many drawn inputs a candidate is checked on: at least, and at most while they stay cheap.
CHECK_CALLS: Final = (2, 64)
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
KEPT_CASES: Final = 6
DEADLINE: Final = 2.0
DEADLINE_CALLS: Final = 60
CALLABLE_DEADLINE: Final = 10.0


@dataclass(frozen=True, slots=True)
class MetricResult:
    """What a metric finds out about one candidate; it travels from the worker to the evaluator as JSON.

    `score` and `scores` are set for a valid candidate; `reference_ns` and `candidate_ns` are nanoseconds of CPU time a
    call, one entry for each round; `panic` is set for a candidate that panicked.
    """

    status: Status
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    reference_ns: tuple[float, ...] = ()
    candidate_ns: tuple[float, ...] = ()
    panic: Panic | None = None

    def __post_init__(self) -> None:
        """Refuse what no metric finds out, because other code may have written it in the worker."""
        if self.status not in (Status.PANICKED, Status.WRONG, Status.VALID):
            raise ValueError(f"no metric says {self.status.name}")
        numbers = [*self.scores.values(), *([] if self.score is None else [self.score])]
        if self.status is Status.VALID and not (self.score is not None and all(map(math.isfinite, numbers))):
            raise ValueError("a valid candidate has finite scores")


@dataclass(frozen=True, slots=True)
class _Case:
    """One call's arguments as they are given, and what the reference's call leaves and returns."""

    given: tuple[Any, ...]
    expected: Outcome


class Metric(Protocol):
    """What an evaluator needs of a metric."""

    def prepare(self, target: CompileTarget) -> None:
        """Compile and check what every worker inherits, or makes at its start.

        Args:
            target: The kernel or group that is to be searched.

        Raises:
            UsageError: The metric does not fit the kernel.
        """

    def suggested_deadline(self) -> float:
        """The seconds after which a candidate is given up, unless the user says otherwise; `prepare` comes first."""

    def evaluate(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> MetricResult:
        """Run a candidate's checked code, then score its release code; this happens in a worker.

        Args:
            target: The worker's copy of the kernel or group.
            checked: The candidate's revision with all checks.
            candidate: The candidate's revision without checks.
            seed: What random inputs are drawn with.
            best: The score to beat, if there is one; a candidate far from it need not be measured to the end.
        """


def _takes_one(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with one argument, as far as Python knows."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


class Speedup:
    """Reference time over candidate time, for candidates that agree with the reference on fresh inputs.

    The reference is revision 0: the Python body as Numba compiles it, or the first C source. Time is CPU time of the
    calling thread. Results agree when `|got - expected| <= atol + rtol * |expected|` for every element.

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

    def __init__(self, inputs: Inputs, rtol: float | None = None, atol: float | None = None) -> None:
        if not callable(inputs) and not isinstance(inputs, Sequence):
            raise UsageError(
                f"inputs is a callable of a NumPy Generator or a list of argument tuples, not {inputs!r:.80}"
            )
        if not callable(inputs) and not inputs:
            raise UsageError("inputs is an empty list; give at least one tuple of arguments")
        for name, value in (("rtol", rtol), ("atol", atol)):
            if value is not None and not value >= 0:
                raise UsageError(f"{name} is a number of at least 0, not {value!r}")
        self.inputs = inputs
        self.rtol = rtol
        self.atol = atol
        self._harness: Harness | None = None
        self._stopwatch: Stopwatch | None = None
        self._reference = 0
        self._reference_handle: Any = None
        self._reference_calls = 1
        self._reference_ns: list[float] = []
        self._cases: list[_Case] = []
        self._timed: list[tuple[Any, ...]] = []
        self._known: list[_Case] = []
        self._deadline = DEADLINE
        self._panics = 0

    def prepare(self, target: CompileTarget) -> None:
        """Compile the reference and the harness, and check one set of inputs against the signature.

        Args:
            target: A kernel with a reference; it is no member of a group.

        Raises:
            UsageError: There is no reference, or the inputs do not fit the signature.
        """
        signature = target.signature
        if signature is None:
            raise UsageError("Speedup measures one function; for a group, give a callable of the group as the metric")
        self._reference_handle = target.first  # the reference's code stays loaded while this handle exists
        if self._reference_handle is None:
            raise UsageError(f"{signature.name!r} has neither a Python body nor source=..., so there is no reference")
        self._reference = self._reference_handle.entry_address
        self._harness = Harness(signature)
        values = self._draw([0, 0], 0)
        problem = check_arguments(signature, values)
        if problem is not None:
            raise UsageError(f"inputs do not fit the signature: {problem}")
        self._timed = self._timing_inputs(values)
        self._stopwatch = self._harness.stopwatch(self._timed)
        call = self._stopwatch.batch(self._reference, len(self._timed)) * 1e-9
        self._deadline = DEADLINE + DEADLINE_CALLS * call

    def __getstate__(self) -> dict[str, Any]:
        """What the user gave; the rest is made again by `prepare` and by calls in the process that unpickles."""
        return vars(self) | vars(Speedup(self.inputs, self.rtol, self.atol))

    def _timing_inputs(self, first: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The tuples of arguments that every candidate is timed on; there are several where they are small."""
        size = sum(v.nbytes for v in first if isinstance(v, np.ndarray))
        count = max(1, min(TIMED_CASES, TIMED_BYTES // max(size, 1)))
        if not callable(self.inputs):
            return [tuple(values) for values in self.inputs[:count]]
        return [first, *(self._draw([0, 0], number) for number in range(1, count))]

    def suggested_deadline(self) -> float:
        """The seconds for one candidate: `DEADLINE`, and the time of `DEADLINE_CALLS` calls of the reference."""
        return self._deadline

    def _draw(self, seed: Sequence[int], number: int) -> tuple[Any, ...]:
        if not callable(self.inputs):
            return tuple(self.inputs[number % len(self.inputs)])
        try:
            drawn = self.inputs(np.random.default_rng([*seed, number]))
        except TypeError as error:
            if _takes_one(self.inputs):
                raise
            raise UsageError(f"inputs is called with a NumPy Generator: write 'lambda rng: ...' ({error})") from error
        return tuple(drawn) if isinstance(drawn, tuple | list) else (drawn,)

    def evaluate(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> MetricResult:
        """Compare the checked code's results on inputs nobody has seen; then time the release code."""
        assert self._harness is not None, "prepare() comes first"
        enter_phase("running it with checks")
        self._panics = target.panic_count
        problem = self._find_disagreement(target, checked.entry_address, seed)
        panic = target.take_panic_of(checked)
        if panic is not None:
            return _panicked_result(panic)
        enter_phase("comparing its results without checks")
        problem = problem or self._check_known(target, candidate.entry_address)
        if problem is not None:
            return _wrong_result(problem)
        enter_phase("measuring it")
        return self._time(candidate.entry_address, best)

    def confirm(
        self, target: CompileTarget, entries: Sequence[int], rounds: int = CONFIRM_ROUNDS
    ) -> list[MetricResult]:
        """Measure several entries and the reference in turns, and check the entries on many more inputs.

        Args:
            target: The worker's copy of the kernel.
            entries: The addresses of the candidates' code.
            rounds: How often each of them is measured.

        Returns:
            One result for each entry.
        """
        self._panics = target.panic_count
        watch = self._watch()
        calls = [watch.calibrate(e) for e in entries]
        times: list[tuple[float, list[float]]] = []
        for _ in range(rounds):
            reference = watch.batch(self._reference, self._reference_calls)
            times.append((reference, [watch.batch(e, n) for e, n in zip(entries, calls, strict=True)]))
        references = tuple(r for r, _ in times)
        results = []
        for i, entry in enumerate(entries):
            problem = self._check_drawn(target, entry, (2**32 - 1,), CONFIRM_CALLS, CONFIRM_SECONDS)
            results.append(
                _speedup_result(references, tuple(own[i] for _, own in times))
                if problem is None
                else _wrong_result(problem)
            )
        return results

    def _watch(self) -> Stopwatch:
        assert self._stopwatch is not None, "prepare() comes first"
        if not self._reference_ns:
            self._reference_calls = self._stopwatch.calibrate(self._reference)
            self._reference_ns = [self._stopwatch.batch(self._reference, self._reference_calls) for _ in range(3)]
        return self._stopwatch

    def _time(self, entry: int, best: float | None) -> MetricResult:
        """Time candidate and reference in turns; a slow reference has its turn once, and its recent times count too."""
        watch = self._watch()
        calls = watch.calibrate(entry)
        times: list[float] = []
        for turn in range(ROUNDS):
            if turn == 0 or self._reference_ns[-1] * self._reference_calls < SLOW_NS:
                self._reference_ns.append(watch.batch(self._reference, self._reference_calls))
            times.append(watch.batch(entry, calls))
            hopeless = best is not None and median(self._reference_ns) / min(times) < HOPELESS * best
            if hopeless or sum(times) * calls > 5e8:
                break
        self._reference_ns = self._reference_ns[-2 * ROUNDS :]
        return _speedup_result(tuple(self._reference_ns), tuple(times))

    # -- agreement ----------------------------------------------------------------------------------------------

    def _find_disagreement(self, target: CompileTarget, entry: int, seed: Sequence[int]) -> str | None:
        """Describe the first difference from the reference's results; None where there is none.

        A list of inputs is checked whole, and what is timed is always checked. Drawn inputs are new for each candidate;
        where the reference is slow, some are from earlier candidates, whose expected results are known already.
        """
        problem = self._check_known(target, entry)
        return problem or self._check_drawn(target, entry, seed, CHECK_CALLS, CHECK_SECONDS)

    def _check_known(self, target: CompileTarget, entry: int) -> str | None:
        """Describe the first difference on the inputs that are timed, or on the list of inputs."""
        if not self._known:
            count = len(self._timed) if callable(self.inputs) else len(self.inputs)
            self._known = [self._make_case(target, [0, 0], number) for number in range(count)]
        problems = (self._check_case(target, entry, c, i % 2 == 0) for i, c in enumerate(self._known))
        return next((problem for problem in problems if problem is not None), None)

    def _check_drawn(
        self, target: CompileTarget, entry: int, seed: Sequence[int], calls: tuple[int, int], seconds: float
    ) -> str | None:
        """Describe the first difference on inputs drawn with a seed; `calls` is the fewest and the most of them."""
        if not callable(self.inputs):
            return None
        started = time.perf_counter()
        for number in range(calls[1]):
            is_slow = time.perf_counter() - started > seconds
            if is_slow and number >= calls[0]:
                break
            case = self._pick_earlier_case(seed, number) if is_slow else None
            if case is None:
                case = self._make_case(target, seed, number)
                self._cases = [*self._cases[-(KEPT_CASES - 1) :], case]
            problem = self._check_case(target, entry, case, number % 2 == 0)
            if problem is not None:
                return problem
        return None

    def _make_case(self, target: CompileTarget, seed: Sequence[int], number: int) -> _Case:
        """Draw inputs, and call the reference with them."""
        assert self._harness is not None
        values = self._draw(seed, number)
        arguments = self._harness.prepare(values)
        poison_outputs(target.signatures[0], arguments, seed)
        given = tuple(np.copy(v) for v in arguments.values)
        return _Case(given, Outcome(arguments, self._harness.call(self._reference, arguments)))

    def _pick_earlier_case(self, seed: Sequence[int], number: int) -> _Case | None:
        others = self._cases[:-1]
        return others[hash((*seed, number)) % len(others)] if others else None

    def _check_case(self, target: CompileTarget, entry: int, case: _Case, at_end: bool) -> str | None:
        """Describe the first difference in one case, called with arrays that end, or begin, at an inaccessible page."""
        assert self._harness is not None
        given = self._harness.prepare_guarded(case.given, at_end)
        result = self._harness.call(entry, given)
        if target.panic_count != self._panics:
            return "the call panicked"
        trespass = given.find_trespass()
        if trespass is not None:
            return f"the call wrote outside of {trespass!r}"
        tolerance = Tolerance(self.rtol, self.atol)
        return tolerance.find_difference(target.signatures[0], case.expected, Outcome(given, result))


def _wrong_result(problem: str) -> MetricResult:
    return MetricResult(Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "wrong", problem),))


def _panicked_result(panic: Panic) -> MetricResult:
    found = Diagnostic(Stage.EVALUATE, panic.kind, panic.message, panic.line, panic.column)
    return MetricResult(Status.PANICKED, diagnostics=(found,), panic=panic)


def _speedup_result(reference_ns: tuple[float, ...], candidate_ns: tuple[float, ...]) -> MetricResult:
    score = median(reference_ns) / max(median(candidate_ns), 1e-3)
    return MetricResult(Status.VALID, score, {"speedup": score}, reference_ns=reference_ns, candidate_ns=candidate_ns)


class CallableMetric:
    """A user's function of the kernel as a metric.

    Args:
        function: It is called with the kernel, whose active revision is the candidate, and returns one number, or
            several by name, the first of which counts.
    """

    def __init__(self, function: Callable[[Any], float | Mapping[str, float]]) -> None:
        self.function = function

    def prepare(self, target: CompileTarget) -> None:
        """Call the function once for the active revision, so that the workers inherit what it compiles.

        What it returns does not matter here: it is called anew for every candidate. What it raises is no candidate's
        fault, and is raised as it is.

        Raises:
            UsageError: The function ends the interpreter.
        """
        if target.active is None:
            return
        try:
            self.function(target.owner)
        except SystemExit as error:
            raise UsageError(f"the metric ends the interpreter, by {error!r}, for the kernel as it is now") from error

    def suggested_deadline(self) -> float:
        """The seconds for one candidate: `CALLABLE_DEADLINE`, because nothing is known of what the function does."""
        return CALLABLE_DEADLINE

    def evaluate(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> MetricResult:
        """Call the function with the candidate active in this worker's kernel: first checked, then for the score."""
        enter_phase("asking the metric, with checks")
        target.take_raised_panic()
        result = self._ask_function(target, checked)
        panic = target.take_panic_of(checked) or target.take_raised_panic()
        if panic is not None:
            return _panicked_result(panic)
        enter_phase("asking the metric, without checks")
        return self._ask_function(target, candidate) if result.status is Status.VALID else result

    def _ask_function(self, target: CompileTarget, candidate: Any) -> MetricResult:
        forget_tries()
        try:
            with target.temporarily_active(candidate) as kernel:
                value = self.function(kernel)
            scores = {k: float(v) for k, v in value.items()} if isinstance(value, Mapping) else {"score": float(value)}
        except PanicError as error:
            return _panicked_result(error.panic)
        except Exception as error:
            text = "".join(traceback.format_exc(limit=-4))[-2000:]
            found = [Diagnostic(Stage.EVALUATE, "metric", f"the metric raised:\n{text}")]
            if refused := describe_refusals(error):
                found.append(Diagnostic(Stage.EVALUATE, "sandbox", refused))
            return MetricResult(Status.WRONG, diagnostics=tuple(found))
        if not scores or not all(map(math.isfinite, scores.values())):
            message = f"the metric gave {value!r}, which is no finite number"
            return MetricResult(Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "metric", message),))
        return MetricResult(Status.VALID, next(iter(scores.values())), scores)


def as_metric(metric: Any) -> Metric:
    """A metric as it is, or a metric made of a callable of the kernel; raises `UsageError` for anything else."""
    if hasattr(metric, "evaluate") and hasattr(metric, "prepare"):
        prepared: Metric = metric
        return prepared
    if callable(metric):
        return CallableMetric(metric)
    raise UsageError(f"metric is sj.Speedup(inputs) or a callable of the kernel, not {metric!r:.80}")
