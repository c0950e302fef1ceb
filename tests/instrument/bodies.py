"""Kernels whose bodies are compiled with checks."""

import numpy as np
from numba import float64 as f64
from numba import int32 as i32
from numba import int64 as i64

from symbiont_jit import Array, Out, evolvable

PROFILES = ("safe", "checked")


@evolvable(on_panic="zero")
def pick(x: Array[f64, "n"], k: i64) -> f64: ...


@evolvable(on_panic="zero")
def table(a: Array[f64, "m", "n"], i: i64, j: i64) -> f64: ...


@evolvable(on_panic="zero")
def write(out: Out[f64, "n"], k: i64) -> None: ...


@evolvable(on_panic="zero")
def count(a: i32, b: i32) -> i32: ...


X = np.arange(10.0)
HEADS = {
    pick: "double pick(int64_t n, const double x[n], int64_t k)\n{\n",
    table: "double table(int64_t m, int64_t n, const double a[m][n], int64_t i, int64_t j)\n{\n",
    write: "void write(int64_t n, double out[n], int64_t k)\n{\n",
    count: "int32_t count(int32_t a, int32_t b)\n{\n",
}


def compiled(kernel, body, profile):
    """A body, or a whole text, for a profile."""
    text = (
        body
        if body.startswith(("static", "#", "struct", "double", "enum")) and "\n{" in body
        else f"{HEADS[kernel]}{body}\n}}\n"
    )
    return kernel.compile(text, profile)


ENDLESS = "  while (k < 1000)\n    k = k / 2;\n  return k;"
