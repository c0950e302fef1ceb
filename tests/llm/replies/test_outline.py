"""The top level of C, also between sentences."""

import pytest
from hypothesis import given, settings

from symbiont_jit.llm.replies.outline import find_brace_groups, scan
from tests.kernels import DOT
from tests.llm.replies.rows import ANY, HELPER, OLD, ONE_LINE, USES, Row, fenced, numbered, require_what_was_meant

ESCAPED = DOT.replace("<", "&lt;").replace(">", "&gt;")
BARE = [
    Row("nothing but C", DOT),
    Row("C between paragraphs", f"Sure! Here's the function; it's simple.\n\n{DOT}\n\nIt doesn't allocate (really)."),
    Row("on a line of prose", f"Here it is: {ONE_LINE} Good luck."),
    Row("behind a brace that prose opens", f"In set notation: Y={{\n\n{DOT}\n"),
    Row("behind a list that is not closed", f"static const int a[2] = {{1, (2) {{\n\n{DOT}\n"),
    Row("inline code", f"Use `{ONE_LINE}` as the body."),
    Row(
        "with includes, macro and helper",
        f"We don't need much.\n\n#include <math.h>\n#define ONE 1.0\n{HELPER}\n\n{USES}\n\nThat's it.",
        f"{HELPER}\n{USES}",
    ),
    Row(
        "prototype of a helper in prose",
        f"Code:\n\nstatic double mul(double a, double b);\n\n{USES}\n\n{HELPER}\n",
        f"static double mul(double a, double b);\n{USES}\n{HELPER}",
    ),
    Row("return type on its own line", f"The code.\n\n{DOT.replace('double dot', 'double' + chr(10) + 'dot')}\n"),
    Row(
        "a table in prose",
        f"It's:\n\nstatic const double start[1] = {{0.0}};\n\n{DOT.replace('0.0', 'start[0]')}",
        "static const double start[1] = {0.0};\n" + DOT.replace("0.0", "start[0]"),
    ),
    Row("a smiley and braces in prose", f"Hard :( but {{done}} it's\n\n{DOT}\n"),
    Row("answer tags", f"I did it.\n<answer>\n{DOT}\n</answer>"),
    Row("answer tags beat prose", f"<answer>{DOT}</answer>\nnot\n{OLD}"),
    Row("code tags", f"<code>{DOT}</code>"),
    Row("pre and code", f'<pre><code class="language-c">{ESCAPED}</code></pre>', how="HTML"),
    Row("a fence in answer tags", f"<answer>\n{fenced(DOT)}</answer>"),
    Row("a fence behind an answer tag", f"<answer>```c\n{DOT}\n```</answer>"),
    Row("CDATA", f"<code><![CDATA[{DOT}]]></code>"),
    Row("JSON", '{"code": "' + DOT.replace("\n", "\\n") + '", "note": "fast"}', how="JSON"),
    Row("JSON in a fence", fenced('{\n  "code": "' + DOT.replace("\n", "\\n") + '"\n}', "json")),
    Row("JSON with a fence inside", '{"answer": "' + fenced(DOT).replace("\n", "\\n") + '"}'),
    Row("JSON with real line ends", '{"code": "' + DOT + '"}'),
    Row("escaped line ends", '"' + DOT.replace("\n", "\\n") + '"', how="escapes"),
    Row("HTML escapes in a fence", fenced(ESCAPED), how="undid HTML"),
    Row("HTML escapes twice", fenced(ESCAPED.replace("&", "&amp;"))),
    Row("HTML escapes in prose", f"Here:\n\n{ESCAPED}\n"),
    Row(
        "an address of a variable named lt",
        fenced("int64_t twice(int64_t x) { int64_t lt = x, y = x &lt; return x + (y & 1 ? lt : x); }"),
        "int64_t twice(int64_t x) { int64_t lt = x, y = x & lt; return x + (y & 1 ? lt : x); }",
        "twice",
    ),
    Row("Windows line ends", fenced(DOT).replace("\n", "\r\n")),
    Row("old Macintosh line ends", fenced(DOT).replace("\n", "\r")),
    Row("byte order mark", "\ufeff" + DOT),
    Row("non-breaking spaces", fenced(DOT.replace(" ", "\u00a0"))),
    Row("spaces without width", fenced(DOT.replace("(", "\u200b("))),
    Row("numbered lines", fenced(numbered(DOT, ": ")), how="line numbers"),
    Row("numbered lines with bars", fenced(numbered(DOT, " | "))),
    Row("numbered lines with tabs", fenced(numbered(DOT, "\t"))),
    Row("numbered lines in prose", f"Here:\n{numbered(DOT, ' | ')}\n"),
]


@pytest.mark.table
@pytest.mark.parametrize("row", BARE, ids=lambda row: row.name)
def test_shapes_of_replies(row):
    """The function that was meant is found whatever is around it, or what was missing is said."""
    require_what_was_meant(row)


@pytest.mark.slow
@given(ANY)
@settings(max_examples=150, deadline=None)
def test_pieces_are_in_order_and_apart(text):
    """Pieces never overlap, and `bare` has the text's length and lines."""
    for prose in (False, True):
        found = scan(text, prose=prose)
        assert len(found.bare) == len(text)
        assert found.bare.count("\n") == text.count("\n")
        ends = [0, *(p.end for p in found.pieces)]
        assert all(end <= p.start <= p.end for end, p in zip(ends, found.pieces, strict=False))


# -- the scanner ----------------------------------------------------------------------------------------------------


def test_pieces_of_a_file():
    """Every kind of thing at the top level is named."""
    text = f"""#include <math.h>
#define ONE(x) ((x) + 1)
typedef struct {{ double a; }} pair;
struct two {{ int b; }};
enum {{ RED, GREEN }};
static const double table[2] = {{1, 2}}, other;
double mul(double, double);
{HELPER}
{DOT}
"""
    pieces = [(p.kind, p.names) for p in scan(text).pieces]
    assert pieces[0] == ("directive", ())
    assert pieces[1] == ("directive", ("ONE",))
    assert "pair" in pieces[2][1]
    assert "two" in pieces[3][1]
    assert {"RED"} <= {*pieces[4][1]}
    assert {"table", "other"} <= {*pieces[5][1]}
    assert pieces[6:] == [("prototype", ("mul",)), ("function", ("mul",)), ("function", ("dot",))]
    assert [p.parameters for p in scan(text).functions] == [2, 3]


def test_old_style_functions_are_functions():
    """Parameters may be declared behind the parentheses, and a function that returns a pointer is one."""
    found = scan("double *f(n, x) int n; double *x; { return x; }\nvoid g(void) { }\n").functions
    assert [(f.name, f.parameters) for f in found] == [("f", 2), ("g", 0)]


def test_blocks_that_nothing_closes():
    """The end of an open block is unknown."""
    assert list(find_brace_groups("a { b { } } c { d")) == [(2, 11), (14, -1)]
