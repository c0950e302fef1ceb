"""The kernels whose signatures the corpus files name in their first line."""

from numba import float64 as f64

from symbiont_jit import Array, Out, evolvable


@evolvable
def scalar(x: f64, y: f64) -> f64: ...


@evolvable
def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64: ...


@evolvable
def fill(out: Out[f64, "n"], v: f64) -> None: ...


@evolvable
def matmul(a: Array[f64, "n", "k"], b: Array[f64, "k", "m"], c: Out[f64, "n", "m"]) -> None: ...


KERNELS = {k.signature.name: k for k in (scalar, dot, fill, matmul)}
