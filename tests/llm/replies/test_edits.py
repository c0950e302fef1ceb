"""Edits of the present source."""

import pytest

from tests.kernels import DOT
from tests.llm.replies.rows import CURRENT, DIFF, OLD, Row, absent, broken, fenced, require_what_was_meant


def edit(old, new):
    return f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


BARE_HUNK = "@@ ... @@\n" + DIFF.partition("@@\n")[2]
EDITS = [
    Row("a diff", fenced(DIFF, "diff"), current=CURRENT, how="applied a diff"),
    Row("a diff without a fence", f"I change one line.\n\n{DIFF}\nThat's all.", current=CURRENT),
    Row("a diff tagged c", fenced(DIFF), current=CURRENT),
    Row("wrong line numbers", fenced(DIFF.replace("-1,4", "-71,9"), "diff"), current=CURRENT),
    Row("no line numbers", fenced(BARE_HUNK, "diff"), current=CURRENT),
    Row("no header at all", fenced("-  double s = 0.5;\n+  double s = 0.0;", "diff"), current=CURRENT),
    Row("other blanks", fenced(DIFF.replace("  double s", "\tdouble  s"), "diff"), current=CURRENT),
    Row("context without its blank", fenced(DIFF.replace("\n {", "\n{"), "diff"), current=CURRENT),
    Row(
        "wrong context at an end",
        fenced(DIFF.replace("   for (int64_t i = 0; i < n; i++)", "   int j;"), "diff"),
        current=CURRENT,
    ),
    Row(
        "two hunks",
        fenced(DIFF + "@@ -8 +8 @@\n-  return s;\n+  return 1.0 * s;\n", "diff"),
        DOT.replace("return s", "return 1.0 * s"),
        current=CURRENT,
    ),
    Row(
        "lines added",
        fenced("@@ -3,2 +3,3 @@\n   double s = 0.5;\n+  s = 0.0;\n   for (int64_t i = 0; i < n; i++)\n", "diff"),
        OLD.replace("0.5;", "0.5; s = 0.0;"),
        current=CURRENT,
    ),
    Row("the old source quoted besides", f"Now:\n{fenced(CURRENT)}\nChange:\n{fenced(DIFF, 'diff')}", current=CURRENT),
    Row(
        "the whole function besides",
        f"{fenced(DIFF.replace('0.0', '9.9'), 'diff')}\nAll of it:\n{fenced(DOT)}",
        current=CURRENT,
    ),
    Row("the source again", fenced(OLD), OLD, current=CURRENT),
    Row(
        "search and replace",
        edit("  double s = 0.5;", "  double s = 0.0;"),
        current=CURRENT,
        how="a SEARCH/REPLACE block",
    ),
    Row(
        "search and replace in a fence", f"dot.c\n{fenced(edit('double s = 0.5;', 'double s = 0.0;'))}", current=CURRENT
    ),
    Row(
        "two replacements",
        edit("double s = 0.5;", "double s = 0.0;") + "and\n" + edit("return s;", "return s + 0.0;"),
        DOT.replace("return s", "return s + 0.0"),
        current=CURRENT,
        how="2 SEARCH",
    ),
    Row("a part of a line", edit("s = 0.5", "s = 0.0"), current=CURRENT),
    Row(
        "search that finds nothing",
        edit("  float sum = 1;", "  float sum = 0;"),
        absent("SEARCH/REPLACE block 1 does not apply: the current source has no line 'float sum = 1;'"),
        current=CURRENT,
    ),
    Row(
        "replacement that breaks off",
        edit("double s = 0.5;", "double s = 0.0;").partition(">>>>")[0],
        broken("inside SEARCH/REPLACE block 1"),
        current=CURRENT,
    ),
    Row(
        "a hunk that does not apply",
        fenced(DIFF.replace("s = 0.5", "t = 4.5"), "diff"),
        absent("hunk 1 does not apply: the current source has no line 'double t = 4.5;'"),
        current=CURRENT,
    ),
    Row("a diff that breaks off", "```diff\n" + DIFF, broken("inside hunk 1"), current=CURRENT, finish="length"),
    Row("a diff against nothing", fenced(DIFF, "diff"), absent("there is no source that it could change")),
    Row(
        "a diff of a new file",
        fenced(
            "--- /dev/null\n+++ b/dot.c\n@@ -0,0 +1,5 @@\n" + "\n".join("+" + line for line in DOT.split("\n")), "diff"
        ),
    ),
    Row(
        "a diff that replaces all",
        fenced("@@ -1,3 +1,5 @@\n-something else\n" + "\n".join("+" + line for line in DOT.split("\n")), "diff"),
        current=CURRENT,
    ),
]


@pytest.mark.table
@pytest.mark.parametrize("row", EDITS, ids=lambda row: row.name)
def test_shapes_of_replies(row):
    """The function that was meant is found whatever is around it, or what was missing is said."""
    require_what_was_meant(row)
