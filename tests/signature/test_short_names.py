"""The package's own names for annotations: short scalars, and one value by reference."""

import numpy as np
import pytest
from numba import float64, int64

import symbiont_jit as sj
from symbiont_jit import Array, InOut, Out, Ref, SignatureError, evolvable, f64, i64


def test_short_scalars_are_numbas_types():
    """`f64` is Numba's own `float64`, so both may be mixed."""
    assert (f64, i64) == (float64, int64)
    assert str(sj.c128) == "complex128"


def test_a_reference_is_one_value_that_is_written():
    """`Ref[i64]` declares what `InOut[i64]` does: a pointer to one value, which the caller passes as an array."""

    @evolvable(source="void count(int64_t n, const double x[n], int64_t *k) { *k = n; }")
    def count(x: Array[f64, "n"], k: Ref[i64]) -> None: ...

    assert count.c_prototype == "void count(int64_t n, const double x[n], int64_t *k)"
    k = np.zeros(1, np.int64)
    count(np.ones(3), k)
    assert k[0] == 3


@pytest.mark.parametrize(
    "item", [(f64, "n"), Array[f64, "n"], InOut[f64, "n"], Out[f64], f64[::1]], ids=["n", "array", "inout", "out", "c"]
)
def test_a_reference_to_an_array_is_refused(item):
    """`Ref` of anything but one value says what to write instead."""
    with pytest.raises(SignatureError, match=r"InOut\[float64, \"n\"\]"):
        Ref[item]
