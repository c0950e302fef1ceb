"""Fixtures of several folders: new kernels of `tests.kernels`, and arguments for them."""

import numpy as np
import pytest

from symbiont_jit import evolvable
from tests import kernels


@pytest.fixture
def dot():
    """A kernel with a Python body and nothing else."""
    return evolvable(kernels.dot)


@pytest.fixture
def matmul():
    """A kernel with a Python body and a C source."""
    return evolvable(source=kernels.MATMUL)(kernels.matmul)


@pytest.fixture
def sort():
    """A kernel that changes its argument, with a Python body and a C source."""
    return evolvable(source=kernels.SORT)(kernels.sort)


@pytest.fixture
def vectors():
    """Two vectors of a thousand numbers."""
    rng = np.random.default_rng(0)
    return rng.random(1000), rng.random(1000)
