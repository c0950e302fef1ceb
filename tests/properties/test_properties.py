"""Properties of the frontend over texts that nobody wrote.

Totality: any text or bytes end in object code or in a `CandidateError`, and in nothing else.
Round trip: the canonical text of an accepted text is accepted, and is its own canonical text.
Differential: the canonical text computes, bit for bit, what clang makes of the original text.
Positions: every word of the canonical text leads back to the author's word that it came from.
"""

import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import float64 as f64
from numba import uint64 as u64

from symbiont_jit import CandidateError, Kernel
from symbiont_jit.backend.objects import ObjectCode, compile_unit
from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.backend.unit import Unit
from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.target import target_of
from symbiont_jit.frontend import Canonical, canonical_source
from symbiont_jit.signature import signature_of
from tests.frontend.test_corpus import ACCEPT, REJECT, signature_for
from tests.frontend.test_source_map import require_the_same_words
from tests.kernels import scalar


def mixed(a: u64, b: u64, x: f64, y: f64) -> u64: ...


MIXED, SCALAR = signature_of(mixed), signature_of(scalar)

#: Files that a mutation starts from; the longest are left out, because reading is what takes the time here.
SEEDS = [path.read_bytes() for path in ACCEPT + REJECT if path.stat().st_size < 2_000]


# -- totality ---------------------------------------------------------------------------------------------------------


def compiled(proposed, signature):
    """A text's canonical form and object code, or the error that refuses it."""
    try:
        canonical = canonical_source(proposed, signature, preprocess)
        return canonical, compile_unit(Unit(canonical.text, canonical.names))
    except CandidateError as error:
        return error, None


def require_total(proposed, signature=SCALAR):
    """Compile a text: object code, or a refusal that can be shown."""
    result, code = compiled(proposed, signature)
    if code is None:
        assert result.diagnostics
        assert result.stage == result.diagnostics[0].stage
        assert all(d.line >= 0 and d.column >= 0 and d.message and d.rule for d in result.diagnostics)
        assert str(result)
    else:
        assert isinstance(code, ObjectCode)
        assert canonical_source(result.text, signature, preprocess).text == result.text


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_compiled_or_refused(proposed):
    """Totality over arbitrary Unicode text."""
    require_total(proposed)


@settings(max_examples=200, deadline=None)
@given(st.binary())
def test_any_bytes_are_compiled_or_refused(proposed):
    """Totality over arbitrary bytes."""
    require_total(proposed)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=60), st.integers(0, 3))
def test_any_text_inside_a_function_is_compiled_or_refused(inner, place):
    """Totality where the text stands in a body, an expression, before the function or in a directive."""
    before, after = [
        ("double scalar(double x, double y) { ", " return x; }"),
        ("double scalar(double x, double y) { return (", "); }"),
        ("", "\ndouble scalar(double x, double y) { return x; }"),
        ("#define A(x) ", "\ndouble scalar(double x, double y) { return A(x); }"),
    ][place]
    require_total(before + inner + after)


@st.composite
def mutations(draw):
    """A file of the corpus with some of its slices deleted, repeated, swapped or replaced by one of another file."""
    text = draw(st.sampled_from(SEEDS))
    signature = signature_for(text.decode("utf-8", "replace"))
    for _ in range(draw(st.integers(1, 4))):
        i, j, k = sorted(draw(st.lists(st.integers(0, len(text)), min_size=3, max_size=3)))
        match draw(st.sampled_from(["delete", "repeat", "swap", "graft"])):
            case "delete":
                text = text[:i] + text[min(j, i + 12) :]
            case "repeat":
                text = text[:j] + text[i:]
            case "swap":
                text = text[:i] + text[j:k] + text[i:j] + text[k:]
            case "graft":
                other = draw(st.sampled_from(SEEDS))
                at = draw(st.integers(0, len(other)))
                text = text[:i] + other[at : at + 40] + text[i:]
    return text[:20_000], signature


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(mutations())
def test_a_mutated_file_is_compiled_or_refused(case):
    """Totality close to valid C, where parsers break."""
    require_total(*case)


TOKENS = (
    "double int int64_t const static struct union enum typedef extern void unsigned char float long short signed _Bool "
    "volatile register inline restrict auto _Atomic _Alignas _Alignof _Generic _Static_assert _Noreturn _Thread_local "
    "return if else for while do switch case default break continue goto sizeof offsetof scalar x y z helper sqrt "
    'memcpy isnan __builtin_clz __func__ M_PI NULL true T 0 1 2.5 0x1p3 1\'0 \'c\' "s" L"w" ( ) ( ) { } { } [ ] ; ; ; , '
    ", . -> = += ++ -- + - * / % & | ^ ~ ! < > <= == && || << >> ? : ... # ## \\ @ $ ` asm __attribute__ [[ ]] _Pragma"
).split()
LINES = [
    "\n#define A(x) x + 1\n",
    "\n#define T double\n",
    "\n#if 1\n",
    "\n#else\n",
    "\n#endif\n",
    "\n#pragma unroll\n",
    "\n#include <math.h>\n",
    "\n# 7 \"f.c\"\n",
    " // c\n",
    " /* c */ ",
    "\\\n",
    "typedef double T;\n",
    "double scalar(double x, double y) {",
    "return x; }",
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(TOKENS), st.sampled_from(LINES)), max_size=40), st.booleans())
def test_token_soup_is_compiled_or_refused(tokens, inside):
    """Totality over sequences of C's own words, alone or in a function's body."""
    soup = " ".join(tokens)
    require_total(f"double scalar(double x, double y) {{ {soup} return x; }}" if inside else soup)


# -- generated programs -----------------------------------------------------------------------------------------------


class Program:
    """A random valid program for `mixed`: no undefined behaviour, few braces, every kind of statement and operator.

    Integers are unsigned 64-bit; what C would promote to int stays small. Divisors are odd, shift counts masked, loops
    end. Only statements change variables, never one that they read in the same expression without a comma between.
    """

    INTEGERS = ("a", "b", "u0", "u1", "u2", "s.u", "p->u", "t[0]", "t[3]", "*q")
    DOUBLES = ("x", "y", "d0", "d1", "s.d", "p->d")

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0
        self.labels = 0

    def pick(self, *choices):
        """One of the choices."""
        return self.random.choice(choices)

    def maybe(self, chance):
        """Whether something happens that has this chance."""
        return self.random.random() < chance

    def fresh(self, prefix):
        """A name that was not used yet."""
        self.names += 1
        return f"{prefix}{self.names}"

    # Expressions

    def integer(self, depth):
        """An expression of type uint64_t, or of int with a small value."""
        leaves = self.INTEGERS
        if depth <= 0 or self.maybe(0.1):
            number = self.pick("0", "1", "7u", "0x1fUL", "255ull", "'c' + 0u", "sizeof u0", "sizeof(int)", "RED", "K")
            return self.pick(self.random.choice(leaves), self.random.choice(leaves), number)
        one = lambda: self.integer(depth - 1)  # noqa: E731
        match self.random.randrange(17):
            case 0 | 1 | 2:
                return f"{one()} {self.pick(*'+-*&|^')} {one()}"
            case 3:
                return f"({one()}) {self.pick(*'+-*&|^')} {one()} {self.pick(*'+-*&|^')} ({one()})"
            case 4:
                return f"({one()}) {self.pick('/', '%')} (({one()}) | 1)"
            case 5:
                return f"((uint64_t) ({one()}) {self.pick('<<', '>>')} (({one()}) & {self.pick('63', '31', '7')}))"
            case 6:
                operand = f"({one()})" if self.maybe(0.5) else self.random.choice(leaves)
                return self.pick("- ", "- - ", "-~", "~", "+ ", "! ", "- ~ - ", "!!", "- + - ") + operand
            case 7:
                return f"({self.condition(depth - 1)} ? {one()} : {one()})"
            case 8:
                return f"({self.condition(depth - 1)} ? {one()} : {self.condition(depth - 1)} ? {one()} : {one()})"
            case 9:
                return f"(uint64_t) ({self.pick('uint8_t', 'int8_t', 'uint16_t', 'int16_t', 'unsigned char', 'bool')}) ({one()})"
            case 10:
                return f"t[({one()}) & 3]"
            case 11:
                return f"table[(uint64_t) ({one()}) % 5]"
            case 12:
                return f"({one()}, {one()})"
            case 13:
                return f"helper({one()}, {one()})"
            case 14:
                return f"whole({self.double(depth - 1)})"
            case 15:
                return f"MIX({one()}, {one()})"
            case _:
                return f"({self.condition(depth - 1)})"

    def double(self, depth):
        """An expression of type double."""
        leaves = self.DOUBLES
        if depth <= 0 or self.maybe(0.1):
            number = self.pick("0.5", "1e3", "0x1.8p1", "2.", ".25", "3.0f", "M_PI", "1e-3")
            return self.pick(self.random.choice(leaves), self.random.choice(leaves), number)
        one = lambda: self.double(depth - 1)  # noqa: E731
        match self.random.randrange(10):
            case 0 | 1 | 2:
                return f"{one()} {self.pick(*'+-*/')} {one()}"
            case 3:
                return f"({one()}) {self.pick(*'+-*/')} ({one()})"
            case 4:
                return f"{self.pick('- ', '- - ', '-', '+ -', '- - - ')}({one()})"
            case 5:
                return f"({self.condition(depth - 1)} ? {one()} : {one()})"
            case 6:
                return f"({self.pick('double', 'float')}) ({self.integer(depth - 1)})"
            case 7:
                return f"{self.pick('fabs', 'sqrt', 'floor', 'trunc')}({one()})"
            case 8:
                return f"{self.pick('fmin', 'fmax', 'copysign')}({one()}, {one()})"
            case _:
                return f"(double) ({one()}) - -{self.random.choice(leaves)}"

    def condition(self, depth):
        """An expression that is true or false."""
        compare = self.pick("<", ">", "<=", ">=", "==", "!=")
        if depth <= 0:
            return f"({self.integer(0)}) {compare} {self.integer(0)}"
        match self.random.randrange(6):
            case 0:
                return f"({self.integer(depth - 1)}) {compare} ({self.integer(depth - 1)})"
            case 1:
                return f"({self.double(depth - 1)}) {compare} ({self.double(depth - 1)})"
            case 2:
                return f"({self.condition(depth - 1)}) {self.pick('&&', '||')} {self.condition(depth - 1)}"
            case 3:
                return f"!({self.condition(depth - 1)})"
            case 4:
                return f"{self.condition(depth - 1)} && {self.condition(depth - 1)} || {self.condition(0)}"
            case _:
                return f"isless({self.double(0)}, {self.double(0)})"

    # Statements; `loops` is how many loops are around, and `breaks` whether `break` may stand here.

    def effect(self):
        """An expression that changes something."""
        variable = self.random.choice([v for v in self.INTEGERS if v not in ("a", "b")])
        if variable in ("*q", "s.u", "p->u", "t[0]", "t[3]"):
            return f"{variable} {self.pick('=', '+=', '-=', '*=', '^=', '|=', '&=')} K + {self.pick('u0', 'u1', 'a')}"
        double = self.random.choice(["d0", "d1"])
        match self.random.randrange(8):
            case 0:
                return f"{variable} = {self.integer(3)}"
            case 1:
                return f"{variable} {self.pick('+=', '-=', '*=', '^=', '|=', '&=')} {self.integer(2)}"
            case 2:
                return f"{variable} {self.pick('<<=', '>>=')} (({self.integer(1)}) & 15)"
            case 3:
                return f"{variable} {self.pick('/=', '%=')} (({self.integer(1)}) | 1)"
            case 4:
                return self.pick(f"{variable}++", f"++{variable}", f"{variable}--", f"--{variable}")
            case 5:
                return f"u2 = {variable.replace('u2', 'u1')}{self.pick('++', '--')} + a {self.pick(*'-+')} - - b"
            case 6:
                return f"{double} {self.pick('=', '+=', '-=', '*=', '/=')} {self.double(3)}"
            case _:
                return f"u0 = u1 = {self.integer(2)}"

    def statement(self, depth, loops=0, breaks=False):
        """One statement, not in braces unless it needs them."""
        if depth <= 0 or self.maybe(0.15):
            simple = [f"{self.effect()};", f"{self.effect()}, {self.effect()};", ";", f"(void) ({self.integer(2)});"]
            if loops:
                simple.append("continue;")
            if breaks:
                simple.append("break;")
            return self.pick(*simple[:2], *simple)
        inner = lambda b=breaks, n=loops: self.statement(depth - 1, n, b)  # noqa: E731
        condition = self.condition(2)
        kind = self.random.randrange(13)
        if kind in (7, 8, 9, 10) and loops >= 2:
            kind = 0
        match kind:
            case 0 | 1:
                return f"if ({condition}) {inner()}"
            case 2 | 3:
                return f"if ({condition}) {inner()} else {inner()}"
            case 4:
                return f"if ({condition}) if ({self.condition(1)}) {inner()} else {inner()}"
            case 5:
                return f"if ({condition}) {inner()} else if ({self.condition(1)}) {inner()} else {inner()}"
            case 6:
                return self.block(depth - 1, loops, breaks)
            case 7:
                i = self.fresh("i")
                more = self.pick("", f", {self.effect()}")
                return f"for (int {i} = 0; {i} < {self.pick('1', '2', '3')}; {i}++{more}) {inner(True, loops + 1)}"
            case 8:
                w = self.fresh("w")
                return f"{{ int {w} = {self.pick('0', '1', '3')}; while ({w}-- > 0) {inner(True, loops + 1)} }}"
            case 9:
                w = self.fresh("w")
                return f"{{ int {w} = {self.pick('1', '2')}; do {inner(True, loops + 1)} while (--{w} > 0); }}"
            case 10:
                w = self.fresh("w")
                return f"{{ int {w} = 3; for (;;) if ({w}-- == 0) break; else {inner(True, loops + 1)} }}"
            case 11:
                cases = [f"case {n}:" for n in self.random.sample(range(6), 3)] + ["default:"]
                self.random.shuffle(cases)
                body = " ".join(
                    f"{c} {inner(True) if self.maybe(0.8) else ''} {self.pick('break;', '', '')}" for c in cases
                )
                return f"switch (({self.integer(2)}) % 6) {{ {body} ; }}"
            case _:
                self.labels += 1
                name = f"out{self.labels}"
                return f"{{ if ({condition}) goto {name}; {inner()} {name}: {inner()} }}"

    def block(self, depth, loops, breaks):
        """Declarations and statements in braces."""
        parts = []
        for shadow in self.random.sample(["u1", "u2", "", ""], self.random.randrange(4)):
            if shadow:
                parts.append(f"uint64_t {shadow} = {self.pick('a', 'b', '3', 'K')};")
            parts.append(self.statement(depth, loops, breaks))
        return f"{{ {' '.join(parts)} }}"

    def text(self):
        """The program, its helpers and a little preprocessing."""
        body = " ".join(self.statement(4) for _ in range(self.random.randint(2, 5)))
        return (
            "#define K 5u\n#define MIX(p, q) ((p) * 3 + (q))\n#if K > 4\n"
            "enum color { RED = 2, BLUE };\n#else\n#error no\n#endif\n"
            "struct pair { uint64_t u; double d; };\n"
            "static const uint64_t table[5] = { 3, 1, 4, 1, 5 };\n"
            "static uint64_t bits(double d) { uint64_t u = 0; if (d == d) memcpy(&u, &d, sizeof u); return u; }\n"
            "static uint64_t whole(double d) { return d > -1e9 && d < 1e9 ? (uint64_t) (int64_t) d : 7; }\n"
            "uint64_t helper(uint64_t v, uint64_t w) { if (v > w) return v - w; else return w ^ (v << 3); }\n"
            "uint64_t mixed(uint64_t a, uint64_t b, double x, double y)\n{\n"
            "uint64_t u0 = a, u1 = b, u2 = 9, t[4] = { 1, 2, 3, 4 }, *q = &t[1];\n"
            "double d0 = x, d1 = y;\nstruct pair s = { 6, 0.5 }, o = { .d = 2.5, .u = 8 }, *p = &o;\n"
            f"{body}\n"
            "return u0 + 3 * u1 + 5 * u2 + 7 * t[0] + 11 * t[1] + 13 * t[3] + 17 * s.u + 19 * o.u"
            " + bits(d0) + 23 * bits(d1) + 29 * bits(s.d) + bits(o.d);\n}\n"
        )  # fmt: skip


PROGRAMS = st.integers(0, 2**48).map(lambda seed: Program(seed).text())
INPUTS = [
    (0, 0, 0.0, 0.0),
    (1, 2, 1.5, -2.5),
    (2**64 - 1, 3, -1e300, 1e300),
    (12345678901234567890, 987654321, 0.1, 3.0),
    (6, 2**63, float("inf"), -0.0),
    (255, 256, float("nan"), 1e-310),
]


def unregistered(signature, text):
    """A text that is compiled without the frontend, as a callable."""
    kernel = Kernel(signature)
    canonical = Canonical(text, (signature.name,))
    return target_of(kernel).candidate(Build(canonical, "release", compile_unit(Unit(text, (signature.name,)))))


def compiled_as_it_stands(text):
    """The original text, compiled by clang without the frontend, as a callable."""
    return unregistered(MIXED, text)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(PROGRAMS)
def test_canonical_text_computes_what_the_original_computes(text):
    """Differential: for random programs and inputs, both texts give the same bits."""
    original = compiled_as_it_stands(text)
    revision = Kernel(MIXED).compile(text)
    for a, b, x, y in INPUTS:
        arguments = np.uint64(a), np.uint64(b), x, y
        assert revision(*arguments) == original(*arguments), revision.source


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(PROGRAMS)
def test_canonical_text_of_a_program_is_its_own(text):
    """Round trip: parse and print are inverse on what was printed."""
    printed = canonical_source(text, MIXED, preprocess).text
    assert canonical_source(printed, MIXED).text == printed


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(PROGRAMS, st.randoms(use_true_random=False))
def test_layout_and_comments_change_nothing(text, rng):
    """Blanks, newlines, comments and spliced lines between words leave the canonical text as it is."""
    fillers = [" ", "\n", "\t ", " /* } */ ", " // {\n", " \\\n", "\f", "\r\n"]
    lines = [
        line if line.startswith("#") else "".join(rng.choice(fillers) if c == " " else c for c in line)
        for line in text.split("\n")
    ]
    changed = canonical_source("\n".join(lines), MIXED, preprocess).text
    assert changed == canonical_source(text, MIXED, preprocess).text


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(PROGRAMS, st.randoms(use_true_random=False))
def test_every_word_is_found_where_its_author_put_it(text, rng):
    """Positions: in whatever layout a program without macros is written, each of its words leads back to itself."""
    require_the_same_words(canonical_source(text, MIXED, preprocess).text, MIXED, rng)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(PROGRAMS)
def test_every_word_of_a_program_with_macros_has_a_line_of_it(text):
    """Positions: also where macros made them, words are at a place of the author's text that is not blank."""
    form = canonical_source(text, MIXED, preprocess)
    lines = text.split("\n")
    for number, line in enumerate(form.text.split("\n"), 1):
        for column, character in enumerate(line, 1):
            if character != " ":
                there = form.author_position(number, column)
                assert lines[there[0] - 1][there[1] - 1 : there[1]].strip()


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.floats(allow_nan=False), st.booleans())
def test_literals_keep_their_bits(value, hexadecimal):
    """A floating-point literal, decimal or hexadecimal, means the same number behind the frontend."""
    number = abs(value)
    if number == float("inf"):
        number = 1.7976931348623157e308
    literal = number.hex() if hexadecimal else repr(number)
    text = canonical_source(f"double scalar(double x, double y) {{ return {literal}; }}", SCALAR).text
    assert f"return {literal};" in text
    revision = unregistered(SCALAR, text)
    assert struct.pack("d", revision(0.0, 0.0)) == struct.pack("d", number)
