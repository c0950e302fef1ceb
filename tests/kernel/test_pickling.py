"""Kernels as bytes: for another process or a later one, also where there is no compiler, and what comes back."""

import copy
import copyreg
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numba import complex128 as c128
from numba import float64 as f64
from numba import int64 as i64

import symbiont_jit as sj
from symbiont_jit import Frozen, Group, GroupRevision, Kernel, KernelError, Revision, evolvable
from tests.kernel.declared import Pair
from tests.kernels import CUBE

SOURCE = "int64_t up(int64_t x) { return x + 1; }"


class OwnKernel(Kernel):
    """A user's subclass."""


@pytest.mark.parametrize("kind", [Kernel, Group, Revision, GroupRevision, Frozen], ids=lambda kind: kind.__name__)
def test_the_classes_leave_pickling_to_copyreg(kind):
    """They know nothing of it, so that the module that does can stand above all of them."""
    assert kind in copyreg.dispatch_table
    assert kind.__reduce__ is object.__reduce__


def test_a_subclass_comes_back_as_a_kernel():
    """What a user added is not known there; calls are."""
    again = pickle.loads(pickle.dumps(OwnKernel.from_c(SOURCE)))
    assert (type(again), again(1)) == (Kernel, 2)


def test_a_copy_is_another_kernel_with_the_same_revision():
    """`copy` asks as `pickle` does; within one deep copy a kernel stays one."""
    kernel = Kernel.from_c(SOURCE)
    shallow, deep = copy.copy(kernel), copy.deepcopy([kernel, kernel])
    assert shallow is not kernel
    assert deep[0] is deep[1] is not kernel
    kernel.swap("int64_t up(int64_t x) { return x + 2; }")
    assert (kernel(1), shallow(1), deep[0](1)) == (3, 2, 2)


@evolvable
def square(x: f64) -> f64:
    """The square of x."""
    return x * x


@evolvable(source="double of_pair(const struct Pair *p, double _Complex z) { return p->a * p->b + creal(z); }")
def of_pair(p: Pair, z: c128) -> f64: ...


def apply(kernel, *arguments):
    """What a worker of a pool does."""
    return kernel(*arguments)


@pytest.mark.slow
def test_kernels_cross_a_spawned_process():
    """Under multiprocessing's spawn, kernels, handles, members and frozen ones are arguments like any other."""
    group = sj.Group()

    @group.evolvable
    def up(x: i64) -> i64: ...

    @group.evolvable
    def down(x: i64) -> i64: ...

    group.swap("int64_t up(int64_t x) { return x + 1; } int64_t down(int64_t x) { return x - 1; }")
    cube = square.compile(CUBE)
    pair = np.array((3.0, 4.0), Pair.dtype)[()]
    calls = [
        (square, 3.0),
        (cube, 3.0),
        (of_pair, pair, 1 + 2j),
        (of_pair.freeze(), pair, 2 + 2j),
        (group["down"], 5),
        (group.revision(0)["up"], 5),
    ]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.starmap(apply, calls) == [9.0, 27.0, 13.0, 14.0, 4, 6]


@pytest.mark.slow
def test_a_pickle_is_read_by_a_fresh_process(tmp_path):
    """Without the module that declared it, a kernel of object code works, and is compiled by nobody."""
    kernel = Kernel(square.signature, source="double square(double x) { return x * x + 1; }")
    path = tmp_path / "kernel.pickle"
    path.write_bytes(pickle.dumps(kernel))
    program = textwrap.dedent(f"""
        import pickle, sys
        from numba import njit
        started = []
        sys.addaudithook(lambda event, _: started.append(event) if event == "subprocess.Popen" else None)
        kernel = pickle.load(open({str(path)!r}, "rb"))
        revision = kernel.active
        assert revision.entry_address
        assert (kernel(3.0), njit(lambda k: k(2.0))(kernel)) == (10.0, 5.0)
        assert not started
        assert (revision.number, revision.origin, kernel.signature.name) == (0, "declared source", "square")
        kernel.swap("double square(double x) {{ return -x; }}")
        assert kernel(3.0) == -3.0
    """)
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


PROGRAM_WITHOUT_CLANG = """
import pickle, sys
import numpy as np
from numba import njit
from symbiont_jit import PanicError
kernels, handle, revision = pickle.load(open(sys.argv[1], "rb"))
three = np.arange(3.0)
for kernel in (*kernels, handle):
    assert kernel(three) == 3.0 == njit(lambda k, x: k(x))(kernel, three), kernel
    try:
        raise AssertionError(kernel(np.zeros(0)))
    except PanicError as error:
        assert error.panic.kind == "index"
assert revision["low"](1.0) == 2.0 == njit(lambda k: k(1.0))(revision["low"])
try:
    kernels[0].swap("double first(int64_t n, const double *x) { return 1; }")
except Exception as error:
    assert "no usable clang" in str(error), error
else:
    raise AssertionError("a text was compiled without a compiler")
"""
FIRST = (
    "double first(int64_t n, const double x[n]) { double s = x[0]; for (int i = 0; i < n; i++) s += x[i]; return s; }"
)


@pytest.mark.slow
def test_pickles_work_where_there_is_no_compiler(tmp_path):
    """Guarded kernels are called, from Python and compiled code, and panic; only a new text needs clang."""
    kernels = [Kernel.from_c(FIRST, profile=profile) for profile in ("safe", "checked")]
    group = sj.Group()

    @group.evolvable
    def low(x: f64) -> f64: ...

    @group.evolvable
    def high(x: f64) -> f64: ...

    revision = group.swap("double low(double x) { return 2 * x; } double high(double x) { return low(x); }")
    path = tmp_path / "kernels.pickle"
    path.write_bytes(pickle.dumps((kernels, kernels[0].revision(0), revision)))
    nowhere = {**os.environ, "SYMBIONT_JIT_CLANG": "/nowhere/clang"}
    subprocess.run([sys.executable, "-c", PROGRAM_WITHOUT_CLANG, path], check=True, env=nowhere)


@pytest.mark.slow
def test_a_body_is_called_without_a_compiler_too():
    """Calls from Python then take the slow way."""
    program = """
        import numpy as np
        from numba import float64, njit
        from symbiont_jit import Array, evolvable
        exec("def total(x: Array[float64, 'n']) -> float64:\\n    return x.sum()")
        kernel = evolvable(total)
        assert [kernel(np.ones(4)) for _ in range(3)] == [4.0, 4.0, 4.0]
        assert njit(lambda k, x: k(x))(kernel, np.ones(3)) == 3.0
    """
    nowhere = {**os.environ, "SYMBIONT_JIT_CLANG": "/nowhere/clang"}
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, env=nowhere)


@pytest.mark.slow
def test_pickles_keep_numbers():
    """A revision has its number there too; what is added there comes after it."""
    kernel = Kernel.from_c("double f(double x) { return x; }")
    for i in range(1, 5):
        kernel.swap(f"double f(double x) {{ return {i} * x; }}")
    kernel.activate(3)
    again, handle, frozen = pickle.loads(pickle.dumps((kernel, kernel.revision(2), kernel.freeze(4))))
    assert [r.number for r in again.revisions] == [0, 3]
    assert (again.active.number, handle.number, frozen.revision) == (3, 2, 4)
    assert (again(1.0), handle(1.0), frozen(1.0)) == (3.0, 2.0, 4.0)
    assert again.swap("double f(double x) { return 9; }").number == 4
    with pytest.raises(KernelError, match="no revision 1; there is 0 and 3 and 4"):
        again.revision(1)


@pytest.mark.slow
def test_a_python_body_is_pickled_with_what_it_refers_to():
    """A body that only exists here goes by value; the active C revision is the next after it."""
    factor = 5.0

    @evolvable
    def scaled(x: f64) -> f64:
        return factor * x

    assert pickle.loads(pickle.dumps(scaled))(2.0) == 10.0
    scaled.swap("double scaled(double x) { return 7 * x; }")
    again = pickle.loads(pickle.dumps(scaled))
    assert (again(2.0), again.revision(0)(2.0), again.active.number) == (14.0, 10.0, 1)


def test_a_body_that_cannot_be_pickled_is_named():
    """Where the active revision cannot travel, the error says whose body it is."""
    lock = multiprocessing.get_context("fork").Lock()

    @evolvable
    def held(x: f64) -> f64:
        return x if lock else 0.0

    with pytest.raises(pickle.PicklingError, match="'held' cannot be pickled"):
        pickle.dumps(held)
    held.swap("double held(double x) { return x; }")
    assert pickle.loads(pickle.dumps(held))(2.0) == 2.0


def test_a_kernel_without_a_body_is_pickled_as_that():
    """A declaration alone travels too."""

    @evolvable
    def later(x: f64) -> f64: ...

    again = pickle.loads(pickle.dumps(later))
    assert (again.active, again.signature) == (None, later.signature)
