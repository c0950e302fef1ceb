"""Instrumented code: what `safe` and `checked` catch, what they refuse, and that they change nothing else."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from pycparser import c_ast

from symbiont_jit import CandidateError, Kernel
from symbiont_jit.engine.target import target_of
from symbiont_jit.instrument.expressions import HANDLERS
from symbiont_jit.instrument.unit import instrument, parse_canonical
from tests.frontend.test_corpus import ACCEPT, header, native, signature_for
from tests.instrument.bodies import HEADS, PROFILES, X, compiled, count, pick, table, write
from tests.properties.test_properties import INPUTS, MIXED, PROGRAMS

#: A struct of 32 bytes.
FIELD = "struct S {\n  double a[4];\n};\n"
A = np.arange(12.0).reshape(3, 4)
#: What panics in both profiles: kernel, body, arguments, kind, message, line.
SAFE = {
    "index past the end": (pick, "  return x[k];", (X, 10), "index", "index 10 out of bounds for x with n = 10", 3),
    "negative index": (pick, "  return x[k];", (X, -1), "index", "index -1 out of bounds for x with n = 10", 3),
    "first dimension": (table, "  return a[i][j];", (A, 3, 0), "index", "index 3 out of bounds for a with m = 3", 3),
    "second dimension": (table, "  return a[i][j];", (A, 1, 4), "index", "index 4 out of bounds for a[i] with n = 4", 3),
    "written": (write, "  out[k] = 1.0;", (X.copy(), 10), "index", "index 10 out of bounds for out", 3),
    "empty array": (pick, "  return x[0];", (X[:0], 0), "index", "index 0 out of bounds for x with n = 0", 3),
    "a changed dimension": (pick, "  n = 1000;\n  return x[n - 1];", (X, 0), "index", "index 999 out of bounds", 4),
    "local array": (pick, "  double t[4] = {0};\n  return t[k];", (X, 4), "index", "index 4 out of bounds for t", 4),
    "static table": (pick, "  static const double t[2] = {1, 2};\n  return t[k];", (X, 2), "index", "for t", 4),
    "string": (pick, '  return "abc"[k];', (X, 4), "index", "index 4", 3),
    "field": (pick, "  struct { int a[3]; } s = {{1}};\n  return s.a[k];", (X, 3), "index", "index 3 out of bounds for s.a with length 3", 4),
    "pointer": (pick, "  const double *p = x + k;\n  return *p;", (X, 10), "pointer", "element 10 of p, which has 10", 4),
    "pointer before": (pick, "  const double *p = x;\n  p--;\n  return *p;", (X, 0), "pointer", "element", 5),
    "walk": (pick, "  const double *p = x;\n  double s = 0;\n  while (k-- > 0)\n    s += *p++;\n  return s;", (X, 11), "pointer", "element 10", 6),
    "parameter walks": (pick, "  x += k;\n  return *x;", (X, 10), "pointer", "element 10 of x", 4),
    "address of an element": (pick, "  const double *p = &x[k];\n  return p[1];", (X, 9), "pointer", "element 10", 4),
    "null": (pick, "  const double *p = 0;\n  return *p;", (X, 0), "pointer", "null or was never set", 4),
    "never set": (pick, "  const double *p;\n  return p[k];", (X, 0), "pointer", "null or was never set", 4),
    "memcpy": (write, "  double t[3] = {1};\n  memcpy(out, t, k * sizeof(double));", (X.copy(), 4), "memory", "32 bytes of t, where 24 are left", 4),
    "memset": (write, "  memset(out, 0, k);", (X.copy(), 81), "memory", "81 bytes of out, where 80 are left", 3),
    "division": (count, "  return a / b;", (7, 0), "division", "division by zero: 7 / 0", 3),
    "remainder": (count, "  return a % b;", (7, 0), "division", "7 % 0", 3),
    "division overflows": (count, "  return a / b;", (-(2**31), -1), "division", "division overflows", 3),
    "compound division": (count, "  a /= b;\n  return a;", (7, 0), "division", "division by zero", 3),
    "recursion": (pick, "static int64_t down(int64_t k)\n{\n  volatile int64_t t[8] = {0};\n  return down(k + 1) + t[k & 7];\n}\n" + HEADS[pick] + "  return down(k);\n}\n", (X, 0), "recursion", "calls itself too deeply", 1),
    "no length": (pick, "  double t[k];\n  return t[0];", (X, -1), "length", "array of -1 elements", 3),
    "too long": (pick, "  double t[k];\n  return t[0];", (X, 10**6), "stack", "8,000,000 bytes", 3),
    "unreachable": (pick, "  if (k)\n    __builtin_unreachable();\n  return 1;", (X, 1), "unreachable", "was reached", 4),
}  # fmt: skip
#: What only `checked` looks for.
CHECKED = {
    "sum": (count, "  return a + b;", (2**31 - 1, 1), "overflow", "2147483647 + 1 does not fit int32_t", 3),
    "difference": (count, "  return a - b;", (-(2**31), 1), "overflow", "- 1 does not fit", 3),
    "product": (count, "  return a * b;", (2**16, 2**16), "overflow", "65536 * 65536", 3),
    "negation": (count, "  return -a;", (-(2**31), 0), "overflow", "0 - -2147483648", 3),
    "increment": (count, "  a++;\n  return a;", (2**31 - 1, 0), "overflow", "+ 1", 3),
    "compound": (count, "  a += b;\n  return a;", (2**31 - 1, 5), "overflow", "+ 5", 3),
    "shift": (count, "  return a << b;", (1, 32), "shift", "shift by 32, not 0 to 31", 3),
    "negative shift": (count, "  return a >> b;", (1, -1), "shift", "shift by -1", 3),
    "conversion": (pick, "  int32_t i = x[k] * 1e9;\n  return i;", (X, 9), "conversion", "9000000000.0 does not fit int32_t", 3),
    "cast": (pick, "  return (uint8_t)(x[k] - 1);", (X, 0), "conversion", "-1.0 does not fit uint8_t", 3),
    "not a number": (pick, "  return (int64_t)(x[k] / x[k]);", (X, 0), "conversion", "nan does not fit", 3),
    "assumption": (pick, "  __builtin_assume(k > 0);\n  return k;", (X, 0), "assumption", "k > 0", 3),
    "freed by a subscript": (pick, "  double *p = malloc(32);\n  return p[(free(p), 1)];", (X, 0), "freed", "access to p, which was freed", 4),
    "freed by a subscript of a field": (pick, FIELD + HEADS[pick] + "  struct S *p = malloc(32);\n  return p->a[(free(p), 1)];\n}\n", (X, 0), "freed", "access to p", 7),
    "freed by a subscript of a row": (pick, "  double(*p)[4] = malloc(64);\n  p[0][(free(p), 1)] = 6;\n  return 0;", (X, 0), "freed", "access to p", 4),
    "freed by an outer subscript": (pick, "  double(*p)[2][2] = malloc(64);\n  return p[0][(free(p), 1)][0];", (X, 0), "freed", "access to p", 4),
    "freed by another argument": (pick, "  double *p = malloc(32);\n  memcpy(p, (free(p), x), 8);\n  return 0;", (X, 0), "freed", "access to p", 4),
    "freed by what is assigned": (pick, FIELD + "static struct S h(struct S *p)\n{\n  struct S s = {{1}};\n  free(p);\n  return s;\n}\n" + HEADS[pick] + "  struct S *p = malloc(32);\n  *p = h(p);\n  return 0;\n}\n", (X, 0), "freed", "access to p", 13),
    "an assumed alignment": (write, "  double *p = __builtin_assume_aligned(out + 1, 1 << 30);\n  p[0] = k;", (X.copy(), 1), "alignment", "access to out at an address", 3),
    "an assumed alignment with an offset": (write, "  double *p = __builtin_assume_aligned(out + 1, 1 << 30, 8 + k);\n  p[0] = k;", (X.copy(), 1), "alignment", "access to out at an address", 3),
    "alignment for modf": (pick, "  char b[64];\n  return modf(1.5, (double *)(b + 1));", (X, 0), "alignment", "b", 4),
    "alignment for frexp": (pick, "  char b[64];\n  return frexp(1.5, (int *)(b + 1));", (X, 0), "alignment", "b", 4),
}  # fmt: skip


@pytest.mark.table
@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SAFE)
def test_what_leaves_an_array_panics(name, profile):
    """The call returns zero, says what happened and where, and the next correct call works."""
    kernel, body, arguments, kind, message, line = SAFE[name]
    revision = compiled(kernel, body, profile)
    assert not revision(*arguments)
    panic = revision.take_panic()
    assert (panic.kind, panic.line) == (kind, line), str(panic)
    assert message in panic.message
    assert str(panic).endswith("^")
    assert revision.take_panic() is None


@pytest.mark.parametrize("value", ["floor(1e300)", "log(-1.0)", "round(1e10)", "fma(1e308, 1e308, 0.0)", "exp(1000.0)"])
def test_a_constant_that_fits_no_integer_is_one_all_the_same(value):
    """`safe` takes what the processor makes of it; `checked` panics."""
    body = f"  return (int32_t){value};"
    assert compiled(pick, body, "safe")(X, 0) == -(2.0**31)
    checked = compiled(pick, body, "checked")
    checked(X, 0)
    assert checked.take_panic().kind == "conversion"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_zero_is_a_null_pointer(profile):
    """As in C, wherever a pointer is wanted; nothing is behind it."""
    assert compiled(pick, "  free(0);\n  double *p = realloc(0, 8);\n  p[0] = 3;\n  return p[0];", profile)(X, 0) == 3.0
    revision = compiled(pick, "  memcpy(0, x, 8);\n  return 1;", profile)
    revision(X, 0)
    assert "is null or was never set" in revision.take_panic().message


@pytest.mark.table
@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("name", CHECKED)
def test_what_c_leaves_undefined_panics_when_checked(name):
    """`checked` says it with its values; `safe` gives some value and goes on."""
    kernel, body, arguments, kind, message, line = CHECKED[name]
    checked, safe = (compiled(kernel, body, p) for p in ("checked", "safe"))
    assert not checked(*arguments)
    panic = checked.take_panic()
    assert (panic.kind, panic.line) == (kind, line), str(panic)
    assert message in panic.message
    safe(*arguments)
    assert safe.take_panic() is None


REFUSED = {
    "pointer from a number": ("  return *(double *)(intptr_t)k;", "points nowhere"),
    "array of pointers": ("  const double *p[2];\n  return 0;", "use an array of indices"),
    "pointer in a struct": ("  struct { const double *p; } s;\n  return 0;", "in a struct ('p')"),
    "pointer in a union": ("  union { const double *p; int64_t k; } u;\n  u.k = k;\n  return *u.p;", "in a struct ('p')"),
    "pointer to a pointer": ("  const double *p = x;\n  return **(&p);", "pointer to a pointer"),
    "static pointer": ("  static const double *const p = 0;\n  return 0;", "outlive a call"),
    "outlives its block": ("  const double *p;\n  {\n    double t[n];\n    p = t;\n  }\n  return *p;", "outlive what it points at"),
    "an array that no stack has": ("  int a[200000000];\n  a[k] = 1;\n  return a[k];", "takes 800,000,000 bytes, which no stack has"),
    "arguments that nobody takes": ("static double none()\n{\n  return 1;\n}\n" + HEADS[pick] + "  return none(x[k]);\n}\n", "'none' takes 0 arguments, and not 1"),
    "a length that is more than a name": ("static double row(int64_t m, double y[][2 * m])\n{\n  return y[0][0];\n}\n" + HEADS[pick] + "  double t[9];\n  return row(2, (void *)t);\n}\n", "a length here is a constant, written plainly"),
    "jump past a declaration": ("  goto end;\n  double t[2] = {0};\nend:\n  return t[0];", "jumps past the declaration of 't'"),
    "case past a declaration": ("  switch (k) {\n    case 0:;\n      int i = 3;\n    case 1:\n      return i;\n  }\n  return 0;", "jumps past the declaration of 'i'"),
    "void pointer": ("  const void *p = x;\n  return *(const char *)(p + 1);", "no size"),
    "unknown target": ("  return *(k ? x : x + 1);", None),
    "either of two that ends": ("  const double *p = x;\n  for (;;) {\n    double t[n];\n    p = (k ? x : t) + 0;\n    break;\n  }\n  return *p;", "outlive"),
}  # fmt: skip


@pytest.mark.table
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_traced_is_refused(name, profile):
    """The finding has a line and says how to write it; `release` takes the same text."""
    body, message = REFUSED[name]
    if message is None:
        assert compiled(pick, body, profile)(X, 1) == 0.0
        return
    with pytest.raises(CandidateError, match="untraceable") as caught:
        compiled(pick, body, profile)
    assert message in str(caught.value)
    assert caught.value.diagnostics[0].line > 0


#: Texts that only the checks, or clang behind them, refuse; the finding's line and column, and a part of its message.
PLACES = {
    "a table without a length": (
        "static const double W[];\nstatic double f(int64_t i) { return W[i]; }\n"
        "static const double W[] = {1, 2, 3};\ndouble k(double x) { return f(2); }",
        (1, 21), "no length here",
    ),
    "an array without a length": (
        "static double f(int64_t i, const double (*p)[]) {\n  return (*p)[i]; }\n"
        "double k(double x) { double t[2] = {x, x};\n  return f(1, (const double (*)[])t); }",
        (2, 12), "without a length is behind this pointer",
    ),
    "a prototype without parameters": (
        "static double f();\ndouble k(double x) { const double t[1] = {x};\n  return f(t); }\n"
        "static double f(double *p) { return p[0]; }",
        (3, 12), "discards qualifiers",
    ),
    "a const between rows": (
        "double h(const double *x) {\n  return (*(double (*)[2])(const double (*)[3])x)[0]; }\n"
        "double k(double x) { double t[3] = {x}; return h(t); }",
        (1, 8), "drops const qualifier",
    ),
    "a call with too many arguments": (
        "static double f();\ndouble k(double x) {\n  return f(x, x); }\nstatic double f(double y) { return y; }",
        (3, 15), "too many arguments",
    ),
}  # fmt: skip


@pytest.mark.table
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", PLACES)
def test_what_only_checked_code_shows_has_its_place(name, profile):
    """The author's line is told also where it is generated code that cannot be compiled."""
    text, place, message = PLACES[name]
    with pytest.raises(CandidateError) as caught:
        Kernel.from_c("double k(double x) { return x; }").compile(text, profile)
    found = caught.value.diagnostics[0]
    assert (found.line, found.column) == place
    assert message in found.message


def test_what_the_checks_stumble_over_has_its_place(monkeypatch):
    """Where the checks themselves fail, the statement at which they did is told."""
    monkeypatch.setitem(HANDLERS, c_ast.Cast, lambda context, node: None.type)
    with pytest.raises(CandidateError, match="cannot follow this text") as caught:
        Kernel.from_c("double k(double x) { return x; }").compile("double k(double x) {\n  return (float)x; }", "safe")
    assert caught.value.diagnostics[0].line == 2


@pytest.mark.table
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_accepted_files_compute_the_same(path, profile):
    """The corpus gives the same results with checks; what is refused is refused for a pointer that is not followed."""
    text = path.read_bytes().decode()
    signature = signature_for(text)
    if path.stem in ("table_compound_literal", "table_of_strings"):
        with pytest.raises(CandidateError, match="untraceable"):
            Kernel(signature).compile(path.read_bytes(), profile)
        return
    revision = Kernel(signature).compile(path.read_bytes(), profile)
    for call in header(text, "call"):
        arguments, result = (ast.literal_eval(side.strip()) for side in call.split("->"))
        arguments = [native(a, p.type) for a, p in zip(arguments, signature.params, strict=True)]
        returned = revision(*arguments)
        assert revision.take_panic() is None
        if returned is None:
            returned = next(a for a, p in zip(arguments, signature.params, strict=True) if p.mode != "in")
        np.testing.assert_array_equal(returned, np.array(result, getattr(returned, "dtype", None)))


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(PROGRAMS)
def test_random_programs_compute_the_same(text):
    """Differential: random programs give the same bits with and without checks, or `checked` panics."""
    kernel = Kernel(MIXED)
    release, safe, checked = (kernel.compile(text, p) for p in ("release", "safe", "checked"))
    for a, b, x, y in INPUTS:
        arguments = np.uint64(a), np.uint64(b), x, y
        expected = release(*arguments)
        assert safe(*arguments) == expected, safe.source
        assert safe.take_panic() is None
        assert checked(*arguments) == expected or checked.take_panic() is not None, checked.source


def test_a_text_without_checks_is_compiled_as_it_is():
    """What cannot panic needs no frame and no shim."""
    text = target_of(pick).canonical(HEADS[pick] + "  return n + k;\n}\n").text
    tree = parse_canonical(text)
    assert instrument(text, tree, [pick.signature], "safe").is_plain
    assert not instrument(text, tree, [pick.signature], "checked").is_plain
