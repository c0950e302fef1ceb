"""Reading replies: whatever text a reply is, it is found or missing, in linear time.

Properties: totality (any text is found or missing, nothing raises), verbatim (a function in a fence is found as it was
written, whatever prose is around it), linearity (four times the text takes about four times the work).
"""

import gc
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiont_jit.llm.replies.read import FoundCode, read_reply
from tests.kernels import DOT
from tests.llm.replies.rows import (
    ANY,
    BODY,
    CURRENT,
    HELPER,
    OLD,
    SIGNATURES,
    USES,
    Row,
    absent,
    broken,
    fenced,
    require_what_was_meant,
)
from tests.llm.replies.test_adopt import PARTS
from tests.llm.replies.test_blocks import FENCES, THINKING
from tests.llm.replies.test_edits import EDITS
from tests.llm.replies.test_outline import BARE
from tests.llm.replies.test_units import CHOICE

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


@pytest.mark.table
@pytest.mark.parametrize("row", MISSING, ids=lambda row: row.name)
def test_shapes_of_replies(row):
    """The function that was meant is found whatever is around it, or what was missing is said."""
    require_what_was_meant(row)


TABLE = FENCES + CHOICE + BARE + THINKING + PARTS + EDITS + MISSING


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
def test_work_is_linear_up_to_millions_of_characters(unit):
    """A reply without an end is read in its last part, and finding that part is no more than linear."""
    work(unit, 1000, None)
    assert work(unit, 2_000_000, None) < 12 * work(unit, 500_000, None) + 0.1


@pytest.mark.slow
def test_the_end_of_an_endless_reply_is_read():
    """What was written last is found behind any amount of prose."""
    outcome = read_reply("so it goes.\n" * 300_000 + fenced(DOT), SIGNATURES["dot"])
    assert isinstance(outcome, FoundCode)
    assert outcome.how == ("read the last 500,000 characters",)
