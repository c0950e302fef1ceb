"""The search: ask a proposer, evaluate in workers, keep the best, activate it in the running process.

In: a kernel, a metric, a proposer. Out: an `EvolutionResult`, and a kernel whose active revision is the best that was
found. Nothing in here knows C, clang, Numba or a model.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import math
import operator
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.target import CompileTarget, target_of
from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.confirm import is_clearly_faster
from symbiont_jit.evaluate.evaluation import Evaluation, Status
from symbiont_jit.evaluate.evaluator import EvaluationJob, Evaluator, EvaluatorOptions
from symbiont_jit.evaluate.speedup import Speedup
from symbiont_jit.isolate.permissions import require_permissions
from symbiont_jit.isolate.start import choose_start
from symbiont_jit.options import is_number, require, require_callable, require_limit, require_methods, require_names
from symbiont_jit.propose.base import Candidate, Parent, Proposer
from symbiont_jit.search.archive import Archive
from symbiont_jit.search.ending import Ending
from symbiont_jit.search.result import EvolutionResult, Progress
from symbiont_jit.search.signals import interrupt_at_sigterm

__all__ = ["Evolution"]

Direction = Literal["maximize", "minimize"]
StartMethod = Literal["fork", "spawn"]
_BETTER: Final[dict[str, Callable[[float, float], bool]]] = {"maximize": operator.gt, "minimize": operator.lt}

MAX_IDLE_ASKS: Final = 20
#: Seconds between two asks of a proposer that fails.
SHORTEST_PAUSE: Final = 0.01
LONGEST_PAUSE: Final = 2.0

#: Seconds after which a wait for a result begins anew.
LOOK_SECONDS: Final = 0.2

_LOG: Final = logging.getLogger("symbiont_jit.search")


class _Limits(NamedTuple):
    """Where a run ends; None is no limit."""

    candidates: int | None
    seconds: float | None
    target: float | None


@dataclass(slots=True)
class Evolution:
    """A search over the bodies of one kernel or group.

    Args:
        kernel: What is searched: made by `@evolvable` or `Kernel.from_c`, or a `Group`.
        metric: `Speedup(inputs)`, or a callable of the kernel that returns a number, or several by name, the first of
            which counts.
        proposer: What makes candidates, for example `Mutator()`; not needed to `evaluate`.
        seed: The same seed asks the same questions; measured times differ from run to run, and with them the answers.
        workers: The number of worker processes.
        deadline: The seconds that a candidate may take in its worker; by default what the metric suggests.
        direction: Whether a larger score is better, `"maximize"`, or a smaller one, `"minimize"`.
        start_method: How workers come to be: `"fork"`, the default where there is one, or `"spawn"`, for fresh
            interpreters that get the kernel and the metric pickled.
        permissions: What a metric may do in a worker besides computing and reading what Python reads: `"read"` any
            file, `"write"` files, use the `"network"`, start `"processes"`.
        executor: Where candidates are evaluated: any `concurrent.futures.Executor`, whose processes get the kernel and
            the metric pickled and have `workers` each. By default threads of this process.
        private: Names of scores that no proposer is told, and so no model: what they measure cannot be worked towards.

    Raises:
        UsageError: An argument is wrong.

    Example:
        `Evolution(kernel, metric=Speedup(inputs), proposer=Mutator()).run(seconds=60)`.
    """

    kernel: Any
    metric: Any
    proposer: Proposer | None = None
    seed: int = 0
    workers: int = 1
    deadline: float | None = None
    direction: Direction = "maximize"
    start_method: StartMethod | None = None
    permissions: Iterable[str] = ()
    private: Collection[str] = ()
    executor: Executor | None = None
    _target: CompileTarget = field(init=False)
    _archive: Archive = field(init=False)
    _evaluator: Evaluator | None = field(init=False, default=None)
    _rng: np.random.Generator = field(init=False)
    _latest_number: int = field(init=False, default=0)
    _counts: collections.Counter[Status] = field(init=False, default_factory=collections.Counter)
    _scores: dict[int | None, float] = field(init=False, default_factory=dict)
    _baseline: Evaluation | None = field(init=False, default=None)
    _started: float = field(init=False, default_factory=time.monotonic)
    _ended: float | None = field(init=False, default=None)
    _activated: Evaluation | None = field(init=False, default=None)
    _before: Any = field(init=False, default=None)
    _evaluated_before: int = field(init=False, default=0)
    _is_running: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._target = target_of(self.kernel)
        is_direction = isinstance(self.direction, str) and self.direction in _BETTER
        require(is_direction, f"direction is 'maximize' or 'minimize', not {self.direction!r}")
        require(is_number(self.workers, int) and self.workers >= 1, f"workers is at least 1, not {self.workers!r}")
        require_limit("deadline", self.deadline, float)
        require(is_number(self.seed, int) and self.seed >= 0, f"seed is a whole number from 0, not {self.seed!r}")
        choose_start(self.start_method)
        self.permissions = require_permissions(self.permissions)
        self.private = require_names("private", self.private)
        require_methods("proposer", self.proposer, "ask", "tell")
        require_methods("executor", self.executor, "submit")
        self._archive = Archive(_BETTER[self.direction])
        self._rng = np.random.default_rng(self.seed)

    # -- one step at a time ---------------------------------------------------------------------------------------

    def evaluate(self, source: str | bytes) -> Evaluation:
        """Evaluate one candidate.

        Args:
            source: C text, whatever it is.

        Returns:
            What became of it; a bad candidate has a status, and raises nothing. The same text again is measured again.

        Raises:
            UsageError: The metric does not fit the kernel, or a worker cannot get ready.
        """
        return self._evaluate(source, 0)

    def evaluate_many(self, sources: Sequence[str | bytes]) -> list[Evaluation]:
        """Evaluate candidates, as many at a time as there are workers.

        Args:
            sources: C texts.

        Returns:
            The evaluations in the order of the sources.
        """
        is_list = isinstance(sources, Sequence) and not isinstance(sources, str | bytes)
        require(is_list, f"evaluate_many takes a list of texts, not {sources!r:.80}")
        return list(map(_wait_for, self._open().submit([self._job(source, 0) for source in sources])))

    def ask(self, count: int = 1) -> list[Candidate]:
        """Ask the proposer for new candidates.

        Args:
            count: How many are wanted.

        Returns:
            The candidates with their numbers; fewer where the proposer has nothing new.

        Raises:
            UsageError: There is no proposer, or the C that the kernel begins with is not valid.
        """
        require(is_number(count, int) and count >= 0, f"count is a whole number from 0, not {count!r:.80}")
        require(self.proposer is not None, "there is no proposer; give one, for example proposer=sj.Mutator()")
        assert self.proposer is not None
        baseline = self._begin()
        require(
            baseline is None or bool(self._archive.elites),
            f"the C that {self._target.name!r} begins with does not pass: {baseline}",
        )
        parents = [Parent(e.evaluation.source, e.score, e.number) for e in self._archive.elites]
        new = []
        for _ in range(count):
            candidate = self.proposer.ask(self._target.signatures[0], parents, self._rng)
            if candidate is not None:
                self._latest_number += 1
                new.append(replace(candidate, number=self._latest_number))
        return new

    def tell(self, candidate: Candidate, evaluation: Evaluation) -> Any | None:
        """Take in what became of a candidate, and tell the proposer.

        Args:
            candidate: The candidate, as `ask` gave it.
            evaluation: Its evaluation.

        Returns:
            The candidate's revision where it is the best so far and was activated, else None.
        """
        gain, revision = self._take_in(candidate, evaluation)
        if self.proposer is not None:
            self.proposer.tell(candidate, evaluation.without_scores(self.private), gain)
        return revision

    def _take_in(self, candidate: Candidate, evaluation: Evaluation) -> tuple[float | None, Any | None]:
        """Count and keep a candidate; return its gain over its parent, and its revision where it was activated."""
        self._counts[evaluation.status] += 1
        gain = self._gain(candidate, evaluation)
        if evaluation.score is not None:
            self._scores[candidate.number] = evaluation.score
        is_best = self._archive.add(evaluation, candidate.number)
        is_installed = is_best and (not self._is_timed or is_clearly_faster(evaluation, self._activated))
        return gain, self._activate(evaluation, candidate.origin) if is_installed else None

    # -- the loop -------------------------------------------------------------------------------------------------

    def run(
        self,
        candidates: int | None = None,
        seconds: float | None = None,
        target: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> EvolutionResult:
        """Search until one of the limits is reached.

        The kernel's active revision follows the best so far, where that is clearly better; at the end the finalists are
        measured side by side with what was active before, and the winner is activated, or, where nothing is faster by
        more than the noise, what was active before. Ctrl-C and SIGTERM end the search early and keep what it found. A
        proposer that raises has lost one candidate, of which the log `symbiont_jit.search` tells.

        Args:
            candidates: End after so many candidates.
            seconds: End after so many seconds of wall time; what is under way is finished.
            target: End once a score is at least as good as this one.
            on_progress: Called after each evaluation, in this thread.

        Returns:
            What was found.

        Raises:
            UsageError: No limit is given, or something is wrong that no candidate is to blame for. What was found until
                then is in `result`, as after any other exception, such as one of `on_progress`.
        """
        require(
            any(limit is not None for limit in (candidates, seconds, target)),
            "run() needs an end: candidates=, seconds= or target=",
        )
        require_limit("candidates", candidates, int)
        require_limit("seconds", seconds, float)
        is_score = target is None or (is_number(target, float) and not math.isnan(target))
        require(is_score, f"target is a score, not {target!r}")
        require_callable("on_progress", on_progress)
        require(not self._is_running, "this search runs already; wait for it, or make another one")
        self._is_running = True
        try:
            self._run(_Limits(candidates, seconds, target), on_progress)
        finally:
            self._is_running = False
            self._ended = time.monotonic()
        return self.result

    def _run(self, limits: _Limits, on_progress: Callable[[Progress], None] | None) -> None:
        self._started, self._ended = time.monotonic(), None
        self._evaluated_before = sum(self._counts.values())
        self._before, build_before = self._target.active, self._target.active_build
        with self, interrupt_at_sigterm():
            try:
                self._baseline = self._begin()
                self._loop(limits, on_progress)
                self._finish(build_before)
            except KeyboardInterrupt:
                if not self._is_timed:
                    self._activate_best()

    @property
    def result(self) -> EvolutionResult:
        """What was found, by the run that was begun last and those before it; also where that run raised."""
        best = self._archive.best
        return EvolutionResult(
            None if best is None else best.evaluation,
            self._target.active,
            self._baseline,
            sum(self._counts.values()) - self._evaluated_before,
            (time.monotonic() if self._ended is None else self._ended) - self._started,
            dict(self._counts),
        )

    def _loop(self, limits: _Limits, on_progress: Callable[[Progress], None] | None) -> None:
        """Keep two candidates more than workers under way, so that some are compiled while others run.

        Results are told in the order the candidates were asked for, so that the same seed and the same scores give the
        same search.
        """
        under_way: collections.deque[tuple[Candidate, Future[Evaluation]]] = collections.deque()
        asked = idle = told = 0
        lost: Exception | None = None
        evaluator = self._open()
        with self._keep_finished(under_way):
            while True:
                is_over = limits.seconds is not None and time.monotonic() - self._started >= limits.seconds
                is_over |= limits.candidates is not None and asked >= limits.candidates
                is_over |= limits.target is not None and self._has_reached(limits.target)
                if not is_over and idle < MAX_IDLE_ASKS and len(under_way) <= self.workers + 1:
                    try:
                        new = self.ask(1)
                    except UsageError:
                        raise
                    except Exception as error:
                        new, lost = [], error
                        _wait_after_failure("the proposer's ask", error, idle)
                    idle = 0 if new else idle + 1
                    asked += len(new)
                    jobs = [self._job(candidate.source, candidate.number) for candidate in new]
                    under_way.extend(zip(new, evaluator.submit(jobs), strict=True))
                    continue
                if not under_way:
                    if lost is not None and not told:
                        raise lost  # Nothing else was found out.
                    return
                evaluation = _wait_for(under_way[0][1])
                candidate, _ = under_way.popleft()
                revision = self._tell_safely(candidate, evaluation)
                told += 1
                if on_progress is not None:
                    elapsed = time.monotonic() - self._started
                    on_progress(Progress(candidate, evaluation, told, elapsed, self._archive.best_score, revision))

    @contextlib.contextmanager
    def _keep_finished(self, under_way: collections.deque[tuple[Candidate, Future[Evaluation]]]) -> Iterator[None]:
        """Where the loop is left by Ctrl-C or another exception, take in what was evaluated, and end what was not."""
        try:
            yield
        except BaseException:
            # What is done by now was done before anything is killed, so none of it is a casualty of the interrupt.
            done = [(c, f.result()) for c, f in under_way if f.done() and f.exception() is None]
            self.close()
            for candidate, evaluation in done:
                self._tell_safely(candidate, evaluation)
            raise

    def _tell_safely(self, candidate: Candidate, evaluation: Evaluation) -> Any | None:
        """Do as `tell` does; a proposer that cannot take it in loses nothing but that."""
        gain, revision = self._take_in(candidate, evaluation)
        try:
            if self.proposer is not None:
                self.proposer.tell(candidate, evaluation.without_scores(self.private), gain)
        except Exception as error:
            _warn("the proposer's tell", error)
        return revision

    @property
    def _is_timed(self) -> bool:
        """Whether scores are measured times, which noise makes better and worse."""
        return isinstance(self.metric, Speedup)

    def _activate_best(self) -> None:
        """Activate the best candidate, unless that is what the search began with."""
        best = self._archive.best
        if best is not None and (best.number is not None or self._before is None):
            self._activate(best.evaluation, "search")

    def _has_reached(self, target: float) -> bool:
        best = self._archive.best
        return best is not None and not _BETTER[self.direction](target, best.score)

    def _begin(self) -> Evaluation | None:
        """Evaluate once what the kernel has as C already, which the search begins with; it needs no translation."""
        self._open()
        if self._archive.best is not None:
            return self._archive.best.evaluation
        found = [self._evaluate(source, 0) for source in self._target.c_sources]
        for evaluation in found:
            if self._archive.add(evaluation, None):
                self._scores[None] = evaluation.score or 0.0
                self._activated = evaluation
        if found and self._target.is_translated and not self._archive.elites:
            _LOG.warning("what %s is in C does not pass, and is left out: %s", self._target.name, found[0])
            self._target, found = replace(self._target, translate=lambda: None), []
        return found[0] if found else None

    def _finish(self, build_before: Build | None) -> None:
        """Choose a winner and activate it, or what was active before."""
        assert self._evaluator is not None
        ending = Ending(self._archive, self._evaluator, self._evaluate, self._is_timed, build_before)
        winner = ending.choose_winner(self._before is not None, time.monotonic() - self._started)
        if winner is not None:
            self._activate(winner.evaluation, "search")
        elif self._before is not None and self._archive.elites:
            self._target.activate(self._before)
            self._activated = None

    def _activate(self, evaluation: Evaluation, origin: str) -> Any:
        """Make a proven candidate the active revision of the running process."""
        revision = self._target.activate(self._target.compile(evaluation.source, "release", origin))
        self._activated = evaluation
        return revision

    def _gain(self, candidate: Candidate, evaluation: Evaluation) -> float | None:
        """How many times better a candidate is than its parent; None where one of the two has no score above 0."""
        parent = self._scores.get(candidate.parent)
        if parent is None or evaluation.score is None or parent <= 0 or evaluation.score <= 0:
            return None
        better, worse = (evaluation.score, parent) if self.direction == "maximize" else (parent, evaluation.score)
        return better / worse if worse * sys.float_info.max > better else None  # Else the ratio is no number.

    def _evaluate(self, source: str | bytes, number: int) -> Evaluation:
        return self._open().evaluate(self._job(source, number))

    def _job(self, source: str | bytes, number: int) -> EvaluationJob:
        # A proposer may propose the same code again and again, but what a person asks for is measured each time.
        return EvaluationJob(source, (self.seed, number), self._archive.best_score, may_be_known=number > 0)

    def _open(self) -> Evaluator:
        if self._evaluator is None:
            how = (self.workers, self.deadline, self.start_method, tuple(self.permissions), frozenset(self.private))
            options = EvaluatorOptions(self.kernel, self.metric, *how)
            self._evaluator = Evaluator(options, self.executor)
        return self._evaluator

    def close(self) -> None:
        """End the worker processes; another evaluation starts new ones."""
        if self._evaluator is not None:
            self._evaluator.close()

    def __enter__(self) -> Evolution:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _wait_for(future: Future[Evaluation]) -> Evaluation:
    """Wait for a result in short turns: a signal that comes just before a wait does not end it."""
    while not future.done():
        wait([future], LOOK_SECONDS)
    return future.result()


def _wait_after_failure(what: str, error: Exception, before: int) -> None:
    """Warn, and wait for longer after each failure in a row, because what is down may come back."""
    _warn(what, error)
    time.sleep(min(SHORTEST_PAUSE * 2.0**before, LONGEST_PAUSE))


def _warn(what: str, error: Exception) -> None:
    _LOG.warning("%s raised %s: %s; the search goes on", what, type(error).__name__, error)
