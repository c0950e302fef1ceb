"""The kernels that the candidates of `search/` are for, with an honest candidate of each."""

import itertools

import numpy as np
from numba import float64 as f64
from numba import int64

from symbiont_jit import Array, Out, Speedup, evolvable, record
from tests import kernels
from tests.attacks.metrics import choose

HEADS = {
    "scalar": "double scalar(double x, double y)",
    "dot": kernels.DOT_HEAD,
    "matmul": kernels.MATMUL_HEAD,
    "sort": kernels.SORT_HEAD,
    "centre": "void centre(int64_t n, const struct Point p[n], struct Point *out)",
    "total": "int64_t total(int64_t a, int64_t b)",
    "trick": "double trick(double x)",
}
#: The files of `search/` have the numbers below a thousand.
NUMBERS = itertools.count(1000)


def body(key, text, before=""):
    """A candidate with a number of its own, so that no two compile to the same code, which would be judged once."""
    return f"{before}{HEADS[key]} {{ volatile int row = {next(NUMBERS)}; {text} }}"


HONEST = {
    "scalar": "return x * y + 1.0;",
    "dot": kernels.statements_of(kernels.DOT),
    "matmul": kernels.statements_of(kernels.MATMUL),
    "sort": "for (int64_t i = 1; i < n; i++) { double t = x[i]; int64_t j = i;"
    " for (; j > 0 && x[j - 1] > t; j--) x[j] = x[j - 1]; x[j] = t; }",
    "centre": "out->x = out->y = 0; for (int64_t i = 0; i < n; i++) { out->x += p[i].x; out->y += p[i].y; }"
    " out->w[0] = (int32_t)n; out->w[1] = 7;",
    "total": "return a + b;",
    "trick": "return 2 * x;",
}


@evolvable
def scalar(x: f64, y: f64) -> f64:
    """Two numbers."""
    return x * y + 1.0


dot, matmul, sort = evolvable(kernels.dot), evolvable(kernels.matmul), evolvable(kernels.sort)


@record
class Point:
    """A record with an array in it."""

    x: f64
    y: f64
    w: Array[np.int32, 2]


@evolvable
def centre(p: Array[Point, "n"], out: Out[Point]) -> None:
    """Records in, a record out."""
    x = y = 0.0
    for i in range(p.shape[0]):
        x += p[i].x
        y += p[i].y
    out.x = x
    out.y = y
    out.w[0] = p.shape[0]
    out.w[1] = 7


@evolvable
def total(a: int64, b: int64) -> int64:
    """Integers."""
    return a + b


@evolvable
def trick(x: f64) -> f64:
    """What the callable metric calls."""
    return 2.0 * x


def points(rng):
    p = np.zeros(12, Point.dtype)
    p["x"], p["y"] = rng.random((2, 12))
    return p, np.zeros((), Point.dtype)


METRIC_OF = {
    "scalar": (scalar, Speedup(lambda rng: (rng.uniform(0.5, 1.0), rng.uniform(0.5, 1.0)))),
    "dot": (dot, Speedup(lambda rng: (rng.random(20), rng.random(20)))),
    "matmul": (matmul, Speedup(lambda rng: (rng.random((3, 4)), rng.random((4, 5)), np.zeros((3, 5))))),
    "sort": (sort, Speedup(lambda rng: (rng.random(20),))),
    "centre": (centre, Speedup(points)),
    "total": (total, Speedup(lambda rng: (int(rng.integers(1, 9)), int(rng.integers(1, 9))))),
    "trick": (trick, choose),
}
