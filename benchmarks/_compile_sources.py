"""Four kernels in three languages, for `compile.py`: the same algorithm in each, as its users would write it.

`NUMBER` stands where every round puts another number, so that no text is ever the same twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import float64

from symbiont_jit import Array, InOut, Out

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """A kernel: its declaration, its texts, and arguments to see that all sides compute the same."""

    name: str
    declaration: Callable[..., Any]
    c: str
    rust: str
    python: str
    arguments: Callable[[], tuple[Any, ...]]


# The strings in these annotations name dimensions.
def scalar(x: float64, y: float64) -> float64: ...
def dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64: ...
def sort(x: InOut[Array[float64, "n"]]) -> None: ...
def matmul(a: Array[float64, "n", "k"], b: Array[float64, "k", "m"], c: Out[Array[float64, "n", "m"]]) -> None: ...


SCALAR_C: Final = """
double scalar(double x, double y)
{
  return x * x + NUMBER.5 * y - 1.0 / (1.0 + x * x);
}
"""
SCALAR_RUST: Final = """
#[no_mangle]
pub extern "C" fn scalar(x: f64, y: f64) -> f64 {
    x * x + NUMBER.5 * y - 1.0 / (1.0 + x * x)
}
"""
SCALAR_PYTHON: Final = """
@njit(float64(float64, float64))
def scalar(x, y):
    return x * x + NUMBER.5 * y - 1.0 / (1.0 + x * x)
"""

DOT_C: Final = """
double dot(int64_t n, const double x[n], const double y[n])
{
  double s = NUMBER.5;
  for (int64_t i = 0; i < n; i++)
    s += x[i] * y[i];
  return s;
}
"""
DOT_RUST: Final = """
#[no_mangle]
pub unsafe extern "C" fn dot(n: i64, x: *const f64, y: *const f64) -> f64 {
    let mut s = NUMBER.5;
    for i in 0..n as usize {
        s += *x.add(i) * *y.add(i);
    }
    s
}
"""
DOT_PYTHON: Final = """
@njit(float64(float64[::1], float64[::1]))
def dot(x, y):
    s = NUMBER.5
    for i in range(x.shape[0]):
        s += x[i] * y[i]
    return s
"""

SORT_C: Final = """
static void sift(double *x, int64_t root, int64_t n)
{
  double moved = x[root];
  while (2 * root + 1 < n) {
    int64_t child = 2 * root + 1;
    if (child + 1 < n && x[child] < x[child + 1])
      child++;
    if (x[child] <= moved)
      break;
    x[root] = x[child];
    root = child;
  }
  x[root] = moved;
}

static void insert_all(double *x, int64_t n)
{
  for (int64_t i = 1; i < n; i++) {
    double key = x[i];
    int64_t j = i;
    for (; j > 0 && x[j - 1] > key; j--)
      x[j] = x[j - 1];
    x[j] = key;
  }
}

void sort(int64_t n, double x[n])
{
  if (n < NUMBER) {
    insert_all(x, n);
    return;
  }
  for (int64_t root = n / 2 - 1; root >= 0; root--)
    sift(x, root, n);
  for (int64_t last = n - 1; last > 0; last--) {
    double top = x[0];
    x[0] = x[last];
    x[last] = top;
    sift(x, 0, last);
  }
}
"""
SORT_RUST: Final = """
unsafe fn sift(x: *mut f64, mut root: usize, n: usize) {
    let moved = *x.add(root);
    while 2 * root + 1 < n {
        let mut child = 2 * root + 1;
        if child + 1 < n && *x.add(child) < *x.add(child + 1) {
            child += 1;
        }
        if *x.add(child) <= moved {
            break;
        }
        *x.add(root) = *x.add(child);
        root = child;
    }
    *x.add(root) = moved;
}

unsafe fn insert_all(x: *mut f64, n: usize) {
    for i in 1..n {
        let key = *x.add(i);
        let mut j = i;
        while j > 0 && *x.add(j - 1) > key {
            *x.add(j) = *x.add(j - 1);
            j -= 1;
        }
        *x.add(j) = key;
    }
}

#[no_mangle]
pub unsafe extern "C" fn sort(n: i64, x: *mut f64) {
    let n = n as usize;
    if n < NUMBER {
        insert_all(x, n);
        return;
    }
    for root in (0..n / 2).rev() {
        sift(x, root, n);
    }
    for last in (1..n).rev() {
        let top = *x;
        *x = *x.add(last);
        *x.add(last) = top;
        sift(x, 0, last);
    }
}
"""
SORT_PYTHON: Final = """
@njit
def sift(x, root, n):
    moved = x[root]
    while 2 * root + 1 < n:
        child = 2 * root + 1
        if child + 1 < n and x[child] < x[child + 1]:
            child += 1
        if x[child] <= moved:
            break
        x[root] = x[child]
        root = child
    x[root] = moved

@njit
def insert_all(x, n):
    for i in range(1, n):
        key = x[i]
        j = i
        while j > 0 and x[j - 1] > key:
            x[j] = x[j - 1]
            j -= 1
        x[j] = key

@njit(void(float64[::1]))
def sort(x):
    n = x.shape[0]
    if n < NUMBER:
        insert_all(x, n)
        return
    for root in range(n // 2 - 1, -1, -1):
        sift(x, root, n)
    for last in range(n - 1, 0, -1):
        top = x[0]
        x[0] = x[last]
        x[last] = top
        sift(x, 0, last)
"""

MATMUL_C: Final = """
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m])
{
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++) {
      double s = NUMBER.5;
      for (int64_t p = 0; p < k; p++)
        s += a[i][p] * b[p][j];
      c[i][j] = s;
    }
}
"""
MATMUL_RUST: Final = """
#[no_mangle]
pub unsafe extern "C" fn matmul(n: i64, k: i64, m: i64, a: *const f64, b: *const f64, c: *mut f64) {
    let (n, k, m) = (n as usize, k as usize, m as usize);
    for i in 0..n {
        for j in 0..m {
            let mut s = NUMBER.5;
            for p in 0..k {
                s += *a.add(i * k + p) * *b.add(p * m + j);
            }
            *c.add(i * m + j) = s;
        }
    }
}
"""
MATMUL_PYTHON: Final = """
@njit(void(float64[:, ::1], float64[:, ::1], float64[:, ::1]))
def matmul(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = NUMBER.5
            for p in range(a.shape[1]):
                s += a[i, p] * b[p, j]
            c[i, j] = s
"""


def _uniform(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).uniform(-1.0, 1.0, shape)


CASES: Final = (
    Case("scalar", scalar, SCALAR_C, SCALAR_RUST, SCALAR_PYTHON, lambda: (0.75, -1.25)),
    Case("dot", dot, DOT_C, DOT_RUST, DOT_PYTHON, lambda: (_uniform(100), _uniform(100))),
    Case("sort", sort, SORT_C, SORT_RUST, SORT_PYTHON, lambda: (_uniform(3000),)),
    Case(
        "matmul",
        matmul,
        MATMUL_C,
        MATMUL_RUST,
        MATMUL_PYTHON,
        lambda: (_uniform(5, 7), _uniform(7, 6), np.zeros((5, 6))),
    ),
)
