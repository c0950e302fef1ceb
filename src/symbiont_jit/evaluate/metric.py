"""The user's score: what a metric is, what it finds out, and any callable of the kernel as one.

In: what the user declares. Out: what evaluates candidates in a worker, each to a `MetricResult`. A metric may raise or
return nonsense; then the candidate is wrong, and the search goes on.
"""

from __future__ import annotations

import math
import random
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Protocol

import numpy as np
from pydantic import FailFast

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import Diagnostic, PanicError, Stage, UsageError
from symbiont_jit.evaluate.evaluation import Status
from symbiont_jit.evaluate.intervals import Interval
from symbiont_jit.isolate.child import enter_phase
from symbiont_jit.isolate.messages import MAX_NAMES, clean_text
from symbiont_jit.isolate.permissions import describe_refusals, forget_tries
from symbiont_jit.runtime.panics import PANICS, Panic

__all__ = ["CallableMetric", "Metric", "MetricResult", "PreparedMetric", "as_metric", "make_panicked", "make_wrong"]

#: Seconds for one candidate.
CALLABLE_DEADLINE: Final = 10.0
#: The most parts of each kind that a result has: it is kept for as long as the search.
MOST_PARTS: Final = 2000
#: The longest name of a score, in characters.
MOST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class MetricResult:
    """What a metric finds out about one candidate; it travels from the worker to the evaluator as JSON.

    `score` and `scores` are set for a valid candidate; `reference_ns` and `candidate_ns` are nanoseconds of CPU time a
    call, one entry for each round; `panic` is set for a candidate that panicked; `gains` says of a finalist how many
    times as fast it is as others; `counterexample` is a call that shows a wrong answer.
    """

    status: Status
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    diagnostics: Annotated[tuple[Diagnostic, ...], FailFast()] = ()
    reference_ns: tuple[float, ...] = ()
    candidate_ns: tuple[float, ...] = ()
    panic: Panic | None = None
    gains: Mapping[str, Interval] = field(default_factory=dict)
    counterexample: str = ""

    def __post_init__(self) -> None:
        """Refuse what no metric finds out, because other code may have written it in the worker."""
        if self.status not in (Status.PANICKED, Status.WRONG, Status.VALID):
            raise ValueError(f"no metric says {self.status.name}")
        numbers = [*self.scores.values(), *([] if self.score is None else [self.score])]
        if self.status is Status.VALID and not (self.score is not None and all(map(math.isfinite, numbers))):
            raise ValueError("a valid candidate has finite scores")
        if self.status is not Status.VALID and (numbers or self.gains):
            raise ValueError(f"a candidate that is {self.status.name} has no score")
        if self.status is not Status.VALID and not self.diagnostics:
            raise ValueError(f"a candidate that is {self.status.name} has a finding")
        if (self.status is Status.PANICKED) != (self.panic is not None):
            raise ValueError("a panic belongs to a candidate that panicked")
        parts = (self.scores, self.diagnostics, self.reference_ns, self.candidate_ns, self.gains)
        if max(map(len, parts)) > MOST_PARTS:
            raise ValueError(f"a result has at most {MOST_PARTS} scores, findings and times")
        if not all(0 <= ns < math.inf for ns in (*self.reference_ns, *self.candidate_ns)):
            raise ValueError("times are finite, and not below 0")
        if bool(self.reference_ns) != bool(self.candidate_ns):
            raise ValueError("times of a candidate come with those of its reference")


class Metric(Protocol):
    """What the user declares: what becomes a `PreparedMetric` for one kernel or group."""

    def prepare(self, target: CompileTarget, entropy: int) -> PreparedMetric:
        """Compile and check what every worker inherits, or makes at its start.

        Args:
            target: The kernel or group that is to be searched.
            entropy: A number that no candidate knows, the same for all workers of a search.

        Returns:
            What evaluates candidates, in this process or in one that is forked from it.

        Raises:
            UsageError: The metric does not fit the kernel.
        """


class PreparedMetric(Protocol):
    """What an evaluator and its workers need of a metric."""

    @property
    def deadline(self) -> float:
        """The seconds that one candidate gets, unless the user says otherwise."""

    @property
    def first_name(self) -> str:
        """The name of the score that decides, as far as that is known before any candidate ran; else nothing."""

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


def make_wrong(problem: str, counterexample: str = "") -> MetricResult:
    """Make the result of a candidate that gave a wrong answer, which `problem` describes, and a call that shows it."""
    found = Diagnostic(Stage.EVALUATE, "wrong", problem)
    return MetricResult(Status.WRONG, diagnostics=(found,), counterexample=counterexample)


def make_panicked(panic: Panic, has_values: bool = True) -> MetricResult:
    """Make the result of a candidate whose checked code panicked; without values where they are nobody's business."""
    if not has_values:
        panic = replace(panic, message=PANICS.get(panic.kind, panic.kind))
    found = Diagnostic(Stage.EVALUATE, panic.kind, panic.message, panic.line, panic.column)
    return MetricResult(Status.PANICKED, diagnostics=(found,), panic=panic)


@dataclass(frozen=True, slots=True)
class CallableMetric:
    """A user's function of the kernel as a metric.

    Args:
        function: It is called with the kernel, whose active revision is the candidate, and returns one number, or
            several by name, the first of which counts.
    """

    function: Callable[[Any], float | Mapping[str, float]]

    def prepare(self, target: CompileTarget, entropy: int) -> PreparedCallable:
        """Call the function once for the active revision, so that the workers inherit what it compiles.

        Of what it returns only the names matter here: it is called anew for every candidate. What it raises is no
        candidate's fault, and is raised as it is.

        Raises:
            UsageError: The function ends the interpreter.
        """
        if target.active is None:
            return PreparedCallable(self.function)
        try:
            value = self.function(target.owner)
        except SystemExit as error:
            raise UsageError(f"the metric ends the interpreter, by {error!r}, for the kernel as it is now") from error
        return PreparedCallable(self.function, next(map(_spell, _name(value)), ""))


@dataclass(frozen=True, slots=True)
class PreparedCallable:
    """A user's function that has been called before; its deadline is long, because nothing is known of what it does."""

    function: Callable[[Any], float | Mapping[str, float]]
    first_name: str = ""
    deadline: float = CALLABLE_DEADLINE

    def evaluate(
        self, target: CompileTarget, checked: Any, candidate: Any, seed: Sequence[int], best: float | None
    ) -> MetricResult:
        """Call the function with the candidate active in this worker's kernel: first checked, then for the score."""
        _seed_generators(seed)
        enter_phase("asking the metric, with checks")
        target.take_raised_panic()
        result = self._ask_function(target, checked)
        panic = target.take_panic_of(checked) or target.take_raised_panic()
        if panic is not None:
            return make_panicked(panic)
        _seed_generators(seed)
        enter_phase("asking the metric, without checks")
        return self._ask_function(target, candidate) if result.status is Status.VALID else result

    def _ask_function(self, target: CompileTarget, candidate: Any) -> MetricResult:
        forget_tries()
        try:
            with target.temporarily_active(candidate) as kernel:
                value = self.function(kernel)
            scores = [(_spell(name), float(number)) for name, number in _name(value).items()]
            problem = _find_problem(value, scores)
        except PanicError as error:
            return make_panicked(error.panic)
        except Exception as error:
            refused = describe_refusals(error)  # Printing the traceback opens files, which are tries, too.
            text = "".join(traceback.format_exc(limit=-4))[-2000:]
            found = [Diagnostic(Stage.EVALUATE, "metric", f"the metric raised:\n{text}")]
            if refused:
                found.append(Diagnostic(Stage.EVALUATE, "sandbox", refused))
            return MetricResult(Status.WRONG, diagnostics=tuple(found))
        if problem:
            message = f"the metric gave {problem}"
            return MetricResult(Status.WRONG, diagnostics=(Diagnostic(Stage.EVALUATE, "metric", message),))
        return MetricResult(Status.VALID, scores[0][1], dict(scores))


def _find_problem(value: Any, scores: Sequence[tuple[str, float]]) -> str:
    """Say what is wrong with what a metric gave, and its scores by names; nothing where all is well."""
    if not scores or not all(math.isfinite(number) for _, number in scores):
        return f"{value!r}, which is no finite number"
    names = [name for name, _ in scores]
    if len(names) > MOST_PARTS or max(map(len, names)) > MOST_NAME or sum(map(len, names)) > MAX_NAMES:
        return (
            f"{len(names):,} scores, the longest name of {max(map(len, names)):,} characters and all of "
            f"{sum(map(len, names)):,}, which is too much"
        )
    if len(set(names)) < len(names):
        return f"two scores of one name: {max(names, key=names.count)!r}"
    return ""


def _name(value: Any) -> Mapping[Any, Any]:
    """Return what a metric gave by names; one number is the score."""
    return value if isinstance(value, Mapping) else {"score": value}


def _spell(name: Any) -> str:
    """Spell whatever a metric names a number by, as it will stand on a terminal; half a character has no encoding."""
    return clean_text(str(name).encode(errors="replace").decode())


def _seed_generators(seed: Sequence[int]) -> None:
    """Seed the generators that a metric may use without naming one.

    Forked workers would all go on from the state of their parent, so all would draw the same numbers.
    """
    words = np.random.SeedSequence(seed).generate_state(4)
    np.random.seed(words)
    random.seed(words.tobytes())


def as_metric(metric: Any) -> Metric:
    """A metric as it is, or a metric made of a callable of the kernel; raises `UsageError` for anything else."""
    if hasattr(metric, "prepare"):
        prepared: Metric = metric
        return prepared
    if callable(metric):
        return CallableMetric(metric)
    raise UsageError(f"metric is sj.Speedup(inputs) or a callable of the kernel, not {metric!r:.80}")
