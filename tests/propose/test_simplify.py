"""Simpler texts: each is smaller by one change, and the tree that they are made from stays as it was."""

import pytest

from symbiont_jit.frontend import canonical_source
from symbiont_jit.propose.simplify import list_simpler
from symbiont_jit.signature import signature_of
from tests.kernels import MATMUL, matmul, scalar

SCALAR = signature_of(scalar)


def simpler(body):
    source = canonical_source(f"double scalar(double x, double y) {{ {body} }}", SCALAR).text
    return source, [" ".join(text.split()) for text in list_simpler(source)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 0 - x;", "return -x;"),
        ("return x * 1;", "return x;"),
        ("return x > 0 ? x : y;", "return y;"),
        ("if (x > 0) return x; else return y;", "{ return x; }"),
        ("if (x > 0) return x; return y;", "{ return y; }"),
        ("for (int i = 4; i < 0; i++) x += 1; return x;", "{ return x; }"),
        ("double u = 3; return x;", "{ return x; }"),
        ("return (double)x;", "return x;"),
        ("x += 1; x += 2; y += 3; y += 4; return x;", "{ y += 3; y += 4; return x; }"),
        (
            "\n#pragma clang loop unroll(enable)\nfor (int i = 0; i < 3; i++) x += 1; return x;",
            "{ for (int i = 0; i < 3; i++)",
        ),
    ],
)
def test_what_is_left_out(body, expected):
    """Statements, halves of blocks, operands, branches, casts, pragmas."""
    assert any(expected in text for text in simpler(body)[1])


def test_helpers_and_types_that_nobody_needs_can_go():
    """Whatever stands in the file may be left out; whether it was needed is seen where the text is tried."""
    text = "static double help(double x) { return x; } double scalar(double x, double y) { return x + y; }"
    source = canonical_source(text, SCALAR).text
    assert any("help" not in each and "scalar" in each for each in list_simpler(source))


def test_texts_are_new_and_shorter_ones_come_first():
    """None is the given one, none comes twice, and the ones with much less in them are tried first."""
    source = canonical_source(MATMUL, signature_of(matmul)).text
    found = list(list_simpler(source))
    assert len(set(found) | {source}) == len(found) + 1
    assert [len(text) for text in found] == sorted(len(text) for text in found)
    assert found == list(list_simpler(source)), "the tree is as it was after each change"


def test_what_is_no_c():
    """It has no simpler texts."""
    assert list(list_simpler("double f(")) == []
