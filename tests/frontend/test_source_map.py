"""The way back from canonical text to the lines and columns of its author."""

import pickle
import random
import re

import numpy as np
import pytest

from symbiont_jit import CandidateError
from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.frontend import canonical_source
from symbiont_jit.frontend.source_map import CodeLines
from tests.frontend.candidates import refusal, whole
from tests.frontend.forms import CENTRE, made, place
from tests.frontend.test_corpus import ACCEPT, SIGNATURES, signature_for

WORD = re.compile(
    r"[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
    r"|<<=|>>=|->|\+\+|--|<<|>>|&&|\|\||[-+*/%&|^<>=!]=|\S"
)


def author_place(form, wanted, count=1):
    """Where the author's text has what the canonical text has there."""
    return form.author_position(*place(form.text, wanted, count))


def words_of(text):
    """Every word of a text with its line and column."""
    for number, line in enumerate(text.split("\n"), 1):
        for match in WORD.finditer(line):
            yield match[0], (number, match.start() + 1)


#: Files whose canonical text has only what their author wrote, and files in which no macro changes a word.
WITHOUT_RECORDS = [p for p in ACCEPT if not signature_for(p.read_bytes().decode()).records]
WITHOUT_MACROS = [p for p in ACCEPT if not re.search(rb"^\s*#\s*(define|if)", p.read_bytes(), re.MULTILINE)]
FILLERS = [" ", "\n", "\t ", " /* } x 1 */ ", " // { y\n", " \\\n", "  \\\n\t", "\f", " /* a\n b */ "]


def scatter(text, rng):
    """A text with comments, line ends and splices between its words, and the positions that these have then."""
    out, positions = "", []
    for line in text.split("\n"):
        if line.lstrip().startswith("#"):
            start = out.count("\n") + 2
            positions += [(start, match.start() + 1) for match in WORD.finditer(line)]
            out += f"\n{line}\n"
            continue
        for match in WORD.finditer(line):
            out += rng.choice(FILLERS)
            positions.append((out.count("\n") + 1, len(out) - out.rfind("\n")))
            out += match[0]
    return out + "\n", positions


def require_the_same_words(text, signature, rng):
    """Every word of a canonical text, scattered over lines by an author, is found where that author has put it."""
    written, positions = scatter(text, rng)
    form = canonical_source(written, signature, preprocess)
    assert form.text == text
    assert form.author_text == written
    assert [form.author_position(*at) for _, at in words_of(text)] == positions


# -- words --------------------------------------------------------------------------------------------------------------


@pytest.mark.table
@pytest.mark.parametrize("path", WITHOUT_RECORDS, ids=lambda path: path.stem)
def test_every_word_of_an_accepted_file_is_found_where_its_author_put_it(path):
    """Where the author writes canonical C, with any layout, each word is found at its own line and column."""
    signature = signature_for(path.read_bytes().decode())
    text = made(path.read_bytes(), signature).text
    require_the_same_words(text, signature, random.Random(path.stem))


#: What the canonical text has that its author need not have written.
INSERTED = {"static", "_Complex", "_Complex_I", "(", ")", "{", "}", ";", "[", "]", "0"}


@pytest.mark.table
@pytest.mark.parametrize("path", WITHOUT_MACROS, ids=lambda path: path.stem)
def test_names_and_literals_of_an_accepted_file_are_found(path):
    """Where no macro is, a name, literal or keyword of the canonical text stands in the author's text at its place."""
    source = path.read_bytes().decode("utf-8-sig")
    form = made(path.read_bytes(), signature_for(source))
    lines = form.author_text.split("\n")
    for word, at in words_of(form.text):
        line, column = form.author_position(*at)
        if line == 0:
            assert signature_for(source).records, f"'{word}' has no position, and there is no struct that we made"
            continue
        there = lines[line - 1][column - 1 :]
        is_joined = word[0] == '"' and there[0] == '"'  # "a" "b" is one literal
        assert word in INSERTED or is_joined or there.startswith(word), (word, at, (line, column), there)


def test_what_the_author_did_not_write_stands_at_its_neighbour():
    """`static` stands at the type it is put before, a brace where the statement ends that it was put around."""
    source = "double twice(double v) { return 2 * v; }\ndouble scalar(double x, double y)\n{\n  if (x > y) x = y;\n  return twice(x);\n}"
    form = made(source)
    assert author_place(form, "static") == (1, 1)
    assert author_place(form, "{", 3) == place(source, "y) x")
    assert author_place(form, "}", 2)[0] == 4


def test_declarations_with_several_names():
    """Each declarator of `int a, b` is found at its name, the type that is printed for each at the one that is there."""
    source = "double scalar(double x, double y) { static const int a = 1, b = 2; return x + a + b; }"
    form = made(source)
    assert form.text.count("static const int") == 2
    assert author_place(form, "b =") == place(source, "b =")
    assert author_place(form, "int", 2) == place(source, "int")
    assert author_place(form, "const", 2) == place(source, "const")


def test_a_column_inside_a_word():
    """A place inside a word is as far inside the author's."""
    source = "double scalar(double x, double y) {\n\n\n\t  return 123456 + x; }"
    form = made(source)
    line, column = place(form.text, "123456")
    assert form.author_position(line, column + 3) == (4, 14)


def test_places_outside_of_the_text():
    """A line that is not there has no position; a column behind a line is at its last word."""
    form = made("double scalar(double x, double y) { return x; }")
    assert form.author_position(0, 0) == (0, 0)
    assert form.author_position(99, 1) == (0, 0)
    assert form.author_position(-1, 5) == (0, 0)
    assert form.author_position(3, 400) == place(form.author_text, "; }")


# -- what changes columns -----------------------------------------------------------------------------------------------


def test_columns_after_complex():
    """`complex` is printed one character longer; what follows it is found at the author's columns."""
    source = "#include <complex.h>\ndouble complex rotate(double complex z) { double complex w = z * I; return w; }"
    form = made(source, SIGNATURES["rotate"])
    assert author_place(form, "z)") == place(source, "z)")
    assert author_place(form, "w =") == place(source, "w =")
    assert author_place(form, "_Complex_I") == place(source, "I;")
    assert author_place(form, "_Complex", 2) == place(source, "complex", 3)


def test_findings_after_complex_have_the_authors_columns():
    """A finding behind `complex` on a line is at the column where the author wrote what it is about."""
    source = (
        "#include <complex.h>\ndouble complex rotate(double complex z) { double complex w = z; nothing(w); return w; }"
    )
    with pytest.raises(CandidateError) as caught:
        made(source, SIGNATURES["rotate"])
    (found,) = caught.value.diagnostics
    assert (found.rule, found.line, found.column) == ("call", *place(source, "nothing"))


def test_what_macros_made_stands_at_the_macros_name():
    """Words of an expansion stand at the macro, or where its argument was written; what follows keeps its own column."""
    source = (
        "#define SQUARE(v) ((v) * (v))\n#define TWO 2.0\n"
        "double scalar(double x, double y) {\n  double   z = SQUARE(x + y) - TWO   *  y;\n  return z; }"
    )
    form = made(source)
    assert author_place(form, "x + y") == place(source, "x + y") == author_place(form, "x + y", 2)
    assert author_place(form, "2.0") == place(source, "TWO ", 2)
    assert author_place(form, "y;") == place(source, "y;")
    assert author_place(form, "z =") == place(source, "z =")
    assert author_place(form, "return") == place(source, "return")


def test_findings_behind_macros_have_the_authors_columns():
    """A finding on a line with macros is at the column where the author wrote what it is about."""
    source = "#define TWO (1 + 1)\ndouble scalar(double x, double y) {\n  return TWO * x + nothing(y) + TWO; }"
    with pytest.raises(CandidateError) as caught:
        made(source)
    (found,) = caught.value.diagnostics
    assert (found.rule, found.line, found.column) == ("call", *place(source, "nothing"))


MAX = "#define MAX(a, b) ((a) > (b) ? (a) : (b))\n"
SCALAR_HEAD = "double scalar(double x, double y) {\n"


@pytest.mark.parametrize(
    "source",
    [
        MAX + SCALAR_HEAD + "  double z = MAX(x,\n    y) + nothing(x);\n  return z; }",
        MAX
        + SCALAR_HEAD
        + "  return MAX(x,\n\n  MAX(y,\n  x)) * MAX(x, y) + MAX(\n  x,  /* ) */\n  y)  + nothing(x); }",
        MAX + SCALAR_HEAD + "  double z = MAX(x, y\n  ); double w = 1 / nothing(x);\n  return z + w; }",
        MAX + SCALAR_HEAD + "  double z = MAX(x,\n    y);\n  return z + nothing(x); }",
        MAX + SCALAR_HEAD + "  double z = MAX(x, \\\n    y) + nothing(x);\n  return z; }",
        "#define CONST const\n#define REAL double\n"
        + SCALAR_HEAD
        + "  CONST REAL z = x;  REAL w = nothing(x);\n return z; }",
        "#define A x\n#define MINUS -\n" + SCALAR_HEAD + "  return A MINUS MINUS A + nothing(x); }",
        MAX + SCALAR_HEAD + "  return MAX(x\n   + 1,\n   y) + nothing(x) + MAX(x\n   + 1,\n   y); }",
        "#define SUM(a, b) a + b\n" + SCALAR_HEAD + "  return SUM(x,\n   y) + nothing(x) + SUM(x,\n   y); }",
        "#define SQ(a) ((a) * (a))\n" + SCALAR_HEAD + "  return SQ\n (x) + nothing(x); }",
        "#define S(a) x += a;\n"
        + SCALAR_HEAD
        + "  S(0) S(1) S(2) S(3) S(4) S(5)\nS(6) S(7) S(8) S(9) x = nothing(x);\nreturn x; }",
        "#define E\n" + SCALAR_HEAD + "  E E E E E E E E E E E E E return nothing(x); }",
        "#define F(n) F##n\n#define F1(a) (a)\n" + SCALAR_HEAD + "  return F(1)(x) + F\n(1)\n(y) + nothing(x); }",
        "#define OPEN (\n" + SCALAR_HEAD + "  return 2 * OPEN x + 1) + nothing(x); }",
        "#define ROOT sqrt\n" + SCALAR_HEAD + "  return ROOT(x * x\n  + y * y\n  + nothing(x)); }",
        "#define AS(T) (T)\n" + SCALAR_HEAD + "  return AS(double)(x +\n  nothing(x)); }",
        MAX + SCALAR_HEAD + "  return MAX(x,\n  y + 2 *\n  sin(nothing(x))); }",
        "#ifdef FAST\n#define sq(v) ((v) * (v))\n#else\nstatic double sq(double v) { return v * v; }\n#endif\n"
        + SCALAR_HEAD
        + "  return sq(x +\n  nothing(x)); }",
        MAX + SCALAR_HEAD + "#if 0\n  old: MAX(x, y is wrong for NaN\n#endif\n  return MAX(x, y) + nothing(x); }",
        MAX + SCALAR_HEAD + "#ifdef WIDE\n  x = MAX(x * 2,\n#else\n  x = MAX(x,\n#endif\n  1);\n  return nothing(x); }",
        "#define NAME(n) #n\n#define ROOT sqrt\n"
        + SCALAR_HEAD
        + "  x = sizeof(NAME(a b));\n  return ROOT(x *\n  nothing(x)); }",
        "#define sq(v) 1\n#undef sq\nstatic double sq(double v) { return v; }\n"
        + SCALAR_HEAD
        + "  return sq(x\n + nothing(x)); }",
    ],
    ids=[
        *("two lines", "many lines", "a new declaration", "the next line", "a spliced line", "adjacent", "operators"),
        *("an operator begins a line", "the expansion has what follows", "the bracket is on the next line"),
        *("many in a row", "empty ones", "a macro made by a macro", "a macro makes a bracket"),
        *("another name of a function", "a macro that is no call", "an argument", "a function in another branch"),
        *(
            "an open bracket in another branch",
            "an open call in another branch",
            "strings and brackets",
            "undefined again",
        ),
    ],
)
def test_findings_behind_macros_of_any_shape(source):
    """Calls that go over several lines, and macros that follow each other, hide no place behind them."""
    with pytest.raises(CandidateError) as caught:
        made(source)
    (found,) = caught.value.diagnostics
    assert (found.rule, found.line, found.column) == ("call", *place(source, "nothing"))


def test_a_mark_that_the_author_wrote_is_refused_as_ever():
    """However many digits stand behind the character."""
    for digits in ("5", "5" * 5000):
        with pytest.raises(CandidateError, match="@"):
            made(f"#define ID(a) a\ndouble scalar(double x, double y) {{ return ID(@{digits}) + x; }}")


def test_what_is_compiled_is_the_text_without_marks():
    """A macro that makes a string of its arguments, reached by a way that marks get into, changes nothing."""
    source = (
        "#define STRING(x) #x\n#define BEGIN STRING(\n"
        "double scalar(double x, double y) { return sizeof(BEGIN a b)) + (BEGIN ab) [1] == 'b') + x; }"
    )
    assert '"a b"' in made(source).text
    assert '"ab"' in made(source).text


def test_a_finding_inside_a_macro_is_at_its_name():
    """What a macro makes wrong is reported where the macro is used."""
    source = "#define BAD(v) nothing(v)\ndouble scalar(double x, double y) {\n  return y +   BAD(x); }"
    with pytest.raises(CandidateError) as caught:
        made(source)
    (found,) = caught.value.diagnostics
    assert (found.rule, found.line, found.column) == ("call", *place(source, "BAD(x"))


@pytest.mark.parametrize(
    "source",
    [
        "double scalar(double x, double y) { return x + \\\n  y + nothing(x); }",
        "double scalar(double x, double y) { return x + \\  \n\\\n y \\\n + nothing(x); }",
        "#define TWO \\\n 2\ndouble scalar(double x, double y) { return TWO \\\n  * x + nothing(x); }",
        "double scalar(double x, double y) { return x + \\\n  /* \\\n */ y + nothing(x); }",
    ],
)
def test_findings_on_spliced_lines(source):
    """A finding on a line that was joined is on the line and at the column where the author wrote it."""
    with pytest.raises(CandidateError) as caught:
        made(source)
    (found,) = (d for d in caught.value.diagnostics if d.rule == "call")
    assert (found.line, found.column) == place(source, "nothing")


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("double scalar(double x, double y) { return \\\n x ` y; }", "` y"),  # the reader's finding
        ("double scalar(double x, double y) { return x \\\n + asm(y); }", "asm"),  # a word
        ("double scalar(double x, double y) { return x \\\n + ) y; }", ") y"),  # the parser's
        ("#define A 1\ndouble scalar(double x, double y) { return A \\\n + ) y; }", ") y"),
        ("#define A 1\n#define\\\n B(x, x) 1\ndouble scalar(double x, double y) { return A; }", "x) 1"),  # clang's
    ],
)
def test_other_findings_on_spliced_lines(source, wanted):
    """Reader, preprocessor and parser speak of the author's lines too."""
    with pytest.raises(CandidateError) as caught:
        made(source)
    assert (caught.value.diagnostics[0].line, caught.value.diagnostics[0].column) == place(source, wanted)


def test_code_lines_without_splices_or_macros_are_straight():
    """Where nothing was joined or expanded, every position is its own."""
    lines = CodeLines("a\nb")
    assert lines.is_straight
    assert lines.author_position(2, 1) == (2, 1)
    assert not CodeLines("a \\\nb").is_straight
    assert CodeLines("a \\\nb").author_position(1, 3) == (2, 1)


def test_byte_order_marks_and_line_ends():
    """The author's text has Unix line ends and no byte order mark; positions count in that."""
    source = "\ufeffdouble scalar(double x,\r\n double y) {\r return x; }"
    form = made(source.encode())
    assert form.author_text == "double scalar(double x,\n double y) {\n return x; }"
    assert author_place(form, "y)") == (2, 9)


# -- what we made -------------------------------------------------------------------------------------------------------


def test_a_struct_that_we_give_has_no_position():
    """The words of a record's struct are nobody's: line and column are zero."""
    source = "void centre(int64_t n, const struct Point points[n], struct Point *out) { out->x = n; }"
    form = made(source, CENTRE)
    end = form.text.index("};")
    before = [form.author_position(*at) for _, at in words_of(form.text[:end])]
    assert before == [(0, 0)] * len(before)
    assert author_place(form, "void") == (1, 1)


def test_a_prototype_that_we_insert_stands_at_the_definition():
    """Where a declared function is called before it is defined, the prototype's words are those of the definition."""
    source = "static double twice(double v) { return 2 * scalar(v, v); }\ndouble scalar(double x, double y) { return x > 1 ? y : twice(x); }"
    form = made(source)
    assert form.text.startswith("double scalar(double x, double y);")
    assert author_place(form, "scalar") == place(source, "scalar(double")
    assert author_place(form, "y)") == place(source, "y) {")


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        ";" * 20_000 + " return x;",
        "return " + "- " * 400 + "x" + " + x" * 15_000 + ";",
        "/*" + " static x" * 9_000 + "*/ return x;",
        "return x; " + "{" * 1 + "} {" * 6_000 + "}",
    ],
)
def test_hostile_texts_are_looked_up_in_linear_time(body):
    """Thousands of words of one line, statements or comments between two words hold nobody up."""
    source = f"double scalar(double x, double y) {{ {body} }}"
    try:
        form = made(source)
    except CandidateError:
        return
    lines = form.text.count("\n")
    step = max(1, lines // 2_000)
    found = [form.author_position(line, 3) for line in range(1, lines + 1, step)]
    assert np.all(np.array(found[1:-1])[:, 0] == 1)
    assert pickle.loads(pickle.dumps(form)).tree is not None


def test_findings_after_macros_are_on_the_lines_of_the_text():
    """What macros expand to is reported on the line where they are used."""
    found = refusal("#define LOG(x) puts(x)\n\n\n" + whole("\nLOG(0);\nreturn x;")).diagnostics
    assert [(d.line, d.rule) for d in found] == [(5, "call")]
