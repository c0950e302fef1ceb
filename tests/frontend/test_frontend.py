"""The frontend: what a proposed text becomes, and what is said about one that becomes nothing."""

import ast
import inspect
import pickle
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numba import float64 as f64
from numba import int8 as i8
from numba import int64 as i64
from pycparser import c_ast

from symbiont_jit import Array, CandidateError, Kernel, Out, evolvable
from symbiont_jit.c import vocabulary
from symbiont_jit.engine.stubs import preprocess
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.frontend import canonical_source, check
from symbiont_jit.frontend import read as text
from symbiont_jit.frontend.check import ALLOWED_NODES, REFUSED_NODES, RULES
from symbiont_jit.signature import signature_of
from tests.frontend.test_corpus import REJECT, expectations
from tests.kernels import scalar

SCALAR = signature_of(scalar)


def whole(body, before=""):
    """A candidate for `scalar` with these statements."""
    return f"{before}double scalar(double x, double y) {{ {body} }}"


def refusal(source, signature=SCALAR):
    """The error that a text is refused with."""
    with pytest.raises(CandidateError) as caught:
        Kernel(signature).compile(source)
    return caught.value


def canonical(source, signature=SCALAR):
    return canonical_source(source, signature, preprocess).text


# -- diagnostics ------------------------------------------------------------------------------------------------------

MANY = """\
int counter;
typedef double (*unary)(double);
static double helper(double sqrt)
{
    extern int errno;
    return sqrt(1.0);
}
double scalar(double x, float y)
{
    asm("nop");
    static int calls = 0;
    puts("hello");
    return undeclared(x);
}
"""


def test_all_findings_come_at_once_in_the_order_of_their_lines():
    """One refusal names everything that is wrong, in the order in which a person reads the text."""
    error = refusal(MANY)
    assert [(d.line, d.rule) for d in error.diagnostics] == [
        (1, "mutable-static"),
        (2, "function-pointer"),
        (5, "extern"),
        (6, "function-pointer"),
        (8, "signature"),
        (10, "assembler"),
        (11, "mutable-static"),
        (12, "call"),
        (13, "call"),
    ]


def test_findings_of_reader_and_checker_are_merged():
    """A word that the reader refuses does not hide what the checker finds."""
    error = refusal("double scalar(double x, double y)\n{\n    puts(0);\n    asm(0);\n    rand();\n    return x;\n}\n")
    assert [(d.line, d.rule) for d in error.diagnostics] == [(3, "call"), (4, "assembler"), (5, "call")]


def test_a_directive_hides_nothing_else_in_its_file():
    """Every directive that is not allowed is named, not only the first."""
    error = refusal('#include "a.h"\n#pragma once\n#line 3\n' + whole("return x;"))
    assert [(d.line, d.rule) for d in error.diagnostics] == [(1, "include"), (2, "pragma"), (3, "directive")]


def test_a_refusal_reads_like_a_compilers():
    """The text of a refusal: one line on the whole, then each finding with its line and a caret."""
    error = refusal("double scalar(double x, double y)\n{\n\treturn clamp(x) + sqroot(y);\n}\n")
    assert str(error) == (
        "the candidate failed at stage 'check' with 2 findings:\n"
        "3:9: error: 'clamp' is not a function you may call; write it yourself or do without [call]\n"
        "    \treturn clamp(x) + sqroot(y);\n"
        "    \t       ^\n"
        "3:20: error: 'sqroot' is not a function you may call; did you mean 'sqrt'? [call]\n"
        "    \treturn clamp(x) + sqroot(y);\n"
        "    \t                  ^"
    )


def test_a_finding_about_the_whole_text_has_no_position():
    """Line 0 means the text as a whole and is not shown."""
    (finding,) = refusal(" ").diagnostics
    assert finding.render("anything") == "error: there is no text [empty]"


def test_what_clang_finds_is_shown_on_the_authors_text():
    """Findings of the compiler count lines of the text as it was written, and the error carries that text."""
    error = refusal("double scalar(double x,double y){return x+zz;}")
    assert error.stage == "lower"
    assert error.source == "double scalar(double x,double y){return x+zz;}"
    assert str(error).endswith(f"    {error.source}\n    {' ' * error.source.index('zz')}^")


def test_an_error_carries_stage_findings_and_source():
    """The parts of an error are data, and survive a pickle."""
    source = whole("return puts(0);")
    error = refusal(source)
    assert (error.stage, error.source, len(error.diagnostics)) == (Stage.CHECK, source, 1)
    again = pickle.loads(pickle.dumps(error))
    assert (again.stage, again.diagnostics, again.source, str(again)) == (
        error.stage,
        error.diagnostics,
        error.source,
        str(error),
    )


def test_only_the_first_findings_are_rendered():
    """Of very many findings twenty are shown and the others counted."""
    shown = str(refusal(whole("puts(0);\n" * 50)))
    assert shown.count("[call]") == 20
    assert shown.endswith("... and 30 more")


@pytest.mark.parametrize("column", [1, 80, 200, 999])
def test_a_long_line_is_cut_around_its_caret(column):
    """Whatever a line's length, the caret stands under the character that is meant."""
    line = "".join(chr(ord("a") + i % 26) for i in range(1000))
    _, shown, caret = Diagnostic(Stage.CHECK, "call", "no", 1, column).render(line).split("\n")
    assert len(shown) <= 200
    assert shown[caret.index("^")] == line[column - 1]
    assert shown[4:] in line


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_only_newlines_end_the_lines_that_are_shown(separator):
    """Characters that other programs take for line ends do not move the caret to another line."""
    shown = str(refusal(f"/* one{separator}two */\n" + whole("return\nzork(x);")))
    assert "\n    zork(x);" in shown


@pytest.mark.parametrize(
    ("source", "position"),
    [
        (whole("\nreturn x + ;"), (2, 12)),
        (whole("\nx = ;"), (2, 5)),
        (whole("\nreturn (x + y;"), (2, 14)),
        (whole("\ndouble z = x\nreturn z;"), (3, 1)),
        (whole("\nif x > y return x;"), (2, 4)),
        (whole("\nfor (int i = 0; i < 3, i++) x++;"), (2, 27)),
    ],
)
def test_a_parse_error_has_a_position(source, position):
    """What cannot be parsed is reported where it stands."""
    (finding,) = refusal(source).diagnostics
    assert (finding.stage, finding.rule, finding.line, finding.column) == ("parse", "syntax", *position)


@pytest.mark.parametrize(
    "source", [whole("if (x > y) {\nreturn x;"), "double scalar(double x, double y)", "double scalar(double x,"]
)
def test_a_text_that_stops_early_says_so(source):
    """Half a reply gives one finding with a place: the bracket that stays open, or the end of the text."""
    (finding,) = refusal(source).diagnostics
    assert finding.rule == ("bracket" if finding.message.endswith("is never closed") else "syntax")
    assert finding.line == 1
    assert "candidate.c" not in finding.message


@pytest.mark.parametrize("fence", ["```c\n%s\n```", "Sure:\n\n  ```\n%s```", "%s\n```\n"])
def test_a_markdown_fence_is_named(fence):
    """A reply that was handed on as it came is told to leave its fence out."""
    (finding,) = refusal(fence % whole("return x;")).diagnostics
    assert finding.message.endswith("remove the Markdown fence (```), C alone is expected")
    assert canonical("/* ```c\n``` */" + whole("return x;"))


@pytest.mark.table
@pytest.mark.parametrize("profile", ["release", "safe", "checked"])
@pytest.mark.parametrize(
    "length",
    [
        "n = 50",
        "n += 1",
        "n++",
        "--n",
        "(n -= 1, n)",
        "grown(&n)",
        "sizeof(int[n++])",
        "1 / (n - 3)",
        "9 % n",
        "0 + *&n",
    ],
)
@pytest.mark.parametrize("of", ["entry", "helper", "declaration", "inner length"])
def test_a_length_in_a_parameter_does_nothing(of, length, profile):
    """What C would do at the beginning of a function, and checked code would not, is refused in every profile."""
    entry = f"double total(int64_t n, const double x[{length if of == 'entry' else 'n'}]) {{ return n; }}"
    helper = f"static double h(int64_t n, const double x{'[n]' * (of == 'inner length')}[%s])"
    before = {
        "entry": "",
        "helper": helper % length + " { return n; }",
        "inner length": helper % length + " { return n; }",
        "declaration": helper % length + ";" + helper % "n" + " { return n; }",
    }[of]

    @evolvable
    def total(x: Array[f64, "n"]) -> f64: ...

    with pytest.raises(CandidateError) as caught:
        total.compile(f"static int64_t grown(int64_t *n) {{ return *n += 1; }}\n{before}\n{entry}", profile)
    assert {d.rule for d in caught.value.diagnostics} == {"length"}
    assert "a length in a parameter is a name or a constant" in str(caught.value)


@pytest.mark.parametrize("length", ["", "n", "restrict n", "n + 1", "n / 2", "16", "2 * 8", "sizeof(T) / sizeof(T[0])"])
def test_a_length_in_a_parameter_is_a_name_or_a_constant(length):
    """What only says a length stays allowed."""

    @evolvable
    def total(x: Array[f64, "n"]) -> f64: ...

    before = "static const double T[2] = {1.0, 2.0};\n"
    assert total.compile(f"{before}double total(int64_t n, const double x[{length}]) {{ return n + T[0]; }}")


# -- agreement --------------------------------------------------------------------------------------------------------

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


@pytest.mark.table
@pytest.mark.parametrize("profile", ["release", "safe", "checked"])
@pytest.mark.parametrize("arena", [False, True])
@pytest.mark.parametrize("name", ["result", "d0", "d1", "a0", "a1", "n", "p"])
def test_no_name_of_a_kernel_is_hidden(name, arena, profile):
    """The generated entry around complex numbers has no names that a candidate could have."""
    body = "double *p = malloc(8); *p = x[0]; return z + *p;" if arena else "return z + x[0];"
    text = f"double _Complex {name}(int64_t n, const double x[n], double _Complex z) {{ {body} }}"
    assert Kernel.from_c(text, profile=profile)(np.ones(2), 1j) == 1 + 1j


def test_findings_after_macros_are_on_the_lines_of_the_text():
    """What macros expand to is reported on the line where they are used."""
    found = refusal("#define LOG(x) puts(x)\n\n\n" + whole("\nLOG(0);\nreturn x;")).diagnostics
    assert [(d.line, d.rule) for d in found] == [(5, "call")]


# -- tables -----------------------------------------------------------------------------------------------------------


def test_every_kind_of_node_is_allowed_or_refused():
    """Each class of pycparser's tree is in exactly one of the two tables."""
    classes = {
        name
        for name, kind in inspect.getmembers(c_ast, inspect.isclass)
        if issubclass(kind, c_ast.Node) and kind is not c_ast.Node
    }
    assert not ALLOWED_NODES & set(REFUSED_NODES)
    assert ALLOWED_NODES | set(REFUSED_NODES) == classes


def test_every_rule_that_is_used_is_described():
    """What a check can report is in the table that prompts and documentation are printed from."""
    used = {rule for rule, _ in REFUSED_NODES.values()}
    for call in ast.walk(ast.parse(inspect.getsource(check))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "report":
            used |= {a.value for a in call.args[1:2] if isinstance(a, ast.Constant)}
    for path in REJECT:
        wanted = [e for e in expectations(path.read_text("latin1")) if e.get("stage") == "check"]
        used |= {rule for expected in wanted for rule in expected["rule"].split("|")}
    assert used - {"syntax", "unknown"} <= set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_file_that_breaks_it(rule):
    """The corpus holds at least one text for each rule."""
    assert any(
        rule in expected["rule"].split("|") for path in REJECT for expected in expectations(path.read_text("latin1"))
    )


ARGUMENTS = {
    "double": "x",
    "float": "(float)x",
    "int": "(int)n",
    "long": "n",
    "long long": "n",
    "size_t": "16",
    "int *": "&i",
    "double *": "&d",
    "float *": "&f",
    "void *": "b",
    "const void *": "c",
    "double _Complex": "z",
    "float _Complex": "w",
}

BUILTIN_ARGUMENTS = {
    "expect": "n, 1",
    "assume": "n > 0",
    "prefetch": "&d",
    "assume_aligned": "c, 1",
    "inf": "",
    "inff": "",
    "huge_val": "",
    "huge_valf": "",
    "nan": '""',
    "nanf": '""',
    "fma": "x, x, x",
    "fmaf": "x, x, x",
    "complex": "x, x",
} | dict.fromkeys("fmin fminf fmax fmaxf copysign copysignf".split(), "x, x")


def example_call(row):
    """A call of a function of the table, as a statement."""
    if row.prototype:
        parameters = re.search(r"\((.*)\)", row.prototype)[1].split(", ")
        return f"{row.name}({', '.join(ARGUMENTS[p] for p in parameters)})"
    name = row.name.removeprefix("__builtin_")
    integer = re.match("popcount|clz|ctz|parity|ffs|bswap", name)
    return f"{row.name}({BUILTIN_ARGUMENTS.get(name, 'n' if integer else 'x')})"


def example_value(row):
    """The call as something that can be added up."""
    if row.name == "offsetof":
        return "offsetof(struct pair, second)"
    if row.name == "__builtin_unreachable":
        return "(n > 0 ? 1 : (__builtin_unreachable(), 0))"
    is_known = not row.macro or row.name.startswith("__builtin_")
    call = example_call(row) if is_known else f"{row.name}({'x, x' if ', y' in row.macro else 'x'})"
    if row.name == "realloc":
        return "(realloc(malloc(8), 16) != 0)"
    if row.prototype.startswith("void *") or row.name.endswith(("assume_aligned",)):
        return f"({call} != 0)"
    if row.name == "free":
        return "(free(malloc(8)), 1)"
    if row.name in ("__builtin_assume", "__builtin_prefetch"):
        return f"({call}, 1)"
    return call


ROWS = list(vocabulary.FUNCTIONS.values())
GROUPS = [ROWS[start : start + 16] for start in range(0, len(ROWS), 16)]


@pytest.mark.table
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].name)
def test_every_function_of_the_table_compiles_and_links(group):
    """A candidate that calls what the table offers is accepted, linked and runs."""

    @evolvable
    def offered(x: f64, n: i64) -> f64: ...

    lines = "".join(f"    s += (double){example_value(row)};\n" for row in group)
    revision = offered.compile(
        "struct pair { double first, second; };\n"
        "double offered(double x, int64_t n)\n{\n"
        "    double d = x, s = 0.0;\n    float f = (float)x;\n    double _Complex z = x;\n    float _Complex w = f;\n    int i = (int)n;\n"
        '    char b[16] = {1}, c[16] = "abc";\n'
        f"{lines}    return isnan(s) ? x : s + d + f + i + b[1] + c[1];\n}}\n"
    )
    assert isinstance(revision(0.5, 3), float)


@pytest.mark.table
@pytest.mark.parametrize("name", sorted(vocabulary.CONSTANTS))
def test_every_constant_of_the_table_has_a_value(name):
    """Each constant can be used without an include; compiling is asked once for all of them."""
    lines = "".join(f"    s += {constant} != 0;\n" for constant in vocabulary.CONSTANTS)
    assert f" {name} " in canonical(whole(f"double s = 0.0;\n{lines} return s;"))


def test_all_constants_and_types_compile():
    """One candidate that uses every constant and every type of the tables is compiled."""
    constants = "".join(f"s += {name} != 0;\n" for name in vocabulary.CONSTANTS)
    types = "".join(f"{{ {name} v = 1; s += sizeof v; }}\n" for name in vocabulary.TYPEDEFS)
    kernel = Kernel(SCALAR)
    zeros = {"NULL", "false"}
    sizes = sum(int(re.search(r"\d+", n)[0]) // 8 for n in vocabulary.TYPEDEFS if re.fullmatch(r"u?int\d+_t", n))
    value = kernel.compile(whole(f"double s = 0.0;\n{constants}{types} return s;"))(0.0, 0.0)
    assert value >= len(vocabulary.CONSTANTS) - len(zeros) + sizes


# -- names of the library ---------------------------------------------------------------------------------------------

OWN = {
    "strlen": ("size_t strlen(const char *s) { return s[0] + 7; }", 'strlen("")', 7.0),
    "exp10": ("double exp10(double a) { return a + 1.0; }", "exp10(2.0)", 3.0),
    "exp10f": ("float exp10f(float a) { return a + 1.0f; }", "exp10f(2.0f)", 3.0),
    "qsort": ("double qsort(double a, double b) { return a - b; }", "qsort(x, y)", -1.0),
    "roundeven": ("double roundeven(double a) { return a + 1.0; }", "roundeven(2.5)", 3.5),
    "roundevenf": ("float roundevenf(float a) { return a + 1.0f; }", "roundevenf(2.5f)", 3.5),
    "printf": ("int printf(const char *s, int a) { return s[0] + a; }", 'printf("", 3)', 3.0),
    "puts": ("int puts(const char *s) { return s[0] + 5; }", 'puts("")', 5.0),
    "malloc": ("void *malloc(size_t n) { return 0; }", "(malloc(8) == 0)", 1.0),
    "abort": ("double abort(void) { return 3.0; }", "abort()", 3.0),
    "exit": ("void exit(int code) { }", "(exit(1), 4.0)", 4.0),
    "bcmp": ("int bcmp(const void *a, const void *b, size_t n) { return 77; }", "(bcmp(&x, &x, 8) + !!memcmp(&x, &y, 8))", 78.0),
    "sincos": ("void sincos(double a, double *s, double *c) { *s = 1.0; *c = 2.0; }", "(sincos(x, &x, &y), x + y)", 3.0),
    "fmodl": ("long double fmodl(long double a, long double b) { return 7; }", "fmodl(5.0L, 3.0L)", 7.0),
    "memchr": ("int memchr(int a) { return a + 1; }", "memchr(1)", 2.0),
}  # fmt: skip


@pytest.mark.table
@pytest.mark.parametrize("storage", ["", "static "])
@pytest.mark.parametrize("name", sorted(OWN))
def test_own_functions_with_names_of_the_library_are_what_is_called(name, storage):
    """A helper that is named like a function outside the table is called, unless the name is refused."""
    helper, call, expected = OWN[name]
    try:
        revision = Kernel(SCALAR).compile(whole(f"return {call};", f"{storage}{helper}\n"))
    except CandidateError as error:
        assert error.diagnostics[0].rule in ("redefined", "untraceable")  # noqa: PT017  either is right
    else:
        assert revision(2.0, 3.0) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", "abort exit longjmp main printf puts malloc strlen index".split())
def test_a_kernel_named_like_a_function_of_the_system_is_refused_or_works(name):
    """What clang knows about a name must not end the process; a child runs it, because it did."""
    program = textwrap.dedent(f"""
        from symbiont_jit import SignatureError, evolvable
        try:
            @evolvable(source="double {name}(double x) {{ return x < 9.0 ? x + 1.0 : {name}(x - 1.0); }}")
            def {name}(x: float) -> float: ...
        except SignatureError:
            print("fine")
        else:
            print("fine" if {name}(11.0) == 9.0 else "wrong")
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


# -- canonical text ---------------------------------------------------------------------------------------------------


def test_canonical_text_does_not_depend_on_spelling():
    """Layout, comments, macros, braces and linkage of helpers leave no trace."""
    plain = canonical(
        "static int one(void) { return 1; }\ndouble scalar(double x, double y) { if (x) return one(); return y; }"
    )
    other = canonical(
        "/* hello */\n#include <math.h>\n#define ONE 1\nint one(void)\n{\n\n  return ONE;}\n"
        "double scalar(double x, double y) // here\n{ if (x) { return one(); } ; return y; }".replace(" ; ", " ")
    )
    assert plain == other


def test_canonical_text_keeps_names_and_order():
    """Nothing is renamed, moved or simplified."""
    assert canonical(whole("double b = 2 * x; double a = b + 0; return a;")) == (
        "double scalar(double x, double y)\n{\n  double b = 2 * x;\n  double a = b + 0;\n  return a;\n}\n"
    )


# Readers that look at a text again from every one of its characters, and parsers that go back, take hours on these.
SLOW = {
    "escaped single quotes": '"\'" + chr(92) + "\'" + (chr(92) + "\'") * 49_000',
    "escaped double quotes": "chr(34) + (chr(92) + chr(34)) * 49_000",
    "open comments": "'/* ' * 33_000",
    "compound literals in array lengths": "'double scalar(double x, double y) { return ' + nest(22) + '; }'",
    "array suffixes": "'double scalar(double x, double y) { int a' + '[1]' * 30_000 + '; return 0; }'",
    "escapes in a string": "'double scalar(double x, double y) { const char *s = ' + chr(34) + (chr(92) + 'x') * 49_000 + chr(34) + '; return 0; }'",
    "calls": "'double scalar(double x, double y) { ' + ''.join(f'q{i}();' for i in range(11_000)) + '}'",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_no_text_holds_up_the_reader(name):
    """A text within the size limit is refused before a watchdog of ten seconds ends the child that reads it."""
    program = textwrap.dedent(f"""
        from symbiont_jit.errors import CandidateError
        from symbiont_jit.frontend import canonical_source
        from symbiont_jit.signature import signature_of
        def scalar(x: float, y: float) -> float: ...
        def nest(depth):
            return "1" if depth == 0 else "(int[" + nest(depth - 1) + "]){{0}}[0]"
        try:
            canonical_source({SLOW[name]}, signature_of(scalar))
        except CandidateError:
            pass
        print("done")
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=10, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.parametrize(
    "nothing",
    ["", " ", "\\", "\\\n", "\\ \n", "\n\\", "//", "// \\", "/**/", "#", "# \\\n", ";", "\f", "#if 0\n#endif", "#define A", "\ufeff", "\ufeff\\"],
)  # fmt: skip
def test_a_text_of_nothing_is_refused(nothing):
    """Where no code is left, the text is refused like any other that defines no function."""
    for proposed in (nothing, nothing.encode()):
        error = refusal(proposed)
        assert [d.rule for d in error.diagnostics] in (["empty"], ["signature"], ["character"])


@pytest.mark.slow
def test_the_number_of_findings_is_bounded():
    """A hostile text cannot make a refusal of a megabyte."""
    for source in ("#x\n" * 30_000, "#pragma x\n" * 9_000, whole("q();" * 20_000), whole("__q;" * 20_000)):
        assert len(refusal(source).diagnostics) <= 1000


SHAPES = {
    "sum": "return x" + " + x" * 120 + ";",
    "product of sums": "return " + " * ".join(["(x + y)"] * 60) + ";",
    "ternary chain": "return " + "".join(f"x == {i} ? {i} : " for i in range(60)) + "y;",
    "if in if": "if (x) " * 60 + "return y; return x;",
    "unary": "return " + "- " * 60 + "x;",
    "casts": "return " + "(int)" * 60 + "x;",
    "loops": "".join(f"for (int i{i} = 0; i{i} < 1; i{i}++) " for i in range(60)) + "x += 1; return x;",
    "assignments": "double a; " + "a = " * 60 + "x; return a;",
    "nested calls": "return " + "sin(" * 40 + "x" + ")" * 40 + ";",
    "array of array": "int a[3] = {0, 1, 2}; return " + "a[" * 40 + "0" + "]" * 40 + ";",
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_what_was_accepted_is_accepted_again(name):
    """The canonical source of an accepted text is acceptable: printing adds no more brackets than may be read."""
    try:
        printed = canonical(whole(SHAPES[name]))
    except CandidateError as error:
        assert {d.rule for d in error.diagnostics} == {"too-deep"}  # noqa: PT017  refused at once is fine too
    else:
        assert canonical(printed) == printed


@pytest.mark.parametrize("frames", [0, 150, 300])
def test_acceptance_does_not_depend_on_the_callers_stack(frames):
    """How deep the caller stands in calls of its own does not decide what is too deep."""

    def deeper(count):
        return canonical(whole("return x" + " + x" * 150 + ";")) if count == 0 else deeper(count - 1)

    assert deeper(frames)


# -- dialect ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["__asm__", "asm", "__attribute__", "__declspec", "_Pragma"])
def test_words_in_strings_and_comments_are_no_findings(word):
    """Only code is judged, not what is written in literals or comments."""
    assert canonical(whole(f'const char *s = "{word}(x)"; /* {word} */ return s[0]; // {word}\n'))


@pytest.mark.parametrize("header", sorted(vocabulary.HEADERS))
def test_standard_headers_are_dropped(header):
    """An include of a header in the table leaves nothing behind, in either spelling."""
    assert canonical(f'#include <{header}>\n  #  include "{header}"\n' + whole("return x;")) == canonical(
        whole("return x;")
    )


PRAGMAS = [
    "clang loop unroll(full)",
    "clang loop unroll(enable) vectorize(disable)",
    "clang loop vectorize_width(8) interleave_count(2)",
    "clang loop unroll_count( 16 )",
    "clang loop distribute(enable)",
    "clang loop vectorize(assume_safety)",
    "unroll",
    "unroll(4)",
    "unroll 4",
    "nounroll",
    "GCC unroll 8",
    *(["GCC ivdep"] if text.is_allowed_pragma("GCC ivdep") else []),
]


@pytest.mark.parametrize("pragma", PRAGMAS)
def test_loop_pragmas_of_the_table_compile(pragma):
    """A pragma that is allowed stays in the canonical source, before its loop, and clang takes it."""
    source = whole(f"double s = 0.0;\n  # pragma {pragma}\nfor (int i = 0; i < 64; i++) s += x * i; return s;")
    revision = Kernel(SCALAR).compile(source)
    lines = [line.strip() for line in revision.source.splitlines()]
    assert lines[lines.index(f"#pragma {pragma}") + 1].startswith("for (")
    assert revision(1.0, 0.0) == 2016.0


@pytest.mark.parametrize("pragma", ["clang fp contract(fast)", "clang fp reassociate(on) reciprocal(off)", "STDC FP_CONTRACT ON"])  # fmt: skip
def test_floating_point_pragmas_of_the_table_compile(pragma):
    """They stand at the start of a block or between functions."""
    assert Kernel(SCALAR).compile(whole(f"\n#pragma {pragma}\nreturn x * y + x;"))(2.0, 3.0) == 8.0
    assert Kernel(SCALAR).compile(f"#pragma {pragma}\n" + whole("return x * y + x;"))(2.0, 3.0) == 8.0


def test_contraction_by_pragma_is_the_candidates_choice():
    """Without the pragma a product is rounded before it is added; with it, where the target can, it is not."""
    source = "double scalar(double x, double y)\n{\n%s    return x * x - y;\n}\n"
    x = 1.0 + 2.0**-30
    assert Kernel(SCALAR).compile(source % "")(x, x * x) == 0.0
    assert Kernel(SCALAR).compile(source % "    #pragma clang fp contract(fast)\n")(x, x * x) in (0.0, 2.0**-60)


def test_a_text_with_macros_needs_a_preprocessor():
    """Where no preprocessor is given, macros are refused and nothing else."""
    with pytest.raises(CandidateError) as caught:
        canonical_source("#define A 1\n" + whole("return A;"), SCALAR)
    assert [d.rule for d in caught.value.diagnostics] == ["directive"]
    assert canonical_source("#include <math.h>\n" + whole("return x;"), SCALAR).names == ("scalar",)


def test_a_file_is_out_of_reach(tmp_path):
    """Whatever a text writes between `%` and `:`, the preprocessor reads no file for it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("*")
    for gap in ("", "\\\n", "\\ \n", "\\\t\n", "\\\f\n", "\\/**/\n", "\\ \\\n\n", "\\\\\n\n", "\\ \n\\ \n"):
        for mark in (f"%{gap}:", f"#{gap}", f"?{gap}?="):
            for word in ("embed", "include", f"em{gap}bed"):
                source = f'#define ONE 1\nstatic const char t[] = {{1,\n{mark}{word} "{secret}"\n}};\n'
                with pytest.raises(CandidateError):
                    Kernel(SCALAR).compile(source + whole("return t[1];"))


def test_the_same_text_gives_the_same_canonical_text():
    """Nothing of the day, the machine or the file gets in."""
    for word in ("__TIME__", "__DATE__", "__TIMESTAMP__", "__FILE__", "__COUNTER__", "__FI\\\nLE__"):
        with pytest.raises(CandidateError):
            canonical("#define C(a, b) a##b\n" + whole(f"return {word}[0];"))
    with pytest.raises(CandidateError):
        canonical("#define C(a, b) a##b\n" + whole("return C(__FI, LE__)[0];"))
