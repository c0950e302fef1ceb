"""Profiles and options of clang that a declaration may have."""

import numpy as np
import pytest

from symbiont_jit import CandidateError, Kernel, PanicError, UsageError
from symbiont_jit.kernel.profiles import require_flags
from tests.kernels import DOT


@pytest.mark.parametrize(
    "flag",
    "-S -E -c -emit-llvm -flto -fsyntax-only --version -save-temps -fno-pic -m32 -m16 -I/tmp -include -o -mllvm "
    "-fplugin=x.so -fsanitize=address -DSJ_FRAME=1 -Dsj_cell=1 -D__x86_64__ -std=c99 -x -Xclang -g -v -### "
    "-Wframe-larger-than=9 -Wno-frame-larger-than -finput-charset=latin1 -fno-integrated-as -O2\n-S @file -".split(" "),
)
def test_options_of_no_known_family_are_refused(flag):
    """What would make clang write something else than bitcode is named, with what there is instead."""
    with pytest.raises(UsageError, match=r"flags may have a level like -O2; .* is none of these"):
        Kernel.from_c("double f(double x) { return x + 1; }", flags=["-O2", flag])


@pytest.mark.table
@pytest.mark.parametrize(
    "flag",
    "-O0 -O1 -Os -Oz -Ofast -ffast-math -fno-vectorize -funroll-loops -fno-inline -ffp-contract=fast -march=native "
    "-mtune=generic -mno-fma -mprefer-vector-width=256 -mllvm=-unroll-threshold=200 -DK=7 -Wall".split(),
)
def test_options_of_every_family_compile(flag):
    """An option that is accepted is one that clang takes, in every profile."""
    kernel = Kernel.from_c("double f(double x) { return x + 1; }", flags=[flag])
    for profile in ("safe", "checked", "release"):
        kernel.swap("double f(double x) { double t[3] = {x}; return t[0] + 2; }", profile=profile)
        assert kernel(1.0) == 3.0


def test_a_profile_that_does_not_exist_is_refused(dot):
    """The message says which there are."""
    assert [dot.compile(DOT, profile=p).profile for p in ("safe", "checked", "release")] == [
        "safe",
        "checked",
        "release",
    ]
    with pytest.raises(UsageError, match="no profile 'fast'"):
        dot.compile(DOT, profile="fast")


@pytest.mark.parametrize(
    "name", "unsigned extern const double static int64_t NULL malloc sin INT64_MAX M_PI cleanup push apply_to".split()
)
def test_a_macro_is_no_word_of_c_or_of_the_checks(name):
    """A macro that would make something else of the code around a candidate is refused, and another one is not."""
    with pytest.raises(UsageError, match=f"flags may not define '{name}'"):
        require_flags([f"-D{name}=1"])
    assert require_flags(["-DWIDTH=4"]) == ("-DWIDTH=4",)


@pytest.mark.parametrize("flag", ["-Wno-everything", "-Wno-error"])
def test_no_option_about_warnings_lets_pass_what_is_refused(flag):
    """A lost const and an address as a number are refused in every profile, whatever a person wants to be warned of."""
    head = "double f(int64_t n, const double x[n])"
    kernel = Kernel.from_c(f"{head} {{ return x[0]; }}", flags=[flag])
    for body in ("double *p = (double *)x; p[0] = 7; return 0;", "int64_t a = x; return a;"):
        for profile in ("safe", "checked", "release"):
            with pytest.raises(CandidateError):
                kernel.compile(f"{head} {{ {body} }}", profile=profile)


#: A guard whose condition is no number at all where there is neither infinity nor none.
GUARD = (
    "double f(int64_t n, double x[n], int64_t i, double s) {{ if (i < 0 || i >= n) {{ if ({no_number} > 0.0) return 1.0; }} "
    "double old = x[i]; x[i] = -7.0; return old; }}"
)


@pytest.mark.parametrize(
    ("flag", "no_number"),
    [
        ("-ffast-math", "NAN + s"),
        ("-Ofast", "NAN + s"),
        ("-ffinite-math-only", "INFINITY * -s"),
        ("-fno-honor-nans", "NAN + s"),
        ("-fno-honor-infinities", "INFINITY * -s"),
    ],
)
@pytest.mark.parametrize("profile", ["safe", "checked"])
def test_no_option_about_numbers_takes_a_check_away(flag, no_number, profile):
    """Nothing is concluded from a number that is infinite or none, whatever options say of such numbers."""
    kernel = Kernel.from_c(GUARD.format(no_number=no_number), flags=[flag], profile=profile)
    whole = np.arange(8.0)
    with pytest.raises(PanicError, match="index 6 out of bounds for x with n = 4"):
        kernel(whole[:4], 6, 1.0)
    assert whole.tolist() == list(range(8))


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["-march=bogus", "-mllvm=-unroll-bogus", "-mno-sse"])
def test_an_option_that_clang_takes_for_no_text_is_no_candidates_fault(flag):
    """What would refuse every text is an error about the options."""
    with pytest.raises(UsageError, match=rf"clang compiles nothing with flags=\['{flag}'\]: the co"):
        Kernel.from_c("double f(double x) { return x + 1; }", flags=[flag])
