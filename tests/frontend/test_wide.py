"""In `release` nothing can be left for the next call in the bytes of a `long double` that nobody clears."""

import pytest

from symbiont_jit import CandidateError, Kernel

HEAD = "double f(double x) { "

REFUSED = {
    "variable": "long double v = x; char *p = (char *)&v; return p[12];",
    "assigned": "long double v; v = x; char *p = (char *)&v; return p[12];",
    "copied": "long double v = x; int j; memcpy(&j, (char *)&v + 12, 4); return j;",
    "literal": "char *p = (char *)&(long double){x}; return p[12];",
    "complex": "long double _Complex v = x; char *p = (char *)&v; return p[12];",
    "typedef": "typedef long double wide; wide v = x; char *p = (char *)&v; return p[12];",
    "const": "const long double v = x; const char *p = (const char *)&v; return p[12];",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_an_address_of_a_variable_of_its_own(body):
    """It is refused without checks, with what to write instead; with checks the bytes are cleared."""
    with pytest.raises(CandidateError, match=r"make it an array of one.*\[long-double\]") as caught:
        Kernel.from_c(HEAD + body + " }", profile="release")
    assert caught.value.diagnostics[0].line == 1
    assert caught.value.diagnostics[0].column > len(HEAD)
    for profile in ("safe", "checked"):
        assert Kernel.from_c(HEAD + body + " }", profile=profile)(3.0) == 0


def test_a_parameter_of_a_helper():
    """It lies in the stack as a variable does."""
    text = "static double help(long double v) { char *p = (char *)&v; return p[12]; }\ndouble f(double x) { return help(x); }"
    with pytest.raises(CandidateError, match="long-double"):
        Kernel.from_c(text, profile="release")


@pytest.mark.parametrize(
    "body",
    [
        "long double v[1] = {x}; char *p = (char *)v; return p[12];",
        "long double v[2]; v[0] = x; v[1] = 3; char *p = (char *)v; return p[12] + p[28];",
        "struct { long double v; } s = {x}; char *p = (char *)&s; return p[12];",
        "struct { long double v; } s; s.v = x; char *p = (char *)&s.v; return p[12];",
        "union { long double v; char p[16]; } s; s.v = x; return s.p[12];",
        "long double v = x; double w = x; double *p = &w; return v - *p;",
    ],
)
def test_what_is_cleared_as_a_whole_may_have_an_address(body):
    """An array of one, a struct and a union are zeros in the bytes that nobody writes."""
    kernel = Kernel.from_c(HEAD + body + " }", profile="release")
    assert [kernel(3.0) for _ in range(3)] == [0, 0, 0]
