"""Lengths as sums: what stands for a name, and what is left of it."""

from symbiont_jit.translation.extents import Atom, Extent, named_extent

N, B, M = (named_extent(name, name) for name in "nbm")


def test_a_sum_stands_where_its_name_stood():
    """All that a name counts for is replaced, and nothing else."""
    assert (N + B.times(3)).replacing(Atom("b"), M - N) == M.times(3) - N.times(2)


def test_a_name_that_has_cancelled_out_is_not_replaced():
    """A sum without a name is the same whatever the name stands for."""
    assert (N - B + B).replacing(Atom("b"), M) == N
    assert Extent().replacing(Atom("b"), M) == Extent()


def test_words_are_the_names_in_the_text():
    """Products and quotients have the names of what they are made of."""
    assert (named_extent("rows * cols") + named_extent("(n2 + 1) / 2") + Extent((), 7)).words == {"rows", "cols", "n2"}
