"""Candidates over anything that has `submit`: threads of this process, other processes, and those that break."""

import gc
import multiprocessing
import os
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from numba import float64 as f64

from symbiont_jit import Agent, Array, Evolution, Kernel, Mutator, Speedup, Status, UsageError, evolvable
from symbiont_jit.evaluate.evaluator import _MADE, MOST_EVALUATORS, EvaluationJob, Evaluator, EvaluatorOptions
from tests.concurrency import await_true, has_ended

pytestmark = pytest.mark.slow
SPAWNING = multiprocessing.get_context("spawn")


def body(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    """Twice the inner product."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * y[i]
    return 2.0 * total


twice = evolvable(body)


def text(factor, first=""):
    """The same function with a factor, and a statement before all others."""
    return f"""\
    double body(int64_t n, const double x[n], const double y[n]) {{
        {first}
        double t = 0;
        for (int64_t i = 0; i < n; i++) t += x[i] * y[i];
        return {factor} * t;
    }}"""


def draw(rng):
    """Arguments of one call."""
    return rng.random(50), rng.random(50)


def value(kernel):
    """A metric that is no time."""
    return float(kernel(np.ones(4), np.ones(4)))


def where(kernel):
    """The process that a worker belongs to."""
    return float(os.getppid())


def draw_once(rng):
    """Arguments that fit as long as the evaluator is made, and in its first process."""
    return rng.random(50), rng.random(50 if os.getpid() == PARENT else 40)


PARENT = os.getpid()
TEXTS = (text(2), text(3), text(2, "for (;;) ;"), text(2, "return 1 +;"), text(2, "return y[900];"))
STATUSES = [Status.VALID, Status.WRONG, Status.PANICKED, Status.UNPARSED, Status.PANICKED]


def statuses(**options):
    """What becomes of the same texts."""
    with Evolution(twice, Speedup(draw), deadline=5.0, **options) as search:
        return [found.status for found in search.evaluate_many(TEXTS)]


@pytest.mark.parametrize(
    "executor",
    [
        lambda: None,
        lambda: ThreadPoolExecutor(2),
        lambda: ProcessPoolExecutor(2),
        lambda: ProcessPoolExecutor(1, mp_context=SPAWNING),
    ],
    ids=["here", "threads", "forked processes", "fresh processes"],
)
def test_an_evaluation_is_the_same_everywhere(executor):
    """Every executor gives the same statuses in the order of the texts."""
    made = executor()
    try:
        assert statuses(executor=made) == STATUSES
    finally:
        if made is not None:
            made.shutdown()


def test_candidates_run_in_the_executors_processes():
    """A worker that is killed at a candidate's fault belongs to a process of the executor, not to this one."""
    with ProcessPoolExecutor(1) as executor, Evolution(twice, where, executor=executor) as search:
        (found,) = search.evaluate_many([text(5)])
        assert found.score == executor.submit(os.getpid).result()
        assert search.evaluate(text(6)).score == os.getpid()


one = Kernel.from_c("double one(double x) { return x; }")
ADDING = "double one(double x) { return x + 4; }"


def secret_of_the_environment(kernel):
    """The metric of a process that was started fresh: whether a variable with a key is there."""
    return float("INNOCUOUS" in os.environ) + kernel(1.0)


@pytest.mark.slow
def test_no_key_in_workers_of_a_process_that_does_not_know_it(monkeypatch):
    """A fresh process of an executor has the variable, and is told that it is one for no worker."""
    monkeypatch.setenv("INNOCUOUS", "canary-of-an-agent-0123")
    Agent("m", "http://127.0.0.1:9", "canary-of-an-agent-0123")
    fresh = multiprocessing.get_context("spawn")
    options = EvaluatorOptions(one, secret_of_the_environment)
    with ProcessPoolExecutor(1, mp_context=fresh) as executor:
        evaluator = Evaluator(options, executor)
        (future,) = evaluator.submit([EvaluationJob(ADDING)])
        assert future.result().score == 5.0
        evaluator.close()


def test_a_search_over_an_executor():
    """`run` finds the same as in this process, because scores are no times, and activates it here."""
    best = []
    for executor in (None, ProcessPoolExecutor(2)):
        kernel = evolvable(source=text(2))(body)
        search = Evolution(kernel, value, proposer=Mutator(), seed=3, executor=executor)
        result = search.run(candidates=12)
        best.append((result.best.source, result.best.score, dict(result.counts)))
        assert value(kernel) == result.best.score
        if executor is not None:
            executor.shutdown()
    assert best[0] == best[1]


def test_a_process_that_dies_is_no_error_of_the_search():
    """What an executor has lost is a crash that says so."""
    with ProcessPoolExecutor(1) as executor:
        options = EvaluatorOptions(twice, value)
        (future,) = Evaluator(options, executor).submit([EvaluationJob(text(2))])
        for process in executor._processes.values():
            process.kill()
        found = future.result(60)
    assert found.status is Status.CRASHED
    assert "the executor has lost the candidate: BrokenProcessPool" in str(found)


def test_an_executor_that_takes_no_work():
    """One that was shut down, or is broken, is the user's error, before anything is waited for."""
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with (
        Evolution(twice, value, executor=executor) as search,
        pytest.raises(UsageError, match=r"the executor takes no more candidates: .*shutdown; give one that is open"),
    ):
        search.evaluate_many([text(2)])


def test_what_is_wrong_with_the_metric_is_raised():
    """Inputs that do not fit are the user's error also where they are drawn in another process."""
    with ProcessPoolExecutor(1) as executor, Evolution(twice, Speedup(draw_once), executor=executor) as search:
        (future,) = search._open().submit([EvaluationJob(text(2), (5, 1))])
        with pytest.raises(UsageError, match="y"):
            future.result(60)


def test_the_end_cancels_what_waits():
    """`close` leaves nobody waiting: what an executor has not begun is cancelled."""
    begun, go_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(lambda: (begun.set(), go_on.wait(60)))
        begun.wait(10)
        evaluator = Evaluator(EvaluatorOptions(twice, value), executor)
        futures = evaluator.submit([EvaluationJob(text(2)), EvaluationJob(text(3))])
        evaluator.close()
        go_on.set()
        assert [future.result(10).status for future in futures] == [Status.CRASHED] * 2
    assert "CancelledError" in str(futures[0].result())


def test_the_end_ends_workers_of_threads_too():
    """Threads of an executor are this process's own, and `close` leaves no worker of theirs."""
    with ThreadPoolExecutor(1) as executor:
        evaluator = Evaluator(EvaluatorOptions(twice, value), executor)
        (future,) = evaluator.submit([EvaluationJob(text(2))])
        assert future.result(60).is_valid
        (worker,) = _MADE[evaluator.options.key].pool.workers
        process = worker._child.process
        evaluator.close()
    assert process.exitcode is not None


def test_an_evaluator_that_nobody_closes_leaves_nothing():
    """Whoever drops one has ended its workers, those that threads of an executor have made in this process too."""
    with ThreadPoolExecutor(1) as executor:
        evaluator = Evaluator(EvaluatorOptions(twice, value), executor)
        (future,) = evaluator.submit([EvaluationJob(text(2))])
        assert future.result(60).is_valid
        key = evaluator.options.key
        pid = _MADE[key].pool.workers[0]._child.process.pid
        del evaluator
        gc.collect()
        assert await_true(lambda: key not in _MADE and has_ended(pid))


def test_a_future_is_answered_though_its_evaluator_was_dropped():
    """What somebody still waits for is evaluated, and then nothing is left."""
    with ThreadPoolExecutor(1) as executor:
        options = EvaluatorOptions(twice, value)
        (future,) = Evaluator(options, executor).submit([EvaluationJob(text(2))])
        gc.collect()
        assert future.result(60).is_valid
        assert await_true(lambda: (gc.collect(), options.key not in _MADE)[1])


def test_a_process_keeps_few_evaluators():
    """Searches that share an executor's process make theirs again, once there are many."""
    with ProcessPoolExecutor(1) as executor:
        for _ in range(MOST_EVALUATORS + 1):
            (future,) = Evaluator(EvaluatorOptions(twice, value), executor).submit([EvaluationJob(text(2))])
            assert future.result(60).score == 8.0
        kept = executor.submit(number_kept).result()
    assert kept == MOST_EVALUATORS


def number_kept():
    """How many evaluators this process has."""
    from symbiont_jit.evaluate import evaluator

    return len(evaluator._MADE)


def test_an_executor_of_ones_own():
    """Anything that has `submit` and gives futures will do."""

    class AtOnce:
        """Calls while it is asked."""

        def submit(self, function, *arguments):
            """Call it."""
            future = Future()
            future.set_result(function(*arguments))
            return future

    assert statuses(executor=AtOnce()) == STATUSES
