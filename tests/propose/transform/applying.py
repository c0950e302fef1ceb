"""Bodies before and after a transformation."""

import numpy as np

from symbiont_jit.c.tree import brace, parse, print_tree
from symbiont_jit.propose.transform import TRANSFORMATIONS

HEAD = "void f(int64_t n, int64_t m, double a[n][m], double x[n])"


def canonical(body):
    tree = parse(f"{HEAD} {{ {body} }}")
    brace(tree)
    return tree


def require_turned(name, before, after):
    """A transformation turns one body into the other."""
    tree = canonical(before)
    assert TRANSFORMATIONS[name].apply(tree, np.random.default_rng(0))
    brace(tree)
    assert print_tree(tree) == print_tree(canonical(after))


def apply_until(source, name, wanted):
    """The first of many random applications that has a text in it."""
    for seed in range(300):
        tree = parse(source)
        brace(tree)
        if TRANSFORMATIONS[name].apply(tree, np.random.default_rng(seed)) and wanted in print_tree(tree):
            return print_tree(tree)
    raise AssertionError(f"{name} never made {wanted!r}")
