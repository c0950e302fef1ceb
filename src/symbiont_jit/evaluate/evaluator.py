"""Candidate text -> `Evaluation`: checked and compiled here, run and measured in a worker.

In: a kernel, a metric, candidate text. Out: an evaluation for every text, whatever it is; only errors that are the
caller's are raised. Safe to use from several threads, each with its own worker.
"""

from __future__ import annotations

import hashlib
import queue
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symbiont_jit.engine.target import target_of
from symbiont_jit.errors import CandidateError, Diagnostic, Stage
from symbiont_jit.evaluate.evaluation import Evaluation, Status, Timings, failed_evaluation
from symbiont_jit.evaluate.metric import Metric, Verdict, as_metric
from symbiont_jit.evaluate.task import Bench, Confirmation, Request, prepare
from symbiont_jit.frontend import Canonical
from symbiont_jit.isolate.start import STARTS, chosen_start
from symbiont_jit.isolate.worker import Answer, Overdue, Worker

__all__ = ["Judge"]


class Judge:
    """Evaluates candidates of one kernel or group by one metric, in a few workers.

    `start_method` is how these come to be, `fork` or `spawn`; by default `fork` where there is one.
    """

    def __init__(
        self,
        kernel: Any,
        metric: Any,
        workers: int = 1,
        deadline: float | None = None,
        start_method: str | None = None,
    ) -> None:
        self.start_method = chosen_start(start_method)
        self.metric: Metric = as_metric(metric)
        self.target = target_of(kernel)
        prepare(self.target, self.metric)
        self.deadline = self.metric.suggested_deadline() if deadline is None else deadline
        bench = Bench(kernel, self.metric, self.deadline)
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._workers = [Worker(bench, STARTS[self.start_method]) for _ in range(workers)]
        for worker in self._workers:
            self._idle.put(worker)
        self._stopped = False
        # Many transformations leave the machine code as it was: that is judged once.
        self._judged: dict[str, Evaluation] = {}

    def evaluate(self, source: str | bytes, seed: Sequence[int] = (0,), best: float | None = None) -> Evaluation:
        """What becomes of a candidate; never raises for a bad one."""
        started = time.perf_counter()
        try:
            canonical = self.target.canonical(source)
            code = self.target.build(canonical)
            checked = self.target.build(canonical, "checked")
        except CandidateError as error:
            failed = failed_evaluation(error)
            return replace(failed, timings=Timings(compile_seconds=time.perf_counter() - started))
        compiled = time.perf_counter()
        # Both: what the optimiser makes of undefined behaviour can be the code of an honest text.
        digest = hashlib.sha256(code.data + checked.data).hexdigest()
        known = self._judged.get(digest)
        if known is not None:
            return replace(known, source=canonical.text, timings=replace(known.timings, judge_seconds=0.0))
        evaluation = replace(self._ask(Request(canonical, checked, code, tuple(seed), best), canonical), code=digest)
        if evaluation.status in (Status.VALID, Status.WRONG):  # the others speak of this text's lines, or of bad luck
            self._judged[digest] = replace(evaluation, source="")
        timings = replace(
            evaluation.timings, compile_seconds=compiled - started, judge_seconds=time.perf_counter() - compiled
        )
        return replace(evaluation, timings=timings)

    def confirm(self, sources: Sequence[str]) -> list[Evaluation]:
        """Canonical sources measured again, in turns with the reference and each other, many rounds."""
        items = []
        for source in sources:
            canonical = self.target.canonical(source)
            items.append((canonical, self.target.build(canonical)))
        answer = self._with_worker(Confirmation(tuple(items)), self.deadline * (1 + len(items)))
        if not isinstance(answer, Answer):
            return []
        return [_evaluation(verdict, c.text) for verdict, (c, _) in zip(answer.value, items, strict=True)]

    def stop(self) -> None:
        """Kill what is under way; it is evaluated as a crash."""
        self._stopped = True
        for worker in self._workers:
            worker.stop()

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.close()
        self._stopped = False

    def _with_worker(self, request: Any, deadline: float) -> Any:
        worker = self._idle.get()
        try:
            outcome = worker.ask(request, deadline)
            if _may_have_spoiled(outcome):
                worker.close()
            return outcome
        finally:
            self._idle.put(worker)

    def _ask(self, request: Request, canonical: Canonical) -> Evaluation:
        if self._stopped:
            return _ended(Status.CRASHED, canonical, "the search was interrupted")
        outcome = self._with_worker(request, self.deadline)
        if isinstance(outcome, Answer):
            return _evaluation(outcome.value, canonical.text)
        where = f" while {outcome.phase}" if outcome.phase else ""
        if isinstance(outcome, Overdue):
            message = f"no result within {self.deadline:g} seconds{where}; look for an endless loop{self._hint()}"
            return _ended(Status.TIMED_OUT, canonical, message)
        message = f"the process ended with {outcome.reason}{where}{self._hint()}"
        return _ended(Status.CRASHED, canonical, message)

    def _hint(self) -> str:
        """What to know where Numba's threads were started before the workers were forked."""
        layer = _started_threads() if self.start_method == "fork" else None
        if layer in (None, "workqueue"):
            return ""
        return (
            f"; a parallel=True function ran before the workers were forked ({layer}), which forked processes cannot "
            "run: search with start_method='spawn', use one without parallel in the metric, or set "
            "NUMBA_THREADING_LAYER=workqueue"
        )


def _may_have_spoiled(outcome: Any) -> bool:
    """Whether a candidate was wrong: it may have written where it should not, so its process is not used again."""
    return isinstance(outcome, Answer) and isinstance(outcome.value, Verdict) and outcome.value.status is Status.WRONG


def _started_threads() -> str | None:
    """The threading layer of Numba whose threads run in this process; None where none does."""
    import numba

    try:
        layer: str = numba.threading_layer()
    except ValueError:
        return None
    return layer


def _ended(status: Status, canonical: Canonical, message: str) -> Evaluation:
    return Evaluation(status, canonical.text, diagnostics=(Diagnostic(Stage.EVALUATE, status.name.lower(), message),))


def _evaluation(verdict: Verdict, source: str) -> Evaluation:
    return Evaluation(
        verdict.status,
        source,
        verdict.score,
        verdict.scores,
        verdict.diagnostics,
        verdict.panic,
        timings=Timings(reference_ns=verdict.reference_ns, candidate_ns=verdict.candidate_ns),
    )
