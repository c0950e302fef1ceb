"""An evaluator's side in the worker: one request after the other is run and measured.

In: requests with canonical text and object code. Out: results of the metric. A task is forked with everything in place,
or pickled and then prepared anew where it is unpickled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.backend.objects import end_compilers
from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.target import CompileTarget, TargetOwner, target_of
from symbiont_jit.evaluate.cases import EXPLORATIONS
from symbiont_jit.evaluate.checker import CHECKED
from symbiont_jit.evaluate.confirm import LAST_CHECKS
from symbiont_jit.evaluate.metric import Metric, MetricResult, PreparedMetric
from symbiont_jit.evaluate.speedup import PreparedSpeedup

__all__ = ["WorkerTask", "ConfirmationRequest", "DrawRequest", "EvaluationRequest", "prepare"]

#: Steps of loops that checked code may make for each second of the deadline: fewer than it can make in that time, so
#: that an endless loop is found by counting, which does not depend on the machine. Of the first seconds, which every
#: deadline has, most are left for what else the machine does.
STEPS_PER_SECOND: Final = 10**8
PATIENT_SECONDS: Final = 2.0
#: Centuries of steps, for a deadline that is none.
MOST_STEPS: Final = 2.0**61


def step_limit(deadline: float) -> int:
    """Return how many steps of loops a call of checked code may make within a deadline, given in seconds."""
    patient = min(deadline, PATIENT_SECONDS)
    return int(min(STEPS_PER_SECOND * (deadline - patient + patient / 4), MOST_STEPS))


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """One candidate on its way to a worker.

    `checked` is its build with all checks, which is run first; `release` is the one without, which is measured; `seed`
    is what inputs are drawn with; `best` is the score to beat, if there is one. `turn` counts the candidates that were
    evaluated before; `explorations` are the reasons for which the reference may be called with arguments that nobody
    drew.
    """

    checked: Build
    release: Build
    seed: tuple[int, ...]
    best: float | None
    turn: int = 0
    explorations: tuple[str, ...] = EXPLORATIONS

    @property
    def draws(self) -> DrawRequest:
        """All inputs that may be drawn for it."""
        return DrawRequest(self.seed, CHECKED.most)


@dataclass(frozen=True, slots=True)
class ConfirmationRequest:
    """Several candidates, to be measured side by side on inputs drawn with a seed.

    `builds` are without checks, and `checked` those of the same texts with them; `peers` are what they are compared
    with besides the reference, each with its name. `explorations` are as in `EvaluationRequest`.
    """

    builds: tuple[Build, ...]
    checked: tuple[Build, ...]
    seed: tuple[int, ...]
    peers: tuple[tuple[str, Build], ...] = ()
    explorations: tuple[str, ...] = EXPLORATIONS

    @property
    def draws(self) -> DrawRequest:
        """All inputs that may be drawn for it."""
        return DrawRequest(self.seed, LAST_CHECKS.most)


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """Inputs to be drawn, without any candidate, to see whether they fit: those with a seed and numbers from 0."""

    seed: tuple[int, ...]
    count: int


@dataclass(frozen=True)
class WorkerTask:
    """The function that a worker answers requests with, for one kernel or group and one metric.

    `metric` is what the user declared, which is pickled for a fresh interpreter, and `prepared` what became of it in
    this one. `deadline` is in seconds for one candidate; `entropy` is what inputs to be timed are drawn
    with, which no candidate knows.
    """

    kernel: Any
    metric: Metric
    prepared: PreparedMetric
    deadline: float
    entropy: int

    def __call__(self, request: EvaluationRequest | ConfirmationRequest | DrawRequest) -> list[MetricResult]:
        """Run one request, and forget the candidate's code.

        Args:
            request: One candidate, or several to be confirmed, or inputs to be drawn without any.

        Returns:
            A result for each candidate.

        Raises:
            UsageError: The user's inputs do not fit, or cannot be drawn.
        """
        target = target_of(self.kernel)
        if isinstance(request, DrawRequest):
            if isinstance(self.prepared, PreparedSpeedup):
                self.prepared.draw(request.seed, request.count)
            return []
        if isinstance(request, ConfirmationRequest):
            assert isinstance(self.prepared, PreparedSpeedup)
            self.prepared.checker.explorations = request.explorations
            target.limit_steps(step_limit(self.deadline))
            pairs = zip(request.builds, request.checked, strict=True)
            revisions = [(target.candidate(build), target.candidate(checked)) for build, checked in pairs]
            entries = [(code.entry_address, checked.entry_address) for code, checked in revisions]
            peers = {name: target.candidate(build) for name, build in request.peers}
            return self.prepared.confirm(target, peers, entries, request.seed)
        if isinstance(self.prepared, PreparedSpeedup):
            self.prepared.turn, self.prepared.checker.explorations = request.turn, request.explorations
        target.limit_steps(step_limit(self.deadline))
        checked, release = target.candidate(request.checked), target.candidate(request.release)
        return [self.prepared.evaluate(target, checked, release, request.seed, request.best)]

    def reduce_for_spawn(self, value: Any, has_main: bool) -> Any:
        """How kernels are pickled for a fresh interpreter: by name or with their reference; None for anything else."""
        return target_of(value).reduce_for_spawn(has_main) if isinstance(value, TargetOwner) else None

    def __reduce__(self) -> tuple[Callable[..., WorkerTask], tuple[Any, ...]]:
        return _rebuild, (self.kernel, self.metric, self.deadline, self.entropy)


def prepare(target: CompileTarget, metric: Metric, entropy: int) -> PreparedMetric:
    """Compile everything that serving needs, because no compiler can be started in a worker.

    Raises:
        UsageError: The metric does not fit the kernel.
    """
    prepared = metric.prepare(target, entropy)
    target.warm()
    return prepared


def _rebuild(kernel: Any, metric: Metric, deadline: float, entropy: int) -> WorkerTask:
    prepared = prepare(target_of(kernel), metric, entropy)
    end_compilers()  # No candidate may reach the processes that wait for the next unit.
    return WorkerTask(kernel, metric, prepared, deadline, entropy)
