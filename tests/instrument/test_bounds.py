"""Bounds of pointers: they go along with calls, and lifetimes are followed."""

import sys

import pytest

from symbiont_jit.c.types import Refused
from symbiont_jit.instrument.bounds import Bounds, Flow, check_lifetimes
from symbiont_jit.instrument.nodes import number
from tests.instrument.bodies import HEADS, PROFILES, X, compiled, pick


def test_helpers_bring_the_bounds_of_their_pointers():
    """A pointer that is handed on is checked against the array it came from."""
    text = "static double third(const double *p)\n{\n  return p[2];\n}\n" + HEADS[pick] + "  return third(x + k);\n}\n"
    revision = pick.compile(text, "safe")
    assert (revision(X, 7), revision(X, 8)) == (9.0, 0.0)
    assert revision.take_panic().line == 3


def test_a_call_from_inside_may_not_lie_about_lengths():
    """A declared function that the text calls itself sees the bounds of what it was given."""
    text = HEADS[pick] + "  return k < 20 ? pick(1000, x, k + 20) : x[k];\n}\n"
    for profile in PROFILES:
        revision = pick.compile(text, profile)
        assert not revision(X, 0)
        assert revision.take_panic().kind == "pointer"


@pytest.mark.parametrize("profile", ["release", *PROFILES])
def test_an_aligned_pointer_fits_any(profile):
    """The builtin gives a pointer to void, as `malloc` does; its bounds are those of what it was given."""
    body = "  const double *p = __builtin_assume_aligned((const char *)x + 8, 8);\n  return p[k];"
    assert compiled(pick, body, profile)(X, 2) == 3.0
    if profile != "release":
        revision = compiled(pick, body, profile)
        assert revision(X, 9) == 0.0
        assert "element 10 of p, which has 10" in revision.take_panic().message


def test_lifetimes_are_followed_through_a_long_chain():
    """Pointers that are set to one another, each by the next, are followed to the array at the end, step by step once."""
    count = 3000
    bounds = [Bounds(f"p{i}", None, None, 1, "p") for i in range(count)]
    flows = [Flow(f"p{i}", 1, bounds[i], bounds[i + 1], number(i)) for i in range(count - 1)]
    inner = Flow(f"p{count - 1}", 2, bounds[-1], Bounds("a", None, None, 2, "a"), number(0))
    calls = 0

    def count_lines(frame, event, argument):
        nonlocal calls
        calls += event == "line"
        return count_lines

    before = sys.gettrace()
    sys.settrace(count_lines)
    try:
        with pytest.raises(Refused, match="'p0' would outlive"):
            check_lifetimes([*flows, inner])
    finally:
        sys.settrace(before)
    assert calls < 100 * count
