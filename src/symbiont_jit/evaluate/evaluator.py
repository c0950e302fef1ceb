"""Candidates in, futures of their evaluations out, over anything that has `submit`.

In: a kernel, a metric, and the executor that a person gave, if any. Out: an evaluation for every candidate, in threads
of this process by default. Elsewhere each process makes an evaluator of its own, with workers that it kills, so a
candidate ends no process of an executor.
"""

from __future__ import annotations

import functools
import os
import threading
import uuid
import weakref
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.engine.builds import Build
from symbiont_jit.environment import list_secrets, note_secret_names
from symbiont_jit.errors import Diagnostic, Stage, UsageError
from symbiont_jit.evaluate.evaluation import Evaluation, Status
from symbiont_jit.evaluate.local import LocalEvaluator
from symbiont_jit.evaluate.threads import Threads

__all__ = ["EvaluationJob", "Evaluator", "EvaluatorOptions"]

#: How many evaluators a process of an executor keeps; of searches that share it, others make theirs again.
MOST_EVALUATORS: Final = 4
#: What an executor raises for work that was lost with a process or a connection, which the work is not to blame for.
_LOST: Final = (BrokenExecutor, CancelledError, OSError, EOFError)
#: The same of Dask, which is not imported for it.
_LOST_NAMES: Final = frozenset({"KilledWorker", "LostWorkerError", "CommClosedError"})


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """A candidate to be evaluated: its text, what random inputs are drawn with, and the score to beat, if any.

    Where it `may_be_known`, an earlier evaluation of the same code is as good.
    """

    source: str | bytes
    seed: tuple[int, ...] = (0,)
    best: float | None = None
    may_be_known: bool = True

    def evaluate_by(self, evaluator: LocalEvaluator) -> Evaluation:
        """Evaluate the candidate in this process, and wait for that."""
        return evaluator.evaluate(self.source, self.seed, self.best, self.may_be_known)


@dataclass(frozen=True, eq=False)
class EvaluatorOptions:
    """What an evaluator is made of, wherever it is made; the parameters are those of `LocalEvaluator`.

    `key` is equal for equal options only, in all processes.
    """

    kernel: Any
    metric: Any
    workers: int = 1
    deadline: float | None = None
    start_method: str | None = None
    permissions: tuple[str, ...] = ()
    private: frozenset[str] = frozenset()
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def build(self) -> LocalEvaluator:
        """Make the evaluator in this process."""
        how = (self.workers, self.deadline, self.start_method, self.permissions, self.private)
        return LocalEvaluator(self.kernel, self.metric, *how)


class Evaluator:
    """Evaluates candidates, several at the same time.

    Args:
        options: The kernel, the metric and how they are run; with an executor, in each of its processes.
        executor: Where candidates are evaluated that are submitted; None for threads of this process.

    Raises:
        UsageError: An option is wrong, or the metric does not fit the kernel.
    """

    def __init__(self, options: EvaluatorOptions, executor: Executor | None = None) -> None:
        self.options = options
        self.local = options.build()
        self._executor = executor
        # Two candidates more than there are workers, so that some are compiled while others run.
        self._threads = Threads(options.workers + 2)
        self._elsewhere: set[Future[Evaluation]] = set()
        # Threads of an executor make their evaluator in this process; it shall not outlive this one, closed or not.
        weakref.finalize(self, _drop, options.key).atexit = False

    def submit(self, jobs: Sequence[EvaluationJob]) -> list[Future[Evaluation]]:
        """Begin to evaluate candidates.

        Args:
            jobs: The candidates.

        Returns:
            A future for each of them, in their order. Its exceptions are the caller's errors; one that an executor has
            lost is a crash.

        Raises:
            UsageError: The executor takes no work.
        """
        if self._executor is None:
            return [self._threads.submit(self.evaluate, job) for job in jobs]
        return [self._submit_elsewhere(self._executor, job) for job in jobs]

    def evaluate(self, job: EvaluationJob) -> Evaluation:
        """Evaluate one candidate in this process, and wait for that."""
        return job.evaluate_by(self.local)

    def confirm(self, sources: Sequence[str], active: Build | None = None) -> list[Evaluation]:
        """Measure candidates again in this process, side by side, as `LocalEvaluator.confirm` does."""
        return self.local.confirm(sources, active)

    def close(self) -> None:
        """End all that is under way, and this process's workers; whatever is submitted after that starts new ones.

        Futures are cancelled, or their evaluations are crashes.
        """
        self._threads.cancel()
        for future in tuple(self._elsewhere):
            future.cancel()
        for evaluator in (self.local, _MADE.get(self.options.key)):  # Threads of this process have one, too.
            if evaluator is not None:
                evaluator.pool.close()

    def _submit_elsewhere(self, executor: Executor, job: EvaluationJob) -> Future[Evaluation]:
        try:
            theirs: Future[Evaluation] = executor.submit(
                evaluate_elsewhere, self.options, job, list_secrets(os.environ)
            )
        except RuntimeError as error:  # It is broken, or was shut down.
            raise UsageError(f"the executor takes no more candidates: {error}; give one that is open") from error
        ours: Future[Evaluation] = Future()
        self._elsewhere.add(theirs)
        theirs.add_done_callback(self._note_done)  # So this evaluator is there as long as one of its futures waits.
        theirs.add_done_callback(functools.partial(_pass_on, job, ours))
        return ours

    def _note_done(self, future: Future[Evaluation]) -> None:
        self._elsewhere.discard(future)


def _pass_on(job: EvaluationJob, ours: Future[Evaluation], theirs: Future[Evaluation]) -> None:
    """Give what became of an executor's future to the one that somebody waits for."""
    error = CancelledError() if theirs.cancelled() else theirs.exception()
    if error is None:
        ours.set_result(theirs.result())
    elif isinstance(error, _LOST) or type(error).__name__ in _LOST_NAMES:
        ours.set_result(_lost(job, error))
    else:
        ours.set_exception(error)


def _lost(job: EvaluationJob, error: BaseException) -> Evaluation:
    source = job.source if isinstance(job.source, str) else job.source.decode("utf-8", "replace")
    message = f"the executor has lost the candidate: {type(error).__name__}: {error}"
    return Evaluation(Status.CRASHED, source, diagnostics=(Diagnostic(Stage.EVALUATE, "crashed", message),))


# -- in a process of an executor --------------------------------------------------------------------------------------

_MADE: Final[dict[str, LocalEvaluator]] = {}
_MAKING: Final = [threading.Lock()]


def evaluate_elsewhere(options: EvaluatorOptions, job: EvaluationJob, secrets: Sequence[str]) -> Evaluation:
    """Evaluate a candidate with this process's own evaluator, which the first candidate makes.

    Args:
        options: What makes the evaluator.
        job: The candidate.
        secrets: Variables of the environment that no worker of this process is to have.
    """
    note_secret_names(secrets)
    with _MAKING[0]:
        evaluator = _MADE.pop(options.key, None) or options.build()
        _MADE[options.key] = evaluator  # The keys are in the order of their last use.
        while len(_MADE) > MOST_EVALUATORS:
            del _MADE[next(iter(_MADE))]
    return job.evaluate_by(evaluator)


def _drop(key: str) -> None:
    """Let go of the evaluator that this process has made by some options, if it has."""
    _MADE.pop(key, None)


def _forget() -> None:
    """Forget in a forked child the evaluators of its parent, and a lock that one of its threads may have held."""
    _MADE.clear()
    _MAKING[0] = threading.Lock()


os.register_at_fork(after_in_child=_forget)
