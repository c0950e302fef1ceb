"""A judge's side in the worker: one request after the other is run and measured.

In: requests with canonical text and object code. Out: verdicts. A bench is forked with everything in place, or pickled
and then prepared anew where it is unpickled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.backend.objects import ObjectCode, end_compilers
from symbiont_jit.evaluate.metric import Metric, Speedup
from symbiont_jit.frontend import Canonical
from symbiont_jit.kernel import Evolving, Kernel

__all__ = ["Bench", "Confirmation", "Request", "prepare"]

#: Steps of loops that checked code may make for each second of the deadline: fewer than it can make in that time, so
#: that an endless loop is found by counting, which does not depend on the machine. Of the first seconds, which every
#: deadline has, most are left for what else the machine does.
STEPS_PER_SECOND: Final = 10**8
PATIENT_SECONDS: Final = 2.0


def step_limit(deadline: float) -> int:
    """How many steps of loops a call of checked code may make within a deadline."""
    patient = min(deadline, PATIENT_SECONDS)
    return int(STEPS_PER_SECOND * (deadline - patient + patient / 4))


@dataclass(frozen=True, slots=True)
class Request:
    """One candidate on its way to a worker: `checked` is run first, `code` is measured."""

    canonical: Canonical
    checked: ObjectCode
    code: ObjectCode
    seed: tuple[int, ...]
    best: float | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Several candidates to be measured side by side."""

    items: tuple[tuple[Canonical, ObjectCode], ...]


@dataclass(frozen=True)
class Bench:
    """Serves the requests for one kernel or group, once `prepare` has been called for it and its metric."""

    kernel: Evolving[Any]
    metric: Metric
    deadline: float

    def __call__(self, request: Request | Confirmation) -> Any:
        """Run one request. The candidate's code is gone when this returns."""
        if isinstance(request, Confirmation):
            assert isinstance(self.metric, Speedup)
            revisions = [self.kernel.candidate(c, o) for c, o in request.items]
            assert isinstance(self.kernel, Kernel), "Speedup is for one function"
            return self.metric.confirm(self.kernel, [r.entry_address for r in revisions])
        self.kernel.limit_steps(step_limit(self.deadline))
        checked = self.kernel.candidate(request.canonical, request.checked, "checked")
        revision = self.kernel.candidate(request.canonical, request.code)
        return self.metric.judge(self.kernel, checked, revision, request.seed, request.best)

    def __reduce__(self) -> tuple[Callable[..., Bench], tuple[Any, ...]]:
        return _prepared, (self.kernel, self.metric, self.deadline)


def prepare(kernel: Evolving[Any], metric: Metric) -> None:
    """Compile everything that serving needs, because no compiler can be started in a worker; raises `UsageError`."""
    metric.prepare(kernel)
    kernel.warm()


def _prepared(kernel: Evolving[Any], metric: Metric, deadline: float) -> Bench:
    prepare(kernel, metric)
    end_compilers()  # the processes that wait for the next unit are no neighbours for a candidate
    return Bench(kernel, metric, deadline)
