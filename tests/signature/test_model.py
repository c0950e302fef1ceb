"""Signatures: the C prototypes that they make, and what their dimensions ask of arguments."""

import functools

import numpy as np
import pytest
from numba import float64 as f64
from numba import njit

from symbiont_jit import Array, Out, evolvable
from symbiont_jit.signature import SCALARS, ArrayType, Mode, Param, signature_of
from tests.signature.declared import declare


@evolvable(
    source="""
double turn(int64_t n, const double r[3][3], const double w[n][n][2], const double x[n][3], double out[n][3])
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        for (int j = 0; j < 3; j++) {
            out[i][j] = 0.0;
            for (int k = 0; k < 3; k++) out[i][j] += r[j][k] * x[i][k];
        }
        for (int64_t j = 0; j < n; j++) sum += w[i][j][0] - w[j][i][1];
    }
    return sum;
}"""
)
def turn(
    r: Array[f64, 3, 3], w: Array[f64, "n", "n", 2], x: Array[f64, "n", 3], out: Out[Array[f64, "n", 3]]
) -> f64: ...


@njit
def turn_loop(kernel, r, w, x, out):
    return kernel(r, w, x, out)


TURNS = {"from Python": turn, "from Numba": functools.partial(turn_loop, turn)}


@pytest.mark.parametrize("call", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize("n", range(4))
def test_literal_dimensions_stand_with_named_ones(call, n):
    """Literal lengths have no argument in C; a dimension that is named twice is passed once."""
    assert turn.c_prototype.startswith("double turn(int64_t n, const double r[3][3], const double w[n][n][2], ")
    rng = np.random.default_rng(n)
    r, w, x, out = (rng.integers(-9, 9, s).astype(float) for s in [(3, 3), (n, n, 2), (n, 3), (n, 3)])
    assert call(r, w, x, out) == w[..., 0].sum() - w[..., 1].sum()
    assert np.array_equal(out, x @ r.T)


@pytest.mark.parametrize("call", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize(
    "shapes",
    [
        [(3, 2), (2, 2, 2), (2, 3), (2, 3)],
        [(2, 3), (2, 2, 2), (2, 3), (2, 3)],
        [(0, 3), (2, 2, 2), (2, 3), (2, 3)],
        [(3, 3), (2, 2, 2), (2, 4), (2, 3)],
        [(3, 3), (2, 1, 2), (2, 3), (2, 3)],
        [(3, 3), (1, 2, 2), (2, 3), (2, 3)],
        [(3, 3), (2, 2, 3), (2, 3), (2, 3)],
        [(3, 3), (2, 2, 2), (2, 3), (1, 3)],
        [(3, 3), (2, 2, 2), (0, 3), (2, 3)],
    ],
)
def test_a_wrong_length_is_a_value_error(call, shapes):
    """A literal that is missed and a name with two lengths are told, nothing is written, the next call works."""
    arrays = [np.ones(shape) for shape in shapes]
    with pytest.raises(ValueError, match="argument"):
        call(*arrays)
    assert np.all(arrays[-1] == 1.0)
    out = np.zeros((1, 3))
    assert call(np.eye(3), np.ones((1, 1, 2)), np.full((1, 3), 7.0), out) == 0.0
    assert np.all(out == 7.0)


def test_the_message_of_a_wrong_length_says_which():
    """From Python, the axis and the length that it must have, or the two lengths of a name."""
    r, w, x, out = (np.ones(s) for s in [(3, 3), (2, 2, 2), (2, 3), (2, 3)])
    with pytest.raises(ValueError, match=r"argument 'r' has shape \(2, 3\); axis 0 must have length 3"):
        turn(r[:2], w, x, out)
    with pytest.raises(ValueError, match=r"argument 'w' has n = 1 \(axis 1\), but 'w' has n = 2"):
        turn(r, w[:, :1].copy(), x, out)
    with pytest.raises(ValueError, match=r"argument 'out' has n = 1 \(axis 0\), but 'w' has n = 2"):
        turn(r, w, x, out[:1])
    with pytest.raises(ValueError, match="axis 1 of argument 1 does not have length 3"):
        turn_loop(turn, np.ones((3, 2)), w, x, out)


def prototype(parameters, returns="None"):
    return signature_of(declare(parameters, returns)).c_prototype


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


def test_a_parameter_is_frozen_and_comparable():
    """Signatures are values: equal when declared equally, usable as keys, not to be changed."""
    one, other = (signature_of(declare("x: Array[f64, 'n'], y: Out[f64, 3]")) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one.params[0] == Param("x", ArrayType(SCALARS["float64"], ("n",)), Mode.IN)
    assert one.params[1].mode is Mode.OUT
    with pytest.raises(AttributeError):
        one.name = "other"
