"""Reading replies: whatever shape a reply has, the right function is found, or what was missing is said.

Two invariants: *totality* (any text ends in `FoundCode` or `MissingCode`, in time linear in its length), *verbatim* (a function
that stands in prose or a fence is found as it was written).
"""

import gc
import re
import time
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import float64 as f64
from numba import int64 as i64

import symbiont_jit as sj
from symbiont_jit import Array, InOut, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.llm.replies.outline import find_brace_groups, scan
from symbiont_jit.llm.replies.read import FoundCode, MissingCode, read_reply
from tests.kernels import DOT


@evolvable
def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    return float(np.dot(x, y))


@evolvable
def scale(x: InOut[f64, "n"], a: f64) -> None:
    x *= a


@evolvable
def twice(x: i64) -> i64:
    return 2 * x


PAIR = sj.Group()


@PAIR.evolvable
def inner(x: f64) -> f64:
    return x + 1.0


@PAIR.evolvable
def outer(x: f64) -> f64:
    return 2.0 * x


SIGNATURES = {
    "dot": (dot.signature,),
    "scale": (scale.signature,),
    "twice": (twice.signature,),
    "pair": tuple(k.signature for k in PAIR.kernels),
}
CANONICAL = {
    name: target_of(owner).canonical
    for name, owner in {"dot": dot, "scale": scale, "twice": twice, "pair": PAIR}.items()
}

OLD = DOT.replace("0.0", "0.5")  # another version, to tell which was taken
BODY = DOT[DOT.index("{") :]
STATEMENTS = BODY[1:-1]
SCALE = """void scale(int64_t n, double x[n], double a) {
    for (int64_t i = 0; i < n; i++) x[i] *= a;
}"""
TWICE = "int64_t twice(int64_t x) { return x << 1; }"
HELPER = "static double mul(double a, double b) { return a * b; }"
USES = DOT.replace("x[i] * y[i]", "mul(x[i], y[i])")
MAIN = """int main(void) {
    double x[3] = {1, 2, 3};
    printf("%f\\n", dot(3, x, x));
    return 0;
}"""
INNER = "double inner(double x) { return x + 1.5; }"
OUTER = "double outer(double x) { return 3.0 * x; }"
ESCAPED = DOT.replace("<", "&lt;").replace(">", "&gt;")
CURRENT = target_of(dot).canonical(OLD).text
ONE_LINE = " ".join(DOT.split())


def fenced(code, tag="c", fence="```"):
    return f"{fence}{tag}\n{code}\n{fence}\n"


def numbered(code, mark):
    return "\n".join(f"{number:3}{mark}{line}" for number, line in enumerate(code.split("\n"), 1))


def quoted(code):
    return "\n".join(f"> {line}" for line in code.split("\n"))


def edit(old, new):
    return f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


@dataclass(frozen=True)
class Row:
    """A reply to a kernel, with the C that is meant, or the kind and a part of the message."""

    name: str
    reply: str
    expected: object = DOT  # C, or (kind, part of the message)
    kernel: str = "dot"
    how: str = ""
    current: object = None
    finish: str = "stop"


def absent(message):
    return ("no_code", message)


def broken(message):
    return ("truncated", message)


FENCES = [
    Row("a fence tagged c", f"Here you go:\n\n{fenced(DOT)}\nHope this helps!"),
    Row("tag in capitals", fenced(DOT, "C")),
    Row("tag c99", fenced(DOT, "c99")),
    Row("tag h", fenced(DOT, "h")),
    Row("tag cpp", fenced(DOT, "cpp")),
    Row("tag c++", fenced(DOT, "c++")),
    Row("no tag", fenced(DOT, "")),
    Row("tag text", fenced(DOT, "text")),
    Row("tag of another language, C inside", fenced(DOT, "python")),
    Row("attributes of a fence", fenced(DOT, "c title=x")),
    Row("attributes in braces", fenced(DOT, "{.c .numberLines startFrom=1}")),
    Row("a file's name as tag", fenced(DOT, "dot.c")),
    Row("tag and file", fenced(DOT, "c:src/dot.c")),
    Row("language-c", fenced(DOT, "language-c")),
    Row("blank before the tag", fenced(DOT, " c")),
    Row("tag on the next line", fenced("c\n" + DOT, "")),
    Row("tildes", fenced(DOT, fence="~~~")),
    Row("four backticks", fenced(DOT, fence="````")),
    Row("a fence in a longer fence", fenced(fenced(DOT), "markdown", "`````")),
    Row("a fence in a fence as long", fenced(fenced(DOT), "markdown")),
    Row("a fence in an untagged fence", fenced(fenced(DOT), "")),
    Row("indented in a list", "1. Do this:\n\n" + "\n".join("   " + line for line in fenced(DOT).split("\n"))),
    Row("behind a list's mark", f"- {fenced(DOT)}"),
    Row("in a quotation", quoted(fenced(DOT))),
    Row("code behind the opening fence", f"```{DOT}\n```"),
    Row("tag and code behind the opening fence", f"```c {DOT}\n```"),
    Row("all on one line", f"```c {ONE_LINE}```"),
    Row("include behind the opening fence", f"```c #include <math.h>\n{DOT}\n```"),
    Row("closing fence behind the code", f"```c\n{DOT}```\nDone."),
    Row("unclosed last fence", f"```c\n{DOT}\n"),
    Row("unclosed last fence and prose", f"```c\n{DOT}\nThis loop is easy to vectorise."),
    Row("unclosed fence before another", f"```\n{OLD}\n```c\n{DOT}\n```"),
    Row("fence in a comment", fenced(f"/* Use:\n```\nr = dot(n, x, y);\n```\n*/\n{DOT}")),
    Row("fence in a comment at the line's end", fenced(f"// see ```dot```\n{DOT}")),
    Row("triple single quotes", f"'''c\n{DOT}\n'''"),
    Row("smart quotes for backticks", f"\u2018\u2018\u2018c\n{DOT}\n\u2019\u2019\u2019"),
    Row("smart quotes around the fences", f"\u201c```c\n{DOT}\n```\u201d"),
    Row("an empty fence first", f"```\n```\n{fenced(DOT)}"),
    Row("prose in the fence", fenced(f"Here is the faster version:\n\n{DOT}"), how="left out prose"),
]

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

BARE = [
    Row("nothing but C", DOT),
    Row("C between paragraphs", f"Sure! Here's the function; it's simple.\n\n{DOT}\n\nIt doesn't allocate (really)."),
    Row("on a line of prose", f"Here it is: {ONE_LINE} Good luck."),
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

THINKING = [
    Row("think", f"<think>maybe {fenced(OLD)}</think>\n{fenced(DOT)}", how="left out thinking"),
    Row(
        "code only in thinking",
        f"<think>\n{fenced(DOT)}</think>\nI am done.",
        absent("no C code outside of its thinking"),
    ),
    Row("thinking", f"<thinking>{fenced(OLD)}</thinking>{DOT}"),
    Row("reasoning after the code", f"{fenced(DOT)}<reasoning>{fenced(OLD)}</reasoning>"),
    Row("tag in capitals and with attributes", f'<THINK effort="1">{fenced(OLD)}</THINK>{fenced(DOT)}'),
    Row("only a closing tag", f"{fenced(OLD)}</think>\n{fenced(DOT)}"),
    Row("only a closing tag, weaker code behind it", f"{fenced(OLD)}</think>\n{DOT}"),
    Row("closed twice", f"<think>a</think>{fenced(OLD)}</think>{fenced(DOT)}"),
    Row("opened twice", f"<think><think>{fenced(OLD)}</think>{fenced(DOT)}"),
    Row("never closed", f"<think>\nLet me see\n{fenced(DOT)}", broken("while thinking")),
    Row("never closed, after the code", f"{fenced(DOT)}\n<think>\n{fenced(OLD)}"),
    Row("a tag that is talked about", f"No `<think>` needed.\n{fenced(DOT)}"),
    Row(
        "channels",
        f"<|channel|>analysis<|message|>{fenced(OLD)}<|end|><|start|>assistant<|channel|>final<|message|>{fenced(DOT)}<|return|>",
    ),
    Row("channels, fence behind the token", f"<|channel|>final<|message|>```c\n{DOT}\n```<|return|>"),
    Row("channels without their tokens", f"analysisWe need {fenced(OLD)}assistantfinal{fenced(DOT)}"),
    Row("channel that never ends", f"<|channel|>analysis<|message|>{fenced(OLD)}", broken("while thinking")),
    Row("square brackets", f"[THINK]{fenced(OLD)}[/THINK]{fenced(DOT)}"),
]

PARTS = [
    Row("a body in braces", fenced(BODY), how="wrapped a body"),
    Row("statements", fenced(STATEMENTS), how="wrapped a body"),
    Row("a body without a fence", BODY),
    Row("a body in prose", f"The body is:\n\n{BODY}\n\nEnjoy."),
    Row("statements without a fence", STATEMENTS),
    Row("a void body", fenced("for (int64_t i = 0; i < n; i++) x[i] *= a;"), SCALE, "scale"),
    Row("the last body wins", fenced(BODY.replace("0.0", "0.5")) + fenced(BODY)),
    Row("a body with an include", fenced("#include <math.h>\n" + STATEMENTS)),
    Row("a function beats a body", fenced(DOT) + fenced(STATEMENTS.replace("0.0", "0.5"))),
    Row(
        "renamed parameters",
        fenced(DOT.replace("x", "left").replace("y[", "right[")),
        DOT.replace("x", "left").replace("y[", "right["),
    ),
    Row("renamed function", fenced(DOT.replace("dot", "dot_fast")), how="renamed dot_fast to dot"),
    Row("renamed function and main", fenced(DOT.replace("dot", "dot_fast") + "\n" + MAIN.replace("dot", "dot_fast"))),
    Row(
        "renamed recursive function",
        fenced("int64_t dbl(int64_t x) { return x > 0 ? 2 + dbl(x - 1) : x; }"),
        "int64_t twice(int64_t x) { return x > 0 ? 2 + twice(x - 1) : x; }",
        "twice",
    ),
    Row(
        "renamed with other parameters",
        fenced("double dot2(double a, double b) { return a * b; }"),
        absent("no function 'dot'; found: 'dot2'"),
    ),
    Row(
        "two functions, neither of that name",
        fenced(DOT.replace("dot", "dot_a") + "\n" + DOT.replace("dot", "dot_b")),
        absent("found: 'dot_a', 'dot_b'"),
    ),
    Row("main besides", fenced(f"#include <stdio.h>\n{DOT}\n{MAIN}"), how="left out main"),
    Row("main before", fenced(f"{DOT[: DOT.index('{')]};\n{MAIN}\n{DOT}"), f"{DOT[: DOT.index('{')]};\n{DOT}"),
    Row("main in prose", f"Try:\n\n#include <stdio.h>\n\n{DOT}\n\n{MAIN}\n\nIt prints 14."),
    Row(
        "a test function and its caller",
        fenced(f"{DOT}\nstatic void test(void) {{ assert(dot(0, 0, 0) == 0); }}\nvoid all(void) {{ test(); }}"),
        how="left out all",
    ),
    Row(
        "what only the test uses",
        fenced(
            f'double buffer[100];\nvoid check(void);\n{DOT}\nvoid check(void) {{ printf("%f", dot(9, buffer, buffer)); }}'
        ),
    ),
    Row("a helper that is called stays", fenced(f"{HELPER}\n{USES}\n{MAIN}"), f"{HELPER}\n{USES}"),
    Row("main that breaks off", f"```c\n{DOT}\n\nint main(void) {{\n    double x[", finish="length"),
    Row("main behind a guard", fenced(f"{DOT}\n#ifdef TEST\n{MAIN}\n#endif")),
    Row(
        'extern "C" with braces',
        fenced('#ifdef __cplusplus\nextern "C" {\n#endif\n' + DOT + "\n#ifdef __cplusplus\n}\n#endif"),
        how='extern "C"',
    ),
    Row('extern "C" alone', fenced('extern "C" ' + DOT), how="took extern off dot"),
    Row("extern", fenced("extern " + DOT)),
    Row("static inline", fenced("static inline " + DOT)),
    Row("attributes", fenced('__attribute__((noinline, target("avx2")))\n' + DOT), how="took attributes off dot"),
    Row(
        "attributes of a helper",
        fenced(
            "static inline __attribute__((always_inline)) double mul(double a, double b) { return a * b; }\n" + USES
        ),
        "static inline double mul(double a, double b) { return a * b; }\n" + USES,
    ),
    Row("C23 attributes", fenced("[[gnu::hot]] " + DOT)),
    Row(
        "macros",
        fenced(
            "#define LOOP(i, n) for (int64_t i = 0; i < (n); \\\n    i++)\n"
            + DOT.replace("for (int64_t i = 0; i < n; i++)", "LOOP(i, n)")
        ),
        DOT.replace("i < n", "i < (n)"),
    ),
    Row(
        "branches of #if with their own braces",
        fenced(
            DOT.replace(
                "    for (int64_t i = 0; i < n; i++) s",
                "#ifdef FAST\n    for (int64_t i = 0; i < n; i += 2) {\n#else\n    for (int64_t i = 0; i < n; i++) {\n#endif\n    s",
            ).replace("return", "}\n    return")
        ),
    ),
    Row(
        "braces in comments and literals",
        fenced(DOT.replace("return", "/* } */ char c = '}'; // }\n    (void)c; return")),
        DOT.replace("return", "char c = '}'; (void)c; return"),
    ),
    Row("an apostrophe in a comment", fenced(f"// it's {{ fast\n{DOT}")),
]

DIFF = """--- a/dot.c
+++ b/dot.c
@@ -1,4 +1,4 @@
 double dot(int64_t n, const double x[n], const double y[n])
 {
-  double s = 0.5;
+  double s = 0.0;
   for (int64_t i = 0; i < n; i++)
"""
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

MISSING = [
    Row("cut off in the braces of a body", "```c\n" + BODY[:60], broken("inside the body"), finish="length"),
    Row("nothing", "", absent("the reply is empty")),
    Row("blanks", " \n\t\n", absent("the reply is empty")),
    Row("a refusal", "I cannot help with that.", absent("the reply has no C code; answer with double dot(int64_t n")),
    Row("an empty fence", "```c\n```", absent("no C code")),
    Row(
        "python only",
        fenced("def dot(x, y):\n    return sum(a * b for a, b in zip(x, y))", "python"),
        absent("no C code"),
    ),
    Row("javascript only", fenced("function dot(n, x, y) {\n  return 0;\n}", "javascript"), absent("no C code")),
    Row("a prototype only", fenced(DOT[: DOT.index("{")].strip() + ";"), absent("a declaration of 'dot', but no body")),
    Row("a call only", fenced("double r = dot(n, x, y);"), absent("no function 'dot'")),
    Row(
        "other functions",
        fenced(HELPER + "\nint f(int x) { return x; }"),
        absent("found: 'mul', 'f'; define double dot("),
    ),
    Row(
        "cut off in a fence",
        f"```c\n{DOT[:-20]}",
        broken("breaks off inside 'dot' after line 3: 'for (int64_t i"),
        finish="length",
    ),
    Row("cut off, the fence closed", fenced(DOT[:-1]), broken("breaks off inside 'dot' after line 4: 'return s;'")),
    Row("cut off in prose", f"Here:\n\n{DOT[:-1]}", broken("inside 'dot'")),
    Row(
        "cut off in a second version",
        fenced(OLD) + "Better:\n```c\n" + DOT[:-9],
        broken("inside 'dot'"),
        finish="length",
    ),
    Row(
        "cut off in a helper that is called",
        fenced("static double mul(double a, double b);\n" + USES + "\n" + HELPER[:-2]),
        broken("inside 'mul'"),
    ),
    Row(
        "cut off before a helper that is called",
        "```c\nstatic double mul(double a, double b);\n" + USES + "\n\nstatic",
        broken("breaks off before the function 'mul'"),
    ),
    Row("cut off in a helper before", f"```c\n{HELPER[:-2]}", broken("inside 'mul'"), finish="length"),
    Row(
        "cut off before any code",
        "Let me first explain at length how",
        broken("the reply was cut off"),
        finish="length",
    ),
    Row("cut off in a body", fenced(BODY[:-1]), broken("inside the body")),
    Row("cut off in JSON", '{"code": "' + DOT[:-9].replace("\n", "\\n"), broken("inside 'dot'"), finish="length"),
]

TABLE = FENCES + CHOICE + BARE + THINKING + PARTS + EDITS + MISSING


@pytest.mark.table
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_shapes_of_replies(row):
    """The function that was meant is found whatever is around it, or what was missing is said."""
    outcome = read_reply(row.reply, SIGNATURES[row.kernel], row.current, row.finish)
    if isinstance(row.expected, tuple):
        kind, part = row.expected
        assert isinstance(outcome, MissingCode), outcome
        assert outcome.kind == kind
        assert part in outcome.message
        return
    assert isinstance(outcome, FoundCode), outcome
    assert CANONICAL[row.kernel](outcome.code).text == CANONICAL[row.kernel](row.expected).text, outcome
    assert row.how in ", ".join(outcome.how), outcome.how


def test_rows_have_names_of_their_own():
    """A failing row can be found by its name."""
    names = [row.name for row in TABLE]
    assert len(names) == len(set(names))


FIRST = [row for row in TABLE if isinstance(row.expected, str) and row.current is None and row.finish == "stop"]


@pytest.mark.table
@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.name)
def test_a_finished_reply_may_report_length(row):
    """What is whole is taken, even where the model was stopped right behind it."""
    outcome = read_reply(row.reply, SIGNATURES[row.kernel], None, "length")
    assert isinstance(outcome, FoundCode)


# -- properties -----------------------------------------------------------------------------------------------------

SHARDS = st.sampled_from(
    [
        *"```|~~~|<think>|</think>|{|}|(|)|/*|*/|//|\"|'|\\|\n|\n\n|#|#if 1|#else|#endif|#define A|;|=|@@ -1,2 +1,2 @@|--- a\n".split(
            "|"
        ),
        *'+++ b|<<<<<<< SEARCH|=======|>>>>>>> REPLACE|&lt;|&amp;|<answer>|</answer>|"code": "|1: |2: |3: |extern "C" {|\ufeff|\ud800'.split(
            "|"
        ),
        *(
            "c\n",
            "double ",
            "dot",
            "main",
            "return s;",
            "struct t",
            "static const double t[] =",
            DOT,
            OLD,
            MAIN,
            DIFF,
            "it's ",
        ),
    ]
)
ANY = st.one_of(st.text(max_size=300), st.lists(SHARDS, max_size=30).map("".join))


@pytest.mark.slow
@given(ANY, st.sampled_from([None, CURRENT]), st.sampled_from(["stop", "length"]), st.sampled_from(sorted(SIGNATURES)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_found_or_missing(text, current, finish, kernel):
    """Totality: no text raises, and a message is never empty."""
    outcome = read_reply(text, SIGNATURES[kernel], current, finish)
    assert outcome.code.strip() if isinstance(outcome, FoundCode) else outcome.message


FENCE_MARKS = ("```", "~~~", "'''", "/*", "<", "\u2019", "\u2018", "\u00b4", "\u02cb")
#: A line that begins like a directive would be C, not prose.
DIRECTIVE = re.compile(r"^[ \t]*#[a-z]", re.MULTILINE)
PROSE = st.text(max_size=200).filter(
    lambda text: not any(mark in text for mark in FENCE_MARKS) and not DIRECTIVE.search(text)
)


@pytest.mark.slow
@given(
    PROSE, PROSE, st.sampled_from(["", "c", "C", "cpp", "c title=x", "text"]), st.integers(3, 6), st.sampled_from("`~")
)
@settings(max_examples=150, deadline=None)
def test_a_fenced_function_is_found_as_it_was_written(before, after, tag, length, mark):
    """Verbatim: prose around a fence changes nothing of the function in it."""
    outcome = read_reply(f"{before}\n{fenced(DOT, tag, mark * length)}{after}", SIGNATURES["dot"])
    assert isinstance(outcome, FoundCode)
    assert outcome.code.strip() == DOT


@pytest.mark.slow
@given(PROSE, PROSE)
@settings(max_examples=150, deadline=None)
def test_a_function_in_prose_is_found_as_it_was_written(before, after):
    """Verbatim: a function between paragraphs is cut out of them."""
    outcome = read_reply(f"{before}\n\n{DOT}\n\n{after}", SIGNATURES["dot"])
    assert isinstance(outcome, FoundCode)
    assert outcome.code.strip() == DOT


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


HOSTILE = {
    "braces": "{",
    "parentheses": "(",
    "closing": "})",
    "quotes": '"',
    "escaped quotes": '\\"',
    "apostrophes": "it's ",
    "comments": "/*",
    "slashes": "/",
    "fences": "```c\n",
    "fences of two kinds": "```c\n~~~\n",
    "blocks": "```c\nint f(int x) {}\n```\n",
    "thinking": "<think>",
    "closed thinking": "</think>",
    "tags": "<code>",
    "fields": '"code": "',
    "entities": "&lt;",
    "functions": "a(){}",
    "functions with a type": "int a(int b){a(b);}\n",
    "old style": "f(x) int a;",
    "letters": "a",
    "blanks": " ",
    "stars": "* ",
    "lines": "\n",
    "numbers": "1: \n2: \n3: \n",
    "directives": "#if 1 /*\n",
    "continued": "#define a \\\n",
    "brackets": "a[",
    "assignments": "a={};",
    "aggregates": "={}",
    "hunks": "@@ -1 +1 @@\n-a\n+b\n",
    "searches": "<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n",
    "attributes": "__attribute__((a)) ",
    "externs": 'extern "C" {',
    "indented fences": " " * 50 + "```\n",
    "indents": "> > > ```c\n",
    "type words": "double ",
    "prototypes": "double dot(int x);\n",
    "carriage returns": "\r",
    "surrogates": "\ud800",
}


def work(unit, size, current):
    """Seconds of processor time that this thread takes for a text of a size.

    Others on the machine do not count, nor does a collection of the garbage of all the tests before.
    """
    text = unit * (size // len(unit))
    gc.collect()
    gc.disable()
    try:
        start = time.thread_time()
        read_reply(text, SIGNATURES["dot"], current)
        read_reply("```c\n" + text, SIGNATURES["dot"], current)
        return time.thread_time() - start
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_work_is_linear(unit):
    """Four times the text takes about four times the work, with and without a fence."""
    work(unit, 1000, CURRENT)
    assert work(unit, 30_000, CURRENT) < 12 * work(unit, 7500, CURRENT) + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["```c\n", "int a(int b) { }\n", "<think>a</think>"])
def test_work_is_linear_up_to_ten_million_characters(unit):
    """A reply without an end is read in its last part, and finding that part is no more than linear."""
    work(unit, 1000, None)
    assert work(unit, 10_000_000, None) < 12 * work(unit, 2_500_000, None) + 0.2


@pytest.mark.slow
def test_the_end_of_an_endless_reply_is_read():
    """What was written last is found behind any amount of prose."""
    outcome = read_reply("so it goes.\n" * 300_000 + fenced(DOT), SIGNATURES["dot"])
    assert isinstance(outcome, FoundCode)
    assert outcome.how == ("read the last 500,000 characters",)


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
