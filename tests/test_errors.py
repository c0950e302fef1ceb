"""Errors: the parts of a refusal, and how it reads."""

import pickle

import pytest

from symbiont_jit.errors import Diagnostic, Stage
from tests.frontend.candidates import refusal, whole


def test_a_refusal_reads_like_a_compilers():
    """The text of a refusal: one line on the whole, then each finding with its line and a caret."""
    error = refusal("double scalar(double x, double y)\n{\n\treturn clamp(x) + sqroot(y);\n}\n")
    assert str(error) == (
        "the candidate failed at stage 'check' with 2 findings:\n"
        "3:9: error: 'clamp' is not a function you may call; write it yourself or do without [call]\n"
        "    \treturn clamp(x) + sqroot(y);\n"
        "    \t       ^\n"
        "3:20: error: 'sqroot' is not a function you may call; did you mean 'sqrt'? [call]\n"
        "    \treturn clamp(x) + sqroot(y);\n"
        "    \t                  ^"
    )


def test_a_finding_about_the_whole_text_has_no_position():
    """Line 0 means the text as a whole and is not shown."""
    (finding,) = refusal(" ").diagnostics
    assert finding.render("anything") == "error: there is no text [empty]"


def test_what_clang_finds_is_shown_on_the_authors_text():
    """Findings of the compiler count lines of the text as it was written, and the error carries that text."""
    error = refusal("double scalar(double x,double y){return x+zz;}")
    assert error.stage == "lower"
    assert error.source == "double scalar(double x,double y){return x+zz;}"
    assert str(error).endswith(f"    {error.source}\n    {' ' * error.source.index('zz')}^")


def test_an_error_carries_stage_findings_and_source():
    """The parts of an error are data, and survive a pickle."""
    source = whole("return puts(0);")
    error = refusal(source)
    assert (error.stage, error.source, len(error.diagnostics)) == (Stage.CHECK, source, 1)
    again = pickle.loads(pickle.dumps(error))
    assert (again.stage, again.diagnostics, again.source, str(again)) == (
        error.stage,
        error.diagnostics,
        error.source,
        str(error),
    )


def test_only_the_first_findings_are_rendered():
    """Of very many findings twenty are shown and the others counted."""
    shown = str(refusal(whole("puts(0);\n" * 50)))
    assert shown.count("[call]") == 20
    assert shown.endswith("... and 30 more")


@pytest.mark.parametrize("column", [1, 80, 200, 999])
def test_a_long_line_is_cut_around_its_caret(column):
    """Whatever a line's length, the caret stands under the character that is meant."""
    line = "".join(chr(ord("a") + i % 26) for i in range(1000))
    _, shown, caret = Diagnostic(Stage.CHECK, "call", "no", 1, column).render(line).split("\n")
    assert len(shown) <= 200
    assert shown[caret.index("^")] == line[column - 1]
    assert shown[4:] in line


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_only_newlines_end_the_lines_that_are_shown(separator):
    """Characters that other programs take for line ends do not move the caret to another line."""
    shown = str(refusal(f"/* one{separator}two */\n" + whole("return\nzork(x);")))
    assert "\n    zork(x);" in shown
