"""What can be frozen, and what an error says of the rest."""

import pytest
from numba import float64 as f64

import symbiont_jit as sj
from symbiont_jit import Kernel, UsageError, evolvable
from tests.dispatch.numba.kinds import handle


def test_what_allocates_cannot_be_frozen():
    """An arena belongs to a call, and what is inlined has none."""
    kernel = Kernel.from_c("double k(int64_t n) { double *t = calloc(n, 8); return t[0]; }")
    with pytest.raises(UsageError, match=r"allocates memory.*call the handle"):
        kernel.freeze()


def test_what_cannot_be_frozen():
    """Another kernel's revision, and a kernel without any."""

    @evolvable
    def empty(x: f64) -> f64: ...

    with pytest.raises(UsageError, match="'empty' has no revision to freeze"):
        empty.freeze()
    with pytest.raises(UsageError, match="is not a revision of 'empty'"):
        empty.freeze(handle)


def test_a_member_without_a_body_cannot_be_frozen():
    """The error says which revision has none."""
    some = sj.Group()

    @some.evolvable
    def with_body(x: f64) -> f64:
        return x

    @some.evolvable
    def without(x: f64) -> f64: ...

    with pytest.raises(UsageError, match="'without' has no body in revision 0"):
        without.freeze()
