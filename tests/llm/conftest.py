"""A kernel whose body a model writes."""

import pytest
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import evolvable


@pytest.fixture
def kernel():
    @evolvable
    def f(x: f64, n: i64) -> f64:
        """A product."""
        return x * n

    return f
