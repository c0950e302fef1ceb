"""Whether a candidate's function has the declared signature."""

import numpy as np
import pytest
from numba import float64 as f64
from numba import int8 as i8

from symbiont_jit import Array, CandidateError, Kernel, Out, evolvable
from tests.frontend.candidates import refusal

#: Typedefs of arrays: parameters in Python, whether the candidate agrees, the text.
AGREES = [
    (Array[f64, 2, 3], True, "typedef double M[3]; void k(const M x[2])"),
    (Array[f64, 2, 3], True, "typedef const double M[3]; void k(M x[2])"),
    (Array[f64, 2, 3], True, "typedef double M[3]; typedef const M N; void k(N *x)"),
    (Array[f64, 2, 3], True, "typedef double M[2][3]; void k(const M x)"),
    (Array[f64, 2, 3], False, "typedef double M[3]; void k(M x[2])"),
    (Array[f64, 2, 3], False, "typedef double M[3]; void k(M *const x)"),
    (Out[f64, 2, 3], True, "typedef double M[3]; void k(M *const x)"),
    (Out[f64, 2, 3], False, "typedef double M[3]; void k(const M x[2])"),
    (Out[f64, 2, 3], False, "typedef double M[2][3]; void k(const M x)"),
    (Array[f64, "n"], True, "typedef double T[3]; void k(int64_t n, const T x)"),
    (Array[f64, "n"], False, "typedef double T[3]; void k(int64_t n, T x)"),
    (Array[f64, "n"], False, "typedef double *T; void k(int64_t n, const T x)"),
    (Out[f64, "n"], True, "typedef double *T; void k(int64_t n, const T x)"),
    (Out[f64, "n"], False, "typedef double T[3]; void k(int64_t n, const T x)"),
    (Out[f64, "n"], False, "typedef double T[3]; typedef const T U; void k(int64_t n, U x)"),
    (i8, True, "void k(char x)"),
    (Array[i8, "n"], True, "void k(int64_t n, const char x[n])"),
    (Out[i8, "n"], True, "typedef char byte; void k(int64_t n, byte *x)"),
    (Array[i8, "n"], False, "void k(int64_t n, const unsigned char x[n])"),
]


@pytest.mark.parametrize(("declared", "agrees", "text"), AGREES)
def test_agreement_sees_through_typedefs(declared, agrees, text):
    """`const` on a typedef of an array is `const` on its elements (C11 6.7.3); `char` is `int8_t`."""

    @evolvable
    def k(x: declared) -> None: ...

    for profile in ("release", "safe", "checked"):
        if agrees:
            assert k.compile(text + " { }", profile)
        else:
            with pytest.raises(CandidateError, match="wanted: void k"):
                k.compile(text + " { }", profile)


def test_char_has_a_sign():
    """Values, elements and fields of `char` are those of `int8_t`, on every machine and in every profile."""
    source = (
        "struct P { char low; char name[3]; };\n"
        "char k(int64_t n, char a, const char x[n], struct P *p) { p->low = x[0]; p->name[2] = a; return a >> 1; }"
    )
    for profile in ("release", "safe", "checked"):
        kernel = Kernel.from_c(source, profile=profile)
        record = np.zeros((), kernel.signature.params[2].type.dtype.dtype)
        assert kernel(-100, np.array([-5], np.int8), record) == -50
        assert record["low"] == -5
        assert record["name"].tolist() == [0, 0, -100]
        assert Kernel.from_c("bool negative(void) { return (char)200 < 0; }", profile=profile)()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("int64_t n, int64_t m, const double x[m][n]", "its inner dimension is parameter 1, not parameter 2"),
        ("int64_t m, int64_t n, const double x[m][m]", "its inner dimension is parameter 1, not parameter 2"),
        ("int64_t m, int64_t n, const double x[m][3]", "inner dimension n"),
        ("int64_t m, int64_t n, const double x[m][n], ...", "ends in '...'; variadic functions have no form here"),
    ],
)
def test_what_disagrees_is_said(parameters, message):
    """The message does not contradict itself where names say less than their places."""

    @evolvable
    def k(x: Array[f64, "m", "n"]) -> None: ...

    error = refusal(f"void k({parameters}) {{ }}", k.signature)
    assert message in str(error)
    assert "has 4 parameters" not in str(error)
