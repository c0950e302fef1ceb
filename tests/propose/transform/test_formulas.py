"""Transformations that change what is computed."""

import pytest

from tests.propose.transform.applying import require_turned

GOLDEN = {
    "if-conversion": (
        "if (x[0] > 1) x[0] = 1;",
        "x[0] = (x[0] > 1) ? (1) : (x[0]);",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_transformation(name):
    """The transformation turns the loop as written into the loop as documented."""
    require_turned(name, *GOLDEN[name])
