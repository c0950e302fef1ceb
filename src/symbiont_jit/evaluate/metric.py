"""The user's score: the built-in speed-up against the reference, or any callable on the kernel.

In: a kernel and entry addresses of reference and candidate, inside a worker. Out: a `Verdict`. A metric may raise or
return nonsense; that is the candidate's verdict, not the search's end.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import Diagnostic, Stage, UsageError
from symbiont_jit.evaluate.evaluation import Status
from symbiont_jit.evaluate.timing import Arguments, Harness, Stopwatch, median
from symbiont_jit.isolate.child import enter_phase
from symbiont_jit.runtime.panics import Panic
from symbiont_jit.signature import ArrayType, Element, Mode, Param, Record, check_arguments

__all__ = ["CallableMetric", "Metric", "Speedup", "Verdict", "as_metric"]

Inputs = Callable[[np.random.Generator], Sequence[Any]] | Sequence[Sequence[Any]]

#: Relative tolerances by dtype, unless the user gives one; everything else has to be equal.
TOLERANCES: Final[Mapping[str, float]] = {"float64": 1e-9, "float32": 1e-4, "complex128": 1e-9, "complex64": 1e-4}

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
class Verdict:
    """What a metric says of one candidate; travels from the worker."""

    status: Status
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    reference_ns: tuple[float, ...] = ()
    candidate_ns: tuple[float, ...] = ()
    panic: Panic | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """One call's arguments, and what they and the result are after the reference's call."""

    given: tuple[Any, ...]
    expected: Arguments
    result: Any


class Metric(Protocol):
    """What a search needs of a metric."""

    def prepare(self, target: CompileTarget) -> None:
        """Compile and check what every worker inherits or makes at its start; raises usage errors."""

    def suggested_deadline(self) -> float:
        """Seconds after which a candidate can be given up, unless the user says otherwise; after `prepare`."""

    def judge(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> Verdict:
        """Run a candidate's checked code, then score its release code; in a worker. `best` is the score to beat."""


def _takes_one(function: Callable[..., Any]) -> bool:
    """Whether it can be called with one argument, as far as Python knows."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


class Speedup:
    """Reference time over candidate time, for candidates that agree with the reference on fresh inputs.

    `inputs` is a callable of a NumPy `Generator` that returns one argument tuple, or a list of tuples. Results agree
    when `|got - expected| <= atol + rtol * |expected|`. By default `rtol` is 1e-9 for float64, 1e-4 for float32 and 0
    for everything else, and `atol` is `rtol` times the largest magnitude that the reference gives.
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
        """Compile the reference and the harness, and check one set of inputs against the signature."""
        signature = target.signature
        if signature is None:
            raise UsageError("Speedup measures one function; for a group, give a callable of the group as the metric")
        self._reference_handle = target.first  # its code stays while the handle does
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
        """What the user gave; what `prepare` and calls have made is made again where it is needed."""
        return vars(self) | vars(Speedup(self.inputs, self.rtol, self.atol))

    def _timing_inputs(self, first: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The arguments that are timed: the same for all candidates; several where they are small."""
        size = sum(v.nbytes for v in first if isinstance(v, np.ndarray))
        count = max(1, min(TIMED_CASES, TIMED_BYTES // max(size, 1)))
        if not callable(self.inputs):
            return [tuple(values) for values in self.inputs[:count]]
        return [first, *(self._draw([0, 0], number) for number in range(1, count))]

    def suggested_deadline(self) -> float:
        """Time for the calls of an evaluation with a candidate many times slower than the reference, and a second."""
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

    def judge(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> Verdict:
        """Agreement of the checked code first, on inputs nobody has seen; then time, in turns with the reference."""
        assert self._harness is not None, "prepare() comes first"
        enter_phase("running it with checks")
        self._panics = target.panic_count
        problem = self._disagreement(target, checked.entry_address, seed)
        panic = target.take_panic_of(checked)
        if panic is not None:
            return _panicked(panic)
        enter_phase("comparing its results without checks")
        problem = problem or self._disagreement_on_known(target, candidate.entry_address)
        if problem is not None:
            return _wrong(problem)
        enter_phase("measuring it")
        return self._time(candidate.entry_address, best)

    def confirm(self, target: CompileTarget, entries: Sequence[int], rounds: int = CONFIRM_ROUNDS) -> list[Verdict]:
        """Check several entries on many more inputs, then measure them and the reference in turns, in one process."""
        self._panics = target.panic_count
        watch = self._watch()
        calls = [watch.calibrate(e) for e in entries]
        times: list[tuple[float, list[float]]] = []
        for _ in range(rounds):
            reference = watch.batch(self._reference, self._reference_calls)
            times.append((reference, [watch.batch(e, n) for e, n in zip(entries, calls, strict=True)]))
        references = tuple(r for r, _ in times)
        verdicts = []
        for i, entry in enumerate(entries):
            problem = self._disagreement_on_drawn(target, entry, (2**32 - 1,), CONFIRM_CALLS, CONFIRM_SECONDS)
            verdicts.append(
                _verdict(references, tuple(own[i] for _, own in times)) if problem is None else _wrong(problem)
            )
        return verdicts

    def _watch(self) -> Stopwatch:
        assert self._stopwatch is not None, "prepare() comes first"
        if not self._reference_ns:
            self._reference_calls = self._stopwatch.calibrate(self._reference)
            self._reference_ns = [self._stopwatch.batch(self._reference, self._reference_calls) for _ in range(3)]
        return self._stopwatch

    def _time(self, entry: int, best: float | None) -> Verdict:
        """Candidate and reference in turns; a slow reference has its turn once, its recent times count too."""
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
        return _verdict(tuple(self._reference_ns), tuple(times))

    # -- agreement ----------------------------------------------------------------------------------------------

    def _disagreement(self, target: CompileTarget, entry: int, seed: Sequence[int]) -> str | None:
        """The first difference from the reference's results.

        A list of inputs is checked whole, and what is timed is always checked. Drawn inputs are new for each candidate;
        where the reference is slow, some are from earlier candidates, whose expected results are known already.
        """
        problem = self._disagreement_on_known(target, entry)
        return problem or self._disagreement_on_drawn(target, entry, seed, CHECK_CALLS, CHECK_SECONDS)

    def _disagreement_on_known(self, target: CompileTarget, entry: int) -> str | None:
        """The first difference on what is timed, or on the list of inputs."""
        if not self._known:
            count = len(self._timed) if callable(self.inputs) else len(self.inputs)
            self._known = [self._case(target, [0, 0], number) for number in range(count)]
        problems = (self._disagreement_on(target, entry, c, i % 2 == 0) for i, c in enumerate(self._known))
        return next((problem for problem in problems if problem is not None), None)

    def _disagreement_on_drawn(
        self, target: CompileTarget, entry: int, seed: Sequence[int], calls: tuple[int, int], seconds: float
    ) -> str | None:
        """The first difference on inputs drawn with a seed, within a number of calls and a time."""
        if not callable(self.inputs):
            return None
        started = time.perf_counter()
        for number in range(calls[1]):
            is_slow = time.perf_counter() - started > seconds
            if is_slow and number >= calls[0]:
                break
            case = self._earlier_case(seed, number) if is_slow else None
            if case is None:
                case = self._case(target, seed, number)
                self._cases = [*self._cases[-(KEPT_CASES - 1) :], case]
            problem = self._disagreement_on(target, entry, case, number % 2 == 0)
            if problem is not None:
                return problem
        return None

    def _case(self, target: CompileTarget, seed: Sequence[int], number: int) -> _Case:
        """Inputs, and what the reference makes of them."""
        assert self._harness is not None
        values = self._draw(seed, number)
        expected = self._harness.prepare(values)
        _soil(target, expected, seed)
        given = tuple(np.copy(v) for v in expected.values)
        return _Case(given, expected, self._harness.call(self._reference, expected))

    def _earlier_case(self, seed: Sequence[int], number: int) -> _Case | None:
        others = self._cases[:-1]
        return others[hash((*seed, number)) % len(others)] if others else None

    def _disagreement_on(self, target: CompileTarget, entry: int, case: _Case, at_end: bool) -> str | None:
        """The first difference in one case, called with arrays that end, or begin, where memory does."""
        assert self._harness is not None
        given = self._harness.prepare_fenced(case.given, at_end)
        result = self._harness.call(entry, given)
        if target.panic_count != self._panics:
            return "the call panicked"
        trespassed = given.trespassed()
        if trespassed is not None:
            return f"the call wrote outside of {trespassed!r}"
        for param, want, have in zip(target.signatures[0].params, case.expected.values, given.values, strict=True):
            if isinstance(param.type, ArrayType):
                problem = self._difference(want, have, param.type.dtype)
                if problem is not None:
                    return _said(param.name, param, problem)
        if target.signatures[0].returns is not None:
            problem = self._difference(np.asarray(case.result), np.asarray(result), target.signatures[0].returns)
            if problem is not None:
                return f"the result {problem}"
        return None

    def _difference(self, expected: Any, got: Any, element: Element) -> str | None:
        if isinstance(element, Record):
            problems = ((f.name, self._difference(expected[f.name], got[f.name], f.type)) for f in element.fields)
            return next((f".{name} {problem}" for name, problem in problems if problem is not None), None)
        default = TOLERANCES.get(element.name, 0.0)
        rtol = default if self.rtol is None else self.rtol
        if element.kind not in "fc":
            differs = _integer_difference(expected, got, self.rtol, self.atol)
        else:
            magnitude = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
            atol = rtol * magnitude if self.atol is None else self.atol
            differs = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
        if not differs.any():
            return None
        index = tuple(int(i) for i in np.argwhere(differs)[0])
        share = f" ({int(differs.sum())} of {differs.size} elements differ)" if differs.ndim else ""
        where = f"at {list(index)} " if differs.ndim else ""
        return f"{where}is {got[index]!s}, expected {expected[index]!s}{share}"


def _integer_difference(expected: Any, got: Any, rtol: float | None, atol: float | None) -> Any:
    if rtol is None and atol is None:
        return np.asarray(expected != got)
    return ~np.isclose(got.astype(float), expected.astype(float), rtol=rtol or 0.0, atol=atol or 0.0)


def _said(name: str, param: Param, problem: str) -> str:
    return f"{name!r} was changed, though it is const: {problem}" if param.mode is Mode.IN else f"{name!r} {problem}"


def _soil(target: CompileTarget, arguments: Arguments, seed: Sequence[int]) -> None:
    """Fill pure output buffers with noise, the same for reference and candidate.

    A candidate that writes nothing must not find yesterday's right answer in a buffer, and one that leaves out what the
    reference leaves out must not be blamed.
    """
    rng = np.random.default_rng([*seed, 7])
    for param, value in zip(target.signatures[0].params, arguments.values, strict=True):
        if param.mode is Mode.OUT:
            _fill_with_noise(value, rng)


def _fill_with_noise(values: Any, rng: np.random.Generator) -> None:
    if values.dtype.names:
        for name in values.dtype.names:
            _fill_with_noise(values[name], rng)
    else:
        values[...] = rng.integers(0, 2 if values.dtype == bool else 100, values.shape).astype(values.dtype)


def _wrong(problem: str) -> Verdict:
    return Verdict(Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "wrong", problem),))


def _panicked(panic: Panic) -> Verdict:
    found = Diagnostic(Stage.EVALUATE, panic.kind, panic.message, panic.line, panic.column)
    return Verdict(Status.PANICKED, diagnostics=(found,), panic=panic)


def _verdict(reference_ns: tuple[float, ...], candidate_ns: tuple[float, ...]) -> Verdict:
    score = median(reference_ns) / max(median(candidate_ns), 1e-3)
    return Verdict(Status.VALID, score, {"speedup": score}, reference_ns=reference_ns, candidate_ns=candidate_ns)


class CallableMetric:
    """A user's function of the kernel as a metric: one number, or several by name."""

    def __init__(self, function: Callable[[Any], float | Mapping[str, float]]) -> None:
        self.function = function

    def prepare(self, target: CompileTarget) -> None:
        """Ask once for the active revision, so that the workers inherit what the function compiles.

        What it says or raises does not matter here; every candidate is asked anew.
        """
        if target.active is not None:
            with contextlib.suppress(Exception, SystemExit):
                self.function(target.owner)

    def suggested_deadline(self) -> float:
        """Ten seconds: nothing is known of what the function does."""
        return CALLABLE_DEADLINE

    def judge(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> Verdict:
        """Put the candidate into this worker's copy of the kernel and ask the function: checked, then for the score."""
        enter_phase("asking the metric, with checks")
        verdict = self._asked(target, checked)
        panic = target.take_panic_of(checked)
        if panic is not None:
            return _panicked(panic)
        enter_phase("asking the metric, without checks")
        return self._asked(target, candidate) if verdict.status is Status.VALID else verdict

    def _asked(self, target: CompileTarget, candidate: Any) -> Verdict:
        try:
            with target.temporarily_active(candidate) as kernel:
                value = self.function(kernel)
            scores = {k: float(v) for k, v in value.items()} if isinstance(value, Mapping) else {"score": float(value)}
        except Exception:
            text = "".join(traceback.format_exc(limit=-4))[-2000:]
            return Verdict(
                Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "metric", f"the metric raised:\n{text}"),)
            )
        if not scores or not all(map(math.isfinite, scores.values())):
            message = f"the metric gave {value!r}, which is no finite number"
            return Verdict(Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "metric", message),))
        return Verdict(Status.VALID, next(iter(scores.values())), scores)


def as_metric(metric: Any) -> Metric:
    """A metric as it is; a callable as one."""
    if hasattr(metric, "judge") and hasattr(metric, "prepare"):
        prepared: Metric = metric
        return prepared
    if callable(metric):
        return CallableMetric(metric)
    raise UsageError(f"metric is sj.Speedup(inputs) or a callable of the kernel, not {metric!r:.80}")
