"""Kernels from Python and from Numba: calls, swaps, errors."""

import numpy as np
import pytest
from numba import boolean, float32, int8, int16, int32, int64, njit, prange, uint8, uint16, uint32, uint64
from numba import float64 as f64
from numba.core.errors import TypingError

from symbiont_jit import Array, CandidateError, InOut, Kernel, Out, UsageError, evolvable
from tests.kernels import DOT


@njit(nogil=True)
def total(kernel, x, y, steps):
    s = 0.0
    for _ in range(steps):
        s += kernel(x, y)
    return s


# -- revisions --------------------------------------------------------------------------------------------------------


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


@pytest.mark.slow
def test_lengths_are_checked_in_numba(dot, vectors):
    """Dimensions of one name that differ are a ValueError raised from compiled code."""
    with pytest.raises(ValueError, match=r"argument 2 and .* differ in length"):
        total(dot, vectors[0], vectors[1][:5], 1)


def test_matmul_by_c_agrees_with_numpy(matmul):
    """The C body gets dimensions, strides and buffers as declared."""
    rng = np.random.default_rng(1)
    a, b, c = rng.random((5, 7)), rng.random((7, 3)), np.empty((5, 3))
    matmul(a, b, c)
    np.testing.assert_allclose(c, a @ b)


def test_a_comment_may_hold_half_a_character():
    """What no encoding has, such as a lone surrogate in a comment, is kept as its author wrote it."""
    text = "/* half \udc80 */ double half(double x) { return x / 2; }"
    kernel = Kernel.from_c(text)
    assert kernel.active.author_text == text
    assert kernel(3.0) == 1.5
