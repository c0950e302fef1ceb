"""What is known of a function that Numba has compiled."""

import numpy as np
import pytest
from numba import njit

from symbiont_jit import SignatureError, evolvable


def test_a_literal_result_is_one_of_its_type():
    """A function that always returns 1 returns an int64."""
    compiled = njit(lambda x: 1)
    compiled.py_func.__name__ = "one"
    compiled(2.0)
    assert evolvable(compiled).c_prototype == "int64_t one(double x)"


def test_hints_that_have_no_c_form_leave_the_compiled_types():
    """`x: np.ndarray` says nothing that C has; without compiled types it is an error."""

    @njit
    def first(x: np.ndarray) -> float:
        return x[0]

    with pytest.raises(SignatureError, match="ndarray"):
        evolvable(first)
    first(np.ones(2))
    assert evolvable(first).c_prototype == "double first(int64_t x_0, const double x[x_0])"
