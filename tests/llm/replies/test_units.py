"""Units: which of several functions is the one that was meant, and what it needs from elsewhere."""

import pytest

from tests.kernels import DOT
from tests.llm.replies.rows import HELPER, MAIN, OLD, USES, Row, absent, fenced, numbered, require_what_was_meant

INNER = "double inner(double x) { return x + 1.5; }"
OUTER = "double outer(double x) { return 3.0 * x; }"
CHOICE = [
    Row(
        "an abridged function does not count",
        fenced(DOT)
        + "In short:\n"
        + fenced("double dot(...) {\n    ...\n}")
        + fenced(OLD.replace("for", "// ...\n    for")),
    ),
    Row("only an abridged function", fenced(DOT.replace("for", "// ...\n    for"))),
    Row("numbered lines with points", fenced(numbered(DOT, ". "))),
    Row("HTML's line breaks", DOT.replace("\n", "<br>\n")),
    Row(
        "the arguments of a tool",
        '{"name": "submit", "arguments": "{\\"code\\": \\"' + DOT.replace("\n", "\\\\n") + '\\"}"}',
    ),
    Row("a test program's headers", fenced(f"#include <time.h>\n#include <omp.h>\n{DOT}\n{MAIN}")),
    Row(
        "a fragment besides is not taken",
        fenced("c = y - t;\ndouble c = 0;") + fenced(DOT.replace("s = 0.0", "s = 0.0, c = 0.0")),
        DOT.replace("s = 0.0", "s = 0.0, c = 0.0"),
    ),
    Row("prose behind the closing fence", f"```c\n{DOT}\n``` As you see, it's short; {{really}}.\n"),
    Row("the reply begins inside a block", f"{DOT}\n```\nThis is a loop."),
    Row("LaTeX", "\\begin{lstlisting}[language=C]\n" + DOT + "\n\\end{lstlisting}"),
    Row("YAML", "code: |\n" + "\n".join("  " + line for line in DOT.split("\n")) + "\nnote: it's done\n"),
    Row("a literal in Python", fenced(f'source = """\n{DOT}\n"""\ndot.swap(source)', "python")),
    Row(
        "a typedef as type",
        fenced("typedef double real;\n" + DOT.replace("double dot", "real dot")),
        "typedef double real;\n" + DOT.replace("double dot", "real dot"),
    ),
    Row("the last block wins", f"First:\n{fenced(OLD)}\nBetter:\n{fenced(DOT)}"),
    Row("c beats no tag", f"{fenced(DOT)}\n{fenced(OLD, '')}"),
    Row("c beats c++", f"{fenced(DOT)}\n{fenced(OLD, 'cpp')}"),
    Row("c++ beats no tag", f"{fenced(DOT, 'cpp')}\n{fenced(OLD, '')}"),
    Row("no tag beats another language", f"{fenced(DOT, '')}\n{fenced(OLD, 'java')}"),
    Row("c beats prose", f"{fenced(DOT)}\n{OLD}\n"),
    Row("prose beats another language", f"{DOT}\n\n{fenced(OLD, 'java')}"),
    Row("a later call does not count", f"{fenced(DOT)}\nUse it:\n{fenced('double r = dot(n, x, y);')}"),
    Row("a later prototype does not count", f"{fenced(DOT)}\n{fenced(DOT[: DOT.index('{')].strip() + ';')}"),
    Row("a later block without the function", f"{fenced(DOT)}\n{fenced('int other(int x) { return x; }')}"),
    Row("defined twice in a block", fenced(f"{OLD}\n\n{DOT}"), how="kept the last dot"),
    Row(
        "helper in an earlier block", f"{fenced(HELPER)}\nand\n{fenced(USES)}", f"{HELPER}\n{USES}", how="put 2 blocks"
    ),
    Row("helper in a later block", f"{fenced(USES)}\nwith\n{fenced(HELPER)}", f"{HELPER}\n{USES}"),
    Row(
        "helper of a helper",
        "".join(
            fenced(c)
            for c in ("static double one(double a) { return a; }", HELPER.replace("return a", "return one(a)"), USES)
        ),
        f"static double one(double a) {{ return a; }}\n{HELPER.replace('return a', 'return one(a)')}\n{USES}",
    ),
    Row(
        "helper there twice",
        f"{fenced(HELPER.replace('a * b', 'a'))}{fenced(HELPER)}{fenced(USES)}",
        f"{HELPER}\n{USES}",
    ),
    Row("macro in an earlier block", f"{fenced('#define START 0.0')}{fenced(DOT.replace('0.0', 'START'))}"),
    Row(
        "struct in an earlier block",
        f"{fenced('struct two { double a, b; };')}{fenced(DOT.replace('double s = 0.0;', 'struct two t = {0.0, 0.0}; double s = t.a;'))}",
        "struct two { double a, b; };\n" + DOT.replace("double s = 0.0;", "struct two t = {0.0, 0.0}; double s = t.a;"),
    ),
    Row(
        "table in an earlier block",
        f"{fenced('static const double start[1] = {0.0};')}{fenced(DOT.replace('0.0', 'start[0]'))}",
        "static const double start[1] = {0.0};\n" + DOT.replace("0.0", "start[0]"),
    ),
    Row("a helper of a weaker class is not taken", f"{fenced(HELPER, '')}{fenced(DOT)}"),
    Row("group in one block", fenced(f"{INNER}\n{OUTER}"), f"{INNER}\n{OUTER}", "pair"),
    Row("group in two blocks", fenced(INNER) + fenced(OUTER), f"{INNER}\n{OUTER}", "pair", how="put 2 blocks"),
    Row(
        "group, one of them again",
        fenced(f"{INNER.replace('1.5', '9.0')}\n{OUTER}") + fenced(INNER),
        f"{INNER.replace('1.5', '9.0')}\n{OUTER}",
        "pair",
    ),
    Row("group with one missing", fenced(INNER), absent("no function 'outer'; found: 'inner'"), "pair"),
]


@pytest.mark.table
@pytest.mark.parametrize("row", CHOICE, ids=lambda row: row.name)
def test_shapes_of_replies(row):
    """The function that was meant is found whatever is around it, or what was missing is said."""
    require_what_was_meant(row)
