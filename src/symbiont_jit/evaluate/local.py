"""Candidate text -> `Evaluation`: checked and compiled in this process, run and measured in a worker of its own.

In: a kernel, a metric, candidate text. Out: an evaluation for every text, whatever it is; only errors that are the
caller's are raised. Safe to use from several threads, each with its own worker.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import hashlib
import itertools
import secrets
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.target import target_of
from symbiont_jit.errors import CandidateError, Diagnostic, Stage, UsageError
from symbiont_jit.evaluate.cases import EXPLORATIONS
from symbiont_jit.evaluate.confirm import ACTIVE, FIRST_C
from symbiont_jit.evaluate.evaluation import Evaluation, Status, Timings, make_failed_evaluation
from symbiont_jit.evaluate.first_call import first_call_limit
from symbiont_jit.evaluate.metric import Metric, MetricResult, as_metric
from symbiont_jit.evaluate.task import ConfirmationRequest, DrawRequest, EvaluationRequest, WorkerTask, prepare
from symbiont_jit.evaluate.threads import OWN_NAMES
from symbiont_jit.frontend import Canonical
from symbiont_jit.isolate.child import longest
from symbiont_jit.isolate.messages import clean_text
from symbiont_jit.isolate.pool import WorkerPool
from symbiont_jit.isolate.start import STARTS, choose_start
from symbiont_jit.isolate.worker import Complaint, Crash, Overdue, Worker, WorkerReply
from symbiont_jit.options import require
from symbiont_jit.uninterrupted import uninterrupted

__all__ = ["LocalEvaluator"]

#: The first call of a metric compiles what it is made of: it gets so many seconds, or so many times the deadline that
#: the user gives, whichever is more.
FIRST_SECONDS: Final = 30.0
FIRST_DEADLINES: Final = 3.0
ENTROPY_BITS: Final = 96
#: The longest findings, in characters, that are kept for other texts of the same code.
MOST_KEPT: Final = 20_000
#: How many builds with checks are kept for the end of a search.
MOST_CHECKED: Final = 64


class LocalEvaluator:
    """Evaluates candidates of one kernel or group by one metric, in a few workers of this process.

    Args:
        kernel: The kernel or group, whose own state no evaluation changes.
        metric: A `Speedup`, or a callable of the kernel.
        workers: The number of worker processes.
        deadline: The seconds that a candidate may take in its worker; by default what the metric suggests.
        start_method: How workers come to be, `"fork"` or `"spawn"`; by default `"fork"` where there is one.
        permissions: What workers may do besides computing: `"read"`, `"write"`, `"network"`, `"processes"`.
        private: Names of scores that may not decide.

    Raises:
        UsageError: An option is wrong, or the metric does not fit the kernel, or decides by a private score.
    """

    def __init__(
        self,
        kernel: Any,
        metric: Any,
        workers: int = 1,
        deadline: float | None = None,
        start_method: str | None = None,
        permissions: Iterable[str] = (),
        private: Collection[str] = (),
    ) -> None:
        self.start_method = choose_start(start_method)
        self.metric: Metric = as_metric(metric)
        self.target = target_of(kernel)
        entropy = secrets.randbits(ENTROPY_BITS)
        with first_call_limit(max(FIRST_SECONDS, FIRST_DEADLINES * (deadline or 0.0)), "the metric"):
            prepared = prepare(self.target, self.metric, entropy)
        self._private = set(map(clean_text, private))
        # What the scores are is asked where no candidate ran: an answer may come from one that has taken a worker over.
        require(prepared.first_name not in self._private, f"{prepared.first_name!r} {_IS_PRIVATE}")
        self.deadline = prepared.deadline if deadline is None else deadline
        task = WorkerTask(kernel, self.metric, prepared, self.deadline, entropy)
        self.pool = WorkerPool(workers, task, STARTS[self.start_method], list[MetricResult], permissions)
        self._turns = itertools.count()
        self._first_c = self._build_first_c()
        # Many transformations leave the machine code as it was, so equal code is evaluated once.
        self._known: dict[str, Evaluation] = {}
        self._checked: collections.OrderedDict[str, Build] = collections.OrderedDict()

    def evaluate(
        self, source: str | bytes, seed: Sequence[int] = (0,), best: float | None = None, may_be_known: bool = True
    ) -> Evaluation:
        """Compile a candidate, and run and measure it in a worker.

        Args:
            source: C text, whatever it is.
            seed: What random inputs are drawn with.
            best: The score to beat, if there is one; a candidate far from it is not measured to the end.
            may_be_known: Whether an earlier evaluation of the same code is as good as another one.

        Returns:
            The evaluation. A bad candidate has a status, and raises nothing.

        Raises:
            UsageError: The user's inputs do not fit the signature, or cannot be drawn.
        """
        started, epoch = time.perf_counter(), self.pool.epoch
        try:
            canonical = self.target.canonical(source)
            release = self.target.build(canonical)
            checked = self.target.build(canonical, "checked")
        except CandidateError as error:
            failed = make_failed_evaluation(error)
            return replace(failed, timings=Timings(compile_seconds=time.perf_counter() - started))
        compiled = time.perf_counter()
        self._keep_checked(checked)
        # What the optimiser makes of undefined behaviour can be the code of an honest text, so both codes count.
        installed = hashlib.sha256(release.object_code.data)
        digest = hashlib.sha256(installed.digest() + checked.object_code.data).hexdigest()
        known = self._known.get(digest) if may_be_known else None
        if known is not None:
            return replace(known, source=canonical.text, timings=replace(known.timings, worker_seconds=0.0))
        request = EvaluationRequest(checked, release, tuple(seed), best, next(self._turns))
        found = self._evaluate_in_worker(request, epoch)
        evaluation = replace(found, code=digest, release_code=installed.hexdigest())
        # Other statuses cite this text's lines, and crashes or time-outs may not repeat, so they are not kept.
        said = sum(len(each.message) for each in evaluation.diagnostics)
        if evaluation.status in (Status.VALID, Status.WRONG) and said <= MOST_KEPT:
            self._known[digest] = replace(evaluation, source="")
        timings = replace(
            evaluation.timings, compile_seconds=compiled - started, worker_seconds=time.perf_counter() - compiled
        )
        return replace(evaluation, timings=timings)

    def confirm(self, sources: Sequence[str], active: Build | None = None) -> list[Evaluation]:
        """Measure candidates again, in turns with each other and with what they are to be better than.

        Args:
            sources: Their canonical texts.
            active: What was active before the search, where that is C.

        Returns:
            One evaluation for each of them. Where the worker does not come back, each of them is measured alone, so
            that those are found that it did not come back from.
        """
        builds = [self.target.build(self.target.canonical(source)) for source in sources]
        seed = (secrets.randbits(ENTROPY_BITS),)
        peers = [] if active is None else [(ACTIVE, active)]
        if self._first_c is not None:
            peers.append((FIRST_C, self._first_c))
        confirm = functools.partial(self._confirm, seed=seed, peers=tuple(peers))
        together = confirm(builds)
        if together is not None and all(found.is_valid for found in together):
            return together
        # One that is wrong may have written anywhere, so nothing that the others did beside it counts.
        alone = [confirm([build]) or [self._evaluation_of_lost(build)] for build in builds]
        good = [build for build, (found,) in zip(builds, alone, strict=True) if found.is_valid]
        again = iter(confirm(good) or [found for (found,) in alone if found.is_valid])
        return [next(again) if found.is_valid else found for (found,) in alone]

    def _keep_checked(self, build: Build) -> None:
        """Keep a build whose text may be a finalist's, so that it is not instrumented again."""
        self._checked[build.canonical.text] = build
        with contextlib.suppress(KeyError):  # Another thread has dropped one more.
            while len(self._checked) > MOST_CHECKED:
                self._checked.popitem(last=False)

    def _build_checked(self, canonical: Canonical) -> Build:
        return self._checked.get(canonical.text) or self.target.build(canonical, "checked")

    def _build_first_c(self) -> Build | None:
        """Build the C that the kernel begins with; None where there is none, or none that is C without checks."""
        with contextlib.suppress(CandidateError):
            return next((self.target.build(self.target.canonical(text)) for text in self.target.c_sources), None)
        return None

    def _confirm(
        self, builds: Sequence[Build], seed: tuple[int, ...], peers: tuple[tuple[str, Build], ...]
    ) -> list[Evaluation] | None:
        """Measure builds in one worker; None where it does not come back."""
        checked = tuple(self._build_checked(build.canonical) for build in builds)
        request = ConfirmationRequest(tuple(builds), checked, seed, peers)
        allowance = _Allowance(self.deadline * (1 + len(builds)))
        outcome = self._run_in_worker(request, len(builds), allowance, self.pool.epoch)
        if not isinstance(outcome, WorkerReply):
            return None
        return [self._evaluation_of(result, b.canonical) for result, b in zip(outcome.value, builds, strict=True)]

    def _evaluation_of_lost(self, build: Build) -> Evaluation:
        message = "the code without checks did not come back from inputs that are drawn at the end of a search"
        return _failure(Status.CRASHED, build.canonical, message)

    @uninterrupted
    def _run_in_worker(
        self, request: EvaluationRequest | ConfirmationRequest, count: int, allowance: _Allowance, epoch: int
    ) -> WorkerReply | Crash | Overdue:
        """Let a worker answer with so many results; whoever is interrupted meanwhile leaves none of them busy."""
        with self.pool.idle_worker(epoch) as worker:
            if worker is None:
                return Crash("its end")
            outcome = allowance.ask(worker, request)
            if isinstance(outcome, Crash) and outcome.was_asked and request.explorations == EXPLORATIONS:
                # Whoever asked the child to end need not mean the candidate, so it is asked once more.
                outcome = allowance.ask(worker, request)
            if isinstance(outcome, Complaint):
                return self._require_inputs(worker, request.draws)
            if self._may_have_spoiled(outcome, count):
                worker.close()
            if isinstance(outcome, WorkerReply) and len(outcome.value) != count:
                return Crash(f"an answer of {len(outcome.value)} results")
            return outcome

    def _may_have_spoiled(self, outcome: WorkerReply | Crash | Overdue, count: int) -> bool:
        """Whether a candidate was wrong, or has answered itself: then its process is not used again."""
        if not isinstance(outcome, WorkerReply):
            return False  # That process has ended.
        results: list[MetricResult] = outcome.value
        return len(results) != count or any(each.status is Status.WRONG or self._is_forged(each) for each in results)

    def _is_forged(self, result: MetricResult) -> bool:
        """Whether a metric cannot have given a result, because a private score would decide."""
        return next(iter(result.scores), None) in self._private

    def _require_inputs(self, worker: Worker, draws: DrawRequest) -> Crash:
        """Raise `UsageError` where a fresh child, in which no candidate ran, says too that inputs are bad."""
        worker.close()
        again = worker.ask(draws, self.deadline)
        if isinstance(again, Complaint):
            raise UsageError(again.reason)
        return Crash("a complaint about inputs that are all right")

    def _evaluate_in_worker(self, request: EvaluationRequest, epoch: int) -> Evaluation:
        """Evaluate a candidate, without explorations that it does not come back from.

        What is given up is given up for this candidate: its worker may have said so itself, and would free others of
        what is found there. All its attempts together have the time that one may take.
        """
        canonical, allowance = request.checked.canonical, _Allowance(self.deadline)
        outcome = self._run_in_worker(request, 1, allowance, epoch)
        while not isinstance(outcome, WorkerReply) and outcome.phase in request.explorations and allowance.left > 0:
            kept = tuple(each for each in request.explorations if each != outcome.phase)
            request = replace(request, explorations=kept)
            outcome = self._run_in_worker(request, 1, allowance, epoch)
        if epoch != self.pool.epoch and not isinstance(outcome, WorkerReply):
            return _failure(Status.CRASHED, canonical, "the search was interrupted")
        if isinstance(outcome, WorkerReply):
            return self._evaluation_of(outcome.value[0], canonical)
        where = f" while {outcome.phase}" if outcome.phase else ""
        if isinstance(outcome, Overdue):
            message = f"no result within {self.deadline:g} seconds{where}; look for an endless loop{self._hint()}"
            return _failure(Status.TIMED_OUT, canonical, message)
        message = f"the process ended with {outcome.reason}{where}{self._hint()}"
        return _failure(Status.CRASHED, canonical, message)

    def _evaluation_of(self, result: MetricResult, canonical: Canonical) -> Evaluation:
        """Make the evaluation of an answer, unless it says that a private score decides."""
        if self._is_forged(result):
            first = next(iter(result.scores))
            return _failure(
                Status.CRASHED, canonical, f"it came with an answer whose first score, {first!r}, {_IS_PRIVATE}"
            )
        return _evaluation_of(result, canonical)

    def _hint(self) -> str:
        """Return what to add to a message where forked workers lack threads that this program has."""
        if self.start_method != "fork":
            return ""
        layer = _find_started_threads()
        names = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
        others = [name for name in names if not name.startswith(OWN_NAMES)]
        if layer in (None, "workqueue"):
            return _THREADS_HINT.format(others[0]) if others else ""
        return (
            f"; a parallel=True function ran before the workers were forked ({layer}), which forked processes cannot "
            "run: search with start_method='spawn', use one without parallel in the metric, or set "
            "NUMBA_THREADING_LAYER=workqueue"
        )


#: What is said of a score that no proposer is told, and that candidates would be chosen by.
_IS_PRIVATE: Final = "is private, and decides the search: give another first"
#: What is said where a thread of the program may be what a worker waits for.
_THREADS_HINT: Final = (
    "; this program has threads ({!r}) that a forked worker lacks: if the metric gives work to such a thread or pool, "
    "make it in the metric, or search with start_method='spawn'"
)


@dataclass(slots=True)
class _Allowance:
    """The deadline of each attempt of a candidate, in seconds, and what is left of the time for all of them together.

    A deadline counts when the candidate runs, and a worker may say that it does not.
    """

    deadline: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = longest(self.deadline)

    def ask(self, worker: Worker, request: Any) -> WorkerReply | Complaint | Crash | Overdue:
        """Ask a worker, and count the time that it took."""
        started = time.monotonic()
        try:
            return worker.ask(request, self.deadline, max(self.left, 0.0))
        finally:
            self.left -= time.monotonic() - started


def _find_started_threads() -> str | None:
    """Return the threading layer of Numba whose threads run in this process; None where none does."""
    import numba

    try:
        layer: str = numba.threading_layer()
    except ValueError:
        return None
    return layer


def _failure(status: Status, canonical: Canonical, message: str) -> Evaluation:
    return Evaluation(
        status, canonical.author_text, diagnostics=(Diagnostic(Stage.EVALUATE, status.name.lower(), message),)
    )


def _evaluation_of(result: MetricResult, canonical: Canonical) -> Evaluation:
    """Make the evaluation: what ran to its end is kept in canonical form, findings count the author's lines."""
    has_result = result.status in (Status.VALID, Status.WRONG)
    return Evaluation(
        result.status,
        canonical.text if has_result else canonical.author_text,
        result.score,
        result.scores,
        result.diagnostics,
        result.panic,
        counterexample=result.counterexample,
        timings=Timings(reference_ns=result.reference_ns, candidate_ns=result.candidate_ns),
        gains=result.gains,
    )
