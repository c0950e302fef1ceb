"""Answers of a model, good ones and each kind of bad ones."""

from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import evolvable


def product():
    """A new kernel whose body a model is to write."""

    @evolvable
    def f(x: f64, n: i64) -> f64:
        """A product."""
        return x * n

    return f


def fenced(code):
    return f"Here it is.\n\n```c\n{code}\n```\n"


GOOD = fenced("double f(double x, int64_t n) { return x * n; }")
BETTER = fenced("double f(double x, int64_t n) { return x * n + 1; }")
UNTYPED = fenced("double f(double x, int64_t n) { return y; }")
