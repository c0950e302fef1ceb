"""Ctrl-C and signal handlers at any moment: what calls do, what `active` says and what is loaded stay one story."""

import contextlib
import itertools
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from symbiont_jit import Kernel
from symbiont_jit.backend.code_memory import CODE_MEMORY
from tests.concurrency import interruption_after, run_in_threads, signal_every

# CPython swallows an interruption that comes within a callback of a weak reference, and says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TEXT = "int64_t k(int64_t i)\n{\n  return i + NUMBER;\n}\n"


def text(number):
    """A text that adds a number."""
    return TEXT.replace("NUMBER", str(number))


@pytest.fixture
def kernel():
    """A kernel whose revision of number n adds n, with two of them."""
    made = Kernel.from_c(text(0))
    made.compile(text(1))
    return made


def test_an_interrupted_swap_happened_or_did_not(kernel):
    """Calls go where `active` says, and `prune` leaves that code loaded."""
    for number in range(300):
        with contextlib.suppress(KeyboardInterrupt), interruption_after(1e-5 * (number % 50)):
            for _ in range(20):
                kernel.swap(text(0))
                kernel.swap(text(1))
        assert kernel(0) == kernel.active.number
        kernel.prune()
        assert kernel(0) == kernel.active.number


def test_an_interrupted_load_spoils_no_memory(kernel):
    """Whenever loading and unloading is interrupted, what is loaded afterwards is apart from everything else."""
    for number in range(150):
        with contextlib.suppress(KeyboardInterrupt), interruption_after(1e-5 * (number % 60)):
            for revision in kernel.revisions:
                kernel.swap(revision.source)
                kernel.prune()
    kernel.swap(text(1))
    chunks = [(chunk.start, chunk.end, list(chunk.free)) for chunk in CODE_MEMORY.chunks]
    for start, end, free in chunks:
        assert all(start <= low < high <= end for low, high in free)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(free))
    assert [kernel(0), kernel.revision(0)(0), kernel.revision(1)(0)] == [1, 0, 1]


def test_a_signal_handler_may_compile_and_call(kernel):
    """The handler's texts become revisions of their own beside those that it interrupts."""
    made = {}

    def compile_another():
        number = 1000 + len(made)
        made[number] = kernel.compile(text(number))
        assert kernel(0) in range(1000)

    with signal_every(0.004, compile_another, times=15):
        number = 2
        while len(made) < 15:
            assert kernel.swap(text(number))(0) == number
            number += 1
    for number, revision in made.items():
        assert revision(0) == number
        assert kernel.revision(revision.number).source == revision.source
    numbers = [revision.number for revision in kernel.revisions]
    assert numbers == list(range(len(numbers)))


def test_threads_that_register_at_once_get_numbers_of_their_own(kernel):
    """No revision takes another one's number."""
    texts = iter([text(n) for n in range(100, 116)])
    made = run_in_threads(4, lambda: [kernel.compile(next(texts)) for _ in range(4)])
    numbers = [revision.number for each in made for revision in each]
    assert sorted(numbers) == list(range(2, 18))


CHILD = """
    import os, pickle, signal, sys, threading
    signal.alarm(100)
    kernel = pickle.loads(sys.stdin.buffer.read())
    statuses = []

    def fork():
        child = os.fork()
        if child == 0:
            signal.alarm(50)
            os._exit(0 if kernel(41) == 42 else 1)
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    threads = [threading.Timer(0.01 * number, fork) for number in range(6)]
    for thread in threads:
        thread.start()
    assert kernel(41) == 42
    for thread in threads:
        thread.join()
    print(statuses)
"""


@pytest.mark.slow
def test_a_child_that_is_forked_while_code_is_loaded_can_call_it(kernel):
    """A kernel that came from a pickle is loaded by its first call, in the parent and in its children."""
    kernel.swap(text(1))
    command = [sys.executable, "-c", textwrap.dedent(CHILD)]
    done = subprocess.run(command, input=pickle.dumps(kernel), capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"[0, 0, 0, 0, 0, 0]\n"), done.stderr


def test_arrays_of_interrupted_calls_are_free_again(kernel):
    """A call that was interrupted on its way holds nothing of its arguments."""
    doubled = Kernel.from_c("void d(int64_t n, double x[n])\n{\n  for (int64_t i = 0; i < n; i++) x[i] *= 2;\n}\n")
    x = np.ones(10)
    count = sys.getrefcount(x)
    for number in range(100):
        with contextlib.suppress(KeyboardInterrupt), interruption_after(1e-6 * number):
            for _ in range(50):
                doubled(x)
    assert sys.getrefcount(x) == count
