"""How kernels look: texts, HTML for notebooks, help."""

import io
import pydoc
import re

import pytest
from numba import float64 as f64

from symbiont_jit import Array, Kernel, Out, evolvable
from tests.kernel.declared import Pair


@pytest.fixture
def shown():
    @evolvable
    def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
        """Inner product of x & y."""
        return 0.0

    dot.compile("double dot(int64_t n, const double x[n], const double y[n]) { return n < 1; }", origin="by <hand>")
    return dot


def swapped(kernel):
    """With a text that somebody gave by hand."""
    kernel.swap("double dot(int64_t n, const double x[n], const double y[n]) { return n < 2; }")
    return kernel


def test_repr_says_what_it_is_and_what_is_active(shown):
    """A kernel's has signature, prototype and the active revision with where it came from; a revision's is one line."""
    assert repr(shown).splitlines() == [
        '<Kernel dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64',
        "  in C:   double dot(int64_t n, const double x[n], const double y[n])",
        "  active: revision 0: python, declared body (2 registered)>",
    ]
    assert repr(shown.active) == "<Revision 0 of dot (python, declared body)>"
    assert repr(shown.revision(1)) == "<Revision 1 of dot (c, safe, by <hand>)>"
    assert "revision 2: c, safe, by hand (3 registered)" in repr(swapped(shown))
    assert repr(shown.freeze(1)) == "<Frozen revision 1 of dot>"


def test_html_is_escaped_and_complete(shown):
    """A notebook shows signature, prototype, origin and source; nothing of a text is markup."""
    shown.activate(1)
    page = shown._repr_html_()
    assert "const double x[n]" in page
    assert "by &lt;hand&gt;" in page
    assert "return n &lt; 1;" in page
    assert "<hand>" not in page
    assert re.search("<td.*2 revisions, .* KiB stored", page)
    assert "by &lt;hand&gt;" in shown.revision(1)._repr_html_()


def test_help_tells_a_person(shown):
    """`help(kernel)` has the docstring, the prototype and what is active now; `help(Kernel)` is about the class."""
    shown.activate(1)
    output = io.StringIO()
    pydoc.Helper(output=output)(shown)
    text = output.getvalue()
    for part in (
        "Inner product of x & y.",
        "double dot(int64_t n, const double x[n], const double y[n])",
        "active: revision 1: c, safe, by <hand> (2 registered)",
    ):
        assert part in text
    assert "All revisions stay" in Kernel.__doc__


def test_an_out_parameter_is_shown_as_declared():
    """Signatures print as they are written."""

    @evolvable
    def fill(out: Out[f64, "n"], p: Pair, q: Out[Pair]) -> None: ...

    assert str(fill.signature) == 'fill(out: Out[float64, "n"], p: Pair, q: Out[Pair]) -> None'
