"""Functions that Numba has compiled, as declarations."""

import numpy as np
import pytest
from numba import float64 as f64
from numba import njit

from symbiont_jit import SignatureError, UsageError, evolvable


@pytest.mark.slow
def test_an_njit_function_brings_its_signature():
    """The types that it was compiled for are declared; arrays that it writes are InOut."""

    @njit
    def scale(x, out, factor):
        """Scaled x."""
        for i in range(x.size):
            out[i] = factor * x[i]
        return x.size

    x, out = np.ones(3), np.zeros(3)
    scale(x, out, 2.0)
    kernel = evolvable(scale)
    assert (
        str(kernel.signature)
        == 'scale(x: Array[float64, "x_0"], out: InOut[float64, "out_0"], factor: float64) -> int64'
    )
    assert kernel(x, out, 3.0) == 3
    assert out.tolist() == [3.0, 3.0, 3.0]
    kernel.swap("int64_t scale(int64_t n, int64_t m, const double *x, double *o, double f) { o[0] = f; return m; }")
    assert (kernel(x, out, 9.0), out[0]) == (3, 9.0)


@pytest.mark.slow
def test_annotations_of_an_njit_function_come_first():
    """An annotated one need not have been compiled."""

    @evolvable
    @njit
    def add(x: f64, y: f64) -> f64:
        return x + y

    assert add(1.0, 2.0) == 3.0


@pytest.mark.slow
def test_explicit_types_are_a_signature():
    """So need not one with types given to njit."""

    @njit("complex128(complex128, int32)")
    def turn(z, times):
        return z * 1j**times

    assert str(evolvable(turn).signature) == "turn(z: complex128, times: int32) -> complex128"


def test_an_njit_function_without_types_is_asked_for_them():
    """Not compiled yet, or for several lists of types: the message says what to do."""

    @njit
    def add(x, y):
        return x + y

    with pytest.raises(SignatureError, match=r"compiled for: none\); call it once, or annotate it"):
        evolvable(add)
    add(1, 2)
    add(1.0, 2.0)
    with pytest.raises(SignatureError, match=r"compiled for: \(int64, int64\); \(float64, float64\)\); annotate it"):
        evolvable(add)


def test_an_njit_function_of_other_types_is_refused():
    """Numba types without a C form are named."""

    @njit
    def first(x):
        return x[0]

    first((1, 2))
    with pytest.raises(SignatureError, match="parameter 'x'"):
        evolvable(first)
    with pytest.raises(UsageError, match="plain Python function"):
        evolvable(len)
