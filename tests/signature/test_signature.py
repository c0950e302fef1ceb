"""Signatures: annotations to C prototypes, the refusals that say what to write, and the checks of a call's arguments."""

from __future__ import annotations

import ctypes
import functools
import re
import typing

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import float32 as f32
from numba import float64 as f64
from numba import int64 as i64
from numba import uint64 as u64

from symbiont_jit import Array, Group, InOut, Out, SignatureError, evolvable, record
from symbiont_jit.signature import SCALARS, ArrayType, Mode, Param, Signature, check_arguments, signature_of
from symbiont_jit.signature.elements import C_KEYWORDS


def made(name, **fields):
    """A record class of these fields."""
    return record(type(name, (), {"__annotations__": fields}))


def deep(dtype, levels):
    """A structured dtype with so many others inside each other."""
    dtype = np.dtype(str(dtype))
    for _ in range(levels):
        dtype = np.dtype([("a", dtype)], align=True)
    return dtype


def deep_class(levels):
    """A record class with so many others inside each other."""
    return functools.reduce(lambda inner, i: made(f"R{i}", a=inner), range(levels), f64)


Point = made("Point", x=f64, y=f64)
other_point = made("Point", x=f64)

SCOPE = {
    "np": np,
    "deep": deep,
    "Point": Point,
    "other_point": other_point,
    "complex_named": made("complex", a=f64),
    "Mixed": made("Mixed", a=numba.int8, b=f64),
    "complex_field": made("Pair", complex=f64),
    "endless": "endless",
    "numba": numba,
    "ctypes": ctypes,
    "typing": typing,
    "Array": Array,
    "Out": Out,
    "InOut": InOut,
    "f64": f64,
    "f32": f32,
    "i64": i64,
    "u64": u64,
}


def declare(parameters, returns="None", name="k"):
    """A function with these parameters; annotations are objects, as in a module without future annotations."""
    scope = dict(SCOPE)
    exec(compile(f"def {name}({parameters}) -> {returns}: ...", "<declaration>", "exec", dont_inherit=True), scope)
    return scope[name]


def prototype(parameters, returns="None"):
    return signature_of(declare(parameters, returns)).c_prototype


# -- prototypes -------------------------------------------------------------------------------------------------------

SCALAR_SPELLINGS = [
    ("int", "int64_t"),
    ("float", "double"),
    ("bool", "bool"),
    *((f"numba.{name}", scalar.c) for name, scalar in SCALARS.items()),
    *((f"np.{name}", scalar.c) for name, scalar in SCALARS.items() if name != "boolean"),
    *((f"np.dtype('{name}')", scalar.c) for name, scalar in SCALARS.items() if name != "boolean"),
    ("np.bool_", "bool"),
    ("np.dtype('?')", "bool"),
    ("np.dtype('<i2')", "int16_t"),
    ("np.intc", "int32_t"),
    ("np.longlong", "int64_t"),
    ("np.uintp", "uint64_t"),
    ("np.double", "double"),
    ("np.single", "float"),
    ("numba.intp", "int64_t"),
    ("numba.uintp", "uint64_t"),
    ("numba.int_", "int64_t"),
    ("'f64'", "double"),
    ("'np.uint8'", "uint8_t"),
]


@pytest.mark.parametrize(("spelling", "c_type"), SCALAR_SPELLINGS)
def test_a_scalar_goes_by_value(spelling, c_type):
    """Python, NumPy and Numba scalars, as parameter, result and element."""
    assert prototype(f"x: {spelling}", spelling) == f"{c_type} k({c_type} x)"
    if not spelling.startswith("'"):
        assert prototype(f"x: Array[{spelling}, 'n']") == f"void k(int64_t n, const {c_type} x[n])"
        assert prototype(f"x: InOut[{spelling}]") == f"void k({c_type} *x)"


PROTOTYPES = [
    ("", "void k(void)"),
    ("x: f64, /, y: f64", "void k(double x, double y)"),
    ("x: Array[f64, 'n']", "void k(int64_t n, const double x[n])"),
    ("x: Array[f64, 'n'], y: Array[f64, 'n']", "void k(int64_t n, const double x[n], const double y[n])"),
    ("x: Array[f64, 'n'], y: Array[f32, 'm']", "void k(int64_t n, int64_t m, const double x[n], const float y[m])"),
    ("s: f64, x: Array[f64, 'n'], t: int", "void k(int64_t n, double s, const double x[n], int64_t t)"),
    (
        "a: Array[f64, 'm', 'k'], b: Array[f64, 'k', 'n'], c: Out[f64, 'm', 'n']",
        "void k(int64_t m, int64_t k, int64_t n, const double a[m][k], const double b[k][n], double c[m][n])",
    ),
    ("x: Array[f64, 'n', 'n']", "void k(int64_t n, const double x[n][n])"),
    ("x: Array[f64, 3]", "void k(const double x[3])"),
    ("x: Array[f64, np.int64(3)]", "void k(const double x[3])"),
    ("x: Array[f64, 2**31 - 1]", "void k(const double x[2147483647])"),
    ("x: Array[f64, 3, 'n'], y: Out[f64, 'n', 4]", "void k(int64_t n, const double x[3][n], double y[n][4])"),
    (
        "x: Array[f64, 'a', 'b', 'c', 'd']",
        "void k(int64_t a, int64_t b, int64_t c, int64_t d, const double x[a][b][c][d])",
    ),
    ("x: f64[::1]", "void k(int64_t x_0, const double x[x_0])"),
    ("x: f64[:, ::1]", "void k(int64_t x_0, int64_t x_1, const double x[x_0][x_1])"),
    ("x: f32[:, :, :, ::1]", "void k(int64_t x_0, int64_t x_1, int64_t x_2, int64_t x_3, const float x[x_0][x_1][x_2][x_3])"),
    ("x: Out[f64[::1]], y: InOut[f64[:, ::1]]", "void k(int64_t x_0, int64_t y_0, int64_t y_1, double x[x_0], double y[y_0][y_1])"),
    ("x: numba.types.Array(f64, 1, 'C', readonly=True)", "void k(int64_t x_0, const double x[x_0])"),
    ("x: Out[f64, 'n']", "void k(int64_t n, double x[n])"),
    ("x: InOut[f64, 'n']", "void k(int64_t n, double x[n])"),
    ("x: Out[Array[f64, 'n', 2]]", "void k(int64_t n, double x[n][2])"),
    ("x: InOut[i64], y: Out[bool]", "void k(int64_t *x, bool *y)"),
    ("x: 'Array[f64, \"n\"]', y: 'Out[f64, \"n\"]'", "void k(int64_t n, const double x[n], double y[n])"),
    ("x: Array['f64', 'n'], y: Out['f64', 'n'], z: Out[\"Array[f64, 'm']\"]", "void k(int64_t n, int64_t m, const double x[n], double y[n], double z[m])"),
    ("x: Array[f64, 2**31 - 1, 'n']", "void k(int64_t n, const double x[2147483647][n])"),
    ("x: Array[f64, 2**20, 2**17]", "void k(const double x[1048576][131072])"),
    ("complex: f64, I: f64", "void k(double complex, double I)"),
    ("k: f64, exp: f64, sin: Array[f64, 'cos']", "void k(int64_t cos, double k, double exp, const double sin[cos])"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "expected"), PROTOTYPES)
def test_prototype(parameters, expected):
    """Dimensions first, in order of first appearance; then the arguments as declared."""
    assert prototype(parameters) == expected


@pytest.mark.parametrize("returns", ["None", "'None'", "numba.void", "numba.types.none"])
def test_nothing_is_returned(returns):
    """Every spelling of no result is C's void."""
    assert prototype("x: f64", returns) == "void k(double x)"


@pytest.mark.parametrize(("parameters", "expected"), [row for row in PROTOTYPES if "'n'" in row[0] or "f64" in row[0]])
def test_a_prototype_is_one_that_a_candidate_can_implement(parameters, expected):
    """What is shown to a model is accepted from it."""
    kernel = evolvable(declare(parameters))
    assert kernel.compile(f"{expected} {{ }}").source.startswith(expected)


def test_text_of_a_signature():
    """A signature prints as it is declared, with the names that Numba's types have."""
    signature = signature_of(declare("s: float, x: Array[f64, 'n', 3], o: Out[f32, 'n'], c: InOut[int]", "bool"))
    assert str(signature) == (
        'k(s: float64, x: Array[float64, "n", 3], o: Out[float32, "n"], c: InOut[int64]) -> boolean'
    )
    assert signature.doc == ""


def test_names_do_not_matter_to_a_callers_machine_code():
    """Signatures that differ in names alone have the same key; types, dimensions and writability count."""

    def key(parameters, returns="f64"):
        return signature_of(declare(parameters, returns)).shape_key

    base = key("x: Array[f64, 'n'], y: Array[f64, 'n']")
    assert base == key("a: Array[f64, 'm'], b: Array[f64, 'm']")
    others = [
        "x: Array[f64, 'n'], y: Array[f64, 'm']",
        "x: Array[f32, 'n'], y: Array[f64, 'n']",
        "x: Array[f64, 'n'], y: Out[f64, 'n']",
        "x: Array[f64, 'n', 'n'], y: Array[f64, 'n']",
        "x: Array[f64, 3], y: Array[f64, 3]",
        "x: Array[f64, 'n'], y: f64",
    ]
    assert len({base, key("x: Array[f64, 'n'], y: Array[f64, 'n']", "None"), *map(key, others)}) == len(others) + 2


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


def test_a_function_named_complex_takes_no_complex_numbers():
    """The word is C's where the signature has complex numbers; elsewhere it is a name like any other."""
    assert signature_of(declare("x: f64", "f64", "complex")).c_prototype == "double complex(double x)"
    with pytest.raises(SignatureError, match="the function is named 'complex'"):
        signature_of(declare("x: complex", "f64", "complex"))


def test_complex_is_a_word_for_a_whole_group():
    """A text of several functions has one meaning of the word: a name of one cannot be a type of another."""
    group = Group()
    group.evolvable(declare("z: complex", "f64", "first"))
    with pytest.raises(SignatureError, match="second: a parameter is named 'complex'"):
        group.evolvable(declare("complex: f64", "f64", "second"))


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


def test_records_are_as_deep_as_the_limit_says():
    """Thirty-two records inside each other are fine, as classes and as dtypes."""
    for record_type in (deep_class(32), deep(f64, 32)):
        signature = signature_of(types_of(record_type))
        assert signature.params[0].type.dtype.depth == 32


def types_of(annotation):
    """A function of one parameter."""

    def k(x): ...

    k.__annotations__ = {"x": annotation, "return": None}
    return k


def test_a_quoted_dtype_of_a_field_is_looked_up():
    """Quotes around a dtype inside brackets mean what they mean around a whole annotation."""
    assert made("A", p=Array["float", 3]).dtype == np.dtype([("p", "f8", 3)], align=True)


def test_a_missing_return_annotation_is_refused():
    """Nothing is guessed about the result."""

    def k(x: f64): ...

    with pytest.raises(SignatureError, match="the return value has no annotation; write '-> float64'"):
        signature_of(k)


@pytest.mark.parametrize("name", ["sj_k", "symbiont_k", "__k", "_K", "größe", "sqrt", "memcpy", "isnan", "M_PI", "int64_t", "restrict", "offsetof", "main"])  # fmt: skip
def test_a_function_name_that_no_candidate_may_define_is_refused(name):
    """A kernel's name is one that the frontend lets a candidate define."""
    with pytest.raises(SignatureError, match=name):
        signature_of(declare("x: f64", "f64", name))


def test_a_lambda_is_refused():
    """A function without a name of its own has no prototype."""
    with pytest.raises(SignatureError, match="<lambda>"):
        signature_of(lambda x: x)


@pytest.mark.parametrize("keyword", sorted(C_KEYWORDS - {"bool", "true", "false", "NULL"}))
def test_keywords_of_c_name_no_dimension(keyword):
    """Whatever C reserves cannot stand in a prototype."""
    with pytest.raises(SignatureError, match=r"keyword|reserved|meaning"):
        signature_of(declare(f"x: Array[f64, '{keyword}']"))


# -- arguments --------------------------------------------------------------------------------------------------------


def read_only(array):
    array.flags.writeable = False
    return array


ONE = np.ones(3)
PACKED = np.dtype([("a", "i1"), ("b", "f8")])
UNALIGNED = np.zeros(25, np.uint8)[1:].view(np.float64)

TAKEN = [
    ("x: f64", 1.5),
    ("x: f64", 1),
    ("x: f64", True),
    ("x: f64", np.float32(1)),
    ("x: f64", np.int8(1)),
    ("x: f64", float("nan")),
    ("x: f32", 1e300),
    ("x: i64", 2**63 - 1),
    ("x: i64", -(2**63)),
    ("x: i64", True),
    ("x: i64", np.uint8(3)),
    ("x: i64", np.bool_(True)),
    ("x: u64", 2**64 - 1),
    ("x: u64", np.uint64(2**64 - 1)),
    ("x: np.uint8", 255),
    ("x: np.int8", np.int64(-128)),
    ("x: bool", True),
    ("x: bool", np.bool_(False)),
    ("x: Array[f64, 'n']", ONE),
    ("x: Array[f64, 'n']", np.ones(0)),
    ("x: Array[f64, 'n']", read_only(np.ones(3))),
    ("x: Array[f64, 'n']", np.ones(6)[2:5]),
    ("x: Array[f64, 3]", ONE),
    ("x: Array[f64, 'n', 3]", np.ones((0, 3))),
    ("x: Array[f64, 'n', 'n']", np.ones((2, 2))),
    ("x: Array[bool, 'n']", np.ones(3, bool)),
    ("x: Out[f64, 'n']", np.ones(3)),
    ("x: InOut[f64]", np.array(1.0)),
    ("x: InOut[f64]", np.array([1.0])),
]


@pytest.mark.parametrize(("parameters", "value"), TAKEN)
def test_argument_is_taken(parameters, value):
    """What converts without loss and has the layout is no problem."""
    assert check_arguments(signature_of(declare(parameters)), (value,)) is None


NOT_TAKEN = [
    ("x: f64", "1.0", TypeError, "str"),
    ("x: f64", None, TypeError, "None"),
    ("x: f64", 1j, TypeError, "complex"),
    ("x: f64", np.complex64(1), TypeError, "complex64"),
    ("x: f64", np.array(1.0), TypeError, "shape ()"),
    ("x: f64", ONE, TypeError, "shape (3,)"),
    ("x: f64", [1.0], TypeError, "list"),
    ("x: f64", np.datetime64(0, "s"), TypeError, "datetime64"),
    ("x: f64", 10**400, (TypeError, OverflowError), "float64"),
    ("x: i64", 1.0, TypeError, "without loss"),
    ("x: i64", np.float32(1), TypeError, "without loss"),
    ("x: i64", 2**63, OverflowError, "outside int64"),
    ("x: i64", -(2**63) - 1, OverflowError, "outside int64"),
    ("x: i64", 2**64, OverflowError, "outside int64"),
    ("x: i64", 10**30, OverflowError, "outside int64"),
    ("x: i64", 10**5000, OverflowError, "outside int64"),
    ("x: i64", np.uint64(2**63), OverflowError, "outside int64"),
    ("x: u64", -1, OverflowError, "outside uint64"),
    ("x: u64", 2**64, OverflowError, "outside uint64"),
    ("x: np.uint8", 256, OverflowError, "outside uint8"),
    ("x: np.int8", -129, OverflowError, "outside int8"),
    ("x: np.int8", np.int64(128), OverflowError, "outside int8"),
    ("x: bool", 1, TypeError, "without loss"),
    ("x: bool", 0.0, TypeError, "without loss"),
    ("x: Array[f64, 'n']", [1.0, 2.0], TypeError, "not a NumPy array of float64"),
    ("x: Array[f64, 'n']", np.float64(1), TypeError, "not a NumPy array"),
    ("x: Array[f64, 'n']", None, TypeError, "not a NumPy array"),
    ("x: Array[f64, 'n']", np.ones(3, np.float32), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones(3, np.int64), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones(3, ">f8"), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones(3, object), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones((3, 1)), TypeError, "2 dimensions, not 1"),
    ("x: Array[f64, 'n']", np.array(1.0), TypeError, "0 dimensions, not 1"),
    ("x: Array[f64, 'n', 'm']", ONE, TypeError, "1 dimensions, not 2"),
    ("x: Array[f64, 'n']", np.ones(6)[::2], ValueError, "ascontiguousarray"),
    ("x: Array[f64, 'n']", np.ones(3)[::-1], ValueError, "ascontiguousarray"),
    ("x: Array[f64, 'n', 'm']", np.asfortranarray(np.ones((2, 3))), ValueError, "ascontiguousarray"),
    ("x: Array[f64, 'n']", UNALIGNED, ValueError, "aligned"),
    ("x: Array[f64, 'n', 3]", np.ones((3, 2)), ValueError, "axis 1 must have length 3"),
    ("x: Array[f64, 3, 'n']", np.ones((2, 3)), ValueError, "axis 0 must have length 3"),
    ("x: Array[f64, 'n', 'n']", np.ones((2, 3)), ValueError, "n = 3 (axis 1)"),
    ("x: Out[f64, 'n']", read_only(np.ones(3)), ValueError, "read-only"),
    ("x: InOut[f64, 'n']", read_only(np.ones(3)), ValueError, "read-only"),
    ("x: InOut[f64]", read_only(np.ones(1)), ValueError, "read-only"),
    ("x: InOut[f64]", 1.0, TypeError, "not a NumPy array"),
    ("x: InOut[f64]", np.float64(1), TypeError, "not a NumPy array"),
    ("x: InOut[f64]", np.ones(2), ValueError, "0-d or one-element"),
    ("x: InOut[f64]", np.ones(0), ValueError, "0-d or one-element"),
    ("x: InOut[f64]", np.ones((1, 1)), ValueError, "0-d or one-element"),
    ("x: InOut[i64]", np.ones(1), TypeError, "make a new array, contiguous and of dtype int64, and pass that one"),
    ("x: Out[f64, 'n']", np.ones(3, np.float32), TypeError, "make a new array, contiguous and of dtype float64"),
    ("x: Out[f64, 'n']", np.ones(6)[::2], ValueError, "make a new array, contiguous and of dtype float64"),
    ("x: InOut[f64, 'n', 'm']", np.asfortranarray(np.ones((2, 3))), ValueError, "the kernel writes it: make a new"),
    ("x: Out[f64, 'n']", UNALIGNED, ValueError, "is not aligned; the kernel writes it: make a new array"),
    ("x: Array[Mixed, 'n']", np.zeros(2, PACKED), TypeError, "convert it with .astype(Mixed.dtype), or make its dtype"),
    ("x: Mixed", np.zeros(2, PACKED)[0], TypeError, "convert it with .astype(Mixed.dtype)"),
    ("x: Out[Mixed, 'n']", np.zeros(2, PACKED), TypeError, "of the same dtype as the kernel's, and pass that one"),
    ("x: Array[Mixed, 'n']", np.zeros(2), TypeError, "has dtype float64, not {'names': ['a', 'b']"),
]


@pytest.mark.parametrize(
    ("parameters", "value", "kind", "said"), NOT_TAKEN, ids=[f"{p}-{i}" for i, (p, *_) in enumerate(NOT_TAKEN)]
)
def test_argument_is_not_taken(parameters, value, kind, said):
    """The problem has the exception's type for its kind, names the argument and ends with the signature."""
    signature = signature_of(declare(parameters))
    problem = check_arguments(signature, (value,))
    assert isinstance(problem, kind)
    assert str(problem).startswith("k(): argument 'x' ")
    assert said in str(problem)
    assert str(problem).endswith(f"; wanted {signature}")
    assert len(str(problem)) < 400
    if signature.params[0].mode != "in":
        assert not re.search(r"astype|ascontiguous|a copy", str(problem)), "the result would go into the copy"


def test_arguments_of_several_arrays_agree_in_their_dimensions():
    """A dimension that is named twice has one length; the message names both arrays."""
    signature = signature_of(declare("x: Array[f64, 'n'], a: Array[f64, 'm', 'n'], y: Array[f64, 'm']"))
    good = (np.ones(3), np.ones((2, 3)), np.ones(2))
    assert check_arguments(signature, good) is None
    problem = check_arguments(signature, (np.ones(3), np.ones((2, 4)), np.ones(2)))
    assert "argument 'a' has n = 4 (axis 1), but 'x' has n = 3" in str(problem)
    problem = check_arguments(signature, (np.ones(3), np.ones((2, 3)), np.ones(3)))
    assert "argument 'y' has m = 3 (axis 0), but 'a' has m = 2" in str(problem)
    assert isinstance(problem, ValueError)


@pytest.mark.parametrize("arguments", [(), (1.0,), (1.0, 2.0, 3.0)])
def test_number_of_arguments(arguments):
    """Too few or too many are told with the signature."""
    problem = check_arguments(signature_of(declare("x: f64, y: f64")), arguments)
    assert isinstance(problem, TypeError)
    assert f"takes 2 arguments, got {len(arguments)}" in str(problem)


class Rude:
    """An object whose text cannot be had."""

    def __repr__(self):
        raise RuntimeError("no")


def test_a_problem_is_told_even_of_an_object_without_a_text():
    """What is wrong with an argument does not depend on its `repr`."""
    assert isinstance(check_arguments(signature_of(declare("x: f64")), (Rude(),)), TypeError)


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_every_unsigned_integer_gets_through_a_call(value):
    """A Python int that fits the parameter arrives as it is, at the largest width too."""

    @evolvable(source="uint64_t same(uint64_t x) { return x; }")
    def same(x: u64) -> u64: ...

    assert same(value) == value
    assert same(np.uint64(value)) == value


LIMITS = [(s, np.iinfo(s.dtype)) for s in SCALARS.values() if s.kind in "iu"]


@given(st.sampled_from(LIMITS), st.integers(-(2**70), 2**70))
def test_an_integer_is_taken_if_it_fits(limits, value):
    """For every width, exactly the values of the type are taken; others are an `OverflowError`."""
    scalar, info = limits
    problem = check_arguments(Signature("k", (Param("x", scalar),), None), (value,))
    assert (problem is None) == (info.min <= value <= info.max)
    assert problem is None or isinstance(problem, OverflowError)


def test_a_parameter_is_frozen_and_comparable():
    """Signatures are values: equal when declared equally, usable as keys, not to be changed."""
    one, other = (signature_of(declare("x: Array[f64, 'n'], y: Out[f64, 3]")) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one.params[0] == Param("x", ArrayType(SCALARS["float64"], ("n",)), Mode.IN)
    assert one.params[1].mode is Mode.OUT
    with pytest.raises(AttributeError):
        one.name = "other"
