"""Constant expressions, literals and the folding of operators."""

import pytest
from pycparser import c_ast

from symbiont_jit.c.build import binary, constant, name
from symbiont_jit.c.constants import LIMITS, Constants, fold, literal_value, plain_integer
from symbiont_jit.c.tree import parse, print_tree


def expression(text):
    """The tree of an expression."""
    return parse(f"int x = {text};").ext[0].init


@pytest.mark.parametrize(
    ("op", "left", "right", "value"),
    [
        ("+", 3, 4, 7),
        ("/", -7, 2, -3),
        ("%", -7, 2, -1),
        ("/", 1, 0, None),
        ("%", 1, 0, None),
        ("<<", 1, 30, 2**30),
        ("<<", 1, 31, None),
        (">>", 8, 2, 2),
        ("&&", 2, 0, 0),
        ("<", 1, 2, 1),
        ("*", 5_000_000_000, 2, 10_000_000_000),
        (",", 1, 2, None),
    ],
)
def test_operators_have_the_values_of_c(op, left, right, value):
    """Division rounds towards zero; what C leaves undefined, and what is no operator of numbers, has no value."""
    assert fold(op, left, right) == value


@pytest.mark.parametrize(
    ("text", "value", "plain"),
    [
        ("12", 12, 12),
        ("0", 0, 0),
        ("012", 10, None),
        ("0x1Fu", 31, None),
        ("7L", 7, None),
        ("'a'", 97, None),
        (r"'\n'", 10, None),
        ("1.5", None, None),
        ("1" * 5000, None, None),
        ("n", None, None),
    ],
)
def test_literals(text, value, plain):
    """A literal has the value that C gives it; it is plain if printing its value writes it again."""
    node = expression(text)
    assert (literal_value(node), plain_integer(node)) == (value, plain)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 * 3 + 4", 10),
        ("-(5 / 2)", -2),
        ("1 ? 2 : 3", 2),
        ("INT_MAX", 2**31 - 1),
        ("INT_MAX + 1", None),
        ("1u - 2", None),
        ("n + 1", None),
    ],
)
def test_constant_expressions(text, value):
    """An expression of literals and limits has a value as long as 32 bits hold every step of it."""
    constants = Constants(LIMITS.get, lambda node: None, lambda node: None)
    assert constants.value(expression(text)) == value


@pytest.mark.parametrize(
    ("op", "left", "right", "text"),
    [
        ("+", constant(2), constant(3), "5"),
        ("*", constant(4), constant(8), "32"),
        ("+", name("i"), constant(0), "i"),
        ("*", constant(1), name("i"), "i"),
        ("*", name("i"), constant(1), "i"),
        ("-", constant(2), constant(3), "2 - 3"),
        ("+", name("i"), c_ast.Constant("int", "010"), "i + 010"),
    ],
)
def test_built_expressions_are_short(op, left, right, text):
    """What transformations build does the arithmetic of plain literals beforehand."""
    assert print_tree(binary(op, left, right)).strip() == text
