"""Properties of the whole way from text to code, over generated texts.

Totality: any text ends in object code or a `CandidateError`.
Round trip: parsing what was printed and printing it again changes nothing.
Differential: canonical source computes what the original text computes, bit for bit.
"""

import ctypes
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycparser.c_ast import FileAST

from symbiont_jit import CandidateError
from symbiont_jit.backend.clang import clang
from symbiont_jit.backend.loader import load
from symbiont_jit.backend.objects import ObjectCode, compile_object, symbols, unit_of
from symbiont_jit.frontend.tree import brace, parse, print_tree
from tests.corpus_signatures import KERNELS

scalar = KERNELS["scalar"]
CORPUS = [p.read_bytes() for p in sorted((Path(__file__).parent / "corpus").glob("*/*.c")) if "bomb" not in p.stem]
TOKENS = (
    "double scalar ( ) { } [ ] ; , x y = + - * / % & | ^ ~ ! < > ? : . -> ++ -- << >> <= == && || += return if else for while do "
    "switch case default break continue goto int int64_t const static struct union enum typedef sizeof 1 2.5 0x1p3 'a' \"s\" "
    "# #define #if #endif #pragma \n // /* */ \\ _Generic _Static_assert _Alignas inline volatile restrict asm __builtin_popcount"
).split(" ")
# The same examples in every run: a failure here has to be everybody's.
SETTINGS = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def ends_well(text):
    try:
        return scalar.compile(text)
    except CandidateError as error:
        return None if error.diagnostics and str(error) else "an error without findings"


@settings(SETTINGS, max_examples=150)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_totality_over_any_text(text):
    """Random characters and bytes are findings, never a traceback."""
    assert ends_well(text) != "an error without findings"


@settings(SETTINGS, max_examples=150)
@given(st.lists(st.sampled_from(TOKENS), max_size=60).map(" ".join))
def test_totality_over_tokens(body):
    """Random C tokens inside a function are object code or findings."""
    assert ends_well(f"double scalar(double x, double y) {{ {body} }}") != "an error without findings"


@st.composite
def mutilated(draw):
    """A file of the corpus with a piece deleted, doubled, or taken from another one."""
    text, other = draw(st.sampled_from(CORPUS)), draw(st.sampled_from(CORPUS))
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    piece = draw(st.sampled_from([b"", text[start:end] * 2, other[: end - start], bytes(reversed(text[start:end]))]))
    return text[:start] + piece + text[end:]


@settings(SETTINGS, max_examples=150)
@given(mutilated())
def test_totality_over_mutilated_candidates(text):
    """Broken candidates are object code or findings."""
    assert ends_well(text) != "an error without findings"


@pytest.mark.parametrize(
    "text",
    [
        '"' + "\\" * 50_000,
        "'" * 50_000,
        "/*" * 40_000,
        "#" * 90_000,
        "# 1\n" * 20_000,
        "{" * 90_000,
        "x " * 45_000,
        "if (x) " * 10_000,
        "double scalar(double x, double y) { return " + "(x," * 40_000 + "x; }",
        "double scalar(double x, double y) { return " + "sizeof " * 10_000 + "x; }",
        "double scalar(double x, double y) { " + "*" * 90_000 + "x; }",
        "double " + "*" * 5_000 + "scalar(double x, double y) { return 0; }",
        "typedef " * 12_000,
        "0x" + "f" * 90_000,
        "1" * 90_000,
        "a[" * 40 + "]" * 40,
        "double scalar(double x, double y) { return x " + "? x : y " * 3_000 + "; }",
        "_Static_assert(0, \"no\"); double scalar(double x, double y) { return x; }",
        "#define A(x) A(x) A(x)\ndouble scalar(double x, double y) { return A(x); }",
        "double scalar(double x, double y) { double t[1 << 30][1 << 30]; return t[0][0]; }",
    ],
    ids=lambda t: t[:24].replace("\n", " "),
)  # fmt: skip
def test_totality_over_pathological_texts(text):
    """Texts made to overwhelm a reader are findings too."""
    assert ends_well(text) is None


# -- a generator of valid C -----------------------------------------------------------------------------------------------

LEAVES = st.sampled_from(["x", "y", "a", "b", "1.5", "0.25", "(double)i", "(double)u", "t[i & 3]", "3", "2.0f"])
INTEGERS = st.sampled_from(["i", "3", "(i & 7)", "'a'", "0x1f", "(int)sizeof(a)", "-2", "!i", "~i"])


def binaries(children):
    return st.one_of(
        st.tuples(children, st.sampled_from("+-*"), children).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(children, st.sampled_from("+-*"), children).map(" ".join),
        children.map(lambda c: f"- {c}"),
        children.map(lambda c: f"-(- {c})"),
        children.map(lambda c: f"fabs({c})"),
        st.tuples(children, children, children).map(lambda p: f"({p[0]} > {p[1]} ? {p[1]} : {p[2]})"),
        st.tuples(children, children).map(lambda p: f"(i++, {p[0]} - {p[1]})"),
        st.tuples(children, INTEGERS).map(lambda p: f"({p[0]} / ({p[1]} * 2 + 301.0))"),
        children.map(lambda c: f"(double)(float)({c})"),
    )


EXPRESSIONS = st.recursive(LEAVES, binaries, max_leaves=6)
SIMPLE = st.one_of(
    st.tuples(st.sampled_from(["a", "b", "t[i & 3]", "t[1]"]), st.sampled_from(["=", "+=", "-="]), EXPRESSIONS).map(
        lambda p: " ".join(p) + ";"
    ),
    st.sampled_from(
        [
            "i++;",
            "--i;",
            "i = i * 3 & 15;",
            "u = u * 2654435761u ^ u >> 7;",
            "u += 3 << 2, i ^= 1;",
            "u -= (unsigned)i;",
            ";",
        ]
    ),
    st.sampled_from(["i = i > 2 ? i - 2 : i < -5 ? 0 : i;", "a = -(-a);", "b = - -b + +1;", "u = ~u | 1u & 7u;"]),
)


def statements(children):
    conditions = st.tuples(EXPRESSIONS, st.sampled_from([" < ", " >= ", " != "]), EXPRESSIONS).map("".join)
    return st.one_of(
        st.tuples(conditions, children).map(lambda p: f"if ({p[0]}) {p[1]}"),
        st.tuples(conditions, children, children).map(lambda p: f"if ({p[0]}) {p[1]} else {p[2]}"),
        st.tuples(conditions, conditions, children, children).map(
            lambda p: f"if ({p[0]}) if ({p[1]}) {p[2]} else {p[3]}"
        ),
        children.map(lambda c: f"for (int k = 0; k < 3; k++) {c}"),
        children.map(lambda c: f"for (int k = 0, l = 4; k < l; ++k, l--) if (k != 1) {c} else continue;"),
        children.map(lambda c: f"{{ int k = 0; do {c} while (++k < 2); }}"),
        children.map(lambda c: f"{{ int k = 3; while (k-- > 0) if (k == 1) break; else {c} }}"),
        children.map(lambda c: f"switch (i & 3) {{ case 0: {c} case 1: b += 1; break; default: {c} }}"),
        st.lists(children, min_size=1, max_size=3).map(lambda c: "{ " + " ".join(c) + " }"),
    )


PROGRAMS = st.lists(st.recursive(SIMPLE, statements, max_leaves=5), min_size=1, max_size=4).map(
    lambda body: (
        "double scalar(double x, double y) {\n  double a = x, b = y, t[4] = {0, 1, [3] = 2}; int i = 1; unsigned u = 7;\n  "
        + "\n  ".join(body)
        + "\n  return a * 3 + b + t[0] - t[1] + t[2] * t[3] + i + u;\n}\n"
    )
)
POINTS = [(0.0, 0.0), (1.0, -2.0), (-3.5, 4.25), (0.1, 1e3)]


def results(code):
    loaded = load(code)
    function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)(loaded.address)
    values = [ctypes.c_double(function(*p)) for p in POINTS]
    loaded.close()
    return [bytes(v) for v in values]


@settings(SETTINGS, max_examples=60)
@given(PROGRAMS)
def test_canonical_source_computes_what_the_text_says(text):
    """Differential: clang on the original text and clang on the canonical source give the same bits."""
    original = clang().lower(unit_of(text))
    assert isinstance(original, bytes), original
    canonical = scalar.canonical(text)
    ours = results(compile_object(canonical.text, "scalar"))
    theirs = results(ObjectCode("original", "scalar", original, tuple(sorted(symbols(original)[1]))))
    is_nan = [v != v for v in (ctypes.c_double.from_buffer_copy(b).value for b in theirs)]
    assert [a == b or n for a, b, n in zip(ours, theirs, is_nan, strict=True)] == [True] * len(POINTS)


@settings(SETTINGS, max_examples=150)
@given(PROGRAMS)
def test_print_parse_round_trip(text):
    """Canonical text is a fixed point: parse it, print it, and it is the same."""
    canonical = scalar.canonical(text).text
    tree = parse(canonical)
    assert isinstance(tree, FileAST)
    brace(tree)
    assert print_tree(tree) == canonical
    assert scalar.canonical(canonical).text == canonical
