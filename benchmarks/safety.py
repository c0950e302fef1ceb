"""What checks cost: `safe` and `checked` over `release` on ordinary kernels, and what a worker adds to an evaluation.

All profiles of a kernel take turns in every round; times are the thread's CPU time in the harness that also measures
candidates, and ratios are taken within a round. `shim` is a call of a function that does little but could panic.
A worker is measured by a request that does nothing, its recovery by the first answer after a crash, both for forked
workers and for fresh interpreters. `evaluation` is a whole one of a small kernel, in a worker and in this process, in
turns.
"""

import ctypes
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from _table import Spread, options, ratio, save, say, show, spread
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, InOut, Kernel, Out, Speedup
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.local import LocalEvaluator, _Allowance
from symbiont_jit.evaluate.task import EvaluationRequest, WorkerTask, prepare
from symbiont_jit.evaluate.timing import Stopwatch, make_stopwatch
from symbiont_jit.isolate.start import STARTS
from symbiont_jit.isolate.worker import Crash, Worker
from symbiont_jit.signature import signature_of

PROFILES: Final = ("release", "safe", "checked")
SAFE_TARGET, WORKER_TARGET, RECOVERY_TARGET = 1.3, 0.5, 100.0
RNG: Final = np.random.default_rng(0)


def matmul(a: Array[f64, "m", "k"], b: Array[f64, "k", "n"], c: Out[f64, "m", "n"]) -> None: ...
def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64: ...
def sort(x: InOut[f64, "n"]) -> None: ...
def histogram(x: Array[f64, "n"], h: InOut[i64, "b"]) -> None: ...
def convolve(x: Array[f64, "n"], w: Array[f64, "k"], out: Out[f64, "n"]) -> None: ...
def stencil(a: Array[f64, "m", "n"], o: Out[f64, "m", "n"]) -> None: ...
def mandelbrot(cr: f64, ci: f64) -> i64: ...
def scan(x: InOut[f64, "n"]) -> None: ...
def forces(p: Array[f64, "n", 3], a: Out[f64, "n", 3]) -> None: ...
def tiny(x: Array[f64, "n"], k: i64) -> f64: ...


MATRICES: Final = (RNG.random((256, 256)), RNG.random((256, 256)), np.zeros((256, 256)))
VECTOR: Final = RNG.random(4000)
MATMUL: Final = (
    "void matmul(int64_t m, int64_t k, int64_t n, const double a[m][k], const double b[k][n], double c[m][n])"
)
DOT: Final = "double dot(int64_t n, const double x[n], const double y[n])"


@dataclass(frozen=True, slots=True)
class Case:
    """A kernel with a body and arguments."""

    name: str
    declaration: Callable[..., Any]
    text: str
    arguments: tuple[Any, ...]


CASES: Final = (
    Case(
        "matmul, plain",
        matmul,
        f"""{MATMUL} {{
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {{
      double s = 0;
      for (int64_t l = 0; l < k; l++) s += a[i][l] * b[l][j];
      c[i][j] = s;
    }}
}}""",
        MATRICES,
    ),
    Case(
        "matmul, vectorised",
        matmul,
        f"""{MATMUL} {{
  for (int64_t i = 0; i < m; i++) {{
    for (int64_t j = 0; j < n; j++) c[i][j] = 0;
    for (int64_t l = 0; l < k; l++)
      for (int64_t j = 0; j < n; j++) c[i][j] += a[i][l] * b[l][j];
  }}
}}""",
        MATRICES,
    ),
    Case(
        "matmul, register blocks",
        matmul,
        f"""{MATMUL} {{
  for (int64_t i = 0; i + 4 <= m; i += 4)
    for (int64_t j = 0; j + 8 <= n; j += 8) {{
      double acc[4][8] = {{{{0}}}};
      for (int64_t l = 0; l < k; l++)
        for (int64_t u = 0; u < 4; u++)
          for (int64_t v = 0; v < 8; v++) acc[u][v] += a[i + u][l] * b[l][j + v];
      for (int64_t u = 0; u < 4; u++)
        for (int64_t v = 0; v < 8; v++) c[i + u][j + v] = acc[u][v];
    }}
}}""",
        MATRICES,
    ),
    Case(
        "dot, four sums",
        dot,
        f"""{DOT} {{
  double s[4] = {{0}};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int64_t j = 0; j < 4; j++) s[j] += x[i + j] * y[i + j];
  for (; i < n; i++) s[0] += x[i] * y[i];
  return s[0] + s[1] + s[2] + s[3];
}}""",
        (VECTOR, VECTOR[::-1].copy()),
    ),
    Case(
        "dot, pointers",
        dot,
        f"""{DOT} {{
  const double *p = x, *q = y, *end = x + n;
  double s = 0;
  while (p < end) s += *p++ * *q++;
  return s;
}}""",
        (VECTOR, VECTOR[::-1].copy()),
    ),
    Case(
        "insertion sort",
        sort,
        """void sort(int64_t n, double x[n]) {
  for (int64_t i = 0; i < n; i++) x[i] = (double)((i * 7919 + 13) % 1009);
  for (int64_t i = 1; i < n; i++) {
    double v = x[i];
    int64_t j = i;
    while (j > 0 && x[j - 1] > v) { x[j] = x[j - 1]; j--; }
    x[j] = v;
  }
}""",
        (np.zeros(300),),
    ),
    Case(
        "histogram",
        histogram,
        """void histogram(int64_t n, int64_t b, const double x[n], int64_t h[b]) {
  for (int64_t i = 0; i < n; i++) h[(int64_t)(x[i] * b)]++;
}""",
        (VECTOR, np.zeros(64, np.int64)),
    ),
    Case(
        "convolution",
        convolve,
        """void convolve(int64_t n, int64_t k, const double x[n], const double w[k], double out[n]) {
  for (int64_t i = 0; i < n; i++) {
    double s = 0;
    for (int64_t j = 0; j < k; j++) {
      int64_t p = i + j - k / 2;
      if (p >= 0 && p < n) s += x[p] * w[j];
    }
    out[i] = s;
  }
}""",
        (VECTOR, RNG.random(15), np.zeros(4000)),
    ),
    Case(
        "stencil",
        stencil,
        """void stencil(int64_t m, int64_t n, const double a[m][n], double o[m][n]) {
  for (int64_t i = 1; i < m - 1; i++)
    for (int64_t j = 1; j < n - 1; j++) o[i][j] = 0.25 * (a[i - 1][j] + a[i + 1][j] + a[i][j - 1] + a[i][j + 1]);
}""",
        (MATRICES[0], MATRICES[2]),
    ),
    Case(
        "mandelbrot",
        mandelbrot,
        """int64_t mandelbrot(double cr, double ci) {
  double x = 0, y = 0;
  int64_t i = 0;
  for (; i < 1000 && x * x + y * y < 4; i++) { double t = x * x - y * y + cr; y = 2 * x * y + ci; x = t; }
  return i;
}""",
        (-0.1, 0.1),
    ),
    Case(
        "prefix sum",
        scan,
        "void scan(int64_t n, double x[n]) { for (int64_t i = 1; i < n; i++) x[i] = 0.5 * (x[i] + x[i - 1]); }",
        (VECTOR,),
    ),
    Case(
        "n-body",
        forces,
        """void forces(int64_t n, const double p[n][3], double a[n][3]) {
  for (int64_t i = 0; i < n; i++) {
    double s[3] = {0, 0, 0};
    for (int64_t j = 0; j < n; j++) {
      double d[3], q = 1e-3;
      for (int c = 0; c < 3; c++) { d[c] = p[j][c] - p[i][c]; q += d[c] * d[c]; }
      double w = 1 / (q * sqrt(q));
      for (int c = 0; c < 3; c++) s[c] += w * d[c];
    }
    for (int c = 0; c < 3; c++) a[i][c] = s[c];
  }
}""",
        (RNG.random((200, 3)), np.zeros((200, 3))),
    ),
)
SHIM: Final = Case("shim", tiny, "double tiny(int64_t n, const double x[n], int64_t k) { return x[k]; }", (VECTOR, 7))


def measured(case: Case, rounds: int) -> dict[str, list[float]]:
    """Nanoseconds a call, by profile and round; no call panics."""
    kernel = Kernel(signature_of(case.declaration))
    handles = {profile: kernel.compile(case.text, profile) for profile in PROFILES}
    watch: Stopwatch = make_stopwatch(Harness(kernel.signature), [case.arguments])
    calls = {profile: watch.calibrate(handle.entry_address) for profile, handle in handles.items()}
    times: dict[str, list[float]] = {profile: [] for profile in PROFILES}
    for _ in range(rounds):
        for profile, handle in handles.items():
            times[profile].append(watch.batch(handle.entry_address, calls[profile]))
    assert kernel.take_panic() is None, case.name
    return times


def serve(request: str) -> Any:
    """What the worker does: nothing, or crash."""
    return ctypes.string_at(0) if request == "crash" else request


def worker_times(rounds: int, start: str) -> dict[str, Spread]:
    """Milliseconds of a request through a worker, and from a crash to the next answer."""
    worker = Worker(serve, STARTS[start])
    worker.ask("", 10.0)
    trips, recoveries = [], []
    for _ in range(100 * rounds):
        started = time.perf_counter()
        worker.ask("", 10.0)
        trips.append(1e3 * (time.perf_counter() - started))
    for _ in range(rounds):
        started = time.perf_counter()
        assert isinstance(worker.ask("crash", 10.0), Crash)
        worker.ask("", 10.0)
        recoveries.append(1e3 * (time.perf_counter() - started))
    worker.close()
    return {"through a worker": spread(trips), "crash to next answer": spread(recoveries)}


def evaluation_times(rounds: int) -> dict[str, Spread]:
    """Milliseconds of evaluations of the same candidate in a worker and in this process, and of the former's excess."""
    kernel = Kernel(signature_of(dot), source=CASES[4].text)
    evaluator = LocalEvaluator(kernel, Speedup(lambda rng: (rng.random(50), rng.random(50))))
    canonical = target_of(kernel).canonical(CASES[3].text)
    builds = target_of(kernel).build(canonical, "checked"), target_of(kernel).build(canonical)
    prepared = prepare(target_of(kernel), evaluator.metric, 0)
    task = WorkerTask(kernel, evaluator.metric, prepared, evaluator.deadline, 0)
    there, here = [], []
    for number in range(10 * rounds):
        request = EvaluationRequest(*builds, (0, number), None)
        for times, ask in (
            (there, lambda r: evaluator._run_in_worker(r, 1, _Allowance(10.0), evaluator.pool.epoch)),
            (here, task),
        ):
            started = time.perf_counter()
            ask(request)
            times.append(1e3 * (time.perf_counter() - started))
    evaluator.pool.close()
    excess = [a - b for a, b in zip(there, here, strict=True)]
    return {"in a worker": spread(there), "in process": spread(here), "excess": spread(excess)}


def main() -> None:
    chosen = options("safety", __doc__, rounds=30)
    rows, results = [], {}
    for case in CASES:
        times = measured(case, chosen.rounds)
        ratios = {profile: ratio(times[profile], times["release"]) for profile in PROFILES[1:]}
        results[case.name] = {"release_ns": spread(times["release"]), **ratios}
        rows.append(
            [case.name, f"{statistics.median(times['release']) / 1e3:.1f}", *(f"{r:.2f}" for r in ratios.values())]
        )
    show("What checks cost: time over release, median [quartiles]", ["kernel", "release us", "safe", "checked"], rows)
    medians = {p: statistics.median(r[p].median for r in results.values()) for p in PROFILES[1:]}
    say(f"safe, median of {len(CASES)} kernels: {medians['safe']:.2f} (target at most {SAFE_TARGET})")
    say(f"checked, median of {len(CASES)} kernels: {medians['checked']:.2f}")
    shim = measured(SHIM, chosen.rounds)
    nanoseconds = {p: spread(shim[p]) for p in PROFILES}
    say("a call that could panic, ns: " + ", ".join(f"{p} {nanoseconds[p]:.2f}" for p in PROFILES))
    workers = {start: worker_times(chosen.rounds, start) for start in STARTS}
    forked, fresh = workers["fork"], workers["spawn"]
    say(f"through a worker, ms: {forked['through a worker']:.3f} (target at most {WORKER_TARGET} over in process)")
    say(f"crash to next answer, ms: {forked['crash to next answer']:.1f} (target at most {RECOVERY_TARGET})")
    say(f"the same with fresh interpreters: {fresh['through a worker']:.3f}, {fresh['crash to next answer']:.0f}")
    evaluation = evaluation_times(chosen.rounds)
    say("an evaluation, ms: " + ", ".join(f"{name} {times:.2f}" for name, times in evaluation.items()))
    save(
        chosen.json,
        chosen.rounds,
        {"kernels": results, "medians": medians, "shim": nanoseconds, "workers": workers, "evaluation": evaluation},
    )


if __name__ == "__main__":
    main()
