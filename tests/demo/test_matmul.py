"""The kernel that the demonstration evolves."""

import numpy as np
import pytest

from symbiont_jit.demo.matmul import matmul_kernel
from tests.kernels import MATMUL_HEAD


@pytest.mark.slow
def test_both_bodies_are_the_product():
    """The Python body, which is the reference, and what it is in C compute the product, also of other shapes."""
    kernel = matmul_kernel()
    kernel.swap(kernel.source)
    assert [(r.number, r.language) for r in kernel.revisions] == [(0, "python"), (1, "c")]
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 5)), rng.random((5, 4))
    for revision in kernel.revisions:
        c = np.full((3, 4), np.nan)
        revision(a, b, c)
        np.testing.assert_allclose(c, a @ b)


def test_each_kernel_is_a_new_one():
    """What one demonstration swaps in is not there in the next."""
    first, second = matmul_kernel(), matmul_kernel()
    first.swap(f"{MATMUL_HEAD} {{ }}")
    assert (first.active.number, second.active.number) == (1, 0)
