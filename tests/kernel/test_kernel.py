"""Kernels from Python and from Numba: calls, revisions, swaps, errors."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from numba import boolean, float32, int8, int16, int32, int64, njit, prange, typeof, uint8, uint16, uint32, uint64
from numba import float64 as f64
from numba.core.errors import TypingError

from symbiont_jit import (
    Array,
    CandidateError,
    InOut,
    Kernel,
    KernelError,
    Out,
    PanicError,
    SignatureError,
    UsageError,
    evolvable,
)
from tests.kernels import DOT


@njit(nogil=True)
def total(kernel, x, y, steps):
    s = 0.0
    for _ in range(steps):
        s += kernel(x, y)
    return s


# -- revisions --------------------------------------------------------------------------------------------------------


def test_revision_zero_is_the_python_body(dot, vectors):
    """Without a source the decorated function itself is what runs, compiled by Numba."""
    assert dot(*vectors) == pytest.approx(np.dot(*vectors))
    assert (dot.active.number, dot.active.language) == (0, "python")
    assert dot.__doc__.startswith("Inner product of x and y.")
    assert "s += x[i] * y[i]" in dot.source


def test_source_becomes_revision_one_and_active(matmul):
    """With a body and a source, the body is revision 0 and the source runs."""
    assert [r.language for r in matmul.revisions] == ["python", "c"]
    assert matmul.active is matmul.revision(1)


def test_source_is_revision_zero_without_a_body():
    """A body of `...` leaves the source as revision 0."""

    @evolvable(source="int64_t twice(int64_t x) { return 2 * x; }")
    def twice(x: int) -> int:
        """Double it."""

    assert (twice(21), twice.active.number, len(twice.revisions)) == (42, 0, 1)


def test_source_may_be_a_path(tmp_path):
    """A path, as such or as text that ends in .c, is read."""
    file = tmp_path / "body.c"
    file.write_text("int64_t twice(int64_t x) { return 2 * x; }")

    def twice(x: int) -> int: ...

    assert evolvable(source=file)(twice)(2) == evolvable(source=str(file))(twice)(2) == 4
    with pytest.raises(UsageError, match=r"nothing\.c"):
        evolvable(source=tmp_path / "nothing.c")(twice)


def test_swap_compile_activate(dot, vectors):
    """`compile` registers, `swap` also activates, `activate` goes back; handles stay what they are."""
    first = dot.compile(DOT)
    assert dot.active.number == 0
    second = dot.swap("double dot(int64_t n, const double *x, const double *y) { return (double)n; }")
    assert dot(*vectors) == 1000.0
    assert first(*vectors) == pytest.approx(np.dot(*vectors))
    assert dot.activate(0) is dot.active is dot.revision(0)
    assert dot(*vectors) == pytest.approx(np.dot(*vectors))
    assert second(*vectors) == 1000.0
    assert dot.revisions == (dot.revision(0), first, second)


def test_equal_canonical_text_is_the_same_revision(dot):
    """Comments and layout make no new revision."""
    first = dot.compile(DOT)
    assert dot.compile(DOT.replace("double s", "/* sum */ double   s")) is first


def test_a_path_is_swapped_in_as_its_text(dot, vectors, tmp_path):
    """`compile` and `swap` read a file where a declaration does, and name it where they cannot."""
    path = tmp_path / "dot.c"
    path.write_text(DOT)
    assert dot.swap(path) == dot.compile(DOT)
    assert dot(*vectors) == pytest.approx(vectors[0] @ vectors[1])
    with pytest.raises(UsageError, match=r"missing\.c.* cannot be read: .*No such file"):
        dot.swap(tmp_path / "missing.c")


def test_a_bad_candidate_changes_nothing(dot, vectors):
    """A swap that fails leaves the active revision and the list as they were."""
    before = dot(*vectors)
    with pytest.raises(CandidateError):
        dot.swap("double dot(void) { return 1; }")
    assert dot(*vectors) == before
    assert len(dot.revisions) == 1


@pytest.mark.usefixtures("loader")
def test_a_kernel_without_a_body_panics():
    """Calling it raises what says what to do; a swap ends that."""

    @evolvable
    def f(x: f64) -> f64: ...

    with pytest.raises(PanicError, match="'f' has no body yet") as raised:
        f(3.0)
    assert raised.value.panic.kind == "unevolved"
    f.swap("double f(double x) { return x; }")
    assert (f(3.0), f.take_panic()) == (3.0, None)


@pytest.mark.parametrize("number", [7, -1, True, "0"])
def test_an_unknown_revision_is_an_error(dot, number):
    """The message says which numbers there are."""
    with pytest.raises(KernelError, match="there is 0 to 0"):
        dot.revision(number)


def test_a_revision_of_another_kernel_is_refused(dot, matmul):
    """Every kernel keeps to its own revisions."""
    with pytest.raises(KernelError, match="not a revision of 'dot'"):
        dot.activate(matmul.revision(1))


def test_a_profile_that_does_not_exist_is_refused(dot):
    """The message says which there are."""
    assert [dot.compile(DOT, profile=p).profile for p in ("safe", "checked", "release")] == [
        "safe",
        "checked",
        "release",
    ]
    with pytest.raises(UsageError, match="no profile 'fast'"):
        dot.compile(DOT, profile="fast")


def test_a_body_that_numba_rejects_is_the_callers_error():
    """The message names the kernel and carries Numba's."""

    @evolvable
    def f(x: f64) -> f64:
        return {}["no"] + x

    with pytest.raises(KernelError, match="Numba cannot compile the Python body of 'f'"):
        f(1.0)


def test_a_body_may_not_write_a_plain_array():
    """A parameter that is not Out or InOut is read-only in the Python body as it is const in C."""

    @evolvable
    def f(x: Array[f64, "n"]) -> f64:
        x[0] = 1.0
        return 0.0

    with pytest.raises(KernelError):
        f(np.zeros(1))


# -- calls from Python ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda x, y: (x,), TypeError, "takes 2 arguments, got 1"),
        (lambda x, y: (x, y.astype(np.float32)), TypeError, "argument 'y' has dtype float32, not float64"),
        (lambda x, y: (x, y.reshape(10, 100)), TypeError, "argument 'y' has 2 dimensions, not 1"),
        (lambda x, y: (x.tolist(), y), TypeError, "argument 'x' is .* not a NumPy array"),
        (lambda x, y: (x[::2], y), ValueError, r"np\.ascontiguousarray"),
        (lambda x, y: (x, y[:3]), ValueError, "argument 'y' has n = 3 .*'x' has n = 1000"),
    ],
)
def test_wrong_arguments_from_python(dot, vectors, change, error, said):
    """Each mistake is a Python exception that names the argument and shows the signature."""
    with pytest.raises(error, match=said) as caught:
        dot(*change(*vectors))
    assert 'dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64' in str(caught.value)


def test_a_read_only_array_is_fine_for_const_only(matmul):
    """A read-only array is taken where the kernel reads, refused where it writes."""
    a, b, c = np.eye(3), np.arange(9.0).reshape(3, 3), np.empty((3, 3))
    a.flags.writeable = b.flags.writeable = False
    matmul(a, b, c)
    assert np.array_equal(c, b)
    c.flags.writeable = False
    with pytest.raises(ValueError, match="'c' is read-only, but the kernel writes it"):
        matmul(a, b, c)


def test_scalars_are_checked():
    """A float for an integer and an integer that does not fit are errors, an int for a float is not."""

    @evolvable(source="double f(int8_t i, double x) { return i + x; }")
    def f(i: int8, x: f64) -> f64: ...

    assert f(1, 2) == 3.0
    assert f(i=1, x=2.0) == 3.0
    with pytest.raises(TypeError, match=r"argument 'i' is 1\.5"):
        f(1.5, 2.0)
    with pytest.raises(OverflowError, match="argument 'i' is 200 of type int, outside int8"):
        f(200, 2.0)
    with pytest.raises(TypeError, match="keyword arguments"):
        f(1, y=2.0)


def test_literal_dimensions_and_references():
    """Literal lengths are checked, `InOut[scalar]` is one value by reference, empty arrays are arrays."""

    @evolvable(source="void f(int64_t n, const double a[2][3], const double *x, int64_t *count) { *count += n; }")
    def f(a: Array[f64, 2, 3], x: Array[f64, "n"], count: InOut[int64]) -> None: ...

    count = np.array(5)
    f(np.zeros((2, 3)), np.zeros(4), count)
    f(np.zeros((2, 3)), np.zeros(0), count)
    assert count == 9
    with pytest.raises(ValueError, match="axis 1 must have length 3"):
        f(np.zeros((2, 4)), np.zeros(4), count)
    with pytest.raises(ValueError, match="one value by reference"):
        f(np.zeros((2, 3)), np.zeros(4), np.zeros(2, dtype=np.int64))


SCALARS = [int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, f64, boolean]


@pytest.mark.slow
@pytest.mark.parametrize("scalar", SCALARS, ids=str)
def test_every_scalar_goes_round(scalar):
    """Extreme values of every scalar type survive Python -> Numba -> C -> Numba -> Python, alone and in arrays."""
    dtype = np.dtype("bool" if str(scalar) == "bool" else str(scalar))
    c = {"bool": "bool", "float32": "float", "float64": "double"}.get(str(scalar), f"{scalar}_t")

    @evolvable(
        source=f"{c} f(int64_t n, {c} x, const {c} *a, {c} *out) {{ for (int64_t i = 0; i < n; i++) out[i] = a[i]; return x; }}"
    )
    def f(x: scalar, a: Array[scalar, "n"], out: Out[scalar, "n"]) -> scalar: ...

    @njit
    def through(kernel, x, a, out):
        return kernel(x, a, out)

    values = (
        [0, 1]
        if dtype.kind == "b"
        else [0, 1.5, -2.25]
        if dtype.kind == "f"
        else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    )
    array = np.array(values, dtype=dtype)
    for value in array:
        out = np.zeros_like(array)
        assert f(value, array, out) == value
        assert np.array_equal(out, array)
        assert through(f, value, array, out) == value


# -- calls from Numba -------------------------------------------------------------------------------------------------


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


def test_a_kernel_works_as_a_global(dot, vectors):
    """A kernel named in a compiled function is called through its cell: swaps are seen without recompilation."""

    @njit
    def use(x, y):
        return dot(x, y)

    assert use(*vectors) == pytest.approx(np.dot(*vectors))
    dot.swap("double dot(int64_t n, const double *x, const double *y) { return 5.0; }")
    assert use(*vectors) == 5.0


@pytest.mark.slow
def test_parallel_and_fastmath(dot, vectors):
    """Kernels work inside prange and fastmath functions."""

    @njit(parallel=True, fastmath=True)
    def loop(kernel, x, y, out):
        for i in prange(out.shape[0]):
            out[i] = kernel(x, y) + i

    dot.swap("double dot(int64_t n, const double *x, const double *y) { return 5.0; }")
    out = np.zeros(100)
    loop(dot, *vectors, out)
    assert np.array_equal(out, 5.0 + np.arange(100))


def test_two_kernels_and_two_signatures_side_by_side(dot, vectors):
    """One compiled function calls kernels of different signatures."""

    @evolvable(source="int64_t inc(int64_t x) { return x + 1; }")
    def inc(x: int) -> int: ...

    @njit
    def both(first, second, x, y):
        return first(x, y) + second(41)

    dot.swap("double dot(int64_t n, const double *x, const double *y) { return 0.5; }")
    assert both(dot, inc, *vectors) == 42.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (lambda x, y: (x, y.astype(np.float32)), "is an array of float32, not float64"),
        (lambda x, y: (x, y[::2]), "np.ascontiguousarray"),
        (lambda x, y: (x, y.reshape(2, -1)), "has 2 dimensions, not 1"),
        (lambda x, y: (x, 1.0), "not an array of float64"),
    ],
)
def test_wrong_types_in_numba_are_typing_errors(dot, vectors, arguments, said):
    """The typing error says what is wrong and shows the wanted signature, in Python and in C."""
    with pytest.raises(TypingError) as caught:
        total(dot, *arguments(*vectors), 1)
    assert said in str(caught.value)
    assert "double kernel(int64_t n0, const double arg1[n0], const double arg2[n0])" in str(caught.value)


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


@pytest.mark.slow
def test_lengths_are_checked_in_numba(dot, vectors):
    """Dimensions of one name that differ are a ValueError raised from compiled code."""
    with pytest.raises(ValueError, match=r"argument 2 and .* differ in length"):
        total(dot, vectors[0], vectors[1][:5], 1)


def test_the_numba_type_depends_on_types_alone(dot, matmul):
    """Names do not matter, dimension patterns do."""

    @evolvable
    def square(a: Array[f64, "n", "n"], b: Array[f64, "n", "n"], c: Out[f64, "n", "n"]) -> None: ...

    @evolvable
    def gemm(x: Array[f64, "u", "v"], y: Array[f64, "v", "w"], z: Out[f64, "u", "w"]) -> None: ...

    assert typeof(gemm) == typeof(matmul) != typeof(square)


# -- swaps under running loops ----------------------------------------------------------------------------------------


@njit(nogil=True)
def record(kernel, seen, stop):
    """Call until stopped; keep every change of the value, and how many calls there were."""
    calls = 0
    changes = 0
    last = -1
    while stop[0] == 0:
        value = kernel(0)
        calls += 1
        if value != last:
            if changes < seen.shape[0]:
                seen[changes] = value
            changes += 1
            last = value
    return calls, changes


@pytest.mark.slow
def test_swaps_under_running_loops_are_seen_in_order():
    """Swap property: two threads loop, a third swaps 100,000 times; every value seen belongs to an installed revision.

    What a thread sees is a subsequence of what was installed: going through the installed values in order, each seen
    value is found after the one before, and the end is not passed.
    """

    @evolvable(source="int64_t f(int64_t x) { return 0; }")
    def f(x: int) -> int: ...

    count, swaps = 50, 100_000
    revisions = [f.revision(0)] + [f.compile(f"int64_t f(int64_t x) {{ return {k}; }}") for k in range(1, count)]
    stop = np.zeros(1, dtype=np.int64)
    seen = [np.full(2 * swaps, -1, dtype=np.int64) for _ in range(2)]
    results = [None, None]

    def run(which):
        results[which] = record(f, seen[which], stop)

    stop[0] = 1
    record(f, seen[0], stop)
    stop[0] = 0
    threads = [threading.Thread(target=run, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for swap in range(swaps):
        f.activate(revisions[swap % count])
    stop[0] = 1
    for thread in threads:
        thread.join()
    for which in range(2):
        calls, changes = results[which]
        assert calls > 0
        assert changes <= swaps + 1, "a value was seen more often than it was installed"
        values = seen[which][:changes]
        assert set(values.tolist()) <= set(range(count))
        steps = (np.diff(values) - 1) % count + 1  # how far on in the cycle the next value is found
        assert values[0] + steps.sum() <= swaps + count


@pytest.mark.slow
def test_a_single_pass_of_swaps_is_seen_in_order():
    """With every revision activated once and in order, no reader ever sees a smaller number after a larger one."""

    @evolvable(source="int64_t f(int64_t x) { return 0; }")
    def f(x: int) -> int: ...

    revisions = [f.compile(f"int64_t f(int64_t x) {{ return {k}; }}") for k in range(300)]
    for revision in revisions:
        _ = revision.entry_address
    stop = np.zeros(1, dtype=np.int64)
    seen = np.full(1000, -1, dtype=np.int64)
    result = []
    thread = threading.Thread(target=lambda: result.append(record(f, seen, stop)))
    thread.start()
    for revision in revisions:
        f.activate(revision)
        for _ in range(2000):
            pass
    stop[0] = 1
    thread.join()
    changes = result[0][1]
    assert np.all(np.diff(seen[:changes]) > 0)


def test_matmul_by_c_agrees_with_numpy(matmul):
    """The C body gets dimensions, strides and buffers as declared."""
    rng = np.random.default_rng(1)
    a, b, c = rng.random((5, 7)), rng.random((7, 3)), np.empty((5, 3))
    matmul(a, b, c)
    np.testing.assert_allclose(c, a @ b)


def test_evolvable_takes_only_functions():
    """A class or a number is refused with what was given."""
    with pytest.raises(UsageError, match="plain Python function"):
        evolvable(3)
    with pytest.raises(SignatureError, match="parameter 'x'"):

        @evolvable
        def f(x: str) -> f64: ...


@pytest.mark.slow
def test_a_global_kernel_is_not_cached_by_numba(tmp_path):
    """A compiled function that names a kernel holds an address of this process: `cache=True` is refused, never stale."""
    program = tmp_path / "program.py"
    program.write_text(
        "from numba import njit\n"
        "from symbiont_jit import evolvable\n"
        "@evolvable(source='int64_t inc(int64_t x) { return x + 1; }')\n"
        "def inc(x: int) -> int: ...\n"
        "@njit(cache=True)\n"
        "def by_name(x):\n    return inc(x)\n"
        "@njit(cache=True)\n"
        "def by_argument(kernel, x):\n    return kernel(x)\n"
        "print(by_name(1), by_argument(inc, 1), sum(by_argument.stats.cache_hits.values()))\n"
    )
    outputs = [
        subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True) for _ in range(2)
    ]
    assert [o.stdout.split() for o in outputs] == [["2", "2", "0"], ["2", "2", "1"]]
    assert "dynamic globals" in outputs[1].stderr


def test_a_comment_may_hold_half_a_character():
    """What no encoding has, such as a lone surrogate in a comment, is kept as its author wrote it."""
    text = "/* half \udc80 */ double half(double x) { return x / 2; }"
    kernel = Kernel.from_c(text)
    assert kernel.active.written == text
    assert kernel(3.0) == 1.5
