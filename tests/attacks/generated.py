"""Candidates that no file can hold well: without text, of bytes that are no UTF-8, or too long to be looked at."""

from symbiont_jit import Status
from tests.attacks.files import Row
from tests.attacks.targets import HEADS, body

NO_CODE, UNPARSED, WRONG = Status.NO_CODE, Status.UNPARSED, Status.WRONG

CASES = " ".join(f"case {i}: return {i * i % 997};" for i in range(1000))
CONDITIONS = ", ".join(["1 ? " * 20 + "1" + " : 2" * 20] * 100)
CONSTANTS = "enum { e0 = 1" + "".join(f", e{i} = e{i - 1} * 2 % 1000003" for i in range(1, 2000)) + " };\n"

#: Each is for `dot`: group, name, text, status, rule and line.
_TABLE = [
    ("texts", "empty", "", NO_CODE, "empty", 0),
    ("texts", "blanks", " \n\t\r\n ", NO_CODE, "empty", 0),
    ("texts", "no_bytes", b"", NO_CODE, "empty", 0),
    ("texts", "10_mb", body("dot", "return 0;") + "\n" * 10_000_000, UNPARSED, "too-large", 0),
    ("texts", "10_mb_of_bytes", b"\xff" * 10_000_000, UNPARSED, "too-large", 0),
    ("texts", "nul_characters", body("dot", "return 0;\0"), UNPARSED, "character", 1),
    ("texts", "nul_bytes", b"\0" * 1000, UNPARSED, "character", 1),
    ("texts", "no_utf_8", b"\xc3\x28", UNPARSED, "encoding", 1),
    ("texts", "lone_surrogate", body("dot", "return 0; \ud800"), UNPARSED, "character", 1),
    (
        "texts",
        "deep_parentheses",
        body("dot", "return " + "(" * 5000 + "1" + ")" * 5000 + ";"),
        UNPARSED,
        "too-deep",
        1,
    ),
    ("texts", "deep_blocks", HEADS["dot"] + "{" * 5000 + "}" * 5000, UNPARSED, "too-deep", 1),
    ("texts", "deep_unary", body("dot", "return " + "- " * 20000 + "1;"), UNPARSED, "too-deep", 1),
    ("texts", "deep_if", body("dot", "if (n) " * 3000 + "; return 0;"), UNPARSED, "too-deep", 1),
    ("texts", "deep_sum", body("dot", "return " + "n + " * 20000 + "1;"), UNPARSED, "too-deep", 0),
    ("texts", "deep_declarator", body("dot", "double " + "*" * 5000 + "p; return 0;"), UNPARSED, "too-deep", 0),
    ("compiler", "1000_cases", body("dot", f"switch (n) {{ {CASES} }} return -1;"), WRONG, "wrong", 0),
    (
        "compiler",
        "conditions_in_a_table",
        body("dot", "return t[n % 3];", f"static const double t[] = {{{CONDITIONS}}};\n"),
        WRONG,
        "wrong",
        0,
    ),
    ("compiler", "constants_of_constants", CONSTANTS + body("dot", "return e1999;"), WRONG, "wrong", 0),
]
GENERATED = [Row(group, name, "dot", *rest) for group, name, *rest in _TABLE]
