"""Candidates for one function of numbers, accepted and refused."""

import pytest

from symbiont_jit import CandidateError, Kernel
from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.frontend import canonical_source
from symbiont_jit.signature import signature_of
from tests.kernels import scalar

SCALAR = signature_of(scalar)


def whole(body, before=""):
    """A candidate for `scalar` with these statements."""
    return f"{before}double scalar(double x, double y) {{ {body} }}"


def refusal(source, signature=SCALAR):
    """The error that a text is refused with."""
    with pytest.raises(CandidateError) as caught:
        Kernel(signature).compile(source)
    return caught.value


def canonical_text(source, signature=SCALAR):
    return canonical_source(source, signature, preprocess).text
