"""Reading and checking candidates: tables, messages, limits."""

import re
from pathlib import Path

import pytest
from numba import float64 as f64
from pycparser import c_ast

from symbiont_jit import CandidateError, Diagnostic, UsageError, evolvable, vocabulary
from symbiont_jit.frontend import canonical_source
from symbiont_jit.frontend.check import ALLOWED_NODES, REFUSED_NODES, RULES
from tests.corpus_signatures import KERNELS

scalar = KERNELS["scalar"]
BODY = "double scalar(double x, double y) {{ {} }}"


def findings(text):
    with pytest.raises(CandidateError) as caught:
        scalar.compile(text)
    return caught.value


def test_every_node_type_of_the_parser_is_in_one_table():
    """What pycparser can produce is allowed by name or refused by name."""
    nodes = {n for n, c in vars(c_ast).items() if isinstance(c, type) and issubclass(c, c_ast.Node)} - {"Node"}
    assert nodes == ALLOWED_NODES | set(REFUSED_NODES)
    assert not ALLOWED_NODES & set(REFUSED_NODES)


def test_all_findings_come_at_once_in_the_order_of_lines():
    """Findings of the reader, the checker and the signature are told together."""
    error = findings('__attribute__((pure)) int scalar(double x)\n{\n  static int n;\n  return puts("a") + n;\n}\n')
    assert [d.line for d in error.diagnostics] == sorted(d.line for d in error.diagnostics)
    error = findings('int scalar(double x)\n{\n  static int n;\n  asm("nop");\n  return puts("a") + n;\n}\n')
    assert [d.rule for d in error.diagnostics] == ["signature", "signature", "mutable-static", "assembler", "call"]


def test_the_caret_view():
    """A finding shows its line with a caret under the column; tabs keep their width, long lines are cut."""
    diagnostic = Diagnostic("check", "call", "no such function", 2, 9)
    assert diagnostic.render("double f(void)\n\treturn g();\n") == (
        "2:9: error: no such function [call]\n    \treturn g();\n    \t       ^"
    )
    long = Diagnostic("check", "call", "far away", 1, 5001).render("x" * 5000 + "y" * 5000)
    line, caret = long.splitlines()[1:]
    assert len(line) < 200
    assert line[caret.index("^")] == "y"
    assert line[caret.index("^") - 1] == "x"


def test_a_candidate_error_carries_everything():
    """Stage, findings and the text they count lines of; the message shows them."""
    error = findings(BODY.format("return z;"))
    assert (error.stage, error.diagnostics[0].stage) == ("lower", "lower")
    assert error.source == "double scalar(double x, double y)\n{\n  return z;\n}\n"
    assert "  return z;\n             ^" in str(error)


def test_many_findings_are_summed_up():
    """A text with a thousand mistakes is answered with twenty of them and their number, two hundred at most."""
    error = findings(BODY.format("rand();" * 1000))
    assert len(error.diagnostics) == 200
    assert "... and 180 more" in str(error)
    assert len(str(error)) < 10_000


@pytest.mark.parametrize("size", [10**5 + 1, 10**7])
def test_a_huge_text_is_not_read(size):
    """Ten megabytes are answered as fast as one line too many."""
    for text in ("x" * size, b"\xff" * size):
        error = findings(text)
        assert [d.rule for d in error.diagnostics] == ["too-large"]
        assert len(error.source) <= 2000


@pytest.mark.parametrize("given", [None, 3, ["double"]])
def test_what_is_no_text_is_the_callers_mistake(given):
    """A candidate is text; anything else is a usage error that shows what was given."""
    with pytest.raises(UsageError, match="a candidate is C text"):
        scalar.compile(given)


@pytest.mark.parametrize("name", [f.name for f in vocabulary.FUNCTIONS.values() if f.prototype])
def test_every_function_of_the_table_links_and_runs(name):
    """Each prototype in the table is right: a candidate that calls the function compiles, loads and returns."""
    prototype = vocabulary.FUNCTIONS[name].prototype
    values = {"double": "0.5", "float": "0.5f", "int": "1", "long": "1", "long long": "1", "size_t": "8"}
    pointers = {"int *": "&i", "double *": "a", "float *": "f", "void *": "a", "const void *": "b"}
    types = [t.strip() for t in prototype[prototype.index("(") + 1 : prototype.rindex(")")].split(",")]
    call = f"{name}({', '.join({**values, **pointers}[t] for t in types)})"
    result = f"{call} != 0" if prototype.startswith("void *") else call
    revision = scalar.compile(
        BODY.format(
            f"int i = 0; double a[2] = {{x, y}}, b[2] = {{y, x}}; float f[2]; return (double)({result}) + b[0] * 0;"
        )
    )
    assert isinstance(revision(0.25, 0.75), float)


@pytest.mark.parametrize("name", vocabulary.CONSTANTS)
def test_every_constant_of_the_table_compiles(name):
    """Each constant has a value in C."""
    assert scalar.compile(BODY.format(f"return (double)(int64_t)({name});"))


@pytest.mark.parametrize("name", vocabulary.TYPEDEFS)
def test_every_type_of_the_table_has_the_size_of_its_name(name):
    """A type called after a width has that width."""
    bits = "".join(c for c in name if c.isdigit())
    exact = name.removesuffix("_t").rstrip("0123456789") in ("int", "uint")
    size = int(scalar.compile(BODY.format(f"return sizeof({name});"))(0.0, 0.0))
    assert size == int(bits) // 8 if exact and bits else size in (1, 2, 4, 8)


def test_every_rule_that_is_found_is_documented():
    """Rules of the corpus are in the table of rules, or are about text that is not C at all."""
    texts = [p.read_bytes().decode("utf-8", "replace") for p in (Path(__file__).parent / "corpus/reject").glob("*.c")]
    found = (rule for text in texts for rule in re.findall(r"^// expect: rule=(\S+)", text, re.MULTILINE))
    rules = {rule for alternatives in found for rule in alternatives.split("|")} - {"*"}
    assert len(rules) > 15
    about_text = {"syntax", "compiler", "too-large", "too-deep", "encoding", "comment", "empty", "limit", "unknown"}
    assert rules <= set(RULES) | about_text


def test_macros_need_a_preprocessor():
    """The frontend alone refuses text with macros instead of guessing."""
    with pytest.raises(CandidateError, match="macros need a C preprocessor"):
        canonical_source("#define A 1\n" + BODY.format("return A;"), scalar.signature)


def test_lines_stay_lines_through_the_preprocessor():
    """A finding behind macros and conditionals counts the lines of the text as written."""
    text = "#define ONE 1\n#if ONE\n\n#endif\n" + "double scalar(double x, double y)\n{\n  return ONE + rand();\n}\n"
    (finding,) = findings(text).diagnostics
    assert (finding.line, finding.rule) == (7, "call")


def test_the_branch_that_is_checked_is_the_one_that_is_compiled():
    """What a false condition hides is neither checked nor compiled."""
    text = "#if 0\nint system(const char *);\n#endif\n" + BODY.format("return x;")
    assert "system" not in scalar.compile(text).source


def test_a_dangling_else_stays_with_its_if():
    """Canonical text has braces, so that printing cannot move an `else` to another `if`."""
    source = BODY.format("double r = 0; if (x > 0) if (y > 0) r = 1; else r = 2; return r;")
    revision = scalar.compile(source)
    assert [revision(1, 1), revision(1, -1), revision(-1, 1), revision(-1, -1)] == [1, 2, 0, 0]


def test_the_canonical_text():
    """Layout, comments and storage are made the same; names and order stay."""

    @evolvable
    def f(x: f64) -> f64: ...

    text = "/* c */ double g(double a){if(a>0)return a;else return-a;} static double f(double x) { return g ( x ) ; }"
    assert f.canonical(text).text == (
        "static double g(double a)\n{\n  if (a > 0)\n  {\n    return a;\n  }\n  else\n  {\n    return -a;\n  }\n}\n"
        "double f(double x)\n{\n  return g(x);\n}\n"
    )
