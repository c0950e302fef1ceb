"""What becomes of a candidate: status, score, findings; workers that outlive their candidates."""

import ctypes
import gc
import os
import signal
import time

import numpy as np
import pytest
from numba import complex128 as c128
from numba import float32, int64
from numba import float64 as f64

from symbiont_jit import Array, Evolution, Mutator, Out, Speedup, Status, UsageError, evolvable, record
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.timing import make_stopwatch
from symbiont_jit.isolate.worker import Crash, Overdue, Worker, WorkerReply
from symbiont_jit.testing import ScriptedAgent
from tests import kernels
from tests.kernels import DOT, DOT_OPEN, MATMUL, SORT


def vectors(rng):
    return rng.random(500), rng.random(500)


OUTCOMES = {
    "empty": ("", Status.NO_CODE, "empty"),
    "prose": ("I cannot do that.", Status.UNPARSED, "syntax"),
    "forbidden": (DOT_OPEN + " return system(0); }", Status.REJECTED, "call"),
    "signature": ("double dot(double x) { return x; }", Status.REJECTED, "signature"),
    "undeclared": (DOT_OPEN + " return z; }", Status.UNLOWERED, "compiler"),
    "wild write": (DOT_OPEN + " ((double *)(uintptr_t)8)[0] = 1; return 0; }", Status.REJECTED, "untraceable"),
    "endless": (DOT_OPEN + " volatile int i = 1; while (i) i = 1; return 0; }", Status.PANICKED, "endless"),
    "out of bounds": (DOT_OPEN + " return x[n]; }", Status.PANICKED, "index"),
    "overflow": (DOT_OPEN + " int64_t k = INT64_MAX; return k + n; }", Status.PANICKED, "overflow"),
    "deep": ("static int64_t d(int64_t k) { volatile double a[1000]; a[0] = k; return k ? d(k + 1) + (int64_t)a[0] : 0; }\n" + DOT_OPEN
             + " return d(1); }", Status.PANICKED, "recursion"),
    "wrong": (DOT_OPEN + " return 1.0; }", Status.WRONG, "wrong"),
    "writes its input": (DOT_OPEN + " ((double *)(uintptr_t)x)[0] = 7; double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * y[i];"
                         " return s; }", Status.REJECTED, "untraceable"),
}  # fmt: skip


@pytest.fixture
def search(dot):
    """A search with two seconds a candidate."""
    with Evolution(dot, metric=Speedup(vectors), deadline=2.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def one_search():
    """The search that judges all bad candidates."""
    with Evolution(evolvable(kernels.dot), metric=Speedup(vectors), deadline=2.0) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTCOMES)
def test_every_bad_candidate_is_an_evaluation(one_search, name):
    """Whatever a text does, it gets the status of how far it came and a finding, and has no score."""
    source, status, rule = OUTCOMES[name]
    evaluation = one_search.evaluate(source)
    assert (evaluation.status, evaluation.diagnostics[0].rule, evaluation.score) == (status, rule, None)


@pytest.mark.slow
def test_good_candidates_after_bad_ones(search):
    """A crash, an endless loop and a wrong answer leave the next candidate's evaluation as it would have been."""
    bad = [OUTCOMES[n][0] for n in ("wild write", "endless", "wrong")]
    evaluations = search.evaluate_many([*bad, DOT, *bad, DOT])
    assert [e.status for e in evaluations[3::4]] == [Status.VALID, Status.VALID]
    assert evaluations[3].score > 0


def test_a_valid_evaluation(search):
    """A correct candidate has a score, its canonical source, timings of both sides, and no findings."""
    evaluation = search.evaluate(DOT)
    assert evaluation.status is Status.VALID
    assert evaluation.scores == {"speedup": evaluation.score}
    assert evaluation.source.startswith("double dot(int64_t n, const double x[n], const double y[n])\n{")
    assert min(evaluation.timings.reference_ns + evaluation.timings.candidate_ns) > 0
    assert evaluation.timings.compile_seconds > 0
    assert evaluation.diagnostics == ()


@pytest.mark.slow
def test_an_interrupt_at_any_moment_loses_no_worker(search):
    """Whenever Ctrl-C comes, the worker is there again for the next evaluation."""

    class Interrupt(BaseException):
        """What a handler raises."""

    def interrupt(*_):
        raise Interrupt

    # What a callback of the collector's raises reaches nobody: Hypothesis has one, in every process that it was used in.
    callbacks, gc.callbacks[:] = list(gc.callbacks), []
    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for number in range(20):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.004 * (1 + number))
                search.evaluate(f"double dot(int64_t n, const double x[n], const double y[n]) {{ return {number}; }}")
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.callbacks[:] = callbacks
    assert interrupted
    assert search.evaluate(DOT).is_valid


@pytest.mark.slow
def test_the_message_of_a_wrong_answer(search):
    """The first difference is told with what was expected."""
    text = search.evaluate(OUTCOMES["wrong"][0]).diagnostics[0].message
    assert text == "the result is 1.0, expected 0.0; it shows in dot(x=[1.0], y=[0.0])"


def test_status_is_ordered_by_how_far_a_candidate_got():
    """The order of the statuses is part of the contract."""
    assert [s.name for s in sorted(Status)] == [
        "NO_CODE", "UNPARSED", "REJECTED", "UNLOWERED", "PANICKED", "CRASHED", "TIMED_OUT", "WRONG", "VALID",
    ]  # fmt: skip


@pytest.mark.slow
def test_output_buffers_hold_no_old_answers(matmul):
    """A candidate that writes nothing, or not all, is wrong, even when the inputs hold the right answer already."""
    a = np.random.default_rng(0).random((6, 6))
    head = MATMUL[: MATMUL.index("{") + 1]
    with Evolution(matmul, metric=Speedup([(a, a, a @ a)])) as search:
        assert search.evaluate(head + "}").status is Status.WRONG
        assert search.evaluate(MATMUL.replace("i < n", "i < n - 1")).status is Status.WRONG
        assert search.evaluate(MATMUL).status is Status.VALID


@pytest.mark.slow
def test_in_place_kernels_are_timed_on_fresh_input(sort):
    """Sorting is timed on unsorted input every time: against itself it scores about one, not a thousand."""
    with Evolution(sort, metric=Speedup(lambda rng: (rng.random(300),))) as search:
        first = search.evaluate(SORT)
    assert first.status is Status.VALID
    # An already sorted input would make insertion sort many times faster than the sort of the reference.
    assert first.timings.candidate_ns[0] > 300


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rtol", "error", "status"),
    [(None, 1e-12, Status.VALID), (None, 1e-6, Status.WRONG), (1e-5, 1e-6, Status.VALID), (0.0, 1e-12, Status.WRONG)],
)
def test_tolerances(dot, rtol, error, status):
    """Reordered sums pass, real differences do not; the user may say what is real."""
    source = DOT.replace("return s", f"return s * (1.0 + {error})")
    with Evolution(dot, metric=Speedup(vectors, rtol=rtol, atol=0.0 if rtol == 0.0 else None)) as search:
        assert search.evaluate(source).status is status


@pytest.mark.slow
def test_tiny_outputs_are_not_passed_by_zeros():
    """The absolute tolerance follows the magnitude of the reference's output."""

    @evolvable
    def scale(x: Array[f64, "n"], out: Out[f64, "n"]) -> None:
        for i in range(x.shape[0]):
            out[i] = 1e-30 * x[i]

    head = "void scale(int64_t n, const double *x, double *out) { for (int64_t i = 0; i < n; i++) out[i] = "
    with Evolution(scale, metric=Speedup(lambda rng: (rng.random(10), np.empty(10)))) as search:
        assert search.evaluate(head + "0.0; }").status is Status.WRONG
        assert search.evaluate(head + "x[i] * 1e-30; }").status is Status.VALID


@pytest.mark.slow
def test_integers_are_exact_and_nan_is_a_value():
    """Integer outputs have to be equal; NaN agrees with NaN, and with nothing else."""

    @evolvable
    def f(x: Array[f64, "n"], out: Out[int64, "n"], y: Out[float32, "n"]) -> None:
        for i in range(x.shape[0]):
            out[i] = int(x[i] * 100)
            y[i] = np.nan if i == 0 else x[i]

    text = (
        "void f(int64_t n, const double *x, int64_t *out, float *y) {{ for (int64_t i = 0; i < n; i++) {{"
        " out[i] = (int64_t)(x[i] * 100){add}; y[i] = i == 0 ? {first} : (float)x[i]; }} }}"
    )
    inputs = lambda rng: (rng.random(8), np.empty(8, dtype=np.int64), np.empty(8, dtype=np.float32))  # noqa: E731
    with Evolution(f, metric=Speedup(inputs)) as search:
        assert search.evaluate(text.format(add="", first="NAN")).status is Status.VALID
        assert search.evaluate(text.format(add=" + 1", first="NAN")).status is Status.WRONG
        assert search.evaluate(text.format(add="", first="0.5f")).status is Status.WRONG


# -- metrics ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_callable_metric_sees_the_candidate(dot):
    """The user's function is given the kernel with the candidate active; a mapping gives several scores."""
    metric = lambda kernel: {"value": kernel(np.ones(3), np.ones(3)), "calls": 1}  # noqa: E731
    with Evolution(dot, metric=metric) as search:
        evaluation = search.evaluate(DOT_OPEN + " return n + 0.5; }")
    assert (evaluation.score, evaluation.scores) == (3.5, {"value": 3.5, "calls": 1.0})
    assert dot.active.number == 0


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (lambda k: 1 / (1 + k.active.number), "ZeroDivisionError"),
        (lambda k: float("nan"), "no finite number"),
        (lambda k: "a", "ValueError"),
    ],
)
def test_a_metric_that_fails_is_the_candidates_verdict(dot, metric, said):
    """A metric that raises or returns nonsense gives feedback, not a dead run."""
    with Evolution(dot, metric=metric) as search:
        evaluation = search.evaluate(DOT)
    assert evaluation.status is Status.WRONG
    assert said in evaluation.diagnostics[0].message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda k: Speedup([]), "empty list"),
        (lambda k: Speedup(3), "inputs is a callable"),
        (lambda k: Speedup(vectors, rtol=-1), "rtol is a number of at least 0"),
        (lambda k: Evolution(k, metric=3).evaluate(DOT), "metric is"),
        (lambda k: Evolution(k, metric=Speedup([(1, 2)])).evaluate(DOT), "inputs do not fit the signature"),
        (lambda k: Evolution(k, metric=Speedup(vectors), direction="up"), "direction is"),
        (lambda k: Evolution(k, metric=Speedup(vectors), workers=0), "workers is at least 1"),
        (lambda k: Evolution(k, metric=Speedup(vectors), workers="auto"), "workers is at least 1, not 'auto'"),
        (lambda k: Evolution(k, metric=Speedup(vectors), workers=1.5), "workers is at least 1"),
        (lambda k: Evolution(k, metric=Speedup(vectors), workers=True), "workers is at least 1"),
        (lambda k: Evolution(k, metric=Speedup(vectors), deadline="3"), "deadline is a number of seconds above 0"),
        (lambda k: Evolution(k, metric=Speedup(vectors), deadline=float("nan")), "deadline is a number of seconds"),
        (lambda k: Evolution(k, metric=Speedup(vectors), seed="a"), "seed is a whole number from 0, not 'a'"),
        (lambda k: Evolution(k, metric=Speedup(vectors)).run(candidates=1.5), "candidates is a whole number above 0"),
        (lambda k: Evolution(k, metric=Speedup(vectors)).run(seconds=float("nan")), "seconds is a number of seconds"),
        (lambda k: Evolution(k, metric=Speedup(vectors)).run(target=float("nan")), "target is a score, not nan"),
        (lambda k: Evolution(k, metric=Speedup(vectors)).run(target="9"), "target is a score, not '9'"),
        (lambda k: k.evolve(ScriptedAgent([]), "x", budget=5), r"budget is a Budget, such as sj.Budget\(attempts=5\)"),
        (lambda k: Evolution("dot", metric=Speedup(vectors)), "kernel is made by @evolvable"),
        (lambda k: Evolution(k, metric=Speedup(vectors)).run(), "run\\(\\) needs an end"),
        (lambda k: Evolution(k, metric=Speedup(vectors)).ask(), "there is no proposer"),
        (
            lambda _: Evolution(evolvable(kernels.dot_without_c), metric=Speedup(vectors), proposer=Mutator()).ask(),
            "needs C to start from",
        ),
        (lambda k: Mutator(["tile", "tiel"]), "no transformation \\['tiel'\\]"),
    ],
)
def test_usage_errors(dot, make, said):
    """What the caller got wrong is an error that names the argument and what to give."""
    with pytest.raises(UsageError, match=said):
        make(dot)


def test_a_kernel_without_any_body_has_no_reference():
    """A speed-up needs something to be faster than."""

    @evolvable
    def f(x: f64) -> f64: ...

    with pytest.raises(UsageError, match="there is no reference"):
        Evolution(f, metric=Speedup([(1.0,)])).evaluate("double f(double x) { return x; }")


# -- the harness and the worker -------------------------------------------------------------------------------------------


def test_the_harness_calls_and_times_an_entry(matmul):
    """Results land in the prepared buffers; the time of a call is positive and does not depend on the user's arrays."""
    harness = Harness(matmul.signature)
    a, b, c = np.eye(4), np.arange(16.0).reshape(4, 4), np.zeros((4, 4))
    arguments = harness.prepare((a, b, c))
    assert harness.call(matmul.active.entry_address, arguments) is None
    assert np.array_equal(arguments.values[2], b)
    assert not c.any()
    assert make_stopwatch(harness, [(a, b, c)]).batch(matmul.active.entry_address, 1000) > 0


@pytest.mark.slow
def test_a_worker_answers_crashes_and_is_overdue():
    """One worker after another: an answer, a signal with its name, a deadline, and an answer again."""

    def serve(request):
        if request == "crash":
            os.write(2, b"last words")
            ctypes.string_at(0)
        if request == "sleep":
            time.sleep(60)
        if request == "secrets":
            return [name for name in os.environ if "KEY" in name], os.read(0, 10)
        return request * 2

    os.environ["SOME_API_KEY"] = "never to be seen"
    worker = Worker(serve)
    try:
        assert worker.ask(21, 5.0) == WorkerReply(42)
        crashed = worker.ask("crash", 5.0)
        assert isinstance(crashed, Crash)
        assert crashed.reason == "signal SIGSEGV (last words)"
        assert isinstance(worker.ask("sleep", 0.2), Overdue)
        assert worker.ask("secrets", 5.0) == WorkerReply([[], ""])
    finally:
        worker.close()
        del os.environ["SOME_API_KEY"]


@pytest.mark.slow
def test_no_worker_outlives_its_search(dot):
    """Leaving a search ends its processes."""
    with Evolution(dot, metric=Speedup(vectors), workers=2) as search:
        search.evaluate_many([DOT, DOT.replace("s += x[i] * y[i]", "s += y[i] * x[i]"), OUTCOMES["wrong"][0]])
        workers = [w._child.process.pid for w in search._evaluator.local.pool.workers if w._child.process is not None]
        assert workers
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.slow
def test_sorting_changes_only_the_workers_copy(sort):
    """The user's own input arrays are never written."""
    mine = np.array([3.0, 1.0, 2.0])
    with Evolution(sort, metric=Speedup([(mine,)])) as search:
        assert search.evaluate(SORT).status is Status.VALID
    assert mine.tolist() == [3.0, 1.0, 2.0]


@pytest.mark.slow
def test_inout_arrays_are_compared(sort):
    """An InOut array has to end as the reference leaves it."""
    with Evolution(sort, metric=Speedup(lambda rng: (rng.random(10),))) as search:
        evaluation = search.evaluate("void sort(int64_t n, double *x) { }")
    assert evaluation.status is Status.WRONG


@pytest.mark.slow
def test_what_is_timed_is_checked():
    """A candidate that is right on most drawn inputs but wrong on a timed one is wrong: speed there is no merit."""

    @evolvable
    def steps(x: f64) -> int64:
        n = 0
        while x > 1.0:
            x *= 0.999
            n += 1
        return n

    # One input in sixteen is large; a fixed one of them is always among those that are timed.
    def inputs(rng):
        return (float(rng.choice([0.5, 100.0], p=[15 / 16, 1 / 16])),)

    lazy = "int64_t steps(double x) { int64_t n = 0; while (x > 1.0 && n < 1) { x *= 0.999; n += 1; } return n; }"
    with Evolution(steps, metric=Speedup(inputs)) as search:
        assert [search.evaluate(lazy).status for _ in range(3)] == [Status.WRONG] * 3


def test_small_inputs_are_timed_together():
    """A kernel whose time depends on its argument is timed on several of them, each equally often."""

    @evolvable
    def f(x: f64) -> f64:
        return x

    prepared = Speedup(lambda rng: (rng.random(),)).prepare(target_of(f), 1)
    assert len(prepared.checker.timed.known) == 16
    assert prepared.checker.timed.watch.calibrate(f.revision(0).entry_address) % 16 == 0


@pytest.fixture
def mirror():
    """A kernel of records and complex numbers, whose Python body is the reference."""

    @record
    class Point:
        """A point and its weights."""

        z: c128
        w: Array[np.int32, 2]

    @evolvable
    def mirror(p: Array[Point, "n"], out: Out[Point], turn: c128) -> c128:
        s = 0j
        for i in range(p.shape[0]):
            s += p[i].z * turn
        out.z = s.conjugate()
        out.w[0] = p.shape[0]
        out.w[1] = 7
        return s

    def inputs(rng):
        points = np.zeros(20, Point.dtype)
        points["z"] = rng.random(20) + 1j * rng.random(20)
        return points, np.zeros((), Point.dtype), 1.0 - 2.0j

    search = Evolution(mirror, metric=Speedup(inputs))
    with search:
        yield search


MIRROR = """
double complex mirror(int64_t n, const struct Point p[n], struct Point *out, double complex turn)
{
  double complex s = 0.0;
  for (int64_t i = 0; i < n; i++)
    s += p[i].z * turn;
  *out = (struct Point){CONJ, {n, WEIGHT}};
  return s;
}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("conj", "weight", "status", "said"),
    [
        ("conj(s)", "7", Status.VALID, ""),
        ("s", "7", Status.WRONG, "'out' .z is"),
        ("conj(s)", "8", Status.WRONG, "'out' .w at [1] is 8, expected 7"),
    ],
)
def test_records_and_complex_numbers_are_compared(mirror, conj, weight, status, said):
    """A difference names the field; complex numbers have the tolerance of their parts."""
    evaluation = mirror.evaluate(MIRROR.replace("CONJ", conj).replace("WEIGHT", weight))
    assert evaluation.status is status
    assert said in "".join(d.message for d in evaluation.diagnostics)


DETERMINED = {
    "index": DOT_OPEN + " return x[n]; }",
    "pointer": DOT_OPEN + " const double *p = x; double s = 0; for (int64_t i = 0; i <= n; i++) s += *p++; return s; }",
    "overflow": DOT_OPEN + " int64_t k = INT64_MAX; return k + n; }",
    "division": DOT_OPEN + " return n / (n - n); }",
    "recursion": "static double f(int64_t k) { volatile double t = k; return f(k + 1) + t; }\n" + DOT_OPEN + " return f(n); }",
    "endless": DOT_OPEN + " volatile int k = 1; while (k) k = 2; return 0; }",
    "wrong": DOT_OPEN + " double s = 0; for (int64_t i = 0; i < n; i++) s += x[i]; return s; }",
    "untouched": DOT_OPEN + " return x[0]; }",
    "untraceable": DOT_OPEN + " return *(const double *)(uintptr_t)4096; }",
    "compiler": DOT_OPEN + " return z; }",
    "valid": DOT,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", DETERMINED)
def test_the_same_candidate_is_judged_the_same(dot, name):
    """The same text on the same inputs has the same status, finding and panic in three workers."""
    found = set()
    for _ in range(3):
        with Evolution(dot, metric=Speedup(lambda rng: (rng.random(20), rng.random(20))), deadline=3.0) as search:
            evaluation = search.evaluate(DETERMINED[name])
        panic = evaluation.panic and (evaluation.panic.kind, evaluation.panic.message, str(evaluation.panic))
        findings = [(d.rule, d.message, d.line, d.column) for d in evaluation.diagnostics]
        found.add((evaluation.status, panic, *findings))
    assert len(found) == 1
    assert (name == "valid") is (next(iter(found))[0] is Status.VALID)
