"""Replies as rows of tables, kernels that they are about, and what is to be found in them."""

from dataclasses import dataclass

from hypothesis import strategies as st
from numba import float64 as f64
from numba import int64 as i64

import symbiont_jit as sj
from symbiont_jit import InOut, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.llm.replies.read import FoundCode, MissingCode, read_reply
from tests import kernels
from tests.kernels import DOT

dot = evolvable(kernels.dot)


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
HELPER = "static double mul(double a, double b) { return a * b; }"
USES = DOT.replace("x[i] * y[i]", "mul(x[i], y[i])")
MAIN = """int main(void) {
    double x[3] = {1, 2, 3};
    printf("%f\\n", dot(3, x, x));
    return 0;
}"""
CURRENT = target_of(dot).canonical(OLD).text
ONE_LINE = " ".join(DOT.split())


def fenced(code, tag="c", fence="```"):
    return f"{fence}{tag}\n{code}\n{fence}\n"


def numbered(code, mark):
    return "\n".join(f"{number:3}{mark}{line}" for number, line in enumerate(code.split("\n"), 1))


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


DIFF = """--- a/dot.c
+++ b/dot.c
@@ -1,4 +1,4 @@
 double dot(int64_t n, const double x[n], const double y[n])
 {
-  double s = 0.5;
+  double s = 0.0;
   for (int64_t i = 0; i < n; i++)
"""


def require_what_was_meant(row):
    """The function that was meant is found, or what was missing is said."""
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
