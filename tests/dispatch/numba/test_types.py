"""Types of kernels in compiled code: which values are of one type, and what the typing errors say."""

import functools
import pickle
import re

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64, njit, prange, typeof
from numba.core.errors import TypingError
from numba.experimental import jitclass
from numba.typed import Dict, List

from symbiont_jit import Array, Out, evolvable
from tests.dispatch.numba.kinds import frozen, frozen_member, group, handle, kernel, member, member_handle
from tests.signature.values import good, read_only, require_good, same, scale, scale_loop

# -- as values --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_tuples_of_one_type_are_looped_over_and_indexed():
    """Kernels of different names, members and handles of both are one type each; inside prange too."""

    @evolvable(source="double unlike(double y) { return 30 * y; }")
    def unlike(y: f64) -> f64: ...

    named = (kernel, unlike)

    @njit(parallel=True)
    def run(kernels, members, out):
        for i in prange(out.shape[0]):
            for k in kernels:
                out[i] += k(1.0)
            out[i] += members[i % 2](1.0) + named[i % 2](1.0)

    out = np.zeros(4)
    run((kernel, handle, unlike), (member, member_handle), out)
    assert out.tolist() == [51 + 300 + 1, 51 + 4000 + 30] * 2


def test_a_kernel_is_chosen_by_a_condition():
    """Between arguments, globals, and one of each; reassigned and exchanged in a loop."""

    @njit
    def choose(a, b, first):
        k = a if first else b
        m = kernel if first else handle
        p = a if first else handle
        return k(1.0) + 100 * m(1.0) + 10000 * p(1.0)

    @njit
    def exchange(a, b, n):
        s, k = 0.0, a
        for i in range(n):
            s = 100 * s + a(1.0)
            a, b = b, a
            s += k(0.0)
            k = b if i % 2 else a
        return s

    assert (choose(kernel, handle, True), choose(kernel, handle, False)) == (10101, 202020)
    assert exchange(kernel, handle, 4) == 1200120


def test_a_function_without_a_kernel_may_be_given_none():
    """`k=None` is told from a kernel when the function is compiled."""

    @njit
    def run(x, k=None):
        if k is None:
            return x
        return k(x)

    assert [run(1.0), run(1.0, handle), run(1.0, frozen), run(1.0, None)] == [1, 20, 50000, 1]


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_a_kernel_in_a_jitclass():
    """A field is given its type by `numba.typeof`; a method takes a kernel as an argument or by name."""

    @jitclass([("k", typeof(kernel)), ("f", typeof(frozen)), ("g", typeof(group))])
    class Model:
        def __init__(self, k, f, g):
            self.k = k
            self.f = f
            self.g = g

        def call(self, m, x):
            return self.k(x) + self.f(x) + self.g.snapshot().other(x) + m(x) + member_handle(x)

    @njit(parallel=True)
    def run(model, out):
        for i in prange(out.shape[0]):
            out[i] = model.k(float(i))

    model, out = Model(handle, frozen, group), np.zeros(3)
    assert model.call(member, 1.0) == 7054320
    run(model, out)
    assert out.tolist() == [0, 20, 40]
    model.k = kernel
    assert model.call(member, 1.0) == 7054301


@pytest.mark.slow
def test_kernels_in_typed_lists_and_dictionaries():
    """Filled from Python or in compiled code; handles of one kernel and other kernels are one type."""
    by_number = Dict.empty(int64, typeof(kernel))
    by_number[0], by_number[5] = kernel, handle

    @njit
    def run(kernels, by_number, k):
        inside = [k, kernel]
        inside.append(by_number[5])
        s = by_number[0](1.0)
        for each in kernels:
            s += each(1.0)
        for each in inside:
            s += each(1.0)
        return s

    assert run(List([kernel, handle, handle]), by_number, handle) == 1 + 41 + 41


# -- types ------------------------------------------------------------------------------------------------------------


def test_an_explicit_signature_takes_the_types_of_kernels():
    """One compilation serves kernels of other names, handles and Python bodies; members are a type of their own."""

    @evolvable
    def unlike(y: f64) -> f64:
        return y + 0.5

    @njit([f64(typeof(kernel), f64), f64(typeof(member), f64)])
    def run(k, x):
        return k(x)

    assert [run(k, 1.0) for k in (kernel, handle, unlike, unlike.active, member, member_handle)] == [
        *(1, 20, 1.5, 1.5, 300, 4000)
    ]
    assert len(run.signatures) == 2
    with pytest.raises(TypeError, match=r"No matching definition for argument type\(s\) Frozen\["):
        run(frozen, 1.0)


def test_the_type_of_a_kernel_stays_through_swaps_and_pickles():
    """It depends on the declared types alone; that of a frozen revision on the text too."""
    again = pickle.loads(pickle.dumps(kernel))
    assert typeof(again) is typeof(kernel) is typeof(handle) is typeof(again.active)
    assert pickle.loads(pickle.dumps(typeof(kernel))) is typeof(kernel)
    assert typeof(pickle.loads(pickle.dumps(frozen))) == typeof(frozen) != typeof(kernel.freeze(0))
    assert pickle.loads(pickle.dumps(typeof(frozen))) is typeof(frozen)


def conditional_members(a, b, first):
    k = a if first else b
    return k(1.0)


@njit
def attribute(k):
    return k.signature


@njit
def keywords(k):
    return k(x=1.0)


@njit
def maybe_none(k, first):
    chosen = None
    if first:
        chosen = k
    return chosen(1.0)


@njit
def no_such_function(g):
    return g.snapshot().nothing(1.0)


@njit
def without_snapshot(g):
    return g.other(1.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: njit(conditional_members)(kernel, member, True),
            "Cannot unify Kernel[(float64) -> float64] and Member[",
        ),
        (lambda: njit(conditional_members)(frozen, kernel, True), "Cannot unify Frozen["),
        (lambda: attribute(kernel), "Unknown attribute 'signature' of type Kernel[(float64) -> float64]"),
        (lambda: keywords(kernel), "pass arguments by position; wanted kernel(arg1: float64) -> float64"),
        (lambda: keywords(frozen), "pass arguments by position; wanted kernel(arg1: float64) -> float64"),
        (lambda: maybe_none(kernel, True), "No type info available for OptionalType(Kernel["),
        (lambda: no_such_function(group), "Unknown attribute 'nothing' of type Snapshot[member: Kernel["),
        (lambda: without_snapshot(group), "Unknown attribute 'other' of type Group[member: Kernel["),
    ],
)
def test_what_numba_cannot_compile_is_a_typing_error(call, said):
    """The message has the type, and with it the declared types."""
    with pytest.raises(TypingError, match=re.escape(said)):
        call()


WRONG = {
    "a text": ("text", "argument 'arg1' is unicode_type, not float64"),
    "an array": (np.ones(3), "argument 'arg1' is array(float64, 1d, C), not float64"),
    "a complex number": (1j, "argument 'arg1' is complex128, not float64"),
    "nothing": (None, "argument 'arg1' is none, not float64"),
}


@pytest.mark.parametrize("k", [handle, member, member_handle, frozen, frozen_member], ids=str)
@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=WRONG)
def test_every_kind_refuses_other_types(k, given, said):
    """The typing error names the argument and shows the wanted signature, in Python and in C."""
    with pytest.raises(TypingError) as caught:
        njit(lambda k, x: k(x))(k, given)
    assert f"{said}; wanted kernel(arg1: float64) -> float64, in C: double kernel(double arg1)" in str(caught.value)


BAD_TYPES = [
    ("x", lambda a: a.astype(np.float32), "is an array of float32, not float64"),
    ("x", lambda a: a[0], "has 1 dimensions, not 2"),
    ("x", np.asfortranarray, "is not known to be C-contiguous (layout 'F'); pass np.ascontiguousarray(...)"),
    ("y", lambda a: np.zeros(4)[::2], "is not known to be C-contiguous (layout 'A'); pass np.ascontiguousarray(...)"),
    ("y", lambda a: 1.0, "is float64, not an array of float64"),
    ("out", read_only, "is read-only, but the kernel writes it"),
    ("count", read_only, "is read-only, but the kernel writes it"),
    ("count", lambda a: a[None], "has 2 dimensions; one value by reference is a 0-d or one-element array"),
    ("factor", lambda a: 2j, "is complex128, not float64"),
]


@pytest.mark.parametrize(
    ("name", "change", "said"), BAD_TYPES, ids=[f"{i}-{row[0]}" for i, row in enumerate(BAD_TYPES)]
)
def test_a_type_that_does_not_fit_is_a_typing_error(name, change, said):
    """The message has the argument's place, what is wrong and the wanted signature; the next call works."""
    arguments = good()
    place = list(arguments).index(name) + 1
    arguments[name] = change(arguments[name])
    with pytest.raises(TypingError) as caught:
        scale_loop(scale, *arguments.values())
    assert f"argument 'arg{place}' {said}; wanted kernel(arg1: float64, " in str(caught.value)
    require_good(functools.partial(scale_loop, scale))


def test_the_number_of_arguments_is_checked_by_numba():
    """Too few, too many or named arguments are typing errors."""

    @njit
    def few(kernel, x):
        return kernel(1.0, x)

    @njit
    def many(kernel, x):
        return kernel(1.0, x, x, x, x, x)

    @njit
    def named(kernel, x):
        return kernel(1.0, x, x, x, count=x)

    for function, said in [(few, "2 arguments given, 5 wanted"), (many, "6 arguments given"), (named, "by position")]:
        with pytest.raises(TypingError, match=said):
            function(scale, np.zeros(1))


def test_lengths_are_checked_by_compiled_code():
    """Lengths that disagree are a `ValueError` before anything is written; read-only arrays are read."""
    call = functools.partial(scale_loop, scale)
    for name, array in [("y", np.zeros(3)), ("out", np.zeros((2, 2))), ("count", np.zeros(2, np.int64))]:
        arguments = good() | {name: array}
        with pytest.raises(ValueError, match=r"argument \d (and .* differ in|does not have) length"):
            call(*arguments.values())
        assert not np.any(arguments["out"])
        require_good(call)
    require_good(call, good() | {"x": read_only(good()["x"])})


@pytest.mark.slow
def test_numba_converts_numbers_as_for_its_own_signatures():
    """Integers become floats and narrower or wider integers; a float never becomes an integer."""

    @njit
    def loop(kernel, x):
        return kernel(x)

    assert [loop(same("int8"), v) for v in (-3, 300, True)] == [-3, 44, 1]
    assert [loop(same("float32"), v) for v in (3, True, 0.1)] == [3.0, 1.0, float(np.float32(0.1))]
    assert [loop(same("complex64"), v) for v in (3, 0.5, 1 + 2j)] == [3, 0.5, 1 + 2j]
    assert [loop(same("boolean"), v) for v in (True, False)] == [True, False]
    for name, value in [("int64", 1.0), ("boolean", 1), ("boolean", 1.0), ("float64", 1j), ("uint8", 1j)]:
        with pytest.raises(TypingError, match=f"argument 'arg1' is .*, not {name}"):
            loop(same(name), value)


@pytest.mark.slow
def test_one_compilation_serves_every_kernel_of_a_signature(dot, vectors):
    """A loop is compiled once, whatever kernel or handle it is given, and sees swaps."""

    @evolvable(source="double norm(int64_t k, const double *u, const double *v) { return 2.0; }")
    def norm(u: Array[f64, "k"], v: Array[f64, "k"]) -> f64: ...

    @njit(nogil=True)
    def loop(kernel, x, y):
        return kernel(x, y)

    assert loop(dot, *vectors) == pytest.approx(np.dot(*vectors))
    dot.swap("double dot(int64_t n, const double *x, const double *y) { return 1.0; }")
    assert [loop(k, *vectors) for k in (dot, norm, dot.revision(1))] == [1.0, 2.0, 1.0]
    assert len(loop.signatures) == 1


def test_two_kernels_and_two_signatures_side_by_side(dot, vectors):
    """One compiled function calls kernels of different signatures."""

    @evolvable(source="int64_t inc(int64_t x) { return x + 1; }")
    def inc(x: int) -> int: ...

    @njit
    def both(first, second, x, y):
        return first(x, y) + second(41)

    dot.swap("double dot(int64_t n, const double *x, const double *y) { return 0.5; }")
    assert both(dot, inc, *vectors) == 42.5


def test_a_read_only_array_for_out_is_a_typing_error(matmul):
    """Numba knows read-only arrays by their type."""

    @njit
    def use(kernel, a, b, c):
        kernel(a, b, c)

    a = np.eye(3)
    c = np.zeros((3, 3))
    c.flags.writeable = False
    with pytest.raises(TypingError, match="read-only, but the kernel writes it"):
        use(matmul, a, a, c)


def test_the_numba_type_depends_on_types_alone(dot, matmul):
    """Names do not matter, dimension patterns do."""

    @evolvable
    def square(a: Array[f64, "n", "n"], b: Array[f64, "n", "n"], c: Out[f64, "n", "n"]) -> None: ...

    @evolvable
    def gemm(x: Array[f64, "u", "v"], y: Array[f64, "v", "w"], z: Out[f64, "u", "w"]) -> None: ...

    assert typeof(gemm) == typeof(matmul) != typeof(square)
