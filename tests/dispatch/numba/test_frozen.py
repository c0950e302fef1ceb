"""Frozen revisions in compiled code: inlined, without checks, and what they were for as long as anybody has them."""

import pickle
import re
import threading

import numpy as np
import pytest
from numba import boolean, complex64, complex128, int8, int16, int32, int64, njit, uint8, uint16
from numba import float64 as f64
from numba.core.errors import TypingError
from numba.typed import List

import symbiont_jit as sj
from symbiont_jit import Array, InOut, Kernel, PanicError, evolvable
from tests.dispatch.numba.kinds import Fields, frozen, frozen_member, handle, kernel
from tests.kernels import DOT

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


# -- back to Python ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("flag", ["-fno-inline", "-O0"])
def test_options_against_inlining_do_not_keep_from_freezing(flag):
    """The caller then calls it."""
    frozen = sj.Kernel.from_c("double f(double x) { return x + 1; }", flags=[flag]).freeze()
    assert njit(lambda f, x: f(x))(frozen, 1.0) == 2.0
