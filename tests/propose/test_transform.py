"""The table of transformations."""

from symbiont_jit.propose.transform import TRANSFORMATIONS


def test_every_transformation_is_described():
    """The table can be printed: each row has a first line of documentation."""
    assert all(len(t.description) > 10 for t in TRANSFORMATIONS.values())
