"""Prompts: the texts that a model is sent."""

from dataclasses import replace
from pathlib import Path

import pytest
from numba import float64 as f64

import symbiont_jit as sj
from symbiont_jit import Array, CandidateError, evolvable
from symbiont_jit.backend.machine import Machine, describe_machine
from symbiont_jit.c import vocabulary
from symbiont_jit.evaluate.facts import TaskFacts
from symbiont_jit.llm.prompts import (
    CORRECTIONS,
    TaskDescription,
    write_correction,
    write_fresh_start,
    write_system_prompt,
    write_task_prompt,
)
from symbiont_jit.llm.rejections import Rejection, reject_error

MACHINE = Machine("clang 22.1", "AMD EPYC (znver4)", 512, (("L1d", "32 KiB"), ("L2", "1 MiB"), ("L3", "32 MiB")))
REFERENCE = """@evolvable
def score(c: Array[Candle, "n"], w: Array[f64, "n"], bias: f64, out: sj.Out[f64, "n"]) -> f64:
    total = bias
    for i in range(len(c)):
        out[i] = (c[i].close - c[i].open) * w[i]
        total += out[i]
    return total
"""
CURRENT = """double score(int64_t n, const struct Candle c[n], const double w[n], double bias, double out[n])
{
    // The order of the sum is that of the reference.
    for (int64_t i = 0; i < n; i++)
        bias += out[i] = (c[i].close - c[i].open) * w[i];
    return bias;
}
"""
REMARK = "line 4: loop not vectorized: cannot prove it is safe to reorder floating-point operations"
SHOWN = {
    "forbidden": "3:9: error: '#pragma omp parallel for' is not allowed [pragma]\n        #pragma omp parallel for\n        ^",
    "wrong": (
        "the result is 2.0, expected 3.0 [wrong]\n"
        "The smallest call that was found to show it: score(c=[(0.0, 1.0)], w=[1.0], bias=2.0, out=[0.0])"
    ),
}
GOLDEN = Path(__file__).parent / "golden"


def texts():
    """Every whole text that a model can be sent."""

    @sj.record
    class Candle:
        open: f64
        close: f64

    @evolvable
    def score(c: Array[Candle, "n"], w: Array[f64, "n"], bias: f64, out: sj.Out[f64, "n"]) -> f64:
        """Weighted gains.

        Of each candle, its gain times its weight.
        """

    failure = Rejection(
        "compile",
        "3:10: error: use of undeclared identifier 'y' [compiler]\n      return y;\n             ^",
        "",
        "undeclared 'y'",
    )
    first = TaskDescription(signatures=[score.signature], words="Make it fast.")
    facts = TaskFacts({"n": 100_000}, 1_600_000, (), (("w", "out"),), 1e-9)
    known = replace(first, reference=REFERENCE, current=CURRENT, remarks=[REMARK], facts=facts)
    return {
        "system": write_system_prompt(MACHINE),
        "task": write_task_prompt(known),
        "task_first": write_task_prompt(first),
        "fresh_start": write_fresh_start(write_task_prompt(first), [failure.brief, "the bounds of c", failure.brief]),
        "fresh_start_repeated": write_fresh_start(write_task_prompt(first), [failure.brief], is_repeated=True),
        **{
            f"correct_{kind}": write_correction(Rejection(kind, SHOWN.get(kind, failure.message)))
            for kind in CORRECTIONS
        },
    }


@pytest.mark.parametrize("name", sorted(texts()))
def test_the_texts_are_what_they_were(name):
    """A change of a prompt is seen as a whole; `python -m tests.llm.test_prompts` writes them anew."""
    assert texts()[name] == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", ["system", "task", "correct_forbidden", "fresh_start_repeated"])
def test_the_page_shows_the_texts_as_they_are(name):
    """`docs/prompts.md` has one of each."""
    assert f"````text\n{texts()[name]}````\n" in (GOLDEN.parents[2] / "docs" / "prompts.md").read_text()


def test_the_prompt_is_short():
    """900 tokens are some 3,500 characters; what is counted is the prompt of a machine with a long name."""
    assert len(write_system_prompt(MACHINE)) <= 3_450


#: Functions of <math.h> and <complex.h> (C11) that numbers are computed with; each has one for `float`, too.
MATH = (
    "acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb ldexp log log10 log1p "
    "log2 logb modf scalbn cbrt fabs hypot pow sqrt erf erfc lgamma tgamma ceil floor nearbyint rint lrint llrint round "
    "lround llround trunc fmod remainder copysign nextafter fdim fmax fmin fma "
    "cabs cacos cacosh carg casin casinh catan catanh ccos ccosh cexp cimag clog conj cpow cproj creal csin csinh csqrt "
    "ctan ctanh"
).split()
MACROS = "isnan isinf isfinite isnormal signbit isgreater isgreaterequal isless islessequal islessgreater isunordered".split()
BUILTINS = [f"{name}{end}" for name in "popcount clz ctz parity ffs".split() for end in ("", "l", "ll")]
BUILTINS += "bswap16 bswap32 bswap64 expect assume unreachable prefetch assume_aligned fma".split()
NOT_THERE = "scalbln remquo nexttoward nan fpclassify".split()


def test_what_the_prompt_says_may_be_called_is_in_the_table():
    """All of the headers but for what is named, the functions of memory, and the builtins."""
    known = set(vocabulary.FUNCTIONS)
    assert {*MATH, *(f"{name}f" for name in MATH), *MACROS} <= known
    assert {f"__builtin_{name}" for name in BUILTINS} <= known
    assert set("memcpy memmove memset memcmp malloc calloc realloc free abs".split()) <= known
    assert known.isdisjoint(NOT_THERE)
    text = write_system_prompt(MACHINE)
    assert all(name in text for name in NOT_THERE)
    assert {"M_PI", "INFINITY", "DBL_MAX", "INT64_MAX"} <= set(vocabulary.CONSTANTS)


#: What the prompt says is accepted, in C.
ACCEPTED = {
    "goto": "again: if (x < 1) { x += 1; goto again; } return x;",
    "struct": "struct S { double a; } s = {x}; return s.a;",
    "union": "union U { double a; int64_t b; } u = {x}; return u.a;",
    "enum": "enum { A = 3 }; return A * x;",
    "VLA": "int64_t n = 3; double t[n]; t[1] = x; return t[1];",
    "macro": "\n#define TWICE(a) ((a) + (a))\n return TWICE(x);",
    "table": "static const double t[2] = {1, 2}; return t[1] * x;",
    "restrict": "double t[2] = {x}; double *restrict p = t; return p[0];",
    "complex": "double _Complex z = CMPLX(x, 1); return creal(z * z);",
    "malloc": "double *p = malloc(8); p[0] = x; free(p); return x;",
    "reassociate": "\n#pragma clang fp reassociate(on)\n return x + x;",
    "contract": "\n#pragma clang fp contract(fast)\n return x * x + x;",
    **{
        option: f"double t[9] = {{x}};\n#pragma clang loop {option}\nfor (int i = 0; i < 9; i++) t[i] += x; return t[8];"
        for option in "vectorize(assume_safety) unroll_count(4) interleave_count(4) vectorize_width(8) unroll(disable)".split()
    },
}
#: What it says is refused, in C, and words of the advice that the correction gives.
REFUSED = {
    "<immintrin.h>": ("#include <immintrin.h>\n", "return x;", "no SIMD intrinsics"),
    "__m256d": ("", "__m256d y = _mm256_set1_pd(x); return x;", "no SIMD intrinsics"),
    "vector_size": ("typedef double v __attribute__((vector_size(32)));\n", "return x;", "no SIMD intrinsics"),
    "OpenMP": ("", "\n#pragma omp parallel\n return x;", "one thread"),
    "threads": ("#include <pthread.h>\n", "return x;", "one thread"),
    "`__attribute__`": (
        "__attribute__((noinline)) static double g(void) { return 1; }\n",
        "return x;",
        "attributes out",
    ),
    "`__restrict__`": ("", "double t[1]; double *__restrict__ p = t; return x;", "Write `restrict`"),
    "typeof": ("", "typeof(x) y = x; return y;", "Write the type itself"),
    "`({ ... })`": ("", "return ({ double y = x; y; });", ""),
    "inline assembly": ("", '__asm__("nop"); return x;', "no assembler"),
    "function pointers": (
        "static double g(double x) { return x; }\n",
        "double (*h)(double) = g; return h(x);",
        "function pointers",
    ),
    "qsort": ("", "qsort(&x, 1, 8, 0); return x;", "write the sort out"),
    "printf": ("", 'printf("%f", x); return x;', "Leave it out"),
    "assert": ("#include <assert.h>\n", "assert(x > 0); return x;", "Leave it out"),
    "variables that keep a value": ("", "static double y; y += x; return y;", ""),
    "pointers inside structs": ("struct S { double *p; };\n", "struct S s = {&x}; return *s.p;", ""),
    "128-bit": ("", "__int128 y = x; return y;", "two of 64 bits"),
    "C++": ("", "return std::max(x, 1.0);", ""),
    "begin with __ or sj_": ("", "double sj_y = x; return sj_y;", ""),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_prompt_says_is_accepted(kernel, body):
    """Each construct that the contract names compiles."""
    assert kernel.compile(f"double f(double x, int64_t k)\n{{ {body} }}\n")(2.0, 1) is not None


@pytest.mark.parametrize("named", REFUSED)
def test_what_the_prompt_says_is_refused(kernel, named):
    """Each construct that it says not to try is refused, and the correction names the way out."""
    before, body, advice = REFUSED[named]
    assert named in " ".join(write_system_prompt(MACHINE).split())
    code = f"{before}double f(double x, int64_t k)\n{{ {body} }}\n"
    with pytest.raises(CandidateError) as caught:
        kernel.compile(code)
    assert advice in write_correction(reject_error(caught.value, code))


def test_the_numbers_of_the_machine_are_those_of_this_one():
    """What the system says of the processor stands in the prompt, once."""
    text = write_system_prompt()
    assert str(describe_machine()) in text
    assert "%" not in text.replace("100%", "")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in texts().items():
        (GOLDEN / f"{name}.txt").write_text(text)
