"""The demonstration's parts: inputs, the loop that runs meanwhile, and the comparison with NumPy."""

import numpy as np
import pytest

from symbiont_jit.demo import SIZE, RunningLoop, compare_with_numpy, evolution, inputs, matmul_kernel
from tests.concurrency import await_true
from tests.kernels import MATMUL_HEAD

#: A product that is never computed.
NOTHING = f"{MATMUL_HEAD} {{ }}"


def test_inputs_are_those_of_the_kernel():
    """Two matrices and room for their product; the same generator draws the same."""
    a, b, c = inputs(np.random.default_rng(3))
    assert a.shape == b.shape == c.shape == (SIZE, SIZE)
    again, *_ = inputs(np.random.default_rng(3))
    assert np.array_equal(a, again)


@pytest.mark.slow
def test_the_loop_goes_through_swaps_and_ends():
    """The loop's calls are counted, before a swap and after it, and no more of them come once the block is left."""
    kernel = matmul_kernel()
    with RunningLoop(kernel).run_in_background() as loop:
        assert await_true(lambda: loop.calls > 0)
        kernel.swap(NOTHING)
        before = loop.calls
        assert await_true(lambda: loop.calls > before + 1)
    after = loop.calls
    assert not await_true(lambda: loop.calls > after, 0.1)


@pytest.mark.slow
def test_kernel_and_numpy_are_timed_in_turns():
    """Each round has a time of both."""
    kernel = matmul_kernel()
    found = compare_with_numpy(kernel, rounds=2)
    assert len(found.kernel_ns) == len(found.numpy_ns) == 2
    assert min(found.kernel_ns + found.numpy_ns) > 0


@pytest.mark.slow
def test_the_search_knows_a_wrong_product_from_a_right_one():
    """The demonstration's search judges by the Python body, with the demonstration's inputs."""
    kernel = matmul_kernel()
    with evolution(kernel) as search:
        right, wrong = search.evaluate_many([kernel.source, NOTHING])
    assert (right.is_valid, wrong.is_valid) == (True, False)
