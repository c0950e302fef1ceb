"""Canonical text: what it does not depend on, what it keeps, and the object that holds it."""

import pickle

import pytest

from symbiont_jit import CandidateError
from symbiont_jit.c import tree as c_tree
from symbiont_jit.c.tree import position, walk
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.frontend import Canonical, canonical, canonical_source, read
from tests.frontend.candidates import SCALAR, canonical_text, whole
from tests.frontend.forms import CENTRE, made, place
from tests.frontend.test_corpus import ACCEPT, signature_for

# -- canonical text ---------------------------------------------------------------------------------------------------


def test_canonical_text_does_not_depend_on_spelling():
    """Layout, comments, macros, braces and linkage of helpers leave no trace."""
    plain = canonical_text(
        "static int one(void) { return 1; }\ndouble scalar(double x, double y) { if (x) return one(); return y; }"
    )
    other = canonical_text(
        "/* hello */\n#include <math.h>\n#define ONE 1\nint one(void)\n{\n\n  return ONE;}\n"
        "double scalar(double x, double y) // here\n{ if (x) { return one(); } ; return y; }".replace(" ; ", " ")
    )
    assert plain == other


def test_canonical_text_keeps_names_and_order():
    """Nothing is renamed, moved or simplified."""
    assert canonical_text(whole("double b = 2 * x; double a = b + 0; return a;")) == (
        "double scalar(double x, double y)\n{\n  double b = 2 * x;\n  double a = b + 0;\n  return a;\n}\n"
    )


SHAPES = {
    "sum": "return x" + " + x" * 120 + ";",
    "product of sums": "return " + " * ".join(["(x + y)"] * 60) + ";",
    "ternary chain": "return " + "".join(f"x == {i} ? {i} : " for i in range(60)) + "y;",
    "if in if": "if (x) " * 60 + "return y; return x;",
    "unary": "return " + "- " * 60 + "x;",
    "casts": "return " + "(int)" * 60 + "x;",
    "loops": "".join(f"for (int i{i} = 0; i{i} < 1; i{i}++) " for i in range(60)) + "x += 1; return x;",
    "assignments": "double a; " + "a = " * 60 + "x; return a;",
    "nested calls": "return " + "sin(" * 40 + "x" + ")" * 40 + ";",
    "array of array": "int a[3] = {0, 1, 2}; return " + "a[" * 40 + "0" + "]" * 40 + ";",
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_what_was_accepted_is_accepted_again(name):
    """The canonical source of an accepted text is acceptable: printing adds no more brackets than may be read."""
    try:
        printed = canonical_text(whole(SHAPES[name]))
    except CandidateError as error:
        assert {d.rule for d in error.diagnostics} == {"too-deep"}  # noqa: PT017  refused at once is fine too
    else:
        assert canonical_text(printed) == printed


def test_a_text_with_macros_needs_a_preprocessor():
    """Where no preprocessor is given, macros are refused and nothing else."""
    with pytest.raises(CandidateError) as caught:
        canonical_source("#define A 1\n" + whole("return A;"), SCALAR)
    assert [d.rule for d in caught.value.diagnostics] == ["directive"]
    assert canonical_source("#include <math.h>\n" + whole("return x;"), SCALAR).names == ("scalar",)


def test_the_same_text_gives_the_same_canonical_text():
    """Nothing of the day, the machine or the file gets in."""
    for word in ("__TIME__", "__DATE__", "__TIMESTAMP__", "__FILE__", "__COUNTER__", "__FI\\\nLE__"):
        with pytest.raises(CandidateError):
            canonical_text("#define C(a, b) a##b\n" + whole(f"return {word}[0];"))
    with pytest.raises(CandidateError):
        canonical_text("#define C(a, b) a##b\n" + whole("return C(__FI, LE__)[0];"))


def test_one_text_is_parsed_once_and_printed_once(monkeypatch):
    """`canonical_source` parses a candidate once and prints the whole tree once, also with records."""
    source = "void centre(int64_t n, const struct Point points[n], struct Point *out) { out->x = n; }"
    made(source, CENTRE)  # the struct of a record is parsed once in a process
    calls = []

    def counted(name, function):
        def call(*args, **options):
            calls.append(name)
            return function(*args, **options)

        return call

    monkeypatch.setattr(read, "parse", counted("parse", c_tree.parse))
    monkeypatch.setattr(canonical, "parse", counted("parse", c_tree.parse))
    monkeypatch.setattr(canonical, "print_with_positions", counted("print", c_tree.print_with_positions))
    monkeypatch.setattr(c_tree._Parser, "parse", counted("any parser", c_tree._Parser.parse))
    monkeypatch.setattr(c_tree.CPrinter, "visit_FileAST", counted("any printer", c_tree.CPrinter.visit_FileAST))
    form = made(source, CENTRE)
    assert form.tree is not None
    assert sorted(calls) == ["any parser", "any printer", "parse", "print"]


def test_the_tree_is_the_one_that_was_printed():
    """The tree of a canonical text prints as its text, and its positions are the author's."""
    source = "// first\ndouble scalar(double x, double y) { if (x > y) x = y; return x; }"
    form = made(source)
    assert c_tree.print_tree(form.tree) == form.text
    assert form.tree is form.tree
    names = [n for n in walk(form.tree) if getattr(n, "name", None) == "x"]
    assert {position(n)[0] for n in names} == {2}


@pytest.mark.table
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_a_pickled_form_has_no_tree_and_makes_one(path):
    """What comes out of a pickle is equal; its tree is the same C, with the author's positions."""
    form = made(path.read_bytes(), signature_for(path.read_bytes().decode()))
    hash(form), form.author_position(1, 1)
    copy = pickle.loads(pickle.dumps(form))
    assert "tree" not in copy.__dict__
    assert copy == form
    assert (copy.author_text, copy.source_map) == (form.author_text, form.source_map)
    assert c_tree.print_tree(copy.tree) == form.text
    both = list(zip(walk(form.tree), walk(copy.tree), strict=True))
    assert [type(one) for one, _ in both] == [type(other) for _, other in both]
    named = [
        (position(a), position(b)) for a, b in both if type(a).__name__ in ("ID", "Return", "For", "If", "TypeDecl")
    ]
    assert [one for one, _ in named] == [other for _, other in named]


def test_a_pickle_is_small():
    """A worker is sent text and map, of about the size of the two texts, and not the tree."""
    form = made("double scalar(double x, double y) { " + "x = x * y + 1; " * 500 + "return x; }")
    assert len(pickle.dumps(form)) < 9 * len(form.text)


def test_equal_forms_have_the_same_text_and_names():
    """Layout and comments of the author make no difference, the declared names do."""
    one = made("double scalar(double x, double y) { return x; }")
    other = made("/* a */ double scalar(double x,\n double y) { return (x); }")
    assert one == other
    assert len({one, other}) == 1
    assert one.digest == other.digest
    assert len(one.digest) == 32
    assert one != made("double scalar(double x, double y) { return y; }")
    assert one != Canonical(one.text, ("scalar", "other"))
    assert one != one.text


def test_a_form_without_an_author_is_its_own():
    """Canonical text that was stored is its own author's text."""
    text = made("double scalar(double x, double y) { return x; }").text
    form = Canonical(text, ("scalar",))
    assert form.author_text == text
    assert form.author_position(3, 5) == (3, 5)
    assert c_tree.print_tree(form.tree) == text
    with pytest.raises(CandidateError):
        Canonical("no C", ("scalar",)).tree  # noqa: B018


def test_a_form_without_its_tree_is_equal():
    """Those who keep many forms keep them without their trees."""
    form = made("double scalar(double x, double y) { return x; }")
    kept = form.without_tree()
    assert kept == form
    assert "tree" not in kept.__dict__
    assert kept.author_position(1, 1) == form.author_position(1, 1)


def test_a_finding_about_the_canonical_text_is_one_about_the_authors():
    """A whole diagnostic is translated; one about the text as a whole stays one."""
    source = "double scalar(double x, double y) {\n\n  return   x; }"
    form = made(source)
    found = Diagnostic(Stage.LOWER, "compiler", "no", *place(form.text, "x;"))
    assert form.author_diagnostic(found) == Diagnostic(Stage.LOWER, "compiler", "no", *place(source, "x;"))
    whole = Diagnostic(Stage.LOWER, "compiler", "no")
    assert form.author_diagnostic(whole) == whole
