"""What translated C is worth: Python functions as Numba compiles them, and as C in `release`, side by side.

Both are called through the same native entry, in turns; times are the thread's CPU time, and ratios are taken within
a round. `translation` is the time of making the C, once Numba has been asked for all types.
"""

import math
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from _table import options, ratio, save, say, show, spread
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, InOut, Kernel, Out
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.timing import Stopwatch, make_stopwatch
from symbiont_jit.kernel import evolvable
from symbiont_jit.signature import signature_of
from symbiont_jit.translation import translate_function

RNG: Final = np.random.default_rng(0)
X: Final = RNG.random(4000)
Y: Final = RNG.random(4000)
A: Final = RNG.random((128, 128))
B: Final = RNG.random((128, 128))


def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    s = 0.0
    for i in range(len(x)):
        s += x[i] * y[i]
    return s


def axpy(x: Array[f64, "n"], y: InOut[f64, "n"]) -> None:
    y[:] = 0.5 * x + y


def norms(x: Array[f64, "n"]) -> f64:
    return np.sqrt((x * x).sum()) + np.abs(x).max()


def matmul(a: Array[f64, "m", "k"], b: Array[f64, "k", "n"], c: Out[f64, "m", "n"]) -> None:
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = 0.0
            for p in range(a.shape[1]):
                s += a[i, p] * b[p, j]
            c[i, j] = s


def stencil(a: Array[f64, "m", "n"], b: Out[f64, "m", "n"]) -> None:
    b[1:-1, 1:-1] = 0.25 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])


def rows(a: Array[f64, "m", "n"], s: Out[f64, "m"]) -> None:
    for i in range(a.shape[0]):
        s[i] = a[i].sum()


def columns(a: Array[f64, "m", "n"], s: Out[f64, "n"]) -> None:
    s[:] = a.sum(axis=0)


def scan(x: InOut[f64, "n"]) -> None:
    for i in range(1, len(x)):
        x[i] += 0.5 * x[i - 1]


def sort(x: InOut[f64, "n"]) -> None:
    for i in range(1, len(x)):
        v = x[i]
        j = i - 1
        while j >= 0 and x[j] > v:
            x[j + 1] = x[j]
            j -= 1
        x[j + 1] = v


def histogram(x: Array[f64, "n"], h: InOut[i64, "b"]) -> None:
    for v in x:
        h[int(v * len(h))] += 1


def convolve(x: Array[f64, "n"], w: Array[f64, "k"], out: Out[f64, "n"]) -> None:
    for i in range(len(x) - len(w) + 1):
        s = 0.0
        for j in range(len(w)):
            s += x[i + j] * w[j]
        out[i] = s


def mandelbrot(cr: f64, ci: f64) -> i64:
    c = complex(cr, ci)
    z = 0j
    for k in range(200):
        if z.real * z.real + z.imag * z.imag > 4.0:
            return k
        z = z * z + c
    return 200


def horner(x: Array[f64, "n"], c: Array[f64, "k"], y: Out[f64, "n"]) -> None:
    for i in range(len(x)):
        s = 0.0
        for j in range(len(c) - 1, -1, -1):
            s = s * x[i] + c[j]
        y[i] = s


def distances(p: Array[f64, "n", 3], d: Out[f64, "n", "n"]) -> None:
    for i in range(p.shape[0]):
        for j in range(p.shape[0]):
            s = 0.0
            for k in range(3):
                s += (p[i, k] - p[j, k]) ** 2
            d[i, j] = math.sqrt(s)


def softmax(a: Array[f64, "m", "n"], out: Out[f64, "m", "n"]) -> None:
    for i in range(a.shape[0]):
        e = np.exp(a[i] - a[i].max())
        out[i] = e / e.sum()


def edit_distance(a: Array[i64, "m"], b: Array[i64, "n"], d: Out[i64, "p", "q"]) -> i64:
    m, n = len(a), len(b)
    for i in range(m + 1):
        d[i, 0] = i
    for j in range(n + 1):
        d[0, j] = j
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost)
    return d[m, n]


def transpose(a: Array[f64, "m", "n"], b: Out[f64, "n", "m"]) -> None:
    b[:] = a.T


def threshold(x: InOut[f64, "n"]) -> None:
    x[x > 0.5] = 0.0


def gaussian(x: Array[f64, "n"], y: Out[f64, "n"]) -> None:
    y[:] = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)


def collatz(n: i64) -> i64:
    most = 0
    for k in range(1, n):
        steps = 0
        v = k
        while v != 1:
            if v % 2 == 0:
                v //= 2
            else:
                v = 3 * v + 1
            steps += 1
        most = max(most, steps)
    return most


CASES: Final[dict[Callable[..., Any], tuple[Any, ...]]] = {
    dot: (X, Y),
    axpy: (X, Y.copy()),
    norms: (X,),
    matmul: (A, B, np.zeros((128, 128))),
    stencil: (A, np.zeros((128, 128))),
    rows: (A, np.zeros(128)),
    columns: (A, np.zeros(128)),
    scan: (X.copy(),),
    sort: (X[:500].copy(),),
    histogram: (X, np.zeros(64, dtype=np.int64)),
    convolve: (X, RNG.random(9), np.zeros(4000)),
    mandelbrot: (-0.5, 0.3),
    horner: (X, RNG.random(8), np.zeros(4000)),
    distances: (RNG.random((100, 3)), np.zeros((100, 100))),
    softmax: (A, np.zeros((128, 128))),
    edit_distance: (RNG.integers(0, 4, 100), RNG.integers(0, 4, 90), np.zeros((101, 91), dtype=np.int64)),
    transpose: (A, np.zeros((128, 128))),
    threshold: (X.copy(),),
    gaussian: (X, np.zeros(4000)),
    collatz: (2000,),
}


def measured(function: Callable[..., Any], arguments: tuple[Any, ...], rounds: int) -> dict[str, list[float]]:
    """Nanoseconds a call of Numba's code and of the C, by round."""
    kernel: Kernel = evolvable(function)
    assert kernel.source is not None
    sides = {"njit": kernel.revision(0), "C": kernel.compile(kernel.source, "release")}
    watch: Stopwatch = make_stopwatch(Harness(kernel.signature), [arguments])
    calls = {name: watch.calibrate(side.entry_address) for name, side in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            times[name].append(watch.batch(side.entry_address, calls[name]))
    return times


def translation_times(rounds: int) -> list[float]:
    """Milliseconds of each translation, once Numba has been asked for all types before."""
    signatures = {function: signature_of(function) for function in CASES}
    times = []
    for number in range(rounds + 1):
        for function, signature in signatures.items():
            started = time.perf_counter()
            translate_function(function, signature)
            if number:
                times.append(1e3 * (time.perf_counter() - started))
    return times


def main() -> None:
    chosen = options("translation", __doc__, rounds=20)
    rows_shown, results = [], {}
    for function, arguments in CASES.items():
        times = measured(function, arguments, chosen.rounds)
        gain = ratio(times["njit"], times["C"])
        results[function.__name__] = {"njit_ns": spread(times["njit"]), "gain": gain}
        rows_shown.append([function.__name__, f"{statistics.median(times['njit']) / 1e3:.1f}", f"{gain:.2f}"])
    show("Time of Numba's code over that of the translated C", ["kernel", "njit us", "gain"], rows_shown)
    gains = [result["gain"].median for result in results.values()]
    say(f"geometric mean {statistics.geometric_mean(gains):.2f} (target at least 1.0), worst {min(gains):.2f} (0.8)")
    made = spread(translation_times(5))
    say(f"translation: {made:.1f} ms")
    save(chosen.json, chosen.rounds, {"kernels": results, "translation_ms": made})


if __name__ == "__main__":
    main()
