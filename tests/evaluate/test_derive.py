"""Arguments that nobody has given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import complex64 as c64
from numba import float32 as f32
from numba import float64 as f64
from numba import int64 as i64
from numba import uint8 as u8

from symbiont_jit import Array, Evolution, InOut, Out, Speedup, Status, evolvable
from symbiont_jit.evaluate.derive import EDGES, DerivedInputs
from symbiont_jit.signature import check_arguments, signature_of
from tests import kernels


@evolvable
def many(
    a: f64,
    k: u8,
    x: Array[f32, "n"],
    y: InOut[c64, "n", "m"],
    z: Array[i64, "m", 3],
    w: Out[bool, "l"],
) -> None:
    y[0, 0] = a


@evolvable
def last(x: Array[f64, "n"]) -> f64:
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i]
    return x[-1] - s / x.shape[0]


@given(st.integers(0, 2**32), st.integers(0, 200))
def test_derived_arguments_fit(seed, number):
    """Of every kind of parameter, whatever the lengths are."""
    inputs = DerivedInputs(many.signature)
    rng = np.random.default_rng(seed)
    assert check_arguments(many.signature, inputs(rng)) is None
    assert check_arguments(many.signature, inputs.at_edges(rng, number)) is None


def test_all_lengths_at_the_edges_come():
    """Each free length has each of them in turn, the others any; what is timed has lengths that differ."""
    inputs = DerivedInputs(signature_of(kernels.matmul))
    rng = np.random.default_rng(0)
    shapes = [inputs.at_edges(rng, number)[0].shape for number in range(len(EDGES))]
    assert [rows for rows, _ in shapes] == list(EDGES)
    assert len({*inputs(rng)[0].shape, *inputs(rng)[1].shape}) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("double t = 0; for (int64_t i = 0; i < n; i++) t += x[i] * y[i]; return t;", Status.VALID),
        ("double t = 0; for (int64_t i = 0; i < n / 4 * 4; i++) t += x[i] * y[i]; return t;", Status.WRONG),
        ("double t = x[0] * y[0]; for (int64_t i = 1; i < n; i++) t += x[i] * y[i]; return t;", Status.PANICKED),
    ],
    ids=["right", "whole blocks alone", "never nothing"],
)
def test_what_is_forgotten_at_the_edges_is_found(body, status):
    """The rest behind whole blocks, and arrays of no elements, are tried unless the user gives inputs."""
    with Evolution(evolvable(kernels.dot), metric=Speedup()) as search:
        assert search.evaluate(f"{kernels.DOT_HEAD} {{ {body} }}").status is status


def test_what_the_python_body_does_not_take_is_not_asked_for():
    """It reads the last element and divides by the length: arrays of nothing are no arguments of it."""
    with Evolution(last, metric=Speedup()) as search:
        text = "double t = 0; for (int64_t i = 0; i < n; i++) t += x[i]; return x[n - 1] - t / n;"
        assert search.evaluate(f"{last.c_prototype} {{ {text} }}").is_valid
