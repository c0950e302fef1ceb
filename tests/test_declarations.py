"""Declarations: prototypes, what may be written, and what is said of what may not."""

from __future__ import annotations
import __future__

import numpy as np
import pytest
from numba import boolean, complex128, float32, int8, int32, uint64
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, InOut, Out, SignatureError
from symbiont_jit.signature import check_arguments, signature_of
from tests.corpus_signatures import KERNELS

TYPES = {
    t.__name__ if isinstance(t, type) else str(t): t
    for t in (complex128, float32, int8, int32, uint64, Array, InOut, Out)
} | {"boolean": boolean, "i64": i64, "np": np}


def declared(text, name="f"):
    """The signature of `def f(TEXT): ...`; annotations are text here, as in a module with future annotations."""
    scope = {**globals(), **TYPES}
    flags = __future__.annotations.compiler_flag
    exec(compile(f"def {name}({text}: ...", "<test>", "exec", flags=flags, dont_inherit=True), scope)
    return signature_of(scope[name])


@pytest.mark.parametrize(
    ("text", "prototype"),
    [
        ("x: f64) -> f64", "double f(double x)"),
        (") -> None", "void f(void)"),
        ("a: int, b: float, c: bool) -> int", "int64_t f(int64_t a, double b, bool c)"),
        ("a: int8, b: uint64, c: float32, d: boolean) -> boolean", "bool f(int8_t a, uint64_t b, float c, bool d)"),
        ("a: np.int16, b: np.float32, c: np.dtype('u4')) -> np.bool_", "bool f(int16_t a, float b, uint32_t c)"),
        ('x: Array[f64, "n"], y: Array[f64, "n"]) -> f64', "double f(int64_t n, const double x[n], const double y[n])"),
        (
            'a: Array[f64, "n", "k"], b: Array[f64, "k", "m"], c: Out[f64, "n", "m"]) -> None',
            "void f(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m])",
        ),
        ('k: int, x: InOut[Array[int32, "n"]]) -> None', "void f(int64_t n, int64_t k, int32_t x[n])"),
        ("a: Array[f64, 3, 3]) -> f64", "double f(const double a[3][3])"),
        ('a: Array[f64, "n", "n", 2, "m"]) -> f64', "double f(int64_t n, int64_t m, const double a[n][n][2][m])"),
        ("x: f64[::1], a: f64[:, ::1]) -> f64", "double f(int64_t x_0, int64_t a_0, int64_t a_1, const double x[x_0], const double a[a_0][a_1])"),
        ("x: Out[f64[::1]]) -> None", "void f(int64_t x_0, double x[x_0])"),
        ("count: InOut[i64], flag: Out[bool]) -> None", "void f(int64_t *count, bool *flag)"),
        ('x: "Array[f64, \'n\']") -> f64', "double f(int64_t n, const double x[n])"),
    ],
)  # fmt: skip
def test_c_prototype(text, prototype):
    """Dimensions first, in order of first appearance, then the arguments as declared."""
    assert declared(text).c_prototype == prototype


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x) -> f64", "parameter 'x' has no annotation; write for example 'x: float64'"),
        ("x: str) -> f64", "parameter 'x': .* has no C type here"),
        ("x: list) -> f64", "parameter 'x'"),
        ("x: nothing) -> f64", "parameter 'x': the annotation 'nothing' cannot be evaluated"),
        ("x: complex128) -> f64", "parameter 'x': complex128 is not supported yet"),
        ("x: f64[:]) -> f64", r"parameter 'x': .* is not C-contiguous; write 'float64\[::1\]'"),
        ("x: f64[:, :]) -> f64", r"write 'float64\[:, ::1\]'"),
        ("x: Array[f64]) -> f64", "parameter 'x': an array has 1 to 4 dimensions, not 0"),
        ('x: Array[f64, "a", "b", "c", "d", "e"]) -> f64', "1 to 4 dimensions, not 5"),
        ("x: Array[f64, 0]) -> f64", "a literal dimension is 1 to"),
        ("x: Array[f64, 2.5]) -> f64", "a dimension is a name like"),
        ('x: Array[f64, "x y"]) -> f64', "'x y' is no C identifier"),
        ('x: Array[f64, "int"]) -> f64', "'int' is a keyword in C"),
        ('n: int, x: Array[f64, "n"]) -> f64', "the dimension 'n' has the name of a parameter"),
        ('x: Array[str, "n"]) -> f64', "parameter 'x'"),
        ("x: Out[InOut[f64]]) -> None", "Out and InOut do not nest"),
        ("double: f64) -> f64", "'double' is a keyword"),
        ("sj_x: f64) -> f64", "the name 'sj_x' is reserved"),
        ("M_PI: f64) -> f64", "the name 'M_PI' has a standard meaning"),
        ("x: f64 = 1.0) -> f64", "parameter 'x': defaults have no C form; remove '= 1.0'"),
        ("*x: f64) -> f64", "parameter 'x': variadic positional parameters have no C form"),
        ("*, x: f64) -> f64", "parameter 'x': keyword-only parameters have no C form"),
        ("x: f64)", "the return value has no annotation"),
        ('x: f64) -> Array[f64, "n"]', "the return value cannot be an array; add a parameter such as 'out: Out"),
        ("x: f64) -> str", "the return value"),
    ],
)  # fmt: skip
def test_signature_errors(text, said):
    """Each mistake names the parameter and says what to write."""
    with pytest.raises(SignatureError, match=said):
        declared(text)


@pytest.mark.parametrize("name", ["sqrt", "memcpy", "isnan"])
def test_a_kernel_may_not_be_called_like_a_library_function(name):
    """No candidate could define such a function."""
    with pytest.raises(SignatureError, match="C's library has a function of that name"):
        declared("x: f64) -> f64", name=name)


def test_annotations_may_use_names_of_the_defining_function():
    """Types that exist only where a kernel is declared are found there, by closure or by frame."""
    from symbiont_jit import evolvable

    real = f64
    length = 4

    @evolvable
    def f(x: Array[real, length]) -> real: ...

    assert f.c_prototype == "double f(const double x[4])"


def test_the_shape_key_forgets_names_only():
    """Equal types and dimension patterns have one key; different patterns have different ones."""
    one = declared('x: Array[f64, "n"], y: Array[f64, "n"]) -> f64').shape_key
    assert one == declared('u: Array[f64, "k"], v: Array[f64, "k"]) -> f64', name="g").shape_key
    assert one != declared('x: Array[f64, "n"], y: Array[f64, "m"]) -> f64').shape_key
    assert one != declared('x: Array[f64, "n"], y: InOut[f64, "n"]) -> f64').shape_key


MATRIX = KERNELS["matmul"].signature


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ((np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4))), None),
        ((np.ones((0, 3)), np.ones((3, 4)), np.ones((0, 4))), None),
        ((np.ones((2, 3)), np.ones((3, 4))), TypeError),
        ((np.ones((2, 3)), np.ones((4, 4)), np.ones((2, 4))), ValueError),
        ((np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 5))), ValueError),
        ((np.ones((3, 2)).T, np.ones((3, 4)), np.ones((2, 4))), ValueError),
        ((np.ones((2, 3), dtype=int), np.ones((3, 4)), np.ones((2, 4))), TypeError),
        ((np.ones(6), np.ones((3, 4)), np.ones((2, 4))), TypeError),
        (([[1.0]], np.ones((3, 4)), np.ones((2, 4))), TypeError),
    ],
)
def test_check_arguments(args, error):
    """Number, dtype, layout, dimensions and lengths are checked."""
    problem = check_arguments(MATRIX, args)
    assert problem is None if error is None else type(problem) is error


@pytest.mark.parametrize(
    ("annotation", "value", "error"),
    [
        ("int8", 127, None), ("int8", 128, OverflowError), ("int8", True, None), ("int8", 1.0, TypeError),
        ("uint64", 2**64 - 1, None), ("uint64", -1, OverflowError), ("f64", 3, None), ("f64", True, None),
        ("f64", np.float32(1), None), ("f64", "1", TypeError), ("f64", None, TypeError), ("f64", np.ones(1), TypeError),
        ("bool", True, None), ("bool", 1, TypeError), ("float32", 1.5, None), ("int32", np.int64(5), None),
    ],
)  # fmt: skip
def test_check_scalars(annotation, value, error):
    """An integer is a float, a float is no integer, and what does not fit is an overflow."""
    problem = check_arguments(declared(f"x: {annotation}) -> f64"), (value,))
    assert problem is None if error is None else type(problem) is error
