"""A program that closes all that is open, as a daemon does, and opens files of its own, which get the same numbers."""

import os

import numpy as np
import pytest
from numba import float64 as f64

from symbiont_jit import Array, Evolution, evolvable
from symbiont_jit.backend import child_process
from symbiont_jit.backend.clang import Compiler, clang
from symbiont_jit.backend.codegen import CodeGenerator
from symbiont_jit.isolate.pipe import ParentsEnd
from tests.isolate.served import run_python

TEXT = (
    "double f(int64_t n, const double x[n]) {{ double s = {}; for (int64_t i = 0; i < n; i++) s += x[i]; return s; }}"
)

DAEMON = """
import os, sys, tempfile
import numpy as np
from tests.scenarios.test_daemons import TEXT, make_kernel
from symbiont_jit import Evolution
kernel = make_kernel()
search = Evolution(kernel, metric=lambda k: k(np.ones(2)), workers=2, deadline=20)
texts = [TEXT.format(number) for number in range(6)]
assert [search.evaluate(text).score for text in texts[:2]] == [2.0, 3.0]
count = len(os.listdir("/proc/self/fd"))
if sys.argv[1] == "forks" and os.fork():
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.closerange(3, 4096)
folder = tempfile.mkdtemp()
paths = [f"{folder}/{number}" for number in range(count + 20)]
files = [os.open(path, os.O_RDWR | os.O_CREAT) for path in paths]
for file in files:
    os.pwrite(file, b"the user's", 0)
kernel.swap(texts[2])
assert kernel(np.ones(2)) == 4.0
assert [found.score for found in search.evaluate_many(texts[3:])] == [5.0, 6.0, 7.0]
search.close()
for path, file in zip(paths, files, strict=True):
    assert os.path.samestat(os.fstat(file), os.stat(path)) and os.lseek(file, 0, os.SEEK_CUR) == 0
    assert os.pread(file, 100, 0) == b"the user's"
print("nothing harmed", flush=True)
"""


def make_kernel():
    """A kernel that begins as C."""

    @evolvable(source=TEXT.format(100))
    def f(x: Array[f64, "n"]) -> f64: ...

    return f


@pytest.mark.slow
@pytest.mark.parametrize("way", ["forks", "stays"])
def test_a_daemon_keeps_its_files_and_goes_on(way):
    """Compilers and workers whose pipes are gone are replaced, and no file that got a pipe's number is touched."""
    program = run_python(DAEMON, way)
    assert program.communicate(timeout=300) == ("nothing harmed\n", "")


@pytest.fixture
def closing_once(monkeypatch):
    """Make a method close a descriptor before it is called for the first time, as another thread may do meanwhile."""
    closed = []

    def patch(owner, name, choose):
        method = getattr(owner, name)

        def close_first(self, *arguments, **named):
            if not closed:
                closed.append(choose(self))
                os.close(closed[0])
            return method(self, *arguments, **named)

        monkeypatch.setattr(owner, name, close_first)
        return closed

    return patch


def test_a_compiler_whose_pipe_is_closed_at_work_is_replaced(closing_once):
    """The unit is compiled by another one."""
    kernel = make_kernel()
    kernel.compile(TEXT.format(3))
    closed = closing_once(Compiler, "lower", lambda compiler: compiler.child.inputs[compiler.used].number)
    kernel.swap(TEXT.format(4))
    assert closed
    assert kernel(np.ones(2)) == 6.0


def test_a_code_generator_whose_pipe_is_closed_at_work_is_replaced(closing_once):
    """The unit becomes code in another one, and none of that is counted as a failure to start."""
    kernel = make_kernel()
    closed = closing_once(CodeGenerator, "generate", lambda generator: generator.child.pipes[1].number)
    kernel.swap(TEXT.format(5))
    assert closed
    assert kernel(np.ones(2)) == 7.0


def test_a_preprocessor_whose_pipe_is_closed_at_work_is_replaced(closing_once):
    """A text with macros is expanded by another one."""
    kernel = make_kernel()
    closed = closing_once(child_process.Child, "read_all", lambda child: child.pipes[1].number)
    kernel.swap("#define SEVEN 7\n" + TEXT.format("SEVEN"))
    assert closed
    assert kernel(np.ones(2)) == 9.0


def test_no_compiler_with_a_lost_pipe_waits_for_a_unit():
    """A process that waits is asked no more once somebody has closed a pipe of its."""
    kernel = make_kernel()
    kernel.compile(TEXT.format(8))
    lost = clang().waiting
    for child in lost:
        os.close(child.pipes[1].number)
    kernel.swap(TEXT.format(9))
    assert kernel(np.ones(2)) == 11.0
    assert any(child.returncode is not None for child in lost)
    assert any(child.is_usable for child in clang().waiting)


@pytest.mark.parametrize("name", ["send", "receive"])
def test_a_worker_whose_pipe_is_closed_at_work_is_replaced(closing_once, name):
    """The candidate is evaluated by another one: that this program closes a descriptor is no fault of its."""
    with Evolution(make_kernel(), metric=lambda k: k(np.ones(2)), deadline=20) as search:
        assert search.evaluate(TEXT.format(10)).score == 12.0
        closed = closing_once(ParentsEnd, name, lambda end: end._own.number)
        assert search.evaluate(TEXT.format(11)).score == 13.0
    assert closed
