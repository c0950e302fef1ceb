"""Limits of what is read: texts that are too large, too deep or no text at all; and meaning that must not change."""

import time

import pytest

from symbiont_jit import CandidateError, UsageError, evolvable
from symbiont_jit.c import vocabulary
from symbiont_jit.frontend.source_map import mark_words
from tests import kernels

scalar = evolvable(kernels.scalar)
BODY = "double scalar(double x, double y) {{ {} }}"


def findings(text):
    with pytest.raises(CandidateError) as caught:
        scalar.compile(text)
    return caught.value


def ends_well(text):
    try:
        return scalar.compile(text)
    except CandidateError as error:
        return None if error.diagnostics and str(error) else "an error without findings"


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


@pytest.mark.table
@pytest.mark.parametrize("name", vocabulary.TYPEDEFS)
def test_every_type_of_the_table_has_the_size_of_its_name(name):
    """A type called after a width has that width."""
    bits = "".join(c for c in name if c.isdigit())
    exact = name.removesuffix("_t").rstrip("0123456789") in ("int", "uint")
    size = int(scalar.compile(BODY.format(f"return sizeof({name});"))(0.0, 0.0))
    assert size == int(bits) // 8 if exact and bits else size in (1, 2, 4, 8)


def test_the_branch_that_is_checked_is_the_one_that_is_compiled():
    """What a false condition hides is neither checked nor compiled."""
    text = "#if 0\nint system(const char *);\n#endif\n" + BODY.format("return x;")
    assert "system" not in scalar.compile(text).source


def test_a_dangling_else_stays_with_its_if():
    """Canonical text has braces, so that printing cannot move an `else` to another `if`."""
    source = BODY.format("double r = 0; if (x > 0) if (y > 0) r = 1; else r = 2; return r;")
    revision = scalar.compile(source)
    assert [revision(1, 1), revision(1, -1), revision(-1, 1), revision(-1, -1)] == [1, 2, 0, 0]


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "body",
    ["if (x) {" * 90 + "if (x);" * 3000 + "}" * 90, "{" * 90 + "x;" * 9000 + "}" * 90],
    ids=["conditions", "expressions"],
)
def test_blocks_in_blocks_that_are_long_when_printed(body):
    """Printed with a line for each statement and blanks for each block, a text may be a hundred times as long."""
    assert [d.rule for d in findings(BODY.format(body + "return x;")).diagnostics] == ["too-large"]


def test_names_without_types_are_no_parameters():
    """A list of names is refused where it stands, also in a helper whose name is in parentheses."""
    for helper in ("int h(x) { return 1; }", "int (h)(x) { return 1; }", "int h(x) int x; { return 1; }"):
        (found,) = findings(helper + "\n" + BODY.format("return x;")).diagnostics
        assert (found.rule, found.line) == ("syntax", 1)
        assert "each with its type" in found.message


@pytest.mark.parametrize("profile", ["safe", "checked"])
@pytest.mark.parametrize(
    "text",
    [
        "typedef struct {} T; " + BODY.format("return x;"),
        "struct E {} " + BODY.removeprefix("double ").format("return x;"),
        "double scalar(struct E {} x, double y) { return y; }",
        BODY.format("typedef union {} T; return x;"),
        'typedef struct { _Static_assert(1, ""); } T; ' + BODY.format("return x;"),
        "struct S { int a; }; " + BODY.format('_Static_assert(sizeof(struct S {}) == 0, ""); return x;'),
    ],
)
def test_structs_of_nothing_are_findings(text, profile):
    """Wherever one stands, it is refused as other texts are."""
    with pytest.raises(CandidateError):
        scalar.compile(text, profile=profile)


def time_of_quotes(count):
    """Seconds of this thread for a text with so many quotes in a branch that is not taken; the best of three."""
    text = '#define S(x) #x\n#if 0\n"' + '\\"' * count + "\n#endif\n" + BODY.format("return x;")
    times = []
    for _ in range(3):
        start = time.thread_time()
        assert mark_words(text)
        times.append(time.thread_time() - start)
    return min(times)


def test_an_open_quote_is_read_once():
    """Where a literal is not closed, its end is not looked for again from each quote in it."""
    assert time_of_quotes(16_000) < 12 * time_of_quotes(4000) + 0.05
