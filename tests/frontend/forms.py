"""Canonical forms, and the places of words in their texts."""

from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.frontend import canonical_source
from tests.frontend.candidates import SCALAR
from tests.frontend.test_corpus import SIGNATURES

CENTRE = SIGNATURES["centre"]


def made(source, signature=SCALAR):
    """The canonical form of an accepted text."""
    return canonical_source(source, signature, preprocess)


def place(text, wanted, count=1):
    """Line and column of the n-th occurrence of a piece of text."""
    index = -1
    for _ in range(count):
        index = text.index(wanted, index + 1)
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
