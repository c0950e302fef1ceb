"""Declarations: lengths of local arrays."""

from tests.instrument.bodies import X, compiled, pick


def test_the_longest_local_array():
    """A length beyond 2**24 is a panic of its own, and one of that length only finds no stack."""
    revision = compiled(pick, "double t[k]; return t[0];", "safe")
    for length, kind in ((1 << 24, "stack"), ((1 << 24) + 1, "length"), (0, "index"), (1, None)):
        revision(X, length)
        panic = revision.take_panic()
        assert (panic.kind if panic else None) == kind
