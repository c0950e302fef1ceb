"""The user's score: the built-in speed-up against the reference, or any callable on the kernel.

In: a kernel and entry addresses of reference and candidate, inside a worker. Out: a `Verdict`. A metric may raise or
return nonsense; that is the candidate's verdict, not the search's end.
"""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np

from symbiont_jit.errors import Diagnostic, Stage, UsageError
from symbiont_jit.evaluate.evaluation import Status
from symbiont_jit.evaluate.harness import Arguments, Harness, Stopwatch, median
from symbiont_jit.kernel import Kernel, Revision
from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, check_arguments

__all__ = ["CallableMetric", "Metric", "Speedup", "Verdict", "as_metric"]

Inputs = Callable[[np.random.Generator], Sequence[Any]] | Sequence[Sequence[Any]]

#: Relative tolerances by dtype, unless the user gives one; everything else has to be equal.
TOLERANCES: Final[Mapping[str, float]] = {"float64": 1e-9, "float32": 1e-4}

CHECK_CALLS: Final = 3
CHECK_SECONDS: Final = 0.05
ROUNDS: Final = 5
CONFIRM_ROUNDS: Final = 15
#: A candidate this much slower than the best is not worth more rounds.
HOPELESS: Final = 0.8


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a metric says of one candidate; travels from the worker."""

    status: Status
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    reference_ns: tuple[float, ...] = ()
    candidate_ns: tuple[float, ...] = ()


class Metric(Protocol):
    """What a search needs of a metric."""

    def prepare(self, kernel: Kernel) -> None:
        """Compile and check what every worker will inherit; raises usage errors."""

    def judge(self, kernel: Kernel, candidate: Revision, seed: Sequence[int], best: float | None) -> Verdict:
        """Score a candidate; runs in a worker. `best` is the score to beat, if any."""


class Speedup:
    """Reference time over candidate time, for candidates that agree with the reference on fresh inputs.

    `inputs` is a callable of a NumPy `Generator` that returns one argument tuple, or a list of tuples. Results agree when
    `|got - expected| <= atol + rtol * |expected|`; by default `rtol` is 1e-9 for float64, 1e-4 for float32 and 0 for
    everything else, and `atol` is `rtol` times the largest magnitude that the reference gives.
    """

    def __init__(self, inputs: Inputs, rtol: float | None = None, atol: float | None = None) -> None:
        if not callable(inputs) and not isinstance(inputs, Sequence):
            raise UsageError(f"inputs is a callable of a NumPy Generator or a list of argument tuples, not {inputs!r:.80}")
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
        self._reference_calls = 1
        self._reference_ns: list[float] = []

    def prepare(self, kernel: Kernel) -> None:
        """Compile the reference and the harness, and check one set of inputs against the signature."""
        if not kernel.revisions:
            raise UsageError(f"{kernel.signature.name!r} has neither a Python body nor source=..., so there is no reference")
        self._reference = kernel.revisions[0].entry_address
        self._harness = Harness(kernel.signature)
        values = self._draw([0, 0], 0)
        problem = check_arguments(kernel.signature, values)
        if problem is not None:
            raise UsageError(f"inputs do not fit the signature: {problem}")
        self._stopwatch = self._harness.stopwatch(values)

    def _draw(self, seed: Sequence[int], number: int) -> tuple[Any, ...]:
        if not callable(self.inputs):
            return tuple(self.inputs[number % len(self.inputs)])
        drawn = self.inputs(np.random.default_rng([*seed, number]))
        return tuple(drawn) if isinstance(drawn, tuple | list) else (drawn,)

    def judge(self, kernel: Kernel, candidate: Revision, seed: Sequence[int], best: float | None) -> Verdict:
        """Agreement first, on inputs nobody has seen; then time, in turns with the reference."""
        assert self._harness is not None, "prepare() comes first"
        entry = candidate.entry_address
        problem = self._disagreement(kernel, entry, seed)
        if problem is not None:
            return Verdict(Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "wrong", problem),))
        return self._time(entry, best)

    def confirm(self, entries: Sequence[int], rounds: int = CONFIRM_ROUNDS) -> list[Verdict]:
        """Measure several entries and the reference in turns, many rounds, all in one process."""
        watch = self._watch()
        calls = [watch.calibrate(e) for e in entries]
        times: list[tuple[float, list[float]]] = []
        for _ in range(rounds):
            reference = watch.batch(self._reference, self._reference_calls)
            times.append((reference, [watch.batch(e, n) for e, n in zip(entries, calls, strict=True)]))
        references = tuple(r for r, _ in times)
        return [_verdict(references, tuple(own[i] for _, own in times)) for i in range(len(entries))]

    def _watch(self) -> Stopwatch:
        assert self._stopwatch is not None, "prepare() comes first"
        if not self._reference_ns:
            self._reference_calls = self._stopwatch.calibrate(self._reference)
        return self._stopwatch

    def _time(self, entry: int, best: float | None) -> Verdict:
        watch = self._watch()
        calls = watch.calibrate(entry)
        times: list[float] = []
        for _ in range(ROUNDS):
            self._reference_ns.append(watch.batch(self._reference, self._reference_calls))
            times.append(watch.batch(entry, calls))
            hopeless = best is not None and self._reference_ns[-1] / min(times) < HOPELESS * best
            if hopeless or sum(times) * calls > 5e8:
                break
        self._reference_ns = self._reference_ns[-4 * ROUNDS :]
        return _verdict(tuple(self._reference_ns[-2 * ROUNDS :]), tuple(times))

    # -- agreement ----------------------------------------------------------------------------------------------

    def _disagreement(self, kernel: Kernel, entry: int, seed: Sequence[int]) -> str | None:
        started = time.perf_counter()
        count = CHECK_CALLS if callable(self.inputs) else len(self.inputs)
        for number in range(count):
            problem = self._disagreement_on(kernel, entry, self._draw(seed, number), seed)
            if problem is not None:
                return problem
            # A list is checked whole; drawn inputs for as long as it stays cheap, but twice at least.
            if callable(self.inputs) and number >= 1 and time.perf_counter() - started > CHECK_SECONDS:
                break
        return None

    def _disagreement_on(self, kernel: Kernel, entry: int, values: tuple[Any, ...], seed: Sequence[int]) -> str | None:
        assert self._harness is not None
        wanted, given = self._harness.prepare(values), self._harness.prepare(values)
        _soil(kernel, wanted, given, seed)
        expected = self._harness.call(self._reference, wanted)
        got = self._harness.call(entry, given)
        pairs = [(p.name, p, w, g) for p, w, g in zip(kernel.signature.params, wanted.values, given.values, strict=True)]
        for name, param, want, have in pairs:
            if isinstance(param.type, ArrayType):
                problem = self._difference(want, have, param.type.dtype)
                if problem is not None:
                    return _said(name, param, problem)
        if kernel.signature.returns is not None:
            problem = self._difference(np.asarray(expected), np.asarray(got), kernel.signature.returns)
            if problem is not None:
                return f"the result {problem}"
        return None

    def _difference(self, expected: Any, got: Any, scalar: Scalar) -> str | None:
        default = TOLERANCES.get(scalar.name, 0.0)
        rtol = default if self.rtol is None else self.rtol
        if scalar.kind != "f":
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


def _soil(kernel: Kernel, first: Arguments, second: Arguments, seed: Sequence[int]) -> None:
    """Fill pure output buffers with the same noise in both calls.

    A candidate that writes nothing must not find yesterday's right answer in a buffer, and one that leaves out what the
    reference leaves out must not be blamed.
    """
    rng = np.random.default_rng([*seed, 7])
    for param, a, b in zip(kernel.signature.params, first.values, second.values, strict=True):
        if param.mode is Mode.OUT:
            a[...] = rng.integers(0, 2 if a.dtype == bool else 100, a.shape).astype(a.dtype)
            b[...] = a


def _verdict(reference_ns: tuple[float, ...], candidate_ns: tuple[float, ...]) -> Verdict:
    score = median(reference_ns) / max(median(candidate_ns), 1e-3)
    return Verdict(
        Status.VALID, score, {"speedup": score}, reference_ns=reference_ns, candidate_ns=candidate_ns
    )


class CallableMetric:
    """A user's function of the kernel as a metric: one number, or several by name."""

    def __init__(self, function: Callable[[Kernel], float | Mapping[str, float]]) -> None:
        self.function = function

    def prepare(self, kernel: Kernel) -> None:
        """Compile what the workers inherit."""
        if kernel.revisions:
            _ = kernel._cell_address

    def judge(self, kernel: Kernel, candidate: Revision, seed: Sequence[int], best: float | None) -> Verdict:
        """Activate the candidate in this worker's copy of the kernel and ask the function."""
        kernel.activate(candidate)
        try:
            value = self.function(kernel)
            scores = {k: float(v) for k, v in value.items()} if isinstance(value, Mapping) else {"score": float(value)}
        except Exception:
            text = "".join(traceback.format_exc(limit=-4))[-2000:]
            return Verdict(Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "metric", f"the metric raised:\n{text}"),))
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
