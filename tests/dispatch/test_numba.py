"""Where Numba can have a kernel: every way to compile a function, every place to keep a value, its cache on disk.

Each kind of callable has a digit of its own: called with 1 they add up to 7654321, and a wrong digit says which it is.
"""

import collections
import gc
import json
import os
import pickle
import re
import subprocess
import sys
import threading
import types as python_types
import weakref

import numba
import numpy as np
import pytest
from numba import (
    boolean,
    cfunc,
    complex64,
    complex128,
    guvectorize,
    int8,
    int16,
    int32,
    int64,
    njit,
    prange,
    stencil,
    typeof,
    uint8,
    uint16,
    vectorize,
)
from numba import float64 as f64
from numba import int64 as i64
from numba.core.errors import TypingError
from numba.experimental import jitclass
from numba.typed import Dict, List

import symbiont_jit as sj
from symbiont_jit import Array, InOut, Kernel, KernelError, Out, PanicError, SignatureError, UsageError, evolvable
from symbiont_jit.engine.target import target_of
from tests.kernels import DOT

# -- one of each kind -------------------------------------------------------------------------------------------------


@evolvable(source="double kernel(double x) { return 1 * x; }")
def kernel(x: f64) -> f64: ...


group = sj.Group()


@group.evolvable
def member(x: f64) -> f64: ...


@group.evolvable
def other(x: f64) -> f64: ...


def both(first: int, second: int) -> str:
    """A text for the group."""
    return f"double member(double x) {{ return {first} * x; }} double other(double x) {{ return {second} * x; }}"


handle = kernel.compile("double kernel(double x) { return 20 * x; }")
frozen = kernel.freeze(kernel.compile("double kernel(double x) { return 50000 * x; }"))
member_handle = group.compile(both(4000, 0))["member"]
frozen_member = member.freeze(group.compile(both(600000, 0))["member"])
group.swap(both(300, 7000000))

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


Fields = collections.namedtuple("Fields", "k m n")


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


def test_a_body_that_does_not_compile_is_told_at_the_call():
    """Where revision 0 is more than Numba can compile, its first use from compiled code says so."""

    @evolvable
    def impossible(x: f64) -> f64:
        return {}["no"] + x

    for run in (njit(lambda k: k(1.0)), njit(lambda k: impossible(1.0))):
        with pytest.raises(sj.KernelError, match="Numba cannot compile the Python body of 'impossible'"):
            run(impossible)


# -- frozen -----------------------------------------------------------------------------------------------------------


def calls_in(function):
    """The call instructions in a function's optimised LLVM IR, besides LLVM's own and reference counting."""
    (signature,) = function.signatures
    name = re.escape(function.overloads[signature].fndesc.mangled_name)
    body = re.search(rf'^define [^\n]*@"?{name}"?\(.*?^}}', function.inspect_llvm(signature), re.DOTALL | re.MULTILINE)
    lines = body[0].splitlines()
    return [line for line in lines if re.search(r"\bcall\b", line) and not re.search(r"@(NRT_|llvm\.)", line)]


@pytest.mark.slow
def test_a_frozen_body_is_inlined():
    """Nothing is called, neither for two revisions nor for functions of a group that call each other and read tables."""
    tables = sj.Group()

    @tables.evolvable
    def look(i: int64) -> f64: ...

    @tables.evolvable
    def twice(i: int64) -> f64: ...

    text = (
        "static const double T[4] = {1.5, 2.5, 3.5, 4.5}; static double at(int64_t i) { return T[i & 3]; }"
        "double look(int64_t i) { return at(i); } double twice(int64_t i) { return look(i) + 2 * at(i + 1); }"
    )
    tables.swap(text)
    first, second = look.freeze(), twice.freeze()
    tables.swap(text.replace("1.5, 2.5, 3.5", "10, 20, 30"))
    third = twice.freeze()

    @njit
    def run(i, x):
        return first(i), second(i), third(i), frozen(x), frozen_member(x)

    @njit
    def through(cell, x):
        return cell(x)

    assert run(1, 1.0) == (2.5, 2.5 + 7, 20 + 60, 50000, 600000)
    assert calls_in(run) == []
    assert through(kernel, 1.0) == 1
    assert len(calls_in(through)) == 1


@pytest.mark.slow
def test_a_frozen_revision_is_equal_to_its_handle_and_to_njit():
    """The same numbers to the last bit, of a sum in order, also where the caller is compiled with fastmath."""
    dot = sj.Kernel.from_c(DOT)
    x, y = np.random.default_rng(0).normal(size=(2, 1001))

    def by_hand(x, y):
        s = 0.0
        for i in range(x.shape[0]):
            s += x[i] * y[i]
        return s

    for options in ({}, {"fastmath": True}):
        run = njit(**options)(lambda k, x, y: k(x, y))
        assert run(dot.freeze(), x, y) == run(dot.active, x, y) == dot(x, y) == njit(by_hand)(x, y)


@pytest.mark.slow
def test_a_frozen_revision_stays_what_it_is():
    """Through swaps, `prune`, and the end of the kernel: compiled callers go on, and new ones can be compiled."""

    def made():
        scaled = sj.Kernel.from_c("double scaled(double x) { return 3 * x; }")
        first = scaled.freeze()
        scaled.swap("double scaled(double x) { return 4 * x; }")
        scaled.prune(idle=True)
        return first, scaled.freeze()

    first, second = made()

    @njit
    def run(a, b, x):
        return a(x) + 10 * b(x)

    @njit
    def by_name(x):
        return first(x) + 10 * second(x)

    assert (run(first, second, 1.0), run(second, first, 1.0), by_name(1.0)) == (43, 34, 43)
    assert (first(1.0), first.revision, second.revision) == (3, 0, 1)
    del first, second
    assert by_name(2.0) == 86


@pytest.mark.slow
def test_a_frozen_body_calls_the_library():
    """Names of the C library are found by Numba's linker: libm, what clang makes of it, and memcpy."""
    text = (
        "double q(int64_t n, const double x[n]) { double t[9]; memcpy(t, x, sizeof t); "
        "return sin(t[0]) + cos(t[0]) + pow(t[1], t[2]) + exp2(t[3]) + tgamma(t[4]) + fmod(t[5], t[6]) + cbrt(t[7]); }"
    )
    q = sj.Kernel.from_c(text)
    run, x = njit(lambda k, x: k(x)), np.arange(9.0) + 1.5
    assert run(q.freeze(), x) == run(q, x) == q(x)


@sj.record
class Point:
    """A record to freeze with."""

    x: f64
    n: int32


@pytest.mark.slow
def test_a_frozen_revision_has_no_checks_and_its_handle_has():
    """What Numba inlines is the release form; from Python a frozen revision is called with its profile's checks."""
    kernel = Kernel.from_c("double k(int64_t n, const double x[n], int64_t i) { return x[i]; }", profile="safe")
    frozen, x = kernel.freeze(), np.arange(8.0)
    with pytest.raises(PanicError, match="index 5"):
        frozen(x[:4], 5)
    compiled = njit(lambda f, x, i: f(x[:4], i))
    assert (compiled(frozen, x, 5), kernel.take_panic()) == (5.0, None)
    assert (compiled(kernel.revision(0), x, 5), kernel.take_panic().kind) == (0.0, "index")


def test_what_allocates_cannot_be_frozen():
    """An arena belongs to a call, and what is inlined has none."""
    kernel = Kernel.from_c("double k(int64_t n) { double *t = calloc(n, 8); return t[0]; }")
    with pytest.raises(UsageError, match=r"allocates memory.*call the handle"):
        kernel.freeze()


@pytest.mark.slow
def test_frozen_complex_numbers_and_records():
    """They go by pointer, as through a cell."""
    z = sj.Kernel.from_c("double _Complex z(double _Complex a, float _Complex b) { return a * b; }")

    @evolvable(
        source="double move(int64_t n, const struct Point p[n], struct Point *to) { *to = p[n - 1]; return p[0].x; }"
    )
    def move(p: Array[Point, "n"], to: InOut[Point]) -> f64: ...

    points, to = np.zeros(2, Point.dtype), np.zeros(1, Point.dtype)
    points[:] = [(1.5, 2), (2.5, 3)]
    run = njit(lambda k, a, b: k(a, b))
    for k in (z, z.freeze()):
        assert run(k, 1 + 2j, np.complex64(3 - 1j)) == (1 + 2j) * (3 - 1j)
    for k in (move, move.freeze()):
        to[0] = (0, 0)
        assert (run(k, points, to), to[0].item()) == (1.5, (2.5, 3))


@pytest.mark.slow
def test_a_frozen_function_of_nothing_and_one_that_returns_nothing():
    """No arguments, no result."""
    seven = sj.Kernel.from_c("int8_t seven(void) { return 7; }")
    twice = sj.Kernel.from_c("void twice(int64_t n, double x[n]) { for (int64_t i = 0; i < n; i++) x[i] *= 2; }")
    x = np.arange(3.0)

    @njit
    def run(f, g, x):
        g(x)
        return f()

    assert (run(seven.freeze(), twice.freeze(), x), x.tolist()) == (7, [0, 2, 4])


@pytest.mark.slow
def test_frozen_revisions_of_one_text_are_one_type():
    """Frozen twice, or pickled: a caller is compiled once; another revision is another type."""
    run = njit(lambda k, x: k(x))
    for k in (frozen, kernel.freeze(frozen.revision), pickle.loads(pickle.dumps(frozen))):
        assert run(k, 1.0) == 50000
    assert len(run.signatures) == 1
    assert run(pickle.loads(pickle.dumps(frozen_member)), 1.0) == 600000
    assert len(run.signatures) == 2


@pytest.mark.slow
def test_freezing_and_compiling_in_threads():
    """Each thread freezes revisions and compiles callers; all get their own."""
    f = sj.Kernel.from_c("double f(double x) { return 0; }")
    texts = [f"double f(double x) {{ return {k} * x; }}" for k in range(6)]
    found, same = [None] * len(texts), f.freeze()

    def work(i):
        own = f.freeze(f.compile(texts[i]))
        found[i] = njit(lambda a, b, x: a(x) + b(x))(own, same, 1.0)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == list(range(len(texts)))


def test_what_cannot_be_frozen():
    """Another kernel's revision, and a kernel without any."""

    @evolvable
    def empty(x: f64) -> f64: ...

    with pytest.raises(UsageError, match="'empty' has no revision to freeze"):
        empty.freeze()
    with pytest.raises(UsageError, match="is not a revision of 'empty'"):
        empty.freeze(handle)


# -- Numba's cache on disk --------------------------------------------------------------------------------------------


PROGRAM = """
import json, sys, warnings
import numpy as np
from numba import njit, prange, float64 as f64, int32
import symbiont_jit as sj
from symbiont_jit import evolvable

scale = int(sys.argv[1])
warnings.simplefilter("always")
kernel = sj.Kernel.from_c(f"double kernel(double x) {{ return {scale} * x; }}")
unlike = sj.Kernel.from_c(f"double unlike(double y) {{ return {scale} * y; }}")
group = sj.Group()
@group.evolvable
def member(x: f64) -> f64: ...
@group.evolvable
def other(x: f64) -> f64: ...
group.swap(f"double member(double x) {{ return {scale} * x; }} double other(double x) {{ return {scale} * x; }}")
z = sj.Kernel.from_c(f"double _Complex z(double _Complex a) {{ return {scale} * a; }}")
@sj.record
class Point:
    x: f64
    n: int32
@evolvable(source=f"double move(const struct Point *p) {{ return {scale} * p->x + p->n; }}")
def move(p: Point) -> f64: ...
point = np.array([(1.0, 0)], Point.dtype)
chosen = kernel if scale == 2 else unlike.active

@njit(cache=True)
def of_kernel(k, x): return k(x)
@njit(cache=True)
def of_member(k, x): return k(x)
@njit(cache=True)
def of_group(g, x): return g.snapshot().other(x)
@njit(cache=True)
def of_tuple(ks, x): return ks[0](x) + ks[1](x)
@njit(cache=True, parallel=True)
def of_prange(k, x):
    s = 0.0
    for _ in prange(2): s += k(x)
    return s
@njit(cache=True)
def of_steps(k, x):
    for _ in range(2): yield k(x)
@njit(cache=True)
def of_another(k, x): return of_kernel(k, x)
@njit(cache=True)
def of_complex(k, x): return k(x).real
@njit(cache=True)
def of_record(k, p): return k(p[0])
@njit(cache=True)
def of_frozen(k, x): return k(x)
@njit(cache=True)
def of_frozen_member(k, x): return k(x)
@njit(cache=True)
def of_frozen_complex(k, x): return k(x).real
@njit(cache=True)
def of_frozen_record(k, p): return k(p[0])

pinned, tuple_of_two = kernel.active, (kernel, unlike)
@njit(cache=True)
def named(x): return kernel(x)
@njit(cache=True)
def named_handle(x): return pinned(x)
@njit(cache=True)
def named_member(x): return member(x)
@njit(cache=True)
def named_group(x): return group.snapshot().other(x)
@njit(cache=True)
def named_in_tuple(x): return tuple_of_two[1](x)
@njit(cache=True)
def named_in_another(x): return named(x)
@njit(cache=True)
def named_by_default(x, k=kernel): return k(x)

@evolvable
def python(x: f64) -> f64:
    return x + 1.0
python.compile("double python(double x) { return 3 * x; }")
first, second, third = kernel.freeze(), other.freeze(), python.freeze(scale - 2)
two = first, first
@njit(cache=True)
def named_frozen(x): return first(x)
@njit(cache=True)
def named_frozen_member(x): return second(x)
@njit(cache=True)
def named_frozen_in_tuple(x): return two[0](x)
@njit(cache=True)
def named_frozen_in_another(x): return named_frozen(x)
@njit(cache=True, parallel=True)
def named_frozen_in_prange(x):
    s = 0.0
    for _ in prange(2): s += first(0.5 * x)
    return s
@njit(cache=True)
def named_frozen_python(x): return third(x)
@njit(cache=True)
def given_to_another(x): return of_frozen(first, x)

GIVEN = [
    (of_kernel, chosen, 1.0), (of_member, member if scale == 2 else member.active, 1.0), (of_group, group, 1.0),
    (of_tuple, (kernel, chosen), 0.5), (of_prange, chosen, 0.5), (of_steps, chosen, 0.5), (of_another, chosen, 1.0),
    (of_complex, z, 1 + 0j), (of_record, move, point),
]
FROZEN = [
    (of_frozen, chosen.freeze() if scale == 2 else kernel.freeze(), 1.0), (of_frozen_member, other.freeze(), 1.0),
    (of_frozen_complex, z.freeze(), 1 + 0j), (of_frozen_record, move.freeze(), point),
]
NAMED = [named, named_handle, named_member, named_group, named_in_tuple, named_in_another, named_by_default, named_frozen, named_frozen_member,
    named_frozen_in_tuple, named_frozen_in_another, named_frozen_in_prange, named_frozen_python, given_to_another]
results = {}
for function, *arguments in [*GIVEN, *FROZEN, *((f, 1.0) for f in NAMED)]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = function(*arguments)
        value = value if isinstance(value, float) else sum(value)
    refused = any("dynamic globals" in str(w.message) for w in caught)
    results[function.__name__] = value, sum(function.stats.cache_hits.values()), refused
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """What a program with `cache=True` finds in three processes: two with the same revisions, one with others."""
    folder = tmp_path_factory.mktemp("cache")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "numba")}
    results = []
    for scale in (2, 2, 3):
        command = [sys.executable, str(program), str(scale)]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert ran.returncode == 0, ran.stderr
        results.append(json.loads(ran.stdout))
    return results


GIVEN = "kernel member group tuple prange steps another complex record".split()
GIVEN_FROZEN = ["frozen", "frozen_member", "frozen_complex", "frozen_record"]
NAMED = [
    "named",
    "given_to_another",
    *(
        f"named_{what}"
        for what in "handle member group in_tuple in_another by_default frozen frozen_member frozen_in_tuple frozen_in_another frozen_in_prange frozen_python".split()
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", GIVEN)
def test_a_cached_loop_serves_other_kernels_in_another_process(cached, name):
    """With a kernel as an argument, what Numba keeps on disk is good for every kernel of the types."""
    assert [run[f"of_{name}"] for run in cached] == [[2, 0, False], [2, 1, False], [3, 1, False]]


@pytest.mark.slow
@pytest.mark.parametrize("name", GIVEN_FROZEN)
def test_a_cached_loop_with_a_frozen_argument_is_found_for_that_text_alone(cached, name):
    """Another process with the same text has a hit, one with another text compiles anew and is right."""
    assert [run[f"of_{name}"] for run in cached] == [[2, 0, False], [2, 1, False], [3, 0, False]]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_what_names_a_kernel_is_never_cached(cached, name):
    """Numba warns, keeps nothing, and no process is given another one's kernel."""
    assert [run[name] for run in cached] == [[2, 0, True], [2, 0, True], [3, 0, True]]


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


# -- frozen Python bodies and narrow integers --------------------------------------------------------------------------


@pytest.mark.slow
def test_a_frozen_python_body_is_inlined_and_checked():
    """As a global and as an argument: the body's own numbers, lengths and types as for C, its exceptions raised."""

    @evolvable
    def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
        if x.shape[0] == 0:
            raise ValueError("nothing to sum")
        s = 0.0
        for i in range(x.shape[0]):
            s += x[i] * y[i]
        return s

    @evolvable
    def half(x: f64) -> f64:
        return x + 0.5

    first, second, x = dot.freeze(), half.freeze(), np.arange(3.0)
    run, by_name = njit(lambda k, x, y: k(x, y)), njit(lambda x: second(x))
    assert (run(first, x, x), run(pickle.loads(pickle.dumps(first)), x, x), by_name(1.0)) == (5, 5, 1.5)
    assert calls_in(by_name) == []
    with pytest.raises(ValueError, match="axis 0 of argument 2 and axis 0 of argument 1 differ in length"):
        run(first, x, x[1:])
    with pytest.raises(ValueError, match="nothing to sum"):
        run(first, x[:0], x[:0])
    with pytest.raises(TypingError, match="argument 'arg1' is unicode_type, not float64"):
        njit(lambda k: k("text"))(second)


@pytest.mark.slow
def test_a_frozen_python_body_takes_every_type():
    """Bools, narrow integers, complex numbers, records and values by reference, as through a cell."""

    @evolvable
    def mixed(b: boolean, i: int8, z: complex64, p: Point, to: InOut[f64]) -> complex128:
        to[()] = to[()] + i + p.n
        return z + p.x if b else z

    point = np.array([(1.5, 2)], Point.dtype)
    run = njit(lambda k, b, i, z, p, to: k(b, i, z, p[0], to))
    for k in (mixed, mixed.freeze()):
        for to in (np.array(1.0), np.array([1.0])):
            assert (run(k, True, np.int8(-4), np.complex64(1j), point, to), to.sum()) == (1.5 + 1j, -1)


NARROW = {"int8": int8, "uint8": uint8, "int16": int16, "uint16": uint16, "bool": boolean}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scalar"), NARROW.items(), ids=NARROW)
def test_frozen_bodies_of_narrow_integers_are_inlined(name, scalar):
    """LLVM inlines a call only where its types are those of the definition; values wrap as in C."""
    c = name if name == "bool" else f"{name}_t"

    @evolvable(source=f"{c} f({c} x) {{ return {'!x' if name == 'bool' else 'x + x'}; }}")
    def f(x: scalar) -> scalar: ...

    given = f.freeze()

    @njit
    def run(x, out):
        for i in range(x.shape[0]):
            out[i] = given(x[i])

    x = np.array([0, 1] if name == "bool" else [np.iinfo(name).min, -1 % 2**7, np.iinfo(name).max, 3], name)
    out = np.empty_like(x)
    run(x, out)
    assert np.array_equal(out, ~x if name == "bool" else x + x)
    assert calls_in(run) == []


def test_a_member_without_a_body_cannot_be_frozen():
    """The error says which revision has none."""
    some = sj.Group()

    @some.evolvable
    def with_body(x: f64) -> f64:
        return x

    @some.evolvable
    def without(x: f64) -> f64: ...

    with pytest.raises(UsageError, match="'without' has no body in revision 0"):
        without.freeze()


# -- lifetimes --------------------------------------------------------------------------------------------------------


def numbered(number):
    """A kernel that somebody else has to keep."""
    return sj.Kernel.from_c(f"double f(double x) {{ return {number} * x; }}")


@njit
def endless(k):
    while True:
        yield k(1.0)


@njit
def endless_snapshot(g):
    now = g.snapshot()
    while True:
        yield now.second(1.0)


def short_lived_group():
    made = sj.Group()

    @made.evolvable
    def first(x: f64) -> f64: ...

    @made.evolvable
    def second(x: f64) -> f64: ...

    made.swap("double first(double x) { return x; } double second(double x) { return 9 * x; }")
    return made


@pytest.mark.slow
def test_a_generator_keeps_its_kernel():
    """Kernels, handles, members and groups live for as long as a generator that was given them."""
    generators = [
        endless(numbered(7)),
        endless(numbered(8).active),
        endless(short_lived_group()["second"]),
        endless_snapshot(short_lived_group()),
    ]
    gc.collect()
    others = [numbered(k) for k in range(20, 40)]
    assert [k(1.0) for k in others] == list(range(20, 40))
    assert [next(g) for g in generators] == [7, 8, 9, 9]


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_what_stores_a_kernel_keeps_it_and_lets_it_go():
    """A list, a dictionary and a jitclass; the kernel goes with the last of them, and `prune` leaves its code."""

    @jitclass([("k", typeof(kernel))])
    class Model:
        def __init__(self, k):
            self.k = k

        def call(self, x):
            return self.k(x)

    kernels, by_number = List.empty_list(typeof(kernel)), Dict.empty(int64, typeof(kernel))
    f = numbered(7)
    h = f.compile("double f(double x) { return 8 * x; }")
    model = Model(h)
    kernels.append(h)
    by_number[0] = f
    gone = weakref.ref(f), weakref.ref(h)
    engine = target_of(f).engine
    del f, h
    gc.collect()
    assert engine.prune() == []
    run = njit(lambda kernels, by_number: kernels[0](1.0) + by_number[0](1.0))
    assert (run(kernels, by_number), model.call(1.0)) == (15, 8)
    del model, engine
    kernels.clear()
    by_number.clear()
    gc.collect()
    assert [r() for r in gone] == [None, None]


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", [frozen, frozen_member], ids=["of a kernel", "of a member"])
def test_a_frozen_revision_comes_back_to_python(kind):
    """Alone and in containers; it is an equal object, which calls the same revision."""

    @njit
    def pair(k):
        return k, Fields(k, k, 1.0), [k]

    alone = njit(lambda k: k)(kind)
    both, (named, _, _), listed = pair(kind)
    for back in (alone, both, named, listed[0], List([kind, kind])[1]):
        assert (back.revision, back.source, back(2.0)) == (kind.revision, kind.source, kind(2.0))


@pytest.mark.usefixtures("loader")
def test_a_function_of_a_snapshot_comes_back_as_its_handle():
    """Also in containers."""

    @njit
    def pair(g):
        return g.snapshot().other, Fields(g.snapshot().member, g.snapshot().other, 1.0)

    alone, (first, second, _) = pair(group)
    assert alone is second is group.active["other"]
    assert first is group.active["member"]


@pytest.mark.slow
def test_identity_in_compiled_code():
    """A frozen revision is itself, and never a kernel."""
    same = njit(lambda a, b: a is b)
    assert [same(frozen, frozen), same(frozen, frozen_member), same(frozen, kernel), same(kernel, frozen)] == [
        1,
        0,
        0,
        0,
    ]
    assert (same(kernel, kernel), same(kernel, handle)) == (True, False)


@njit(error_model="numpy")
def ratio(a, b):
    return a / b


@njit(fastmath=True)
def is_nan(a):
    return a != a


@pytest.mark.slow
def test_options_that_change_results_are_those_of_the_compiled_function():
    """Division by zero, fast mathematics: revision 0 does what the function did, also frozen and pickled."""
    ratio(1.0, 0.0)
    is_nan(1.0)
    divided, compared = evolvable(ratio), evolvable(is_nan)
    frozen_ratio = divided.freeze()
    assert divided(1.0, 0.0) == ratio(1.0, 0.0) == np.inf
    assert njit(lambda a, b: frozen_ratio(a, b))(1.0, 0.0) == np.inf
    assert pickle.loads(pickle.dumps(divided))(1.0, 0.0) == np.inf
    assert compared(np.nan) == is_nan(np.nan)


ROW = np.dtype([("a", "f8"), ("b", "i4")], align=True)


@njit
def adds_one(x):
    x[0] += 1.0


@njit
def adds_one_flat(x):
    x.flat[0] += 1.0


@njit
def total(x):
    result = 0.0
    for i, v in enumerate(x):
        result += i * v
    return result


def writes_field(r):
    r[0].a = 1.0


def adds_to_field(r):
    r[0].a += 1.0


def reads_field(r):
    return r[1].a + r[0]["b"]


def writes_record(r):
    r.a = 3.0


def reads_record(r):
    return 2 * r.a


def adds_in_place(x):
    x += 1.0


def writes_flat(x):
    x.flat[1] += 3.0


def writes_nditer(x):
    for v in np.nditer(x):
        v[()] = v[()] + 1.0


def reads_by_helper(x):
    return np.max(x) + ratio(x[0], 2.0) + x[1:].sum()


def dots(m, x, out):
    np.dot(m, x, out)


def reads_product(m, x):
    return np.dot(m, x)[0]


def copies(x, y):
    y[:] = x


def writes_by_helper(x):
    adds_one(x)


def writes_flat_by_helper(x):
    adds_one_flat(x[1:])


def reads_by_own_helper(x):
    return total(x[1:])


def reads_rows(m):
    result = 0.0
    for row in m:
        for a, b in zip(row, m.T[0]):  # noqa: B905  Numba knows no `strict`
            result += a * b
    first, columns = m[0], m[:, 1:]
    return result + first[0] + columns[0, 0] + first[first > 0.0].size


def reads_elementwise(x, y):
    y += np.sqrt(x) * 2.0 - x.copy()
    y[:2] = x[:2]


def writes_ufunc_out(x, y):
    np.sqrt(x, y)


def dots_by_keyword(m, x, out):
    np.dot(m, x, out=out)


def writes_an_alias(x, y):
    z = x if y[0] > 0.0 else y
    z[0] = 1.0


def writes_in_a_tuple(x, y):
    for part in (x, y):
        part.flat[0] = 1.0


def writes_reshaped(x):
    x.reshape(x.size, 1)[0, 0] = 1.0


def swaps_rows(m):
    m[0], m[1] = m[1].copy(), m[0].copy()


def writes_an_optional(x):
    y = None
    if x[0] == 1.0:
        y = x
    if y is not None:
        y.flat[0] = 3.0


def sorts(x):
    x.sort()


def keeps(x):
    kept = [x]
    kept[0][0] = 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "arguments", "written"),
    [
        (writes_field, (np.zeros(2, ROW),), "r"),
        (adds_to_field, (np.zeros(2, ROW),), "r"),
        (reads_field, (np.zeros(2, ROW),), "r"),
        (writes_record, (np.zeros(2, ROW)[0],), "r"),
        (reads_record, (np.zeros(2, ROW)[0],), "r"),
        (adds_in_place, (np.ones(3),), "x"),
        (writes_flat, (np.ones(3),), "x"),
        (writes_nditer, (np.ones(3),), "x"),
        (reads_by_helper, (np.ones(3),), ""),
        (dots, (np.eye(3), np.ones(3), np.zeros(3)), "out"),
        (reads_product, (np.eye(3), np.ones(3)), ""),
        (copies, (np.ones(3), np.zeros(3)), "y"),
        (writes_by_helper, (np.ones(3),), "x"),
        (writes_flat_by_helper, (np.ones(3),), "x"),
        (reads_by_own_helper, (np.ones(3),), ""),
        (reads_rows, (np.ones((3, 3)),), ""),
        (reads_elementwise, (np.ones(3), np.zeros(3)), "y"),
        (writes_ufunc_out, (np.ones(3), np.zeros(3)), "y"),
        (dots_by_keyword, (np.eye(3), np.ones(3), np.zeros(3)), "out"),
        (writes_an_alias, (np.ones(3), np.zeros(3)), "x y"),
        (writes_in_a_tuple, (np.ones(3), np.zeros(3)), "x y"),
        (writes_reshaped, (np.ones(3),), "x"),
        (swaps_rows, (np.ones((3, 3)),), "m"),
        (writes_an_optional, (np.ones(3),), "x"),
        (sorts, (np.ones(3),), "x"),
        (keeps, (np.ones(3),), "x"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_compiled_function_may_write_is_inout(function, arguments, written):
    """An array is const where it is certain that the function only reads it; a record is never certain."""
    compiled = njit(function)
    compiled(*arguments)
    modes = {p.name: str(p.mode) for p in evolvable(compiled).signature.params}
    assert modes == {name: "inout" if name in written.split() else "in" for name in modes}


def test_a_literal_result_is_one_of_its_type():
    """A function that always returns 1 returns an int64."""
    compiled = njit(lambda x: 1)
    compiled.py_func.__name__ = "one"
    compiled(2.0)
    assert evolvable(compiled).c_prototype == "int64_t one(double x)"


def test_hints_that_have_no_c_form_leave_the_compiled_types():
    """`x: np.ndarray` says nothing that C has; without compiled types it is an error."""

    @njit
    def first(x: np.ndarray) -> float:
        return x[0]

    with pytest.raises(SignatureError, match="ndarray"):
        evolvable(first)
    first(np.ones(2))
    assert evolvable(first).c_prototype == "double first(int64_t x_0, const double x[x_0])"


@pytest.mark.slow
def test_a_body_that_calls_itself():
    """It calls itself and not what is active; in a function's scope as in a module's."""

    @evolvable
    def fibonacci(n: i64) -> i64:
        if n < 2:
            return n
        return fibonacci(n - 1) + fibonacci(n - 2)

    assert (fibonacci(10), pickle.loads(pickle.dumps(fibonacci))(10)) == (55, 55)
    fibonacci.swap("int64_t fibonacci(int64_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2) + 1; }")
    assert (fibonacci(10), fibonacci.revision(0)(10)) == (143, 55)


@pytest.mark.parametrize("flag", ["-fno-inline", "-O0"])
def test_options_against_inlining_do_not_keep_from_freezing(flag):
    """The caller then calls it."""
    frozen = sj.Kernel.from_c("double f(double x) { return x + 1; }", flags=[flag]).freeze()
    assert njit(lambda f, x: f(x))(frozen, 1.0) == 2.0


def test_numbas_switch_is_named(monkeypatch):
    """With NUMBA_DISABLE_JIT there is no Python body; C works."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    with pytest.raises(KernelError, match="NUMBA_DISABLE_JIT is set"):
        evolvable(declared)(1.0)
    assert sj.Kernel.from_c("double f(double x) { return x; }")(1.0) == 1.0


def declared(x: f64) -> f64:
    return x + 1.0


def one_value(c: InOut[i64]) -> None:
    c[0] += 1


def test_what_is_the_matter_with_a_body_is_hinted_at():
    """One value by reference is a 0-d array there."""
    with pytest.raises(KernelError, match=r"'c' is one value: read and write c\[\(\)\]"):
        evolvable(one_value)(np.zeros(1, np.int64))


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_panics_of_a_snapshot_are_counted():
    """A function of a snapshot has the table of its group."""
    crash = sj.Group()

    @crash.evolvable
    def inverse(x: i64) -> i64: ...

    @crash.evolvable
    def same(x: i64) -> i64: ...

    crash.swap("int64_t inverse(int64_t x) { return 1 / x; } int64_t same(int64_t x) { return x; }")

    @njit
    def count(g):
        now = g.snapshot()
        before = sj.panics(now.same)
        now.inverse(0)
        return sj.panics(now.inverse) - before

    assert count(crash) == 1
