"""Annotations: where they are looked up, and what is said of those that have no form in C."""

from __future__ import annotations

import re

import numba
import numpy as np
import pytest
from numba import float32 as f32
from numba import float64 as f64

from symbiont_jit import Array, InOut, Out, SignatureError, evolvable
from symbiont_jit.signature import signature_of
from tests.signature.declared import Point, declare, deep_class, made, other_point

# -- where annotations are looked up ----------------------------------------------------------------------------------
# This module has future annotations: the ones below are strings until they are resolved.


def test_future_annotations_of_a_module():
    """Names of the module are found."""

    def k(x: Array[f64, "n"], s: float) -> f64: ...

    assert isinstance(k.__annotations__["x"], str)
    assert signature_of(k).c_prototype == "double k(int64_t n, const double x[n], double s)"


def test_future_annotations_with_names_of_the_defining_function():
    """The decorator sees the locals of the function that it is used in."""
    Real = f32
    Vector = Array[f32, "n"]

    @evolvable
    def k(x: Vector) -> Real: ...

    @evolvable()
    def other(x: Vector) -> Real: ...

    assert k.c_prototype == "float k(int64_t n, const float x[n])"
    assert other.c_prototype == "float other(int64_t n, const float x[n])"


def test_future_annotations_with_names_that_the_body_closes_over():
    """A name that only an outer function knows is found when the body uses it too."""
    Real = f32

    def inner():
        def k(x: Real) -> Real:
            return Real(x)

        return k

    assert signature_of(inner()).c_prototype == "float k(float x)"


def test_future_annotations_in_a_class():
    """The names of a class body count while it is executed."""

    class Holder:
        Real = f32

        @evolvable
        def k(x: Real) -> Real: ...

    assert Holder.k.c_prototype == "float k(float x)"


def test_a_local_name_hides_a_global_one():
    """The innermost meaning of a name is what is declared."""
    f32 = numba.int8

    @evolvable
    def k(x: f32) -> f32:
        return f32(x)

    assert k.c_prototype == "int8_t k(int8_t x)"


def test_the_docstring_is_kept():
    """What the docstring says goes into prompts, without its indentation."""

    def k(x: f64) -> f64:
        """Twice x.

        And more.
        """

    assert signature_of(k).doc == "Twice x.\n\nAnd more."


# -- refusals ---------------------------------------------------------------------------------------------------------

ARRAY_HINT = 'Array[float64, "n"]'
REFUSED = [
    # parameters, result, what the message names, what it says to write
    ("x", "f64", "parameter 'x'", "x: float64"),
    ("x: f64, y", "f64", "parameter 'y'", "y: float64"),
    ("x: f64 = 1.0", "f64", "parameter 'x'", "remove '= 1.0'"),
    ("*x: f64", "f64", "parameter 'x'", "plain positional"),
    ("**x: f64", "f64", "parameter 'x'", "plain positional"),
    ("*, x: f64", "f64", "parameter 'x'", "plain positional"),
    ("x: str", "f64", "parameter 'x'", "Numba scalar"),
    ("x: list", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: list[float]", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: np.ndarray", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: typing.Any", "f64", "parameter 'x'", "Numba scalar"),
    ("x: ctypes.c_double", "f64", "parameter 'x'", "float64"),
    ("x: None", "f64", "parameter 'x'", "Numba scalar"),
    ("x: 3", "f64", "parameter 'x'", "Numba scalar"),
    ("x: Array", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: Out", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: np.float16", "f64", "parameter 'x'", "float32"),
    ("x: np.longdouble", "f64", "parameter 'x'", "float64"),
    ("x: np.str_", "f64", "parameter 'x'", "Numba scalar"),
    ("x: np.datetime64", "f64", "parameter 'x'", "Numba scalar"),
    ("x: np.number", "f64", "parameter 'x'", "Numba scalar"),
    ("x: np.integer", "f64", "parameter 'x'", "Numba scalar"),
    ("x: np.flexible", "f64", "parameter 'x'", "Numba scalar"),
    ("x: np.character", "f64", "parameter 'x'", "Numba scalar"),
    ("x: Point()", "f64", "parameter 'x'", "write its class, Point"),
    ("x: np.zeros(3)", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: np.zeros(3, Point.dtype)", "f64", "parameter 'x'", "a class made by @sj.record"),
    ("x: np.zeros(3, Point.dtype)[0]", "f64", "parameter 'x'", "a class made by @sj.record"),
    ("x: numba.types.Array", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: Out[numba.types.Array]", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: 'Array[f64, \"n\"] | None'", "f64", "parameter 'x'", 'write Array[float64, "n"] alone'),
    ("x: 'Array(f64, \"n\")'", "f64", "parameter 'x'", 'write Array[float64, "n"]'),
    ("x: Array[deep(f64, 400), 'n']", "f64", "parameter 'x'", "nested deeper than 32"),
    ("x: Array[f64, 2**31 - 1, 2**31 - 1]", "f64", "parameter 'x'", "2**40 is the limit; name them"),
    ("x: Array[f64, 2**20, 2**18, 'n']", "f64", "parameter 'x'", "2**40 is the limit; name them"),
    ("x: Out[numba.types.Array(f64, 1, 'C', readonly=True)]", "f64", "parameter 'x'", "leave out readonly=True"),
    ("complex: f64", "complex", "a parameter", "rename it"),
    ("x: Array[f64, 'complex'], z: complex", "f64", "a dimension", "rename it"),
    ("x: complex_named, z: complex", "f64", "a record", "rename it"),
    ("x: Array[complex_field, 'n']", "complex", "a field", "rename it"),
    ("x: Point, y: Array[other_point, 'n']", "f64", "parameter 'y'", "that of k: parameter 'x'; rename one"),
    ("x: np.dtype([(('title', 'a'), 'f8')], align=True)", "f64", "parameter 'x'", "have titles"),
    ("x: np.dtype([('a', np.dtype((np.dtype(('f8', 2)), 3)))], align=True)", "f64", "field 'a'", "('<f8', (3, 2))"),
    ("x: np.dtype('>f8')", "f64", "parameter 'x'", ""),
    ("x: np.dtype([('a', 'i1'), ('b', 'f8')])", "f64", "parameter 'x'", "align=True"),
    ("x: np.dtype([('a', object)], align=True)", "f64", "field 'a'", "a scalar, a sub-array or a record"),
    ("x: np.dtype([('a', '>f8')], align=True)", "f64", "field 'a'", "native byte order"),
    ("x: np.dtype([('a', 'U4')], align=True)", "f64", "field 'a'", "a scalar, a sub-array or a record"),
    ("x: np.dtype([('int', 'f8')], align=True)", "f64", "field 'int'", "rename it"),
    ("x: np.dtype('V8')", "f64", "parameter 'x'", "aligned structured dtype"),
    ("x: numba.types.unicode_type", "f64", "parameter 'x'", "Numba scalar"),
    ("x: numba.types.Tuple((f64, f64))", "f64", "parameter 'x'", "Numba scalar"),
    ("x: numba.optional(f64)", "f64", "parameter 'x'", "Numba scalar"),
    ("x: np.clongdouble", "f64", "parameter 'x'", "complex128"),
    ("x: f64[:]", "f64", "parameter 'x'", "float64[::1]"),
    ("x: f64[:, :]", "f64", "parameter 'x'", "float64[:, ::1]"),
    ("x: f64[::1, :]", "f64", "parameter 'x'", "float64[:, ::1]"),
    ("x: Out[f64[:]]", "f64", "parameter 'x'", "float64[::1]"),
    ("x: f64[:, :, :, :, ::1]", "f64", "parameter 'x'", "1 to 4"),
    ("x: f64[:, :, :, :, :]", "f64", "parameter 'x'", "1 to 4 dimensions, not 5; make one of several"),
    ("x: numba.types.Array(f64, 0, 'C')", "f64", "parameter 'x'", "'InOut[float64]' or 'Out[float64]'"),
    ("x: Out[numba.types.Array(f64, 0, 'A')]", "f64", "parameter 'x'", "'InOut[float64]' or 'Out[float64]'"),
    ("x: Array[f64]", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: Array[f64, 'a', 'b', 'c', 'd', 'e']", "f64", "parameter 'x'", "1 to 4"),
    ("x: Array[()]", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: Out[()]", "f64", "parameter 'x'", ARRAY_HINT),
    ("x: Array['f99', 'n']", "f64", "parameter 'x'", "import the name"),
    ("x: Array['n', f64]", "f64", "parameter 'x'", "import the name"),
    ("x: 'endless'", "f64", "parameter 'x'", "text that stands for text"),
    ("x: Array[str, 'n']", "f64", "parameter 'x'", "Numba scalar"),
    ("x: Array[f64[::1], 'n']", "f64", "parameter 'x'", "arrays do not nest"),
    ("x: Array[Array[f64, 'n'], 'n']", "f64", "parameter 'x'", "arrays do not nest"),
    ("x: Out[InOut[f64]]", "f64", "parameter 'x'", "one of them"),
    ("x: Array[Out[f64], 'n']", "f64", "parameter 'x'", "Out[float64] goes around the array"),
    ("x: Array[f64, 0]", "f64", "parameter 'x'", "1 to 2**31 - 1"),
    ("x: Array[f64, -1]", "f64", "parameter 'x'", "1 to 2**31 - 1"),
    ("x: Array[f64, 2**31]", "f64", "parameter 'x'", "1 to 2**31 - 1"),
    ("x: Array[f64, True]", "f64", "parameter 'x'", 'a name like "n"'),
    ("x: Array[f64, 1.5]", "f64", "parameter 'x'", "a literal like 3"),
    ("x: Array[f64, None]", "f64", "parameter 'x'", 'a name like "n"'),
    ("x: Array[f64, ...]", "f64", "parameter 'x'", 'a name like "n"'),
    ("x: Array[f64, 'n + 1']", "f64", "parameter 'x'", "underscores"),
    ("x: Array[f64, 'n\\n']", "f64", "parameter 'x'", "underscores"),
    ("x: Array[f64, '']", "f64", "parameter 'x'", "underscores"),
    ("x: Array[f64, '3']", "f64", "parameter 'x'", "underscores"),
    ("x: Array[f64, 'for']", "f64", "parameter 'x'", "'for_'"),
    ("x: Array[f64, 'int']", "f64", "parameter 'x'", "'int_'"),
    ("x: Array[f64, 'sj_n']", "f64", "parameter 'x'", "choose another"),
    ("x: Array[f64, 'int64_t']", "f64", "parameter 'x'", "choose another"),
    ("x: Array[f64, 'M_PI']", "f64", "parameter 'x'", "choose another"),
    ("x: Array[f64, 'x']", "f64", "'x'", "rename one"),
    ("x: Array[f64, 'n'], n: int", "f64", "'n'", "rename one"),
    ("x_0: f64, x: f64[::1]", "f64", "'x_0'", "rename one"),
    ("double: f64", "f64", "parameter 'double'", "'double_'"),
    ("restrict: f64", "f64", "parameter 'restrict'", "'restrict_'"),
    ("__x: f64", "f64", "parameter '__x'", "choose another"),
    ("_X: f64", "f64", "parameter '_X'", "choose another"),
    ("sj_x: f64", "f64", "parameter 'sj_x'", "choose another"),
    ("symbiont_x: f64", "f64", "parameter 'symbiont_x'", "choose another"),
    ("size_t: f64", "f64", "parameter 'size_t'", "choose another"),
    ("intmax_t: f64", "f64", "parameter 'intmax_t'", "choose another"),
    ("NAN: f64", "f64", "parameter 'NAN'", "choose another"),
    ("INT_MAX: f64", "f64", "parameter 'INT_MAX'", "choose another"),
    ("offsetof: f64", "f64", "parameter 'offsetof'", "choose another"),
    ("größe: f64", "f64", "parameter 'größe'", "ASCII"),
    ("x: 'nowhere'", "f64", "parameter 'x'", "import the name"),
    ("x: 'f64['", "f64", "parameter 'x'", "cannot be evaluated"),
    ("x: '1 / 0'", "f64", "parameter 'x'", "ZeroDivisionError"),
    ("x: f64", "str", "the return value", "Numba scalar"),
    ("x: f64", "np.dtype([('a', 'f8')], align=True)", "the return value", "Out[Candle]"),
    ("x: f64", "Array[f64, 'n']", "the return value", "out: Out[float64"),
    ("x: f64", "Out[f64]", "the return value", "out: Out[float64"),
    ("x: f64", "f64[::1]", "the return value", "out: Out[float64"),
    ("x: f64", "numba.from_dtype(Point.dtype)", "the return value", "Out[Candle]"),
    ("x: f64", "np.ndarray", "the return value", "a NumPy scalar type, or None where buffers are filled"),
    ("x: f64", "tuple[float, float]", "the return value", "a NumPy scalar type, or None where buffers are filled"),
    ("x: f64", "'nowhere'", "the return value", "import the name"),
]


@pytest.mark.table
@pytest.mark.parametrize(("parameters", "returns", "named", "advice"), REFUSED)
def test_a_declaration_with_no_c_form_is_refused(parameters, returns, named, advice):
    """A refusal names the function, the parameter, and what to write instead."""
    function = declare(parameters, returns)
    with pytest.raises(SignatureError) as caught:
        signature_of(function)
    message = str(caught.value)
    assert message.startswith(("k:", "function 'k'"))
    assert named in message
    assert advice in message
    assert not re.search(r"_RawArray|_Marked", message)


MISUSED = [
    (lambda: Array[f64, "n"] | None, 'write Array[float64, "n"] alone'),
    (lambda: None | Out[f32, "n", 3], 'write Out[float32, "n", 3] alone'),
    (lambda: Array(f64, "n"), 'write Array[float64, "n"]'),
    (lambda: Out(float), r"write Out[float]"),
    (lambda: InOut(Array[f64, "n"]), 'write InOut[Array[float64, "n"]]'),
    (lambda: deep_class(400), "record 'R32': records are nested deeper than 32"),
    (lambda: made("A", p=Point, q=other_point), "record 'A', field 'q': its record 'Point' is another one"),
    (lambda: made("Point", p=Point), "record 'Point': its record 'Point' is another one"),
    (lambda: made("A", p=Point()), "field 'p': this is an object of a record; write its class, Point"),
    (lambda: made("A", p=np.dtype((np.dtype(("f8", 2)), 3))), "field 'p': a sub-array of sub-arrays is written with"),
    (lambda: made("A", p=np.character), "field 'p': <class 'numpy.character'> has no C type here"),
]


@pytest.mark.parametrize(("misuse", "advice"), MISUSED)
def test_what_is_refused_before_there_is_a_parameter(misuse, advice):
    """What Python evaluates before the declaration sees it is refused there, with what to write."""
    with pytest.raises(SignatureError, match=re.escape(advice)):
        misuse()


def test_a_quoted_dtype_of_a_field_is_looked_up():
    """Quotes around a dtype inside brackets mean what they mean around a whole annotation."""
    assert made("A", p=Array["float", 3]).dtype == np.dtype([("p", "f8", 3)], align=True)


def test_a_missing_return_annotation_is_refused():
    """Nothing is guessed about the result."""

    def k(x: f64): ...

    with pytest.raises(SignatureError, match="the return value has no annotation; write '-> float64'"):
        signature_of(k)


def test_a_lambda_is_refused():
    """A function without a name of its own has no prototype."""
    with pytest.raises(SignatureError, match="<lambda>"):
        signature_of(lambda x: x)
