"""Parts: a body alone, and what does not belong to a function."""

import pytest

from tests.kernels import DOT, statements_of
from tests.llm.replies.rows import BODY, HELPER, MAIN, USES, Row, absent, fenced, require_what_was_meant

STATEMENTS = statements_of(DOT)
SCALE = """void scale(int64_t n, double x[n], double a) {
    for (int64_t i = 0; i < n; i++) x[i] *= a;
}"""
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


@pytest.mark.table
@pytest.mark.parametrize("row", PARTS, ids=lambda row: row.name)
def test_shapes_of_replies(row):
    """The function that was meant is found whatever is around it, or what was missing is said."""
    require_what_was_meant(row)
