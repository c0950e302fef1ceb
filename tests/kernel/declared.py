"""A record that kernels are declared with."""

from numba import float64 as f64

import symbiont_jit as sj


@sj.record
class Pair:
    """Two numbers."""

    a: f64
    b: f64
