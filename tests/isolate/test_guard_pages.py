"""The second net: what code without checks does outside of its arrays, in the calls that compare results."""

import os

import numpy as np
import pytest
from numba import float32 as f32
from numba import float64 as f64
from numba import int8, int64

from symbiont_jit import Array, InOut, Kernel, Out, Speedup, Status, record
from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.local import LocalEvaluator
from symbiont_jit.evaluate.task import EvaluationRequest
from symbiont_jit.isolate.guard_pages import KEPT_BYTES, PAGE, GuardedArrays
from symbiont_jit.isolate.worker import Crash, Worker, WorkerReply
from symbiont_jit.signature import signature_of

HEAD = "double poke(int64_t n, double x[n], const double y[n], int64_t k)"


@record
class Point:
    """An odd size: 12 bytes."""

    x: f32
    y: f32
    z: f32


def poke(x: InOut[f64, "n"], y: Array[f64, "n"], k: int64) -> f64: ...


@pytest.fixture
def kernel():
    return Kernel(signature_of(poke), source=HEAD + " { return 0; }")


# -- code without checks ----------------------------------------------------------------------------------------------

READ, WRITE = HEAD + " { return y[k]; }", HEAD + " { x[k] = 7; return 0; }"
LENGTH = 50
#: The elements of the red zone's side that are in the array's page, and the first that are not.
ROOM = PAGE // 8 - LENGTH

#: By text, index and side of the inaccessible page: what becomes of it.
ACCESSES = [
    *((text, LENGTH, True, "crash") for text in (READ, WRITE)),
    *((text, -1, False, "crash") for text in (READ, WRITE)),
    (WRITE, -1, True, "x"),
    (WRITE, -ROOM, True, "x"),
    (WRITE, LENGTH, False, "x"),
    (WRITE, LENGTH + ROOM - 1, False, "x"),
    *((text, -ROOM - 1, True, "crash") for text in (READ, WRITE)),
    *((text, LENGTH + ROOM, False, "crash") for text in (READ, WRITE)),
    *((text, k, side, None) for text in (READ, WRITE) for k in (0, LENGTH - 1) for side in (True, False)),
]


@pytest.mark.table
@pytest.mark.parametrize(("text", "index", "at_end", "outcome"), ACCESSES)
def test_accesses_outside_of_an_array(kernel, text, index, at_end, outcome):
    """They crash on the side of the inaccessible page; on the other one a write is seen, up to the next such page."""
    harness, entry = Harness(kernel.signature), kernel.compile(text, "release").entry_address

    def serve(_):
        given = harness.prepare_guarded((np.zeros(LENGTH), np.zeros(LENGTH), index), at_end)
        harness.call(entry, given)
        return given.find_trespass()

    worker = Worker(serve)
    try:
        found = worker.ask(None, 10.0)
    finally:
        worker.close()
    assert found == (Crash("signal SIGSEGV") if outcome == "crash" else WorkerReply(outcome))


ROGUES = [
    (
        " { double s = y[n]; return s - s; }",
        Status.CRASHED,
        "signal SIGSEGV while comparing its results without checks",
    ),
    (" { double s = y[k - 1 - n]; return s - s; }", Status.CRASHED, "signal SIGSEGV while comparing"),
    (" { x[n] = 7; return 0; }", Status.CRASHED, "signal SIGSEGV while comparing"),
    (" { x[n + (n & 1)] = x[n - 1]; return 0; }", Status.CRASHED, "signal SIGSEGV while comparing"),
    (" { *(double *)((uintptr_t)x / 4096 * 4096) = 7; return 0; }", Status.WRONG, "the call wrote outside of 'x'"),
    (" { return 0; }", Status.VALID, ""),
]


@pytest.mark.table
@pytest.mark.parametrize(("text", "status", "said"), ROGUES)
def test_the_second_net_of_an_evaluation(kernel, text, status, said):
    """Release code that does what its checked code did not is found when its results are compared."""
    honest = target_of(kernel).canonical(HEAD + " { return 0; }")
    rogue = kernel.compile(HEAD + text, "release").object_code
    evaluator = LocalEvaluator(kernel, Speedup(lambda rng: (rng.random(40), rng.random(40), 0)))
    try:
        checked = target_of(kernel).build(honest, "checked")
        request = EvaluationRequest(checked, Build(honest, "release", rogue), (0,), None)
        evaluation = evaluator._evaluate_in_worker(request, evaluator.pool.epoch)
    finally:
        evaluator.pool.close()
    assert evaluation.status is status
    assert said in "".join(d.message for d in evaluation.diagnostics)


# -- the arrays -------------------------------------------------------------------------------------------------------


def many(a: Array[int8, "n"], b: Out[f32, "m", 3], p: Array[Point, "n"], q: Out[Point], t: f64) -> None: ...


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("n", [0, 1, 7, 4096, 4097, 100_000])
def test_guarded_arguments_are_copies_with_alignment(n, at_end):
    """They hold the values, keep to their elements' alignment, and touch the end or the beginning of a page."""
    harness = Harness(signature_of(many))
    rng = np.random.default_rng(0)
    points = np.zeros(n, Point.dtype)
    points["y"] = rng.random(n)
    values = (
        rng.integers(0, 100, n, dtype=np.int8),
        rng.random((n, 3), np.float32),
        points,
        np.ones((), Point.dtype),
        2.5,
    )
    for _ in range(2):
        given = harness.prepare_guarded(values, at_end)
        for mine, value in zip(given.values, values, strict=True):
            assert np.array_equal(mine, value)
            assert mine.flags.aligned
            assert mine.flags.c_contiguous
            assert not np.shares_memory(mine, value)
        for array in given.values[:4]:
            touching = array.ctypes.data + array.nbytes if at_end else array.ctypes.data
            assert touching % PAGE == 0
        assert given.find_trespass() is None
        given.values[1][...] = 0
        assert given.find_trespass() is None


def test_a_red_zone_is_as_before_after_it_was_looked_at(kernel):
    """What was written beside an array is told once, and not blamed on the next call."""
    harness = Harness(kernel.signature)
    entry = kernel.compile(WRITE, "release").entry_address
    for index, found in ((-1, "x"), (0, None), (-3, "x"), (LENGTH - 1, None)):
        given = harness.prepare_guarded((np.zeros(LENGTH), np.zeros(LENGTH), index))
        harness.call(entry, given)
        assert given.find_trespass() == found


def test_guarded_arrays_keep_little():
    """Pages are used again; there is a limit to what is kept, and an array beyond it is not."""
    guarded, dtype = GuardedArrays(), np.dtype(np.uint8)
    first, _ = guarded.array("x", dtype, (100,), True)
    again, _ = guarded.array("x", dtype, (100,), True)
    other, _ = guarded.array("x", dtype, (100,), False)
    assert first.ctypes.data == again.ctypes.data != other.ctypes.data
    guarded.array("x", dtype, (2 * KEPT_BYTES,), True)
    for size in range(1, 40):
        guarded.array("x", dtype, (size * KEPT_BYTES // 100,), True)
    assert sum(pages.nbytes for pages in guarded._pages.values()) <= KEPT_BYTES


def test_guarded_memory_is_not_shared_with_children():
    """A child that writes to an array which was there before it was forked changes a copy."""
    array, _ = GuardedArrays().array("x", np.dtype(np.int64), (4,), True)
    array[:] = 1
    child = os.fork()
    if child == 0:
        array[:] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert array.tolist() == [1, 1, 1, 1]
