"""The work of instrumenting a text grows as its length does, whatever the text is made of."""

import functools
import sys

import pytest

from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.frontend import canonical_source
from symbiont_jit.instrument.unit import instrument_tree, open_context
from symbiont_jit.signature import signature_of
from tests.kernels import scalar

#: What is repeated before the function, what begins its body, what is repeated in it; `#` is the number of the turn.
PARTS = {
    "cases": ("", "switch ((int)x) {", "case #: s = #; break;"),
    "cases and declarations": ("", "switch ((int)x) {", "case #: s = #; double t#;"),
    "labels": ("", "", "l#: s++; if (s < #) goto l0; int64_t a#; a# = s;"),
    "helpers": ("static double h#(double a) { return a + #; }", "s = h0(x);", ""),
    "helpers that call": (
        "static double g#(double a) { return a; } static double h#(double a) { return g#(a); }",
        "",
        "",
    ),
    "locals": ("", "", "double a# = x;"),
    "pointers": ("", "double t[4] = {0};", "double *p# = t + 1; p#[0] = #;"),
    "loops": ("", "", "for (int i = 0; i < 9; i++) s += i;"),
    "blocks": ("", "", "{ int64_t t = s; s += t; }"),
    "strings": ("", "", '{ const char *p = "abc"; s += p[1]; }'),
    "structs": ("struct S# { double a; int32_t b; };", "struct S0 t = {1, 2}; s = t.b;", ""),
    "macros": ("", "\n#define TWICE(a) ((a) + (a))\n", "s += TWICE(\n  s);"),
    "a negative length": ("", "int t[-1", " - 1"),
    "a length that is cast": ("", "int t[(int)1", " + (int)1"),
    "a table": ("", "static const int t[] = {", "#, "),
}


def text_of(kind, count):
    """A text of so many parts."""
    outside, begin, inside = PARTS[kind]
    before, within = ("".join(part.replace("#", str(turn)) for turn in range(count)) for part in (outside, inside))
    close = "};" if begin.endswith("= {") else "}" if begin.endswith("{") else ""
    close = " + 5000];" if begin.startswith("int t[") else close
    return f"{before}\ndouble scalar(double x, double y)\n{{\n  int64_t s = 0;\n  {begin}{within}{close}\n  return s;\n}}\n"


@functools.cache
def read(text):
    """A canonical text with its tree, which instrumenting leaves as it is."""
    return canonical_source(text, [signature_of(scalar)], preprocess)


def count_calls(text, profile):
    """How many functions are called, of Python and of C, while a text is instrumented."""
    signature, calls = signature_of(scalar), 0
    found = read(text)

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        instrument_tree(open_context(found.text, profile), found.tree, [signature])
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["safe", "checked"])
@pytest.mark.parametrize("kind", PARTS)
def test_twice_the_text_is_twice_the_work(kind, profile):
    """Of two texts, one four times as long as the other, the longer one takes at most five times as many calls."""
    count_calls(text_of(kind, 5), profile)
    short, long = (count_calls(text_of(kind, count), profile) for count in (60, 240))
    assert long < 5 * short


@pytest.mark.parametrize(
    "mention", ["(struct S *)x;", "{ struct S t = {0}; s += t.f0; }", "{ struct S *p = (struct S *)x; s += p->f0; }"]
)
def test_what_a_struct_has_inside_is_found_once(mention):
    """Of a struct of many members that is named many times, each member is looked at once."""
    mention = mention.replace("(struct S *)x", "(struct S *)NULL")

    def text(count):
        members = " ".join(f"char f{number};" for number in range(count))
        body = " ".join([mention] * count)
        return f"struct S {{ {members} }};\ndouble scalar(double x, double y) {{ int64_t s = 0; {body} return s; }}\n"

    short, long = (count_calls(text(count), "checked") for count in (60, 240))
    assert long < 5 * short
