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
from symbiont_jit.evaluate.metric import Metric, MetricResult, Speedup

__all__ = ["WorkerTask", "ConfirmationRequest", "EvaluationRequest", "prepare"]

#: Steps of loops that checked code may make for each second of the deadline: fewer than it can make in that time, so
#: that an endless loop is found by counting, which does not depend on the machine. Of the first seconds, which every
#: deadline has, most are left for what else the machine does.
STEPS_PER_SECOND: Final = 10**8
PATIENT_SECONDS: Final = 2.0


def step_limit(deadline: float) -> int:
    """How many steps of loops a call of checked code may make within a deadline, given in seconds."""
    patient = min(deadline, PATIENT_SECONDS)
    return int(STEPS_PER_SECOND * (deadline - patient + patient / 4))


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """One candidate on its way to a worker.

    `checked` is its build with all checks, which is run first; `release` is the one without, which is measured; `seed`
    is what inputs are drawn with; `best` is the score to beat, if there is one.
    """

    checked: Build
    release: Build
    seed: tuple[int, ...]
    best: float | None


@dataclass(frozen=True, slots=True)
class ConfirmationRequest:
    """Several candidates, as builds without checks, to be measured side by side."""

    builds: tuple[Build, ...]


@dataclass(frozen=True)
class WorkerTask:
    """The function that a worker answers requests with, for one kernel or group and one metric.

    `prepare` has to be called for both before a task is used. `deadline` is in seconds for one candidate.
    """

    kernel: Any
    metric: Metric
    deadline: float

    def __call__(self, request: EvaluationRequest | ConfirmationRequest) -> list[MetricResult]:
        """Run one request, and forget the candidate's code.

        Args:
            request: One candidate, or several to be confirmed.

        Returns:
            A result for each candidate.
        """
        target = target_of(self.kernel)
        if isinstance(request, ConfirmationRequest):
            assert isinstance(self.metric, Speedup)
            revisions = [target.candidate(build) for build in request.builds]
            return self.metric.confirm(target, [r.entry_address for r in revisions])
        target.limit_steps(step_limit(self.deadline))
        checked, release = target.candidate(request.checked), target.candidate(request.release)
        return [self.metric.evaluate(target, checked, release, request.seed, request.best)]

    def reduce_for_spawn(self, value: Any, has_main: bool) -> Any:
        """How kernels are pickled for a fresh interpreter: by name or with their reference; None for anything else."""
        return target_of(value).reduce_for_spawn(has_main) if isinstance(value, TargetOwner) else None

    def __reduce__(self) -> tuple[Callable[..., WorkerTask], tuple[Any, ...]]:
        return _rebuild, (self.kernel, self.metric, self.deadline)


def prepare(target: CompileTarget, metric: Metric) -> None:
    """Compile everything that serving needs, because no compiler can be started in a worker.

    Raises:
        UsageError: The metric does not fit the kernel.
    """
    metric.prepare(target)
    target.warm()


def _rebuild(kernel: Any, metric: Metric, deadline: float) -> WorkerTask:
    prepare(target_of(kernel), metric)
    end_compilers()  # no candidate may reach the processes that wait for the next unit
    return WorkerTask(kernel, metric, deadline)
