"""The kernel that several tests of texts propose bodies for."""

from numba import float64 as f64

from symbiont_jit import evolvable


@evolvable
def scalar(x: f64, y: f64) -> f64: ...
