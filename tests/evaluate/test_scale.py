"""The natural scale of an element: what it is made of, and nothing that lies beside it or jumps."""

import numpy as np
import pytest

from symbiont_jit.evaluate.agreement import Outcome, Tolerance
from symbiont_jit.evaluate.scale import coarsest_unit, estimate_scale, largest_magnitude
from symbiont_jit.signature import signature_of
from tests.kernels import dot


def scale_of(function, *given, limit=None):
    """The scales of the one array that a function of arrays returns."""

    def solve(move):
        moved = [np.array(value) for value in given]
        for value in moved:
            move(value)
        return Outcome((np.asarray(function(*moved)),), None)

    expected = Outcome((np.asarray(function(*given)),), None)
    largest = largest_magnitude([np.asarray(value) for value in given], expected)
    unit = coarsest_unit([np.asarray(value) for value in given], expected)
    return estimate_scale(solve, expected, largest if limit is None else limit, [1], unit).values[0]


X = np.linspace(0.5, 2, 7)


@pytest.mark.parametrize(
    ("function", "given", "low", "high"),
    [
        (lambda x: x, (X,), 0.1, 4),
        (lambda x: x * 1e6 - (x * 1e6 - x), (X,), 0, 1e7),
        (lambda x: (x + 1e9) - 1e9, (X,), 0, 1e10),
        (lambda x, y: x - y, (X * 1e8, X * 1e8 + 1), 1e6, 1e9),
        (lambda x, y: np.array([x @ y]), (np.array([1e5, -1e5, 1.0]), np.ones(3)), 1e4, 1e6),
        (np.floor, (np.arange(7.0),), 0, 1e-3),
        (lambda x: (x > x[3]) * 1e12, (X,), 0, 1e-3),
        (lambda x: x * 0 + 7, (X,), 0, 1e-3),
        (lambda x: x.astype(np.float32), (X,), 0, 1e9),
    ],
    ids=["itself", "up and down", "lost digits", "difference", "dot", "floor", "comparison", "constant", "float32"],
)
def test_what_an_element_is_made_of(function, given, low, high):
    """It is as large as what cancels in it; it is next to nothing where an element only jumps, or depends on nothing."""
    found = scale_of(function, *given)
    assert low <= np.median(found) <= high


@pytest.mark.parametrize("seed", range(12))
def test_sums_that_cancel_are_as_uncertain_as_they_were_rounded(seed):
    """A variance that is a difference of two sums hardly moves with its arguments; every draw finds what the sums lost."""

    def spread(x):
        s = np.add.accumulate(x)[-1]
        q = np.add.accumulate(x * x)[-1]
        return np.array([q - s * s / len(x)])

    found = scale_of(spread, 1000 + np.random.default_rng(seed).random(500), limit=1e12)
    assert 1e8 < found[0] < 1e11


def test_single_precision_beside_double_precision_is_not_magnified():
    """Arguments are moved by the coarsest unit of all, and what moves is measured in that: scales are those of numbers."""
    singles = np.linspace(0.5, 2, 7).astype(np.float32)
    assert np.max(scale_of(lambda x: 1 / np.sqrt(1.0 + x.astype(np.float64)), singles)) < 4
    assert np.median(scale_of(lambda x: (x.astype(np.float32) + np.float32(1e3)) - np.float32(1e3), X, limit=1e9)) > 100


def test_no_scale_is_larger_than_all_numbers():
    """An element that is extremely sensitive is bounded by the largest number there is."""
    assert np.max(scale_of(lambda x: np.sin(x * 1e30), X)) <= 2


def test_a_large_element_frees_nothing():
    """Beside one of 1e13 an element of 1 is as exact as it is alone; before, 76 % of them could be wrong by 100 %."""
    x = np.append(np.ones(99), 1e13)
    expected = Outcome((x.copy(), np.zeros(1)), np.float64(0))
    got = Outcome((x.copy(), np.zeros(1)), np.float64(0))
    got.values[0][3] *= 1 + 1e-6
    scale = Outcome((scale_of(lambda v: v, x), np.zeros(1)), np.float64(0))
    found = Tolerance().find_difference(signature_of(dot), expected, got, scale)
    assert found is not None
    assert "at [3]" in found


def test_complex_numbers_and_records_have_scales_too():
    """The parts of complex numbers and the fields of records are moved, and have scales of their own."""
    z = np.array([1e6 + 1j, 2 + 3j])
    found = scale_of(lambda z: z - np.array([1e6, 0]), z)
    assert found.real[0] > 1e5
    assert found.imag[0] < 10
    points = np.zeros(2, [("a", "f8"), ("n", "i8"), ("b", "f4", (2,))])
    points["a"], points["b"], points["n"] = 3.0, 5.0, 7
    found = scale_of(lambda p: p, points)
    assert (found["a"] > 0.3).all()
    assert (found["b"] > 0.5).all()
    assert not found["n"].any()
