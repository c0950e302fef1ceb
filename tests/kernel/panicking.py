"""A kernel's arguments for which it may panic, and what it says then."""

import numpy as np
import pytest
from numba import njit

from symbiont_jit import Panic, PanicError

PICK = "double pick(int64_t n, const double x[n], int64_t i)\n{\n  return x[i];\n}\n"
X = np.arange(3.0)


@njit(nogil=True)
def call(kernel, x, i):
    return kernel(x, i)


def kind_of(function, *arguments, **options):
    """The kind of the panic that a call raises."""
    with pytest.raises(PanicError) as raised:
        function(*arguments, **options)
    assert isinstance(raised.value.panic, Panic)
    return raised.value.panic.kind
