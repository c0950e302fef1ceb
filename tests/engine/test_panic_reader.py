"""Panics in words, on the lines of the text that they happened in."""

import pytest
from numba import float64 as f64

import symbiont_jit as sj
from symbiont_jit import Array
from tests.instrument.bodies import X


@pytest.mark.usefixtures("loader")
def test_members_of_groups_panic_too():
    """A panic of a member is the group's text's line."""
    group = sj.Group(on_panic="zero")

    @group.evolvable
    def low(x: Array[f64, "n"]) -> f64: ...

    @group.evolvable
    def high(x: Array[f64, "n"]) -> f64: ...

    group.swap(
        "double low(int64_t n, const double x[n])\n{\n  return x[0];\n}\n"
        "double high(int64_t n, const double x[n])\n{\n  return low(n, x) + x[n];\n}\n"
    )
    assert (low(X), high(X)) == (0.0, 0.0)
    assert high.take_panic().line == 7
