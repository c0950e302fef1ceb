"""C functions as declarations: the signature that a prototype has, and what is said of those that have none."""

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba import complex128 as c128
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, CandidateError, InOut, Kernel, Out, SignatureError, evolvable
from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.frontend.from_c import read_signature
from symbiont_jit.signature import SCALARS, ArrayType, Field, Mode, Param, Record, Scalar, Signature
from tests.kernel.declared import Pair

PROTOTYPES = {
    "double f(double x)": "f(x: float64) -> float64",
    "void f(void)": "f() -> None",
    "bool f(int8_t a, unsigned short b, long c, size_t d, float e, _Bool g)": (
        "f(a: int8, b: uint16, c: int64, d: uint64, e: float32, g: boolean) -> boolean"
    ),
    "double f(int64_t n, const double x[n], const double y[n])": (
        'f(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64'
    ),
    "void f(long m, long n, const float a[restrict m][n], float out[n], double t)": (
        'f(a: Array[float32, "m", "n"], out: InOut[float32, "n"], t: float64) -> None'
    ),
    "int f(const int x[3][4], int64_t count[1])": "f(x: Array[int32, 3, 4], count: InOut[int64, 1]) -> int32",
    "double _Complex f(int64_t n, const float _Complex z[n])": 'f(z: Array[complex64, "n"]) -> complex128',
    "double f(const struct P *p, struct P q[2])": "f(p: P, q: InOut[P, 2]) -> float64",
    "double f(const P *p, int64_t n)": "f(p: P, n: int64) -> float64",
    "double complex f(double complex z)": "f(z: complex128) -> complex128",
    "float complex f(int64_t n, const complex float z[n])": 'f(z: Array[complex64, "n"]) -> complex64',
    "double f(double complex)": "f(complex: float64) -> float64",
    "char f(char a, const char x[3])": "f(a: int8, x: Array[int8, 3]) -> int8",
    "ssize_t f(ssize_t a)": "f(a: int64) -> int64",
    "void f(int64_t *p)": "f(p: InOut[int64]) -> None",
    "void f(bool *restrict p, double *const q, float x)": "f(p: InOut[boolean], q: InOut[float64], x: float32) -> None",
    "void f(int64_t n, const double x[n], double *p)": 'f(x: Array[float64, "n"], p: InOut[float64]) -> None',
}


@pytest.mark.table
@pytest.mark.parametrize(("prototype", "signature"), PROTOTYPES.items())
def test_the_signature_of_a_c_function(prototype, signature):
    """Types, lengths and modes are read off the prototype; the function is revision 0."""
    head = "typedef struct P { double x; int w[2]; } P;\n#define UNUSED 1\n"
    result = "" if prototype.startswith("void") else "return 0;"
    kernel = Kernel.from_c(f"{head}{prototype} {{ {result} }}")
    assert str(kernel.signature) == signature
    assert (kernel.active.number, kernel.active.language) == (0, "c")


def test_a_kernel_from_c_runs_and_evolves():
    """It is a kernel like any other."""
    kernel = Kernel.from_c("double dot(int64_t n, const double x[n], const double y[n]) { return n; }")
    assert kernel(np.ones(4), np.ones(4)) == 4.0
    kernel.swap("double dot(int64_t k, const double *a, const double *b) { return k ? a[0] * b[0] : 0; }")
    assert kernel(np.full(2, 3.0), np.full(2, 5.0)) == 15.0
    with pytest.raises(ValueError, match="'x' has n = 1"):
        kernel(np.ones(1), np.ones(2))


def test_records_of_a_c_text_have_dtypes():
    """A struct of the text is a record, whose dtype the arguments have."""
    kernel = Kernel.from_c(
        "struct In { short a; double _Complex z; }; struct Out { struct In in[2]; float t; };"
        "double f(int64_t n, const struct Out x[n]) { return n ? x[n - 1].in[1].a + x[0].t : -1; }"
    )
    (record,) = (p.type.dtype for p in kernel.signature.params)
    x = np.zeros(2, record.dtype)
    x["in"]["a"] = [[1, 2], [3, 4]]
    x["t"] = 0.5
    assert (kernel(x), kernel(x[:0])) == (4.5, -1.0)


def test_complex_is_a_word_where_the_signature_has_complex_numbers():
    """`complex` and `I` need no include there, and mean what they do with it."""
    kernel = Kernel.from_c("double complex turned(double complex z) { double complex w = z * I; return w; }")
    assert kernel(1 + 2j) == -2 + 1j
    with pytest.raises(CandidateError):
        Kernel.from_c("double f(double x) { double complex z = x; return creal(z); }")


NAMES = ("a", "b", "c", "d", "e")
SIZES = st.one_of(st.sampled_from(["k", "m", "n"]), st.integers(1, 2**31 - 1))
FIELDS = st.lists(
    st.tuples(st.sampled_from(list(SCALARS.values())), st.lists(st.integers(1, 9), max_size=2)), min_size=1
)


@st.composite
def elements(draw):
    """A scalar or a record, whose name says what is in it."""
    if draw(st.booleans()):
        return draw(st.sampled_from(list(SCALARS.values())))
    fields = tuple(Field(f"f{i}", t, tuple(d)) for i, (t, d) in enumerate(draw(FIELDS)))
    return Record("R" + re.sub(r"\W", "_", str([(str(f.type), f.dims) for f in fields])), fields)


@st.composite
def params(draw, name):
    """A parameter of any kind but `Out` and const references to scalars, which C does not tell from others."""
    element = draw(elements())
    dims = tuple(draw(st.lists(SIZES, max_size=4)))
    mode = draw(st.sampled_from([Mode.IN, Mode.INOUT]))
    if not dims and isinstance(element, Scalar):
        return Param(name, element) if draw(st.booleans()) else Param(name, ArrayType(element, ()), Mode.INOUT)
    return Param(name, ArrayType(element, dims if isinstance(element, Scalar) else dims[:2]), mode)


@st.composite
def signatures(draw):
    """A signature that annotations can declare and that a C function alone tells."""
    count = draw(st.integers(0, len(NAMES)))
    drawn = tuple(draw(params(name)) for name in NAMES[:count])
    returns = draw(st.none() | st.sampled_from(list(SCALARS.values())))
    made = Signature("f", drawn, returns)
    has_count = any(isinstance(p.type, Scalar) and p.type.kind in "iu" for p in drawn)
    assume(not (has_count and any(is_one(p) for p in drawn)))
    assume(all(literal_bytes(p.type) <= 2**40 for p in drawn if isinstance(p.type, ArrayType)))
    return made


def is_one(param):
    """Whether it is one scalar by reference."""
    return isinstance(param.type, ArrayType) and not param.type.dims and isinstance(param.type.dtype, Scalar)


def literal_bytes(array):
    return math.prod([array.dtype.dtype.itemsize, *(d for d in array.dims if isinstance(d, int))])


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(signatures())
def test_a_prototype_is_read_as_the_signature_that_it_was_printed_from(signature):
    """Round trip: what `c_prototype` shows for a kernel declares the same kernel in C."""
    text = f"{signature.c_structs}{signature.c_prototype} {{ }}"
    assert read_signature(text, None, preprocess) == signature


@pytest.mark.parametrize("value", [Out[i64], InOut[i64], Out[Pair], InOut[f64, "n"], Array[c128, 2, "n"]])
def test_a_declared_kernel_is_made_again_from_its_prototype(value):
    """The text that a person copies from a kernel, with a body, gives a kernel of the same prototype."""

    @evolvable
    def f(a: value, x: Array[f64, "n"]) -> None: ...

    text = f"{f.signature.c_structs}{f.c_prototype} {{ }}"
    assert Kernel.from_c(text).c_prototype == f.c_prototype


def test_which_function_is_meant():
    """The only one that is not static; among several the one that is named."""
    text = "static double h(double x) { return x; } double f(double x) { return h(x); }"
    assert Kernel.from_c(text).signature.name == "f"
    assert Kernel.from_c(text, "h")(2.0) == 2.0
    with pytest.raises(SignatureError, match=r"which function is meant.*: f, g"):
        Kernel.from_c("double f(double x) { return x; } double g(double x) { return x; }")
    with pytest.raises(SignatureError, match="no function 'k' in the text; it defines: h, f"):
        Kernel.from_c(text, "k")


REFUSED_C = {
    "double f(const double *x) { return 0; }": r"write 'const double x\[n\]' for an array",
    "double f(double *const *x) { return 0; }": "no form in NumPy",
    "typedef double vec[3]; double f(const vec v) { return 0; }": "no form in NumPy",
    "double f(double x[n], int64_t n) { return 0; }": r"lengths of arrays come first.*\(int64_t n, ...\)",
    "double f(int n, const double x[n]) { return 0; }": "the length 'n' is an int64_t",
    "double f(int64_t n, const double x[n + 1]) { return 0; }": "a length is a parameter's name or a literal",
    "double f(const double x[]) { return 0; }": "a length is a parameter's name or a literal",
    "double *f(double x) { return 0; }": "a kernel returns a scalar or void",
    "struct P { double x; }; double f(struct P p) { return 0; }": r"write 'const struct P \*p'",
    "struct P { double *x; }; double f(const struct P *p) { return 0; }": "a field of struct P",
    "struct P { int x : 3; }; double f(const struct P *p) { return 0; }": "a field of struct P",
    "union P { int x; }; double f(const union P *p) { return 0; }": "no form in NumPy",
    "double f(long double x) { return 0; }": "no form in NumPy",
    "double f(double) { return 0; }": "has no name",
    "double sin(double x) { return 0; }": "C's library has a function of that name",
    "double f(double lambda) { return 0; }": "is a keyword in C or Python",
    "int x;": "there is no function in the text; write one with its body",
    "/* nothing */ // but comments": "there is no function in the text",
    "double f(double x)": r"only the prototype of 'f'.*give it a body: 'double f\(double x\) \{ ... \}'",
    "double f(double x);": "only the prototype of 'f'",
    "struct P { double x; }; void f(const struct P *p)": "only the prototype of 'f'",
    "void f(int64_t k, double *x) { }": r"write 'double x\[n\]' for an array of int64_t n, 'double x\[1\]' for one",
    "void f(int64_t n, const double x[n], double *y, short k) { }": "does not say how many values",
    "typedef struct { double x; } P; double f(const P *p) { return 0; }": "give the struct a tag",
    "typedef struct { double x; } P; double f(int64_t n, const P p[n]) { return 0; }": "give the struct a tag",
    "enum { N = 3 }; double f(const double x[N]) { return 0; }": "'N' is no parameter; a length is a literal",
    "double f(const double x[SIZE]) { return 0; }": "'SIZE' is no parameter; a length is a literal",
    "double f(const double x[*]) { return 0; }": "a length is a parameter's name or a literal",
    "double f(int64_t n, const double x[n], ...) { return 0; }": "variadic functions have no form here",
    "double f(const double x[0]) { return 0; }": r"a literal dimension is 1 to 2\*\*31 - 1, not 0",
    "double f(const double x[2147483648]) { return 0; }": r"a literal dimension is 1 to 2\*\*31 - 1",
    "double f(const double x[1][2][3][4][5]) { return 0; }": "an array has 1 to 4 dimensions, not 5",
    "double f(const double x[2147483647][2147483647]) { return 0; }": r"2\*\*40 is the limit",
    "struct S { struct S s; }; double f(const struct S *s) { return 0; }": "has no form in NumPy",
    "struct S { double x[1 << 28]; }; double f(const struct S *s) { return 0; }": "a field of struct S",
    "struct S { double x[268435456]; }; double f(const struct S *s) { return 0; }": "NumPy cannot hold it",
    "double f(double _Complex complex) { return 0; }": "named 'complex', which is a word of C",
    "".join(f"struct S{i + 1} {{ struct S{i} s; }};" for i in range(400)).replace("struct S0", "double")
    + "double f(const struct S400 *s) { return 0; }": "nested deeper than 32",
}


@pytest.mark.table
@pytest.mark.parametrize(("text", "message"), REFUSED_C.items())
def test_a_c_function_that_no_kernel_can_have(text, message):
    """What has no form in NumPy is refused, with what to write instead."""
    with pytest.raises(SignatureError, match=message):
        Kernel.from_c(text)


@pytest.mark.parametrize("text", ["", "double f(double x) { return", 'int f(void) { asm("nop"); return 0; }', b"\xff"])
def test_a_c_text_that_is_no_candidate(text):
    """A text that cannot be read or breaks a rule is the text's fault."""
    with pytest.raises(CandidateError):
        Kernel.from_c(text)
