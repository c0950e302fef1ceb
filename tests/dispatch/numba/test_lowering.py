"""Kernels in compiled code: every way to compile a function, kernels as values, their way back to Python, and calls."""

import types as python_types

import numba
import numpy as np
import pytest
from numba import cfunc, guvectorize, njit, prange, stencil, vectorize
from numba import float64 as f64
from numba.typed import List

import symbiont_jit as sj
from symbiont_jit import Array, Out
from tests.dispatch.numba.kinds import Fields, frozen, frozen_member, group, handle, kernel, member, member_handle
from tests.kernels import DOT

# -- one of each kind -------------------------------------------------------------------------------------------------

SUM = 7654321.0
KINDS = (kernel, handle, member, member_handle, frozen, frozen_member, group)


def by_name(x):
    called = kernel(x) + handle(x) + member(x) + member_handle(x)
    return called + frozen(x) + frozen_member(x) + group.snapshot().other(x)


def by_argument(kinds, x):
    called = kinds[0](x) + kinds[1](x) + kinds[2](x) + kinds[3](x)
    return called + kinds[4](x) + kinds[5](x) + kinds[6].snapshot().other(x)


def called_by_name(compiled):
    """What a compiled `by_name` gives from another compiled function, in a loop."""

    @njit
    def run(out):
        for i in range(out.shape[0]):
            out[i] = compiled(float(i))

    out = np.empty(4)
    run(out)
    return out


def called_by_argument(compiled):
    """The same for `by_argument`."""

    @njit
    def run(kinds, out):
        for i in range(out.shape[0]):
            out[i] = compiled(kinds, float(i))

    out = np.empty(4)
    run(KINDS, out)
    return out


OPTIONS = {
    "plain": {},
    "nogil": {"nogil": True},
    "fastmath": {"fastmath": True},
    "boundscheck": {"boundscheck": True},
    "numpy errors": {"error_model": "numpy"},
    "debug": {"debug": True},
    "inline": {"inline": "always"},
}


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_kind_is_a_global_or_an_argument(options):
    """Under every option of njit, called from Python and from another compiled function."""
    named, given = njit(**options)(by_name), njit(**options)(by_argument)
    assert named(1.0) == given(KINDS, 1.0) == SUM
    for found in (called_by_name(named), called_by_argument(given)):
        assert np.array_equal(found, SUM * np.arange(4))


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_every_kind_is_called_in_prange():
    """Threads of Numba's call through the same cells; a snapshot may be taken before the loop or in it."""

    @njit(parallel=True)
    def run(kinds, k, out):
        now = kinds[6].snapshot()
        for i in prange(out.shape[0]):
            x = float(i)
            out[i] = kinds[0](x) + kinds[1](x) + kinds[2](x) + kinds[3](x) + kinds[4](x) + kinds[5](x) + now.other(x)
            out[i] += k(x) + kernel(x) + frozen(x) + group.snapshot().member(x)

    out = np.zeros(100)
    run(KINDS, handle, out)
    assert np.array_equal(out, (SUM + 20 + 1 + 50000 + 300) * np.arange(100))


@pytest.mark.slow
def test_every_kind_reduces_in_prange():
    """A sum over calls in parallel."""

    @njit(parallel=True)
    def run(k, m, g, n):
        s = 0.0
        for i in prange(n):
            s += k(float(i)) + m(float(i)) + frozen(float(i)) + g.snapshot().other(float(i))
        return s

    assert run(kernel, member, group, 5) == (1 + 300 + 50000 + 7000000) * 10.0


def of_cfunc():
    return np.vectorize(cfunc("float64(float64)")(by_name).ctypes)


def of_vectorize(target):
    return vectorize(["float64(float64)"], target=target)(by_name)


def of_guvectorize(target):
    @guvectorize(["void(float64[:], float64[:])"], "(n)->(n)", target=target)
    def run(x, out):
        for i in range(x.shape[0]):
            out[i] = kernel(x[i]) + handle(x[i]) + member(x[i]) + member_handle(x[i])
            out[i] += frozen(x[i]) + frozen_member(x[i]) + group.snapshot().other(x[i])

    return run


def of_stencil(parallel):
    @stencil
    def neighbour(a):
        called = kernel(a[0]) + handle(a[0]) + member(a[0]) + member_handle(a[0])
        return called + frozen(a[0]) + frozen_member(a[0]) + group.snapshot().other(a[0])

    return njit(parallel=parallel)(lambda a: neighbour(a))


def of_overload():
    def added(x):
        raise NotImplementedError

    numba.extending.overload(added)(lambda x: by_name)
    return np.vectorize(njit(lambda x: added(x)))


def of_closure():
    @njit
    def run(x):
        def inner(y):
            return kernel(y) + handle(y) + member(y) + member_handle(y) + frozen(y) + frozen_member(y)

        return inner(x) + group.snapshot().other(x)

    return np.vectorize(run)


COMPILED = {
    "cfunc": of_cfunc,
    "vectorize": lambda: of_vectorize("cpu"),
    "vectorize, parallel": lambda: of_vectorize("parallel"),
    "vectorize without types": lambda: vectorize(by_name),
    "guvectorize": lambda: of_guvectorize("cpu"),
    "guvectorize, parallel": lambda: of_guvectorize("parallel"),
    "stencil": lambda: of_stencil(parallel=False),
    "stencil, parallel": lambda: of_stencil(parallel=True),
    "overload": of_overload,
    "closure": of_closure,
    "register_jitable": lambda: np.vectorize(njit(numba.extending.register_jitable(by_name))),
}


@pytest.mark.slow
@pytest.mark.parametrize("compiled", COMPILED.values(), ids=COMPILED)
def test_every_kind_is_a_global_of_other_compiled_things(compiled):
    """Not only njit compiles functions."""
    x = np.arange(4.0)
    assert np.array_equal(compiled()(x), SUM * x)


@pytest.mark.slow
def test_a_kernel_is_an_argument_of_a_stencil_and_an_overload():
    """What Numba inlines gets a kernel like any value."""

    @stencil
    def scaled(a, k):
        return k(a[0])

    def applied(k, x):
        raise NotImplementedError

    numba.extending.overload(applied)(lambda k, x: lambda k, x: k(x))

    @njit
    def run(a, k):
        return scaled(a, k).sum() + applied(k, 1.0)

    assert [run(np.ones(3), k) for k in (kernel, handle, member, frozen)] == [4, 80, 1200, 200000]


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_generators_call_every_kind():
    """Driven from Python and from compiled code."""

    @njit
    def steps(kinds, n):
        for i in range(n):
            yield kinds[0](float(i)) + kinds[2](float(i)) + kinds[4](float(i)) + handle(float(i))

    @njit
    def total(kinds, n):
        s = 0.0
        for value in steps(kinds, n):
            s += value
        return s

    assert sum(steps(KINDS, 4)) == total(KINDS, 4) == (1 + 300 + 50000 + 20) * 6


@pytest.mark.slow
def test_recursion_with_a_kernel():
    """A compiled function hands its kernel on to itself."""

    @njit
    def power(k, n):
        if n == 0:
            return 1.0
        return k(power(k, n - 1))

    assert power(handle, 3) == 8000.0


def test_a_kernel_is_a_default_argument():
    """Of a function called from Python and from compiled code, where another may be given."""

    @njit
    def scaled(x, k=handle, f=frozen):
        return k(x) + f(x)

    @njit
    def run(x):
        return scaled(x) + scaled(x, kernel)

    assert scaled(1.0) == 50020
    assert scaled(1.0, k=kernel) == 50001
    assert run(1.0) == 50020 + 50001


def test_arguments_by_star_and_keyword():
    """A call's arguments may come from a tuple; a kernel may be among `*args` and given by name."""

    @njit
    def run(x, *kernels):
        return kernels[0](*x) + kernels[1](*x)

    @njit
    def named(x, k):
        return k(x)

    assert run((1.0,), kernel, handle) == 21
    assert run((1.0,), kernel, member) == 301
    assert named(k=frozen, x=1.0) == 50000


# -- as values --------------------------------------------------------------------------------------------------------


def test_named_and_nested_tuples():
    """As arguments and as globals."""
    named, nested = Fields(handle, member, 1.0), ((kernel, handle), (frozen, group))

    @njit
    def given(named, nested):
        return named.k(named.n) + named.m(named.n) + nested[0][1](1.0) + nested[1][0](1.0)

    @njit
    def globally():
        now = nested[1][1].snapshot()
        return named.k(named.n) + named.m(named.n) + nested[0][1](1.0) + now.other(1.0)

    assert given(named, nested) == 20 + 300 + 20 + 50000
    assert globally() == 20 + 300 + 20 + 7000000


@pytest.mark.slow
def test_compiled_functions_hand_kernels_to_each_other():
    """Returned and yielded where it stays in compiled code; functions of a snapshot are kernels, a snapshot is a value."""

    @njit
    def pick(a, b, first):
        return a if first else b

    @njit
    def each(kernels):
        for k in kernels:  # noqa: UP028  Numba has no `yield from`
            yield k

    @njit
    def of(now):
        return now.member

    @njit
    def run(kernels, g):
        s = pick(kernels[0], kernels[1], False)(1.0)
        for k in each(kernels):
            s += k(1.0)
        now = g.snapshot()
        return s + of(now)(1.0) + pick(now.other, kernels[0], True)(1.0)

    assert run((kernel, handle), group) == 20 + 21 + 300 + 7000000


@pytest.mark.slow
def test_object_mode_calls_a_kernel_by_name():
    """Inside `objmode` a global kernel is the Python object; so it is in a function without compilation."""

    @njit
    def run(k):
        with numba.objmode(y="float64"):
            y = float(handle(1.0))
        return y + k(1.0)

    assert run(kernel) == 21
    assert numba.jit(forceobj=True)(lambda k, x: k(x))(handle, 1.0) == 20


@njit
def identical(a, b):
    return a is b


def test_kernels_are_compared_by_identity():
    """`is` compares cells; a handle is not its kernel."""
    assert [identical(kernel, k) for k in (kernel, handle)] == [True, False]


# -- lengths ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def product():
    """A kernel and a member that take arrays."""
    lengths = sj.Group()

    @lengths.evolvable
    def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64: ...

    @lengths.evolvable
    def fill(x: Out[f64, 3], y: Array[f64, "n"]) -> None: ...

    fill_text = "void fill(int64_t n, double x[3], const double y[n]) { for (int i = 0; i < 3; i++) x[i] = n; }"
    lengths.swap(f"{DOT} {fill_text}")
    return sj.Kernel.from_c(DOT), lengths["dot"], lengths["fill"]


@pytest.mark.slow
def test_lengths_that_disagree_are_value_errors_of_every_kind(product):
    """The message names the argument and the axis; the error can be caught in compiled code."""
    alone, dot, fill = product
    x, y = np.arange(5.0), np.arange(4.0)

    @njit
    def run(k, x, y):
        return k(x, y)

    @njit
    def caught(k, x, y):
        try:
            return k(x, y)
        except Exception:
            return -1.0

    for k in (alone, alone.active, dot, dot.active, alone.freeze(), dot.freeze()):
        assert run(k, x, x) == 30
        with pytest.raises(ValueError, match="axis 0 of argument 2 and axis 0 of argument 1 differ in length"):
            run(k, x, y)
        assert caught(k, x, y) == -1
    for k in (fill, fill.active, fill.freeze()):
        with pytest.raises(ValueError, match="axis 0 of argument 1 does not have length 3"):
            run(k, x, y)


@pytest.mark.slow
def test_lengths_are_checked_in_ufuncs_and_generators(product):
    """What can raise there raises the same error."""
    alone = product[0]

    @guvectorize(["void(float64[::1], float64[::1], float64[:])"], "(n),(m)->()")
    def each(x, y, out):
        out[0] = alone(x, y)

    @njit
    def steps(k, x, y):
        yield k(x, y)

    with pytest.raises(ValueError, match=r"argument 2 and .* differ in length"):
        each(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match=r"argument 2 and .* differ in length"):
        next(steps(alone, np.ones(3), np.ones(2)))


# -- attributes of modules --------------------------------------------------------------------------------------------


def test_a_kernel_is_an_attribute_of_a_module():
    """Named through its module, as after `import kernels`; of a group and of what is frozen too."""
    module = python_types.ModuleType("kernels")
    module.kernel, module.handle, module.member, module.frozen, module.group = kernel, handle, member, frozen, group

    @njit
    def run(x):
        called = module.kernel(x) + module.handle(x) + module.member(x) + module.frozen(x)
        return called + module.group.snapshot().other(x)

    assert run(1.0) == 1 + 20 + 300 + 50000 + 7000000


# -- back to Python ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_a_kernel_comes_back_to_python():
    """Returned alone or in a tuple, read from a field or a list, passed to object mode: it is the same object."""

    @njit
    def pick(a, b, first):
        return a if first else b

    @njit
    def pair(a):
        return a, handle, 1

    @njit
    def in_objects(k):
        with numba.objmode(y="float64"):
            y = k(1.0)
        return y + 0.0

    assert pick(kernel, handle, False) is handle
    assert pick(member, member_handle, True) is member
    assert pair(kernel) == (kernel, handle, 1)
    assert List([kernel, handle])[1] is handle
    assert njit(lambda g: g)(group) is group
    assert in_objects(handle) == 20
    assert in_objects(frozen) == 50000
