"""The demonstration's figure: how much faster than Numba's default a 256 x 256 float64 product gets, offline.

Each round is one search of a new kernel with its own seed. After it, the winner, the Numba default, loops interchanged
by hand and `numpy.matmul` on one thread are measured in turns, in this process, as CPU time; the round's figures are
the medians of that.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy loads: one thread against one thread

import statistics
import time
from collections.abc import Callable
from typing import Final

import numpy as np
from _table import options, ratio, save, say, show, spread

from symbiont_jit import demo
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.timing import Stopwatch, make_stopwatch

SECONDS: Final = 60.0
TURNS: Final = 15
TARGET: Final = 8.0
DEFAULT: Final = "Numba default"
WINNER: Final = "search winner"

BY_HAND: Final = """
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m])
{
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < m; j++) c[i][j] = 0.0;
    for (int64_t p = 0; p < k; p++)
      for (int64_t j = 0; j < m; j++) c[i][j] += a[i][p] * b[p][j];
  }
}
"""


def main() -> None:
    """Search once a round and print what came out."""
    chosen = options("demo", __doc__, 3)
    times: dict[str, list[float]] = {}
    searches = []
    for seed in range(chosen.rounds):
        kernel = demo.matmul_kernel()
        result = demo.evolution(kernel, seed).run(seconds=SECONDS)
        assert result.best is not None
        for side, nanoseconds in _measure(kernel).items():
            times.setdefault(side, []).append(nanoseconds)
        found = times[DEFAULT][-1] / times[WINNER][-1]
        searches.append({"seed": seed, "candidates": result.evaluated, "seconds": result.seconds, "speed-up": found})
        say(f"seed {seed}: {found:.1f}x after {result.evaluated} candidates in {result.seconds:.0f} s")
    show(
        f"{demo.SIZE} x {demo.SIZE} float64 product, {SECONDS:g} s of search a round",
        ["side", "ms a call", "times faster than the Numba default"],
        [
            [name, f"{spread(t / 1e6 for t in ns):.3f}", f"{ratio(times[DEFAULT], ns):.2f}"]
            for name, ns in times.items()
        ],
    )
    speedup = ratio(times[DEFAULT], times[WINNER])
    say(f"search winner / Numba default: {speedup:.1f}x (target at least {TARGET:g})")
    save(chosen.json, chosen.rounds, {"searches": searches, "nanoseconds": times, "speedup": speedup})


def _measure(kernel: demo.Kernel) -> dict[str, float]:
    """Median nanoseconds of CPU time a call, all sides in turns."""
    a, b, c = demo.inputs(np.random.default_rng(9))
    watch = make_stopwatch(Harness(kernel.signature), [(a, b, c)])
    sides: dict[str, Callable[[], float]] = {
        DEFAULT: _entry(watch, kernel.revision(0).entry_address),
        WINNER: _entry(watch, kernel.active.entry_address),
        "interchanged by hand": _entry(watch, kernel.compile(BY_HAND).entry_address),
        "numpy.matmul, one thread": lambda: _cpu_ns(lambda: np.matmul(a, b, out=c), 5),
    }
    rounds = [[measure() for measure in sides.values()] for _ in range(TURNS)]
    return {name: statistics.median(column) for name, column in zip(sides, zip(*rounds, strict=True), strict=True)}


def _entry(watch: Stopwatch, entry: int) -> Callable[[], float]:
    calls = watch.calibrate(entry)
    return lambda: watch.batch(entry, calls)


def _cpu_ns(function: Callable[[], object], calls: int) -> float:
    started = time.process_time_ns()
    for _ in range(calls):
        function()
    return (time.process_time_ns() - started) / calls


if __name__ == "__main__":
    main()
